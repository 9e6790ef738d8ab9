package insight

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a writer's entry may be, after cleaning: in characters.
const (
	maxTitle = 80
	maxText  = 600
	// maxEntry bounds an entry as it came, in bytes: what is longer is not looked at.
	maxEntry = 16 << 10
)

// Patterns of what has no place in plain words.
var (
	// tagPattern finds what a browser might take for markup.
	tagPattern = regexp.MustCompile(`<[\p{L}/!?]`)
	// linkPattern finds what a reader might follow: a scheme, an address, a host of the usual kinds, or any host with a path.
	linkPattern = regexp.MustCompile(`(?i)[a-z][a-z0-9+-]*://|\b(www\.|javascript:|mailto:|tel:)|@|` +
		`[\p{L}\d-]\.(com|net|org|br|io|app|dev|link|xyz|site|online|shop|store|info|biz|top|club|co|ly|gg|ru|cn|page|click|live|vip|bet|tv|cc)\b|` +
		`[\p{L}\d-]\.\p{L}{2,}/`)
	// leadPattern is how models mark headings, quotes and items of lists.
	leadPattern = regexp.MustCompile(`(?m)^(?: *(?:[#>]+|[-•–—] ))+ *`)
)

// wording is what is said of a finding.
type wording struct {
	title string
	text  string // "" when nothing of it can be kept
}

// read takes from a reply what can be used of it, by the finding's key. Nothing in it is believed: an entry that is not as it
// was asked for is dropped, and of the others each sentence with a figure that is not among the facts, or with a link or
// markup. faults say what was dropped, without quoting it.
func read(entries []json.RawMessage, found []discovery) (said map[string]wording, faults []error) {
	said = map[string]wording{}
	for i, raw := range entries {
		key, w, err := readEntry(raw)
		at := slices.IndexFunc(found, func(f discovery) bool { return f.key == key })
		switch {
		case err != nil:
		case at < 0:
			err = errors.New("it is about no finding")
		case said[key] != (wording{}):
			err = errors.New("its finding has been spoken of")
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("entry %d: %w", i+1, err))
			continue
		}
		kept, dropped := verify(w, found[at])
		if dropped > 0 {
			faults = append(faults, fmt.Errorf("entry %d: %d sentences have foreign figures or links", i+1, dropped))
		}
		said[key] = kept
	}
	return said, faults
}

// readEntry reads one entry in its form, cleaned.
func readEntry(raw json.RawMessage) (key string, w wording, err error) {
	if len(raw) > maxEntry {
		return "", wording{}, fmt.Errorf("it has %d bytes", len(raw))
	}
	var entry struct {
		Key         string `json:"key"`
		Title       string `json:"title"`
		Description string `json:"description"`
	}
	if err := json.Unmarshal(raw, &entry); err != nil {
		return "", wording{}, errors.New("it is not an object of texts") // the decoder's own words may quote it
	}
	w = wording{title: strings.Join(strings.Fields(plain(entry.Title)), " "), text: plain(entry.Description)}
	if n := utf8.RuneCountInString(w.title); n < 1 || n > maxTitle {
		return "", wording{}, fmt.Errorf("its title has %d characters", n)
	}
	if n := utf8.RuneCountInString(w.text); n < 1 || n > maxText {
		return "", wording{}, fmt.Errorf("its description has %d characters", n)
	}
	return entry.Key, w, nil
}

// verify keeps the sentences that are true to the facts. A title that is not gives way to the kind's own.
func verify(w wording, f discovery) (kept wording, dropped int) {
	known := figuresOf(f.facts, f.Period)
	var sentences []string
	for _, s := range split(w.text) {
		if known.allow(s) && harmless(s) {
			sentences = append(sentences, s)
		} else {
			dropped++
		}
	}
	kept = wording{title: w.title, text: strings.Join(sentences, " ")}
	if !known.allow(w.title) || !harmless(w.title) {
		kept.title = ownTitle(f.Kind)
		dropped++
	}
	return kept, dropped
}

func harmless(s string) bool { return !tagPattern.MatchString(s) && !linkPattern.MatchString(s) }

// plain makes plain text of what a model writes: no control or invisible characters, no emphasis, no entities; single blanks,
// and lines where there were some.
func plain(s string) string {
	for range 3 { // entities may hide entities
		s = html.UnescapeString(visible(s))
	}
	s = visible(s)
	s = leadPattern.ReplaceAllString(s, "")
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// visible keeps what can be seen of a text, without emphasis.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
			return '\n'
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError, r == '*', r == '`', unicode.In(r, unicode.C, unicode.Variation_Selector):
			return -1
		}
		return r
	}, s)
}

// split cuts a text into sentences. A full stop ends one only before a blank and what can begin another, and not behind an
// abbreviation: a sentence too long costs more words when it is dropped, one cut in two would leave half a claim.
func split(s string) []string {
	var sentences []string
	begin := 0
	cut := func(end int) {
		if sentence := strings.TrimSpace(s[begin:end]); sentence != "" {
			sentences = append(sentences, sentence)
		}
		begin = end
	}
	for i, r := range s {
		if i < begin {
			continue
		}
		switch r {
		case '\n':
			cut(i)
		case '.', '!', '?', '…':
			end := i + utf8.RuneLen(r)
			end += len(s[end:]) - len(strings.TrimLeft(s[end:], `.!?…"'”’»)]`))
			if endsSentence(s[begin:i], s[end:], r) {
				cut(end)
			}
		}
	}
	cut(len(s))
	return sentences
}

// endsSentence says whether the mark between before and after, with what closes behind it, is the end of a sentence.
func endsSentence(before, after string, mark rune) bool {
	next := strings.TrimLeft(after, " ")
	if next == "" || next[0] == '\n' {
		return true
	}
	if len(next) == len(after) { // no blank: "12.5", "S.A"
		return false
	}
	if first, _ := utf8.DecodeRuneInString(next); unicode.IsLower(first) {
		return false
	}
	return mark != '.' || !isAbbreviation(before)
}

func isAbbreviation(before string) bool {
	word := before[strings.LastIndexAny(before, " (\n")+1:]
	switch strings.ToLower(word) {
	case "aprox", "av", "cia", "dr", "dra", "etc", "ex", "ltda", "n", "nº", "núm", "obs", "p", "pág", "pct", "r", "s", "sr", "sra", "un", "vs":
		return true
	}
	return false
}

// ownTitle stands in for a title that cannot be kept.
func ownTitle(k Kind) string {
	switch k {
	case KindPriceAlert:
		return "Preço acima do que você costuma pagar"
	case KindCategoryInsight:
		return "Uma categoria pesou mais neste mês"
	case KindMerchantPattern:
		return "Suas compras neste mercado"
	case KindSummary:
		return "Resumo da compra"
	case KindEssentialRatio:
		return "Itens não essenciais na compra"
	case KindSeasonalAlert:
		return "Frutas e verduras fora de época"
	case KindChildrenSpending:
		return "Gastos com as crianças"
	case KindBudgetHealth:
		return "O mercado no orçamento da família"
	case KindIncomeCommitment:
		return "Quanto da renda vai para o mercado"
	case KindPerCapitaSpending:
		return "Gasto por pessoa da família"
	case KindShoppingFrequency:
		return "Idas ao mercado neste mês"
	case KindWholesaleOpportunity:
		return "Vale a pena comprar no atacado"
	case KindSavingsPotential:
		return "Onde dá para economizar"
	case KindFamilyNutrition:
		return "A alimentação da família"
	}
	return "Novidade sobre a sua compra"
}
