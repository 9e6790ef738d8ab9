package invoice_test

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

const (
	issuerCNPJ = "11222333000181"
	otherCNPJ  = "12ABC34501DE35"
	aCPF       = "52998224725"
)

// allNames is every rule, in the order of the ledger's answer.
func allNames() []invoice.CheckName {
	return []invoice.CheckName{
		invoice.CheckHasItems, invoice.CheckHasAmountDue, invoice.CheckAmountSign, invoice.CheckAccessKey,
		invoice.CheckKeyIssuer, invoice.CheckKeyModel, invoice.CheckKeySeries, invoice.CheckKeyNumber, invoice.CheckKeyDate,
		invoice.CheckKeyState, invoice.CheckIssuerCNPJ, invoice.CheckItemGTIN, invoice.CheckItemTotal,
		invoice.CheckProductsTotal, invoice.CheckDiscountTotal, invoice.CheckAmountDue, invoice.CheckPayments,
		invoice.CheckItemCount, invoice.CheckQRKey, invoice.CheckQRAmount, invoice.CheckQRDay, invoice.CheckQRState,
		invoice.CheckIssueDate, invoice.CheckRealDocument,
	}
}

func brasilia() *time.Location { return time.FixedZone("-03", -3*60*60) }

func key(t *testing.T, body string) fiscal.AccessKey {
	t.Helper()
	digit, err := fiscal.AccessKeyCheckDigit(body)
	require.NoError(t, err)
	return fiscal.AccessKey(body + string(digit))
}

// note is a whole NFC-e of contingency with its QR code: every rule has its figures, and all hold.
func note(t *testing.T) *invoice.CheckInput {
	t.Helper()
	k := key(t, "352611"+issuerCNPJ+"65"+"001"+"000012345"+"9"+"87654321")
	return &invoice.CheckInput{
		Now: time.Date(2026, time.November, 26, 9, 0, 0, 0, time.UTC),
		QR: &fiscal.QR{
			Key: k, Version: 2, Offline: true, Day: 25, Amount: new(fiscal.Money(4_750)),
			Host: "www.nfce.fazenda.sp.gov.br", State: "SP",
		},
		Draft: &invoice.Draft{
			AccessKey: string(k), Model: 65, Number: 12345, Series: new(1),
			IssuedAt: new(time.Date(2026, time.November, 25, 21, 7, 33, 0, brasilia())),
			Protocol: "135260001234567",
			Issuer:   invoice.Issuer{Name: "Mercado Exemplo Ltda", CNPJ: issuerCNPJ, State: "SP"},
			Items: []invoice.Item{
				{
					Line: 1, Description: "LEITE INTEGRAL 1L", GTIN: "7891000100103", Unit: "UN",
					Quantity: decimal.NewFromInt(2), UnitPrice: decimal.RequireFromString("5.99"), Total: 1_198,
				},
				{
					Line: 2, Description: "TOMATE", Code: "42", Unit: "KG",
					Quantity: decimal.RequireFromString("0.525"), UnitPrice: decimal.RequireFromString("9.99"), Total: 524,
				},
				{
					Line: 3, Description: "CAFE 500G", GTIN: "78910003", Unit: "UN",
					Quantity: decimal.NewFromInt(1), UnitPrice: decimal.RequireFromString("32.2800000000"), Total: 3_228, Discount: 200,
				},
			},
			PrintedItemCount: new(3),
			Totals:           invoice.Totals{Products: new(fiscal.Money(4_950)), Discount: 200, Due: new(fiscal.Money(4_750)), Paid: new(fiscal.Money(5_000)), Change: 250},
			Payments:         []invoice.Payment{{Method: invoice.PaymentCash, Amount: 5_000}},
		},
	}
}

// of is the checks of that name.
func of(checks []invoice.Check, name invoice.CheckName) []invoice.Check {
	var found []invoice.Check
	for _, c := range checks {
		if c.Name == name {
			found = append(found, c)
		}
	}
	return found
}

func TestAWholeNotePassesEveryCheck(t *testing.T) {
	t.Parallel()
	checks := invoice.RunChecks(*note(t))
	var names []invoice.CheckName
	for _, c := range checks {
		names = append(names, c.Name)
		assert.True(t, c.Passed, "%+v", c)
		assert.NotEmpty(t, c.Expected, c.Name)
		assert.NotContains(t, strings.ToLower(c.Found), "erro", c.Name)
		assert.Zero(t, c.Line)
		if c.Difference != nil {
			assert.Zero(t, *c.Difference, c.Name)
		}
	}
	assert.Equal(t, allNames(), names)
	assert.True(t, invoice.AllPassed(checks))
}

func TestAmountsAreComparedWithinTwoCentavos(t *testing.T) {
	t.Parallel()
	for name, shift := range map[invoice.CheckName]func(in *invoice.CheckInput, by fiscal.Money){
		// Each moves the Found side of its check, and as little else as can be.
		invoice.CheckItemTotal:     func(in *invoice.CheckInput, by fiscal.Money) { in.Draft.Items[1].Total += by },
		invoice.CheckProductsTotal: func(in *invoice.CheckInput, by fiscal.Money) { *in.Draft.Totals.Products += by },
		invoice.CheckAmountDue:     func(in *invoice.CheckInput, by fiscal.Money) { *in.Draft.Totals.Due += by },
		invoice.CheckPayments:      func(in *invoice.CheckInput, by fiscal.Money) { in.Draft.Payments[0].Amount += by },
		invoice.CheckQRAmount:      func(in *invoice.CheckInput, by fiscal.Money) { *in.Draft.Totals.Due += by },
	} {
		for _, by := range []fiscal.Money{-3, -2, -1, 0, 1, 2, 3, 100_000} {
			in := note(t)
			shift(in, by)
			checks := of(invoice.RunChecks(*in), name)
			require.Len(t, checks, 1, name)
			c := checks[0]
			assert.Equal(t, by.Abs() <= 2, c.Passed, "%s by %d", name, by)
			require.NotNil(t, c.Difference, name)
			assert.Equal(t, by, *c.Difference, "%s: the difference is told, passed or not", name)
		}
	}
}

func TestLinesMayHaveLessDiscountThanTheNoteButNotMore(t *testing.T) {
	t.Parallel()
	for by, passes := range map[fiscal.Money]bool{-1000: true, -3: true, 0: true, 2: true, 3: false, 1000: false} {
		in := note(t)
		in.Draft.Items[0].Discount += 1000 // room for less
		in.Draft.Totals.Discount += 1000
		in.Draft.Items[0].Discount += by
		checks := of(invoice.RunChecks(*in), invoice.CheckDiscountTotal)
		require.Len(t, checks, 1)
		assert.Equal(t, passes, checks[0].Passed, "lines have %d more", by)
		assert.Equal(t, -by, *checks[0].Difference)
	}
}

// wrong is one change to a whole note that breaks one rule.
type wrong struct {
	change          func(in *invoice.CheckInput)
	name            invoice.CheckName
	expected, found string
	also            []invoice.CheckName // that break with it
}

func TestWhatFailsAndHowItIsTold(t *testing.T) {
	t.Parallel()
	spKey := key(t, "352611"+issuerCNPJ+"65"+"001"+"000012345"+"9"+"87654321")
	withKey := func(body string) func(in *invoice.CheckInput) {
		k := key(t, body)
		return func(in *invoice.CheckInput) { in.Draft.AccessKey, in.QR.Key = string(k), k }
	}
	const rightKey = "chave de 44 caracteres com dígito verificador correto"
	for title, c := range map[string]wrong{
		"no items": {
			func(in *invoice.CheckInput) { in.Draft.Items = nil },
			invoice.CheckHasItems, "ao menos 1 item", "0 itens",
			[]invoice.CheckName{invoice.CheckItemCount},
		},
		"no amount due": {
			func(in *invoice.CheckInput) { in.Draft.Totals.Due = nil },
			invoice.CheckHasAmountDue, "valor a pagar", "não encontrado", nil,
		},
		"a negative line": {
			func(in *invoice.CheckInput) {
				in.Draft.Items = append(in.Draft.Items, invoice.Item{Total: -100})
				in.Draft.PrintedItemCount = nil
			},
			invoice.CheckAmountSign, "nenhum valor negativo", "total -R$ 1,00",
			[]invoice.CheckName{invoice.CheckProductsTotal},
		},
		"a negative discount of a line": {
			func(in *invoice.CheckInput) { in.Draft.Items[2].Discount = -200 },
			invoice.CheckAmountSign, "nenhum valor negativo", "desconto -R$ 2,00", nil,
		},
		"a negative quantity": {
			func(in *invoice.CheckInput) { in.Draft.Items[0].Quantity = decimal.NewFromInt(-2) },
			invoice.CheckAmountSign, "nenhum valor negativo", "quantidade negativa",
			[]invoice.CheckName{invoice.CheckItemTotal},
		},
		"a negative unit price": {
			func(in *invoice.CheckInput) { in.Draft.Items[0].UnitPrice = decimal.RequireFromString("-5.99") },
			invoice.CheckAmountSign, "nenhum valor negativo", "preço unitário negativo",
			[]invoice.CheckName{invoice.CheckItemTotal},
		},
		"a negative freight": {
			func(in *invoice.CheckInput) { in.Draft.Totals.Freight = -1 },
			invoice.CheckAmountSign, "nenhum valor negativo", "frete -R$ 0,01", nil,
		},
		"a negative payment": {
			func(in *invoice.CheckInput) {
				in.Draft.Payments = []invoice.Payment{{Amount: 5_001}, {Amount: -1}}
			},
			invoice.CheckAmountSign, "nenhum valor negativo", "pagamento -R$ 0,01", nil,
		},
		"a key with a slip": {
			func(in *invoice.CheckInput) { in.Draft.AccessKey = string(spKey[:43]) + "9" },
			invoice.CheckAccessKey, rightKey, "chave com erro de leitura",
			[]invoice.CheckName{invoice.CheckQRKey},
		},
		"a key of no state": {
			withKey("992611" + issuerCNPJ + "65001000012345987654321"),
			invoice.CheckAccessKey, rightKey, "chave com código de UF 99", nil,
		},
		"a key of before there were any": {
			withKey("350511" + issuerCNPJ + "65001000012345987654321"),
			invoice.CheckAccessKey, rightKey, "chave com ano 2005",
			[]invoice.CheckName{invoice.CheckKeyDate},
		},
		"a key of month 13": {
			withKey("352613" + issuerCNPJ + "65001000012345987654321"),
			invoice.CheckAccessKey, rightKey, "chave com mês 13",
			[]invoice.CheckName{invoice.CheckKeyDate},
		},
		"a key of another kind of document": {
			withKey("352611" + issuerCNPJ + "57001000012345987654321"),
			invoice.CheckAccessKey, rightKey, "chave com modelo 57",
			[]invoice.CheckName{invoice.CheckKeyModel},
		},
		"a key of number 0": {
			withKey("352611" + issuerCNPJ + "65001000000000987654321"),
			invoice.CheckAccessKey, rightKey, "chave com número 0",
			[]invoice.CheckName{invoice.CheckKeyNumber},
		},
		"another issuer": {
			func(in *invoice.CheckInput) { in.Draft.Issuer.CNPJ = otherCNPJ },
			invoice.CheckKeyIssuer, "11.222.333/0001-81", "12.ABC.345/01DE-35", nil,
		},
		"another model": {
			func(in *invoice.CheckInput) { in.Draft.Model = 55 },
			invoice.CheckKeyModel, "65", "55", nil,
		},
		"another series": {
			func(in *invoice.CheckInput) { in.Draft.Series = new(0) },
			invoice.CheckKeySeries, "1", "0", nil,
		},
		"another number": {
			func(in *invoice.CheckInput) { in.Draft.Number = 12346 },
			invoice.CheckKeyNumber, "12345", "12346", nil,
		},
		"another month": {
			func(in *invoice.CheckInput) { *in.Draft.IssuedAt = in.Draft.IssuedAt.AddDate(0, -1, 0) },
			invoice.CheckKeyDate, "11/2026", "10/2026", nil,
		},
		"another state": {
			func(in *invoice.CheckInput) { in.Draft.Issuer.State = "rj" },
			invoice.CheckKeyState, "SP", "RJ", nil,
		},
		"a CNPJ with a slip": {
			func(in *invoice.CheckInput) { in.Draft.Issuer.CNPJ = "11.222.333/0001-82" },
			invoice.CheckIssuerCNPJ, "CNPJ com dígitos verificadores corretos", "11.222.333/0001-82",
			[]invoice.CheckName{invoice.CheckKeyIssuer},
		},
		"a GTIN with a slip": {
			func(in *invoice.CheckInput) { in.Draft.Items[0].GTIN = "7891000100104" },
			invoice.CheckItemGTIN, "código de barras com dígito verificador correto", "7891000100104", nil,
		},
		"a line whose total is another": {
			func(in *invoice.CheckInput) { in.Draft.Items[0].UnitPrice = decimal.RequireFromString("6.99") },
			invoice.CheckItemTotal, "R$ 13,98", "R$ 11,98", nil,
		},
		"a line whose total was not read": {
			func(in *invoice.CheckInput) { in.Draft.Items[0].Total = 0 },
			invoice.CheckItemTotal, "R$ 11,98", "R$ 0,00",
			[]invoice.CheckName{invoice.CheckProductsTotal},
		},
		"a line of an absurd size": {
			func(in *invoice.CheckInput) { in.Draft.Items[0].Quantity = decimal.New(1, math.MaxInt32) },
			invoice.CheckItemTotal, "quantidade × preço unitário fora da faixa", "R$ 11,98", nil,
		},
		"a missing line": {
			func(in *invoice.CheckInput) { in.Draft.Items = in.Draft.Items[1:] },
			invoice.CheckProductsTotal, "R$ 37,52", "R$ 49,50",
			[]invoice.CheckName{invoice.CheckItemCount},
		},
		"a discount that is not the lines'": {
			func(in *invoice.CheckInput) { in.Draft.Items[2].Discount = 300 },
			invoice.CheckDiscountTotal, "R$ 3,00", "R$ 2,00", nil,
		},
		"a total of zero, as an injected order might have it": {
			func(in *invoice.CheckInput) { in.Draft.Totals.Due = new(fiscal.Money(0)) },
			invoice.CheckAmountDue, "R$ 47,50", "R$ 0,00",
			[]invoice.CheckName{invoice.CheckPayments, invoice.CheckQRAmount},
		},
		"too little paid": {
			func(in *invoice.CheckInput) { in.Draft.Payments[0].Amount = 4_500 },
			invoice.CheckPayments, "R$ 47,50", "R$ 42,50", nil,
		},
		"one line printed": {
			func(in *invoice.CheckInput) { in.Draft.PrintedItemCount = new(1) },
			invoice.CheckItemCount, "1 item", "3 itens", nil,
		},
		"the code of another note": {
			func(in *invoice.CheckInput) {
				in.QR.Key = key(t, "352611"+issuerCNPJ+"65"+"001"+"000012346"+"9"+"87654321")
			},
			invoice.CheckQRKey, key(t, "352611"+issuerCNPJ+"65"+"001"+"000012346"+"9"+"87654321").Grouped(), spKey.Grouped(), nil,
		},
		"the code's amount": {
			func(in *invoice.CheckInput) { *in.QR.Amount = 123_456 },
			invoice.CheckQRAmount, "R$ 1.234,56", "R$ 47,50", nil,
		},
		"the code's day": {
			func(in *invoice.CheckInput) { in.QR.Day = 26 },
			invoice.CheckQRDay, "dia 26", "25/11/2026", nil,
		},
		"the code leads to another state": {
			func(in *invoice.CheckInput) { in.QR.Host, in.QR.State = "www.sefaz.rs.gov.br", "RS" },
			invoice.CheckQRState, "SP", "RS", nil,
		},
		"the code leads elsewhere": {
			func(in *invoice.CheckInput) { in.QR.Host, in.QR.State = "nfce.example.com", "" },
			invoice.CheckQRState, "SP", "endereço que não é de nenhum estado", nil,
		},
		"a date to come": {
			func(in *invoice.CheckInput) { in.Now = in.Draft.IssuedAt.Add(-24*time.Hour - time.Second) },
			invoice.CheckIssueDate, "até 24/11/2026", "25/11/2026", nil,
		},
		"a date of before there were notes": {
			func(in *invoice.CheckInput) {
				*in.Draft.IssuedAt = time.Date(2005, time.December, 25, 0, 0, 0, 0, brasilia())
			},
			invoice.CheckIssueDate, "a partir de 2006", "25/12/2005",
			[]invoice.CheckName{invoice.CheckKeyDate},
		},
		"a test document": {
			func(in *invoice.CheckInput) { in.Draft.TestDocument = true },
			invoice.CheckRealDocument, "documento fiscal", "documento de teste, sem valor fiscal", nil,
		},
		"the code of a test document": {
			func(in *invoice.CheckInput) { in.QR.Test = true },
			invoice.CheckRealDocument, "documento fiscal", "documento de teste, sem valor fiscal", nil,
		},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			in := note(t)
			c.change(in)
			checks := invoice.RunChecks(*in)
			assert.False(t, invoice.AllPassed(checks))
			var failed []invoice.CheckName
			for _, check := range checks {
				if check.Name == c.name {
					assert.Equal(t, c.expected, check.Expected)
					assert.Equal(t, c.found, check.Found)
				}
				if !check.Passed {
					failed = append(failed, check.Name)
				}
			}
			assert.ElementsMatch(t, append(c.also, c.name), failed)
		})
	}
}

func TestWhatIsNotStatedIsNotChecked(t *testing.T) {
	t.Parallel()
	bare := []invoice.CheckName{invoice.CheckHasItems, invoice.CheckHasAmountDue}
	for title, in := range map[string]invoice.CheckInput{
		"nothing at all":  {},
		"an empty draft":  {Draft: &invoice.Draft{}, QR: &fiscal.QR{}, Now: time.Unix(0, 0)},
		"a code of a lie": {Draft: &invoice.Draft{}, QR: &fiscal.QR{Key: "não é uma chave", Host: "x.y", State: "SP"}},
	} {
		checks := invoice.RunChecks(in)
		require.Len(t, checks, 2, title)
		for i, c := range checks {
			assert.Equal(t, bare[i], c.Name)
			assert.False(t, c.Passed)
		}
	}

	for title, c := range map[string]struct {
		change func(in *invoice.CheckInput)
		left   []invoice.CheckName
	}{
		"no code": {
			func(in *invoice.CheckInput) { in.QR = nil },
			[]invoice.CheckName{invoice.CheckQRKey, invoice.CheckQRAmount, invoice.CheckQRDay, invoice.CheckQRState},
		},
		"an online code": {
			func(in *invoice.CheckInput) { in.QR.Offline, in.QR.Day, in.QR.Amount = false, 0, nil },
			[]invoice.CheckName{invoice.CheckQRAmount, invoice.CheckQRDay},
		},
		"no key printed, but a code": {
			func(in *invoice.CheckInput) { in.Draft.AccessKey = "" },
			[]invoice.CheckName{invoice.CheckAccessKey, invoice.CheckQRKey},
		},
		"neither key nor code": {
			func(in *invoice.CheckInput) { in.Draft.AccessKey, in.QR = "", nil },
			[]invoice.CheckName{
				invoice.CheckAccessKey, invoice.CheckKeyIssuer, invoice.CheckKeyModel, invoice.CheckKeySeries,
				invoice.CheckKeyNumber, invoice.CheckKeyDate, invoice.CheckKeyState, invoice.CheckQRKey, invoice.CheckQRAmount,
				invoice.CheckQRDay, invoice.CheckQRState, invoice.CheckRealDocument,
			},
		},
		"no issuer": {
			func(in *invoice.CheckInput) { in.Draft.Issuer = invoice.Issuer{} },
			[]invoice.CheckName{invoice.CheckKeyIssuer, invoice.CheckKeyState, invoice.CheckIssuerCNPJ},
		},
		"no number, series, model": {
			func(in *invoice.CheckInput) { in.Draft.Number, in.Draft.Series, in.Draft.Model = 0, nil, 0 },
			[]invoice.CheckName{invoice.CheckKeyModel, invoice.CheckKeySeries, invoice.CheckKeyNumber},
		},
		"no date": {
			func(in *invoice.CheckInput) { in.Draft.IssuedAt = nil },
			[]invoice.CheckName{invoice.CheckKeyDate, invoice.CheckQRDay, invoice.CheckIssueDate},
		},
		"no clock": {
			func(in *invoice.CheckInput) { in.Now = time.Time{} },
			[]invoice.CheckName{invoice.CheckIssueDate},
		},
		"no GTIN": {
			func(in *invoice.CheckInput) { in.Draft.Items[0].GTIN, in.Draft.Items[2].GTIN = "", "0000000000000" },
			[]invoice.CheckName{invoice.CheckItemGTIN},
		},
		"no quantities": {
			func(in *invoice.CheckInput) {
				in.Draft.Items[0].Quantity, in.Draft.Items[1].UnitPrice = decimal.Zero, decimal.Decimal{}
				in.Draft.Items[2].Quantity = decimal.Decimal{}
			},
			[]invoice.CheckName{invoice.CheckItemTotal},
		},
		"no total of products": {
			func(in *invoice.CheckInput) { in.Draft.Totals.Products = nil },
			[]invoice.CheckName{invoice.CheckAmountDue},
		},
		"discounts by line alone": {
			func(in *invoice.CheckInput) { in.Draft.Totals.Discount = 0 },
			[]invoice.CheckName{invoice.CheckDiscountTotal},
		},
		"a discount of the whole alone": {
			func(in *invoice.CheckInput) { in.Draft.Items[2].Discount = 0 },
			[]invoice.CheckName{invoice.CheckDiscountTotal},
		},
		"no payments": {
			func(in *invoice.CheckInput) { in.Draft.Payments, in.Draft.Totals.Paid = nil, nil },
			[]invoice.CheckName{invoice.CheckPayments},
		},
		"nothing changed hands": {
			func(in *invoice.CheckInput) {
				in.Draft.Payments, in.Draft.Totals.Paid = []invoice.Payment{{Method: invoice.PaymentNone, Amount: 9_999}}, nil
			},
			[]invoice.CheckName{invoice.CheckPayments},
		},
		"no count": {
			func(in *invoice.CheckInput) { in.Draft.PrintedItemCount = nil },
			[]invoice.CheckName{invoice.CheckItemCount},
		},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			in := note(t)
			c.change(in)
			var missing []invoice.CheckName
			checks := invoice.RunChecks(*in)
			for _, name := range allNames() {
				if len(of(checks, name)) == 0 {
					missing = append(missing, name)
				}
			}
			assert.ElementsMatch(t, c.left, missing)
			assert.True(t, invoice.AllPassed(checks), "%+v", checks)
		})
	}
}

func TestEveryLineThatFailsIsNamed(t *testing.T) {
	t.Parallel()
	in := note(t)
	in.Draft.Items[0].Total++ // passes, with a centavo of difference
	in.Draft.Items[1].Total -= 3
	in.Draft.Items[2].Total += 500
	in.Draft.Items[2].Line = 0 // not numbered: the third
	checks := of(invoice.RunChecks(*in), invoice.CheckItemTotal)
	require.Len(t, checks, 2)
	assert.Equal(t, 2, checks[0].Line)
	assert.Equal(t, fiscal.Money(-3), *checks[0].Difference)
	assert.Equal(t, 3, checks[1].Line)
	assert.Equal(t, fiscal.Money(500), *checks[1].Difference)
}

func TestLinesThatPassTellTheirLargestDifference(t *testing.T) {
	t.Parallel()
	in := note(t)
	in.Draft.Items[0].Total++
	in.Draft.Items[1].Total -= 2
	checks := of(invoice.RunChecks(*in), invoice.CheckItemTotal)
	require.Len(t, checks, 1)
	assert.True(t, checks[0].Passed)
	assert.Zero(t, checks[0].Line)
	assert.Equal(t, "3 itens", checks[0].Found)
	assert.Equal(t, fiscal.Money(-2), *checks[0].Difference)
}

func TestLinesOutsideTheTotalDoNotCount(t *testing.T) {
	t.Parallel()
	in := note(t)
	in.Draft.Items = append(in.Draft.Items, invoice.Item{
		Line: 4, Description: "BRINDE", Quantity: decimal.NewFromInt(1), UnitPrice: decimal.NewFromInt(10), Total: 1_000,
		Discount: 50, NotInTotal: true,
	})
	in.Draft.PrintedItemCount = new(4)
	assert.True(t, invoice.AllPassed(invoice.RunChecks(*in)))
	in.Draft.Items[3].NotInTotal = false
	assert.False(t, invoice.AllPassed(invoice.RunChecks(*in)))
}

func TestEveryTotalEntersTheAmountDue(t *testing.T) {
	t.Parallel()
	for title, printed := range map[string]bool{"with the total of products": true, "without it": false} {
		in := note(t)
		in.Draft.Totals = invoice.Totals{
			Products: new(fiscal.Money(4_950)), Discount: 200, Freight: 1_000, Insurance: 100, Other: 10, Taxes: 1,
			Due: new(fiscal.Money(4_950 - 200 + 1_000 + 100 + 10 + 1)),
		}
		in.Draft.Payments = []invoice.Payment{
			{Method: invoice.PaymentPix, Amount: 5_000}, {Method: invoice.PaymentMealVoucher, Amount: 861},
		}
		*in.QR.Amount = 5_861
		if !printed {
			in.Draft.Totals.Products = nil
		}
		assert.True(t, invoice.AllPassed(invoice.RunChecks(*in)), title)
		sum := invoice.CheckAmountDue
		if !printed {
			sum = invoice.CheckProductsTotal
		}
		for _, part := range []*fiscal.Money{
			&in.Draft.Totals.Discount, &in.Draft.Totals.Freight, &in.Draft.Totals.Insurance,
			&in.Draft.Totals.Other, &in.Draft.Totals.Taxes, in.Draft.Totals.Due,
		} {
			*part += 3
			checks := of(invoice.RunChecks(*in), sum)
			require.Len(t, checks, 1)
			assert.False(t, checks[0].Passed, title)
			*part -= 3
		}
	}
}

func TestThePaidSumStandsInForPaymentsWithoutAmounts(t *testing.T) {
	t.Parallel()
	in := note(t)
	in.Draft.Payments[0].Amount = 0
	assert.True(t, of(invoice.RunChecks(*in), invoice.CheckPayments)[0].Passed)
	in.Draft.Payments = nil
	*in.Draft.Totals.Paid = 4_000
	c := of(invoice.RunChecks(*in), invoice.CheckPayments)[0]
	assert.False(t, c.Passed)
	assert.Equal(t, "R$ 37,50", c.Found)
}

func TestTheCodesKeyStandsInForThePrintedOne(t *testing.T) {
	t.Parallel()
	in := note(t)
	in.Draft.AccessKey, in.Draft.Number = "", 999
	checks := of(invoice.RunChecks(*in), invoice.CheckKeyNumber)
	require.Len(t, checks, 1)
	assert.False(t, checks[0].Passed)
}

func TestTheMonthIsThatOfTheShopsClock(t *testing.T) {
	t.Parallel()
	midnight := time.Date(2026, time.December, 1, 0, 0, 0, 0, brasilia())
	for title, c := range map[string]struct {
		at   time.Time
		want bool
	}{
		"a second before December":             {midnight.Add(-time.Second), true},
		"December":                             {midnight, false},
		"a second before, in UTC":              {midnight.Add(-time.Second).UTC(), true},
		"November in Acre alone, in UTC":       {midnight.Add(time.Hour).UTC(), true},
		"December everywhere, in UTC":          {midnight.Add(2 * time.Hour).UTC(), false},
		"as printed, taken for UTC":            {time.Date(2026, time.November, 1, 0, 30, 0, 0, time.UTC), true},
		"October in Brasília, November in UTC": {time.Date(2026, time.October, 31, 22, 30, 0, 0, brasilia()), false},
	} {
		in := note(t)
		in.QR, in.Now, in.Draft.IssuedAt = nil, time.Time{}, &c.at
		checks := of(invoice.RunChecks(*in), invoice.CheckKeyDate)
		require.Len(t, checks, 1)
		assert.Equal(t, c.want, checks[0].Passed, title)
	}
}

func TestADayOfSkewIsAllowedToTheDate(t *testing.T) {
	t.Parallel()
	in := note(t)
	in.Now = in.Draft.IssuedAt.Add(-24 * time.Hour)
	assert.True(t, of(invoice.RunChecks(*in), invoice.CheckIssueDate)[0].Passed)
}

func TestANaturalPersonsKeyIsNotHeldAgainstTheIssuer(t *testing.T) {
	t.Parallel()
	in := note(t)
	k := key(t, "352611"+"000"+aCPF+"65"+"920"+"000012345"+"9"+"87654321")
	in.Draft.AccessKey, in.QR.Key, in.Draft.Series = string(k), k, new(920)
	checks := invoice.RunChecks(*in)
	assert.Empty(t, of(checks, invoice.CheckKeyIssuer))
	assert.True(t, invoice.AllPassed(checks))
	assertNoCPF(t, checks)

	in.QR.Key = key(t, "352611"+"000"+aCPF+"65"+"921"+"000012345"+"9"+"87654321")
	assertNoCPF(t, invoice.RunChecks(*in))
}

// assertNoCPF looks for the CPF that the tests put where it does not belong, in full or but for its check digits.
func assertNoCPF(t *testing.T, checks []invoice.Check) {
	t.Helper()
	for _, c := range checks {
		for _, text := range []string{c.Expected, c.Found} {
			require.NotContains(t, fiscal.OnlyDigits(text), aCPF[:9], "%+v", c)
		}
	}
}

func TestNoCheckRepeatsACPF(t *testing.T) {
	t.Parallel()
	for _, cpf := range []string{aCPF, "529.982.247-25", "000" + aCPF, "CPF" + aCPF, aCPF[:10] + "0", "000" + aCPF[:10] + "0", aCPF + "   "} {
		in := note(t)
		d := in.Draft
		d.AccessKey, d.Issuer.CNPJ, d.Issuer.State, d.Issuer.Name, d.Protocol, d.ConsumerCPF = cpf, cpf, cpf, cpf, cpf, cpf
		in.QR.State, in.QR.Host = cpf, cpf
		for i := range d.Items {
			d.Items[i].GTIN, d.Items[i].Code, d.Items[i].Description, d.Items[i].Unit = cpf, cpf, cpf, cpf
		}
		assertNoCPF(t, invoice.RunChecks(*in))
	}
}

func TestAbsurdAmountsNeitherWrapAroundNorPass(t *testing.T) {
	t.Parallel()
	in := note(t)
	in.Draft.Items[0].Total, in.Draft.Items[1].Total = math.MaxInt64, math.MaxInt64
	in.Draft.Items[2].Total = 4_952 // wrapped around, the sum would be 49.50
	c := of(invoice.RunChecks(*in), invoice.CheckProductsTotal)[0]
	assert.False(t, c.Passed)
}

func TestAllPassedOfNothingIsFalse(t *testing.T) {
	t.Parallel()
	assert.False(t, invoice.AllPassed(nil))
	assert.True(t, invoice.AllPassed([]invoice.Check{{Passed: true}}))
	assert.False(t, invoice.AllPassed([]invoice.Check{{Passed: true}, {}}))
}

// source makes arbitrary values of a fuzzer's bytes; at their end, zeros.
type source []byte

func (s *source) byte() byte {
	if len(*s) == 0 {
		return 0
	}
	b := (*s)[0]
	*s = (*s)[1:]
	return b
}

func (s *source) int64() int64 {
	var b [8]byte
	for i := range int(s.byte() % 9) { // short ones more often
		b[i] = s.byte()
	}
	return int64(binary.LittleEndian.Uint64(b[:]))
}

func (s *source) text() string {
	n := min(int(s.byte()%64), len(*s))
	text := string((*s)[:n])
	*s = (*s)[n:]
	return text
}

func (s *source) money() fiscal.Money { return fiscal.Money(s.int64()) }

func (s *source) decimal() decimal.Decimal { return decimal.New(s.int64(), int32(s.int64())) }

func (s *source) maybeMoney() *fiscal.Money {
	if s.byte()%2 == 0 {
		return nil
	}
	return new(s.money())
}

func (s *source) maybeInt() *int {
	if s.byte()%2 == 0 {
		return nil
	}
	return new(int(s.int64()))
}

func (s *source) maybeTime() *time.Time {
	if s.byte()%2 == 0 {
		return nil
	}
	return new(time.Unix(s.int64(), s.int64()).In(time.FixedZone("", int(int8(s.byte()))*600)))
}

func (s *source) input() invoice.CheckInput {
	d := &invoice.Draft{
		AccessKey: s.text(), Model: int(s.int64()), Number: int(s.int64()), Series: s.maybeInt(), IssuedAt: s.maybeTime(),
		TestDocument: s.byte()%2 == 1, Issuer: invoice.Issuer{CNPJ: s.text(), State: s.text()}, PrintedItemCount: s.maybeInt(),
		Totals: invoice.Totals{
			Products: s.maybeMoney(), Discount: s.money(), Freight: s.money(), Insurance: s.money(), Other: s.money(),
			Taxes: s.money(), Due: s.maybeMoney(), Paid: s.maybeMoney(), Change: s.money(),
		},
	}
	for range s.byte() % 5 {
		d.Payments = append(d.Payments, invoice.Payment{Method: invoice.PaymentMethodOfCode(s.text()), Amount: s.money()})
	}
	for range s.byte() % 9 {
		d.Items = append(d.Items, invoice.Item{
			Line: int(s.int64()), GTIN: s.text(), Quantity: s.decimal(), UnitPrice: s.decimal(), Total: s.money(),
			Discount: s.money(), NotInTotal: s.byte()%2 == 1,
		})
	}
	in := invoice.CheckInput{Draft: d}
	if now := s.maybeTime(); now != nil {
		in.Now = *now
	}
	if s.byte()%2 == 1 {
		in.QR = &fiscal.QR{
			Key: fiscal.AccessKey(s.text()), Test: s.byte()%2 == 1, Day: int(s.int64()), Amount: s.maybeMoney(),
			Host: s.text(), State: s.text(),
		}
	}
	return in
}

func FuzzRunChecks(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x2c35261111222333000181650010000123459876543210\x01\x41\x02\x39\x30\x01\x01\x01"))
	f.Add([]byte(strings.Repeat("\x01", 400)))
	f.Add([]byte(strings.Repeat("\xff", 400)))
	f.Add([]byte(strings.Repeat("\x08\xff\xff\xff\xff\xff\xff\xff\x7f", 60)))
	f.Fuzz(func(t *testing.T, data []byte) {
		seed := source(data)
		in := seed.input()
		checks := invoice.RunChecks(in)
		require.Equal(t, checks, invoice.RunChecks(in), "the same note has the same verdict")
		require.Equal(t, invoice.CheckHasItems, checks[0].Name)
		require.Equal(t, invoice.CheckHasAmountDue, checks[1].Name)
		known := allNames()
		for _, c := range checks {
			require.Contains(t, known, c.Name)
			require.NotEmpty(t, c.Expected)
			if c.Passed && c.Difference != nil {
				require.LessOrEqual(t, c.Difference.Abs(), invoice.Tolerance)
			}
			require.False(t, c.Passed && c.Line != 0, "a line is named where it fails")
		}
		for _, from := range []invoice.Source{invoice.SourceXML, invoice.SourceModel, ""} {
			confidence := invoice.Confidence(checks, from)
			require.True(t, confidence >= 0 && confidence <= 1, confidence)
		}
	})
}

func TestAMomentThatLostItsZoneIsShownAsBrasiliasClocksDo(t *testing.T) {
	t.Parallel()
	d := draft(1)
	at := time.Date(2026, time.November, 24, 1, 30, 0, 0, time.UTC) // 22:30 of the day before
	d.IssuedAt = &at
	for _, c := range invoice.RunChecks(invoice.CheckInput{Draft: &d, Now: at.Add(time.Minute)}) {
		if c.Name == invoice.CheckIssueDate {
			assert.Equal(t, []string{"até 23/11/2026", "23/11/2026"}, []string{c.Expected, c.Found})
			return
		}
	}
	t.Fatal("the date was not checked")
}
