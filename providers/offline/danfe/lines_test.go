package danfe_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/providers/offline/danfe"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

const header = "Código Descrição Qtde UN Vl Unit Vl Total\n"

func TestItemLayouts(t *testing.T) {
	t.Parallel()
	milk := sdk.ReceiptItem{
		Description: "LEITE UHT INT 1L", Code: "7891000100103", GTIN: "7891000100103",
		Quantity: "2", Unit: "UN", UnitPrice: "5.99", Total: "11.98",
	}
	with := func(change func(*sdk.ReceiptItem)) sdk.ReceiptItem {
		it := milk
		change(&it)
		return it
	}
	meat := sdk.ReceiptItem{Description: "PATINHO BOV", Code: "2001", Quantity: "0.512", Unit: "KG", UnitPrice: "42.90", Total: "21.96"}
	for name, tc := range map[string]struct {
		lines string
		want  sdk.ReceiptItem
	}{
		"one line":                      {"7891000100103 LEITE UHT INT 1L 2 UN 5,99 11,98", milk},
		"one line, numbered":            {"001 7891000100103 LEITE UHT INT 1L 2 UN 5,99 11,98", milk},
		"two lines":                     {"7891000100103 LEITE UHT INT 1L\n   2 UN X 5,99    11,98", milk},
		"two lines, numbered":           {"001 7891000100103 LEITE UHT INT 1L\n2 UN X 5,99 11,98", milk},
		"description on two lines":      {"001 7891000100103 LEITE UHT\nINT 1L\n2 UN X 5,99 11,98", milk},
		"long description, then figure": {"001 7891000100103 LEITE UHT\nINT 1L 2 UN X 5,99 11,98", milk},
		"code and GTIN": {"001 2001 7891000100103 LEITE UHT INT 1L\n2 UN X 5,99 11,98", with(func(it *sdk.ReceiptItem) {
			it.Code = "2001"
		})},
		"run together":             {"001 7891000100103 LEITE UHT INT 1L\n2UNX5,99 11,98", milk},
		"times sign":               {"001 7891000100103 LEITE UHT INT 1L\n2 UN × 5,99 11,98", milk},
		"currency":                 {"001 7891000100103 LEITE UHT INT 1L\n2 UN x R$ 5,99 R$ 11,98", milk},
		"currency misread":         {"001 7891000100103 LEITE UHT INT 1L\n2 UN x R5 5,99 RS 11,98", milk},
		"tax in brackets":          {"001 7891000100103 LEITE UHT INT 1L\n2 UN X 5,99 (1,23) 11,98", milk},
		"tax in brackets, last":    {"001 7891000100103 LEITE UHT INT 1L\n2 UN X 5,99 11,98 (1,23)", milk},
		"tax letter":               {"001 7891000100103 LEITE UHT INT 1L\n2 UN X 5,99 F 11,98 F", milk},
		"tax rate":                 {"001 7891000100103 LEITE UHT INT 1L\n2 UN X 5,99 T18,00% 11,98", milk},
		"tax mark":                 {"001 7891000100103 LEITE UHT INT 1L 2 UN x 5,99 I 11,98", milk},
		"total on the next line":   {"001 7891000100103 LEITE UHT INT 1L\n2 UN X 5,99\n11,98", milk},
		"total on the line before": {"001 7891000100103 LEITE UHT INT 1L\n11,98\n2 UN X 5,99", milk},
		"weighed":                  {"2001 PATINHO BOV\n0,512 KG x 42,90 21,96", meat},
		"weighed, run together":    {"2001 PATINHO BOV\n0,512KG x 42,90 21,96", meat},
		"weighed, one line":        {"2001 PATINHO BOV 0,512 KG 42,90 21,96", meat},
		"discount": {"001 7891000100103 LEITE UHT INT 1L\n2 UN X 5,99 11,98\nDESCONTO ITEM -2,00", with(func(it *sdk.ReceiptItem) {
			it.Discount = "2.00"
		})},
		"discount, short": {"001 7891000100103 LEITE UHT INT 1L\n2 UN X 5,99 11,98\ndesconto -2,00", with(func(it *sdk.ReceiptItem) {
			it.Discount = "2.00"
		})},
		"thousands": {"001 7891000100103 LEITE UHT INT 1L\n200 UN X 5,99 1.198,00", with(func(it *sdk.ReceiptItem) {
			it.Quantity, it.Total = "200", "1198.00"
		})},
		"price with three decimals": {"001 7891000100103 LEITE UHT INT 1L\n3 UN X 5,333 16,00", with(func(it *sdk.ReceiptItem) {
			it.Quantity, it.UnitPrice, it.Total = "3", "5.333", "16.00"
		})},
		// Damage that the line's own arithmetic settles.
		"points for commas":    {"001 7891000100103 LEITE UHT INT 1L\n2 UN X 5.99 11.98", milk},
		"comma lost":           {"001 7891000100103 LEITE UHT INT 1L\n2 UN X 5,99 1198", milk},
		"comma read as 7":      {"001 7891000100103 LEITE UHT INT 1L\n2 UN X 5799 11,98", milk},
		"blank in a figure":    {"001 7891000100103 LEITE UHT INT 1L\n2 UN X 5, 99 11 ,98", milk},
		"letters for digits":   {"001 7891000100103 LEITE UHT INT 1L\n2 UN X S,99 ll,98", milk},
		"unit misread":         {"001 7891000100103 LEITE UHT INT 1L\n2 UM X 5,99 11,98", milk},
		"number misread":       {"0O1 7891000100103 LEITE UHT INT 1L\n2 UN X 5,99 11,98", milk},
		"blank lost in a head": {"0017891000100103 LEITE UHT INT 1L\n2 UN X 5,99 11,98", milk},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := danfe.Parse([]string{header + tc.lines + "\nQtde total de itens 1\nForma de pagamento\n"})
			require.Len(t, got.Items, 1)
			assert.Equal(t, tc.want, got.Items[0])
		})
	}
}

const twoItems = `SUPERMERCADO EXEMPLO LTDA
CNPJ: 11.222.333/0001-81
Código Descrição Qtde UN Vl Unit Vl Total
001 7891000100103 LEITE
    2 UN X 5,99    11,98
002 2001 BANANA PRATA
    1 KG X 6,49     6,49
Qtde total de itens 2
Valor Total R$ 18,47
Valor a Pagar R$ 18,47
FORMA PAGAMENTO VALOR PAGO R$
Dinheiro 20,00
Troco R$ 1,53
Consulte pela Chave de Acesso em:
3526 1111 2223 3300 0181 6500 1000 0123 4518 7654 3214
CONSUMIDOR - CPF 529.982.247-25
NFCe n. 000012345 Série 001 22/11/2026 18:42:10
Protocolo de Autorização: 135260000000001 22/11/2026 18:42:12
`

func parseChanged(t *testing.T, oldNew ...string) sdk.Receipt {
	t.Helper()
	text := strings.NewReplacer(oldNew...).Replace(twoItems)
	if len(oldNew) > 0 {
		require.NotEqual(t, twoItems, text, "the change applies")
	}
	return danfe.Parse([]string{text})
}

func TestReadsAWholeReceipt(t *testing.T) {
	t.Parallel()
	got := parseChanged(t)
	want := sdk.Receipt{
		AccessKey: "35261111222333000181650010000123451876543214", Number: "12345", Series: "1", IssuedAt: "2026-11-22T18:42:10",
		Protocol: "135260000000001", IssuerName: "SUPERMERCADO EXEMPLO LTDA", IssuerCNPJ: "11222333000181", ConsumerCPF: "529.982.247-25",
		Items: []sdk.ReceiptItem{
			{Description: "LEITE", Code: "7891000100103", GTIN: "7891000100103", Quantity: "2", Unit: "UN", UnitPrice: "5.99", Total: "11.98"},
			{Description: "BANANA PRATA", Code: "2001", Quantity: "1", Unit: "KG", UnitPrice: "6.49", Total: "6.49"},
		},
		ItemCount: "2", Products: "18.47", Due: "18.47", Payments: []sdk.ReceiptPayment{{Method: "CASH", Amount: "20.00"}}, Change: "1.53",
	}
	assert.Equal(t, want, got)
	assert.True(t, danfe.Complete(got))
}

func TestAFigureIsRepairedWhereLineAndSumProveIt(t *testing.T) {
	t.Parallel()
	for name, damaged := range map[string]string{
		"digit of the total":    "2 UN X 5,99    17,98",
		"digit more":            "2 UN X 5,99    111,98",
		"total cannot be read":  "2 UN X 5,99    @#,",
		"digit of the price":    "2 UN X 6,99    11,98",
		"price cannot be read":  "2 UN X %&     11,98",
		"digit of the quantity": "7 UN X 5,99    11,98",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := parseChanged(t, "2 UN X 5,99    11,98", damaged)
			require.Len(t, got.Items, 2)
			it := got.Items[0]
			assert.Equal(t, []string{"2", "5.99", "11.98"}, []string{it.Quantity, it.UnitPrice, it.Total})
			assert.False(t, it.Uncertain)
		})
	}
}

func TestAFigureIsNotRepairedWithoutProof(t *testing.T) {
	t.Parallel()
	// The total of the products is lost as well, so that no sum proves the line: what is printed stays, marked.
	got := parseChanged(t, "2 UN X 5,99    11,98", "2 UN X 5,99    17,98", "Valor Total R$ 18,47", "Valor Total R$", "a Pagar R$ 18,47", "a Pagar R$")
	require.Len(t, got.Items, 2)
	assert.Equal(t, "17.98", got.Items[0].Total)
	assert.True(t, got.Items[0].Uncertain)
	assert.False(t, got.Items[1].Uncertain)

	got = parseChanged(t, "2 UN X 5,99    11,98", "2 UN X 5,99", "Valor Total R$ 18,47", "Valor Total R$", "a Pagar R$ 18,47", "a Pagar R$")
	require.Len(t, got.Items, 2)
	assert.Empty(t, got.Items[0].Total, "never computed")
	assert.True(t, got.Items[0].Uncertain)
}

func TestALineWhoseFiguresAreLostStays(t *testing.T) {
	t.Parallel()
	got := parseChanged(t, "    2 UN X 5,99    11,98\n", "    ~~ ###\n")
	require.Len(t, got.Items, 2)
	assert.Equal(t, sdk.ReceiptItem{Description: "LEITE", Code: "7891000100103", GTIN: "7891000100103", Uncertain: true}, got.Items[0])
}

func TestDirtIsNotAnItem(t *testing.T) {
	t.Parallel()
	got := parseChanged(t, "002 2001", "= TI Or pr\nOPERADOR MARIA\n~~~\n002 2001")
	require.Len(t, got.Items, 2)
	assert.True(t, danfe.Complete(got))
}

func TestACancelledLineIsLeftOut(t *testing.T) {
	t.Parallel()
	got := parseChanged(t, "002 2001", "CANCELADO ITEM 001 -11,98\n002 2001")
	require.Len(t, got.Items, 1)
	assert.Equal(t, "BANANA PRATA", got.Items[0].Description)
}

func TestKeyIsRepairedOnlyWhereItsCheckDigitsProveIt(t *testing.T) {
	t.Parallel()
	const key = "35261111222333000181650010000123451876543214"
	for name, tc := range map[string]struct{ printed, want string }{
		"letters for digits":    {"3S26 1111 2223 33OO 0181 65OO 1OOO 0l23 4518 7654 3214", key},
		"digit, proved by rest": {"3526 1171 2223 3300 0181 6500 1000 0123 4518 7654 3214", key},
		"digit, several ways":   {"3526 1111 2223 3300 0181 6500 1000 0123 4518 7654 8214", ""},
		"dirt around":           {"| 3526 1111 2223 3300 0181 6500 1000 0123 4518 7654 3214 .", key},
		"two lines":             {"3526 1111 2223 3300 0181 6500\n1000 0123 4518 7654 3214", key},
		"two digits":            {"3526 1111 2223 3300 0181 6500 1000 0123 4518 7658 8214", ""},
		"digit lost":            {"3526 1111 2223 3300 0181 6500 1000 0123 4518 7654 321", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := parseChanged(t, "3526 1111 2223 3300 0181 6500 1000 0123 4518 7654 3214", tc.printed)
			assert.Equal(t, tc.want, got.AccessKey)
		})
	}
	t.Run("letters in the CNPJ", func(t *testing.T) {
		t.Parallel()
		got := parseChanged(t, "11.222.333/0001-81", "12.ABC.345/01DE-35",
			"3526 1111 2223 3300 0181 6500 1000 0123 4518 7654 3214", "3526 1112 ABC3 4501 DE35 6500 1000 0123 4518 7654 3215")
		assert.Equal(t, "35261112ABC34501DE35650010000123451876543215", got.AccessKey)
		assert.Equal(t, "12ABC34501DE35", got.IssuerCNPJ)
		got = parseChanged(t, "11.222.333/0001-81", "l2.A8C.34S/01DE-35",
			"3526 1111 2223 3300 0181 6500 1000 0123 4518 7654 3214", "3526 1112 A8C3 4S01 DE35 6500 1000 0123 4518 7654 3215")
		assert.Equal(t, "35261112ABC34501DE35650010000123451876543215", got.AccessKey, "two misread")
		assert.Equal(t, "12ABC34501DE35", got.IssuerCNPJ, "the key proves it")
	})
}

func TestTotalsAreRepairedWhereSumsProveIt(t *testing.T) {
	t.Parallel()
	for name, damaged := range map[string][]string{
		"due":      {"Valor a Pagar R$ 18,47", "Valor a Pagar R$ 18,41"},
		"products": {"Valor Total R$ 18,47", "Valor Total R$ 16,47"},
		"change":   {"Troco R$ 1,53", "Troco R$ 1753"},
		"payment":  {"Dinheiro 20,00", "Dinheiro 2O,0O"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.True(t, danfe.Complete(parseChanged(t, damaged...)))
		})
	}
}

func TestPaymentNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Dinheiro": "CASH", "Cartão de Crédito": "CREDIT_CARD", "CARTAO DEBITO": "DEBIT_CARD", "PIX": "PIX", "Pagamento Instantâneo (PIX)": "PIX",
		"Vale Alimentação": "FOOD_VOUCHER", "Vale Refeição": "MEAL_VOUCHER", "Cheque": "CHEQUE", "Crédito Loja": "STORE_CREDIT",
		"Cartao de Credit0": "CREDIT_CARD", "Outros": "OTHER", "Moeda Social": "OTHER", "Vale Presente": "GIFT_VOUCHER",
	} {
		got := danfe.Parse([]string{strings.Replace(twoItems, "Dinheiro", name, 1)})
		assert.Equal(t, []sdk.ReceiptPayment{{Method: want, Amount: "20.00"}}, got.Payments, name)
	}
}

func TestABareTotalIsWhatIsDue(t *testing.T) {
	t.Parallel()
	got := parseChanged(t, "Valor Total R$ 18,47\nValor a Pagar R$ 18,47", "TOTAL R$ 18,47")
	assert.Equal(t, []string{"", "18.47"}, []string{got.Products, got.Due})
	got = parseChanged(t, "Valor Total R$ 18,47\nValor a Pagar R$ 18,47", "SUBTOTAL 19,47\nDESCONTO -1,00\nTOTAL R$ 18,47")
	assert.Equal(t, []string{"19.47", "1.00", "18.47"}, []string{got.Products, got.Discount, got.Due})
}

func TestPagesThatOverlapAreReadOnce(t *testing.T) {
	t.Parallel()
	lines := strings.SplitAfter(twoItems, "\n")
	got := danfe.Parse([]string{strings.Join(lines[:7], ""), strings.Join(lines[3:], "")})
	assert.Equal(t, parseChanged(t), got)
	got = danfe.Parse([]string{strings.Join(lines[:6], ""), strings.Join(lines[6:], "")})
	assert.Equal(t, parseChanged(t), got, "an item across a seam")
}

func TestTestDocuments(t *testing.T) {
	t.Parallel()
	assert.False(t, parseChanged(t).Test)
	assert.True(t, parseChanged(t, "Código", "SEM VALOR FISCAL\nCódigo").Test)
	assert.True(t, parseChanged(t, "Código", "EMITIDA EM AMBIENTE DE HOMOLOGAÇÃO\nCódigo").Test)
}

func TestMergeTakesWhatEachReadingIsSureOf(t *testing.T) {
	t.Parallel()
	noTotals := []string{"Valor Total R$ 18,47", "Valor Total R$", "a Pagar R$ 18,47", "a Pagar R$"}
	first := parseChanged(t, append(noTotals, "2 UN X 5,99    11,98", "2 UN X 5,99    17,98")...)
	second := parseChanged(t, "1 KG X 6,49     6,49", "1 KG # ~~", "Dinheiro 20,00", "Dinheiro")
	require.False(t, danfe.Complete(first))
	require.False(t, danfe.Complete(second))
	assert.Equal(t, parseChanged(t), danfe.Merge(first, second))
	assert.Equal(t, parseChanged(t), danfe.Merge(second, first))
	lost := parseChanged(t, "002 2001 BANANA PRATA\n    1 KG X 6,49     6,49\n", "")
	assert.Equal(t, parseChanged(t), danfe.Merge(lost, parseChanged(t)), "a line that one reading has lost")
}

// FuzzParse holds that any text gives an answer, in time that grows with its length alone.
func FuzzParse(f *testing.F) {
	f.Add(twoItems, "")
	f.Add(header+"001 789 X\n2 UN X 5,99 11,98\nDESCONTO -1\n", twoItems)
	f.Add("2UNX5,99 11,98 \xff\xfe 0 x", "CANCELADO ITEM 001\n|||")
	f.Add(strings.Repeat("1 UN X 1,11 9,99\n", 50)+"Valor Total R$ 10,00", "9999 9999")
	f.Fuzz(func(t *testing.T, a, b string) {
		first := danfe.Parse([]string{a, b})
		second := danfe.Parse([]string{b})
		danfe.Complete(danfe.Merge(first, second))
		if first.Items == nil || first.Payments == nil {
			t.Fatal("null instead of an empty list")
		}
	})
}
