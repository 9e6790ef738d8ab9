package insight

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// novelFacts have a figure of every sort.
const novelFacts = `{
	"product": "Leite Integral 1,5 L 2x", "product_id": "01a209f5-9b46-7969-b4dd-acda569de227", "brand": "Marca 70% Cacau",
	"current_price": {"centavos": 123456, "formatted": "R$ 1.234,56"},
	"average_price": {"centavos": 599, "formatted": "R$ 5,99"},
	"fall": {"centavos": -250, "formatted": "-R$ 2,50"},
	"cents": {"centavos": 89, "formatted": "R$ 0,89"},
	"difference_percent": "12.5", "change_percent": "-33.3", "quantity": "2.750",
	"history_count": 17, "months": ["2026-10", {"day": "2026-09-07"}], "group_percentages": {"DAIRY": "4.0"}
}`

func novel() discovery {
	return discovery{
		Finding: Finding{Kind: KindPriceAlert, Period: Period{From: "2026-08-26", To: "2026-11-23"}},
		key:     "f1", facts: json.RawMessage(novelFacts),
	}
}

func TestFiguresAmongTheFactsMayBeSaid(t *testing.T) {
	t.Parallel()
	known := figuresOf(novel().facts, novel().Period)
	for _, text := range []string{
		"", "Sem números.", "três quilos",
		"R$ 1.234,56", "R$1234,56", "r$ 1.234,56", "1.234,56", "1234,56 reais", "R$ 1234.56",
		"R$ 1.235", "R$ 1.235,00", "1.235 reais", "R$ 5,99", "R$ 6", "R$ 6,00", "5,99 reais", "R$\u00a05,99",
		"-R$ 2,50", "R$ -2,50", "R$ 2,50 a menos", "R$ 3,00", "89 centavos", "R$ 0,89", "R$ 1",
		"12,5 %", "12,5%", "12,5", "12,5 por cento", "12.5%", "13 %", "13", "33,3 %", "-33%", "4 %", "4,0 %",
		"2,75", "2,750 kg", "17 compras", "17ª vez", "1,5 L", "1,5L", "2x", "70% cacau", "Leite Integral 1,5 L 2x",
		"outubro de 2026", "10/2026", "2026-10", "07/09/2026", "7/9", "7 de setembro", "2026-09-07",
		"23/11/2026", "23/11", "23/11/26", "11/2026", "11/26", "de 26 de agosto a 23 de novembro de 2026",
		"nos últimos 90 dias", "em 4 meses", "89 dias",
	} {
		assert.True(t, known.allow(text), text)
	}
}

func TestForeignFiguresMayNotBeSaid(t *testing.T) {
	t.Parallel()
	known := figuresOf(novel().facts, novel().Period)
	for _, text := range []string{
		"R$ 1.234,57", "R$ 1.234", "R$ 1.234,5", "R$ 12.345,6", "R$ 123.456", "R$ 5", "R$ 5,98", "R$ 0,90", "88 centavos", "R$ 89",
		"12,4 %", "12 %", "12,6%", "34 %", "125 %", "1,25 %", "R$ 12,50", "R$ 17", "17 %", "17 reais", "5,99 %", "R$ 12,5",
		"16", "18 compras", "171", "1,7", "0,17", "17.5", "R$ 6 mil", "6 mil reais", "17 mil", "6 milhões de reais", "R$ 5,99 mil",
		"24/11/2026", "22/11", "11/2025", "12/2026", "2026-12", "2025", "31 de agosto", "91 dias", "5 meses", "01a209f5", "7969",
		"1.23.456,7", "1,234.56", "12,5,3", "99999999999999999999999", "½ quilo", "²", "١٧", "１７", "Ⅳ", "70", "13,0001",
		"(11) 98765-4321", "123.456.789-09", "17 e 18", "12:30",
	} {
		assert.False(t, known.allow(text), text)
	}
}

func TestFactsThatAreNoJSONAllowNothing(t *testing.T) {
	t.Parallel()
	assert.Empty(t, figuresOf(json.RawMessage(`{"a": 17`), Period{}))
	assert.False(t, figuresOf(nil, Period{From: "x-y", To: "2026"}).allow("17"))
}

func TestHalfACentavoIsRoundedUp(t *testing.T) {
	t.Parallel()
	for centavos, reais := range map[int64]string{149: "R$ 1", 150: "R$ 2", 250: "R$ 3", 199: "R$ 2", 49: "R$ 0"} {
		facts, err := json.Marshal(map[string]Amount{"x": Amount(fiscal.Money(centavos))})
		require.NoError(t, err)
		assert.True(t, figuresOf(facts, Period{}).allow(reais), centavos)
	}
}

func TestSentencesAreCutWhereTheyEnd(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"Uma. Duas! Três? Quatro… Cinco":     {"Uma.", "Duas!", "Três?", "Quatro…", "Cinco"},
		"Pagou R$ 1.234,56. Levou 5,5 kg.":   {"Pagou R$ 1.234,56.", "Levou 5,5 kg."},
		"Subiu 12.5 % no mês. 3 itens mais.": {"Subiu 12.5 % no mês.", "3 itens mais."},
		"Custou aprox. R$ 5,99 na Av. Brasil. Caro!": {
			"Custou aprox. R$ 5,99 na Av. Brasil.", "Caro!",
		},
		"Comprou leite etc. em novembro.": {"Comprou leite etc. em novembro."},
		"Na Padaria S.A. de sempre.":      {"Na Padaria S.A. de sempre."},
		"Ele disse \"Basta.\" Fim.":       {"Ele disse \"Basta.\"", "Fim."},
		"Que caro!!! Nossa...":            {"Que caro!!!", "Nossa..."},
		"Linha um\nlinha dois":            {"Linha um", "linha dois"},
		"... \n . ":                       {"...", "."},
		"":                                nil,
	} {
		assert.Equal(t, want, split(text), text)
	}
}

func say(t *testing.T, key, title, text string) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(map[string]string{"key": key, "title": title, "description": text})
	require.NoError(t, err)
	return raw
}

func TestWordsAreCleanedAndHeldToTheFacts(t *testing.T) {
	t.Parallel()
	own := ownTitle(KindPriceAlert)
	for name, c := range map[string]struct{ title, text, wantTitle, wantText string }{
		"true words stay": {
			"Leite 12,5 % mais caro", "Você pagou R$ 5,99. Antes era menos.", "Leite 12,5 % mais caro", "Você pagou R$ 5,99. Antes era menos.",
		},
		"a foreign figure takes its sentence": {"Leite", "Você pagou R$ 5,99. Economize R$ 40,00 por mês. Compare!", "Leite", "Você pagou R$ 5,99. Compare!"},
		"the other part of the sentence too":  {"Leite", "Você pagou R$ 5,99, ou seja, 99 % a mais.", "Leite", ""},
		"a foreign figure in the title":       {"99 % mais caro", "Compare.", own, "Compare."},
		"markup in the title":                 {"<b>Leite</b>", "Compare.", own, "Compare."},
		"a link in the title":                 {"Veja evil.com", "Compare.", own, "Compare."},
		"links":                               {"Leite", "Veja https://evil.example/x?a. Ou www.evil.top! Ou evil.com.br. Ou t.me/evil. Escreva a@b. Compare.", "Leite", "Compare."},
		"links in entities":                   {"Leite", "Veja &lt;a href=x&gt;aqui&lt;/a&gt;. Veja &amp;lt;img src=x&amp;gt;. Veja http&#58;&#47;&#47;x. Compare.", "Leite", "Compare."},
		"scripts":                             {"Leite", "<script>alert(1)</script> Compare.\nSó isto.", "Leite", "Só isto."},
		"markdown":                            {"**Leite**", "# Alerta\n- **R$ 5,99** agora\n* `menos` antes", "Leite", "Alerta R$ 5,99 agora menos antes"},
		"control characters":                  {"Lei\x00te\u202e", "Com\u200bpare\x1b.\r\n\tJá.", "Leite", "Compare. Já."},
		"blanks":                              {"  Leite \n caro ", "  Compare.   Já. ", "Leite caro", "Compare. Já."},
		"a figure in pieces":                  {"Leite", "Pagou R$ 5,\u200b98.", "Leite", ""},
		"less than, more than":                {"Leite", "R$ 5,99 < R$ 1.234,56 > R$ 0,89.", "Leite", "R$ 5,99 < R$ 1.234,56 > R$ 0,89."},
		"a label with a dot":                  {"Leite", "O LEITE.INTEG ficou caro.", "Leite", "O LEITE.INTEG ficou caro."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, _ := read([]json.RawMessage{say(t, "f1", c.title, c.text)}, []discovery{novel()})
			assert.Equal(t, map[string]wording{"f1": {c.wantTitle, c.wantText}}, said)
		})
	}
}

func TestEntriesThatAreNotAsAskedForAreDropped(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]json.RawMessage{
		"null":                   json.RawMessage(`null`),
		"a text":                 json.RawMessage(`"f1"`),
		"a list":                 json.RawMessage(`["f1","t","d"]`),
		"broken":                 json.RawMessage(`{"key":"f1"`),
		"nothing":                nil,
		"a number for a text":    json.RawMessage(`{"key":"f1","title":5,"description":"d"}`),
		"no title":               json.RawMessage(`{"key":"f1","description":"d"}`),
		"no description":         json.RawMessage(`{"key":"f1","title":"t"}`),
		"no key":                 json.RawMessage(`{"title":"t","description":"d"}`),
		"an unknown key":         json.RawMessage(`{"key":"f2","title":"t","description":"d"}`),
		"a title of blanks":      say(t, "f1", " \u200b\n", "d"),
		"a description of marks": say(t, "f1", "t", "** \n # "),
		"a title of 81":          say(t, "f1", strings.Repeat("ã", 81), "d"),
		"a description of 601":   say(t, "f1", "t", strings.Repeat("ã", 601)),
		"an entry too large":     say(t, "f1", "t", strings.Repeat("\u200b", maxEntry)+"d"),
	} {
		said, faults := read([]json.RawMessage{raw}, []discovery{novel()})
		assert.Empty(t, said, name)
		assert.Len(t, faults, 1, name)
	}
	said, faults := read([]json.RawMessage{say(t, "f1", strings.Repeat("ã", 80), strings.Repeat("ã", 600))}, []discovery{novel()})
	assert.Len(t, said, 1, "the longest that fits")
	assert.Empty(t, faults)
}

func TestAFindingIsSpokenOfOnce(t *testing.T) {
	t.Parallel()
	said, faults := read([]json.RawMessage{say(t, "f1", "Um", "Primeira."), say(t, "f1", "Dois", "Segunda.")}, []discovery{novel()})
	assert.Equal(t, map[string]wording{"f1": {"Um", "Primeira."}}, said)
	assert.Len(t, faults, 1)
}

func TestFaultsDoNotQuote(t *testing.T) {
	t.Parallel()
	_, faults := read([]json.RawMessage{
		json.RawMessage(`{"key":"f1","title":{"segredo":1}}`), json.RawMessage(`segredo`), say(t, "segredo", "t", "d"),
		say(t, "f1", "segredo 99", "segredo 98."),
	}, []discovery{novel()})
	require.Len(t, faults, 4)
	for _, f := range faults {
		assert.NotContains(t, f.Error(), "segredo")
	}
}

func TestEveryKindHasATitleOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, k := range []Kind{
		KindPriceAlert, KindCategoryInsight, KindMerchantPattern, KindSummary, KindEssentialRatio, KindSeasonalAlert, KindChildrenSpending,
		KindBudgetHealth, KindIncomeCommitment, KindPerCapitaSpending, KindShoppingFrequency, KindWholesaleOpportunity, KindSavingsPotential,
		KindFamilyNutrition, "",
	} {
		title := ownTitle(k)
		assert.False(t, seen[title], k)
		seen[title] = true
		assert.LessOrEqual(t, utf8.RuneCountInString(title), maxTitle)
		assert.True(t, figures{}.allow(title) && harmless(title), k)
	}
}

// Whatever a writer says, what is kept is plain, short, and true to the facts.
func FuzzWords(f *testing.F) {
	f.Add("Leite **caro**", "Você pagou R$ 5,99. Veja &lt;b&gt; www.x.com. 99 %!\n- fim", novelFacts)
	f.Add("½", "1.2.3,4/5-6 R$ mil", `{"a":[1,"2",{"centavos":3,"formatted":""}]}`)
	f.Fuzz(func(t *testing.T, title, text, facts string) {
		raw, err := json.Marshal(map[string]string{"key": "f1", "title": title, "description": text})
		require.NoError(t, err)
		d := novel()
		d.facts = json.RawMessage(facts)
		said, _ := read([]json.RawMessage{raw, json.RawMessage(text)}, []discovery{d})
		known := figuresOf(d.facts, d.Period)
		for key, w := range said {
			require.Equal(t, "f1", key)
			require.NotEmpty(t, w.title)
			require.LessOrEqual(t, utf8.RuneCountInString(w.title), maxTitle)
			require.LessOrEqual(t, utf8.RuneCountInString(w.text), maxText)
			for _, s := range []string{w.title, w.text} {
				require.True(t, utf8.ValidString(s))
				require.False(t, strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, unicode.C) }), "%q", s)
			}
			require.True(t, known.allow(w.title) && harmless(w.title), "%q", w.title)
			for _, s := range split(w.text) {
				require.True(t, known.allow(s), "%q", s)
			}
		}
	})
}
