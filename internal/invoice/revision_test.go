package invoice_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

func TestChangesAreToldInBrazilianFormats(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 17, 5, 10, 0, time.UTC)
	number := decimal.RequireFromString
	item := func(change func(*invoice.Item)) invoice.Draft {
		it := invoice.Item{ID: "1", Line: 7, Description: "PAO", Quantity: number("1.5"), UnitPrice: number("1234.5"), Total: 185175, Category: "bread"}
		change(&it)
		return invoice.Draft{Items: []invoice.Item{it}}
	}
	same := func(*invoice.Item) {}
	for name, test := range map[string]struct {
		before, after invoice.Draft
		want          []invoice.FieldChange
	}{
		"nothing":        {item(same), item(same), nil},
		"issuer":         {invoice.Draft{}, invoice.Draft{Issuer: invoice.Issuer{Name: "Mercado", CNPJ: "11222333000181", State: "SP"}}, []invoice.FieldChange{{Field: "issuer.name", After: "Mercado"}, {Field: "issuer.cnpj", After: "11.222.333/0001-81"}, {Field: "issuer.state", After: "SP"}}},
		"key":            {invoice.Draft{AccessKey: "35260811222333000181650010000012341000012349"}, invoice.Draft{}, []invoice.FieldChange{{Field: "accessKey", Before: "3526 0811 2223 3300 0181 6500 1000 0012 3410 0001 2349"}}},
		"number, series": {invoice.Draft{Number: 12, Model: 65}, invoice.Draft{Series: new(0), Model: 55}, []invoice.FieldChange{{Field: "model", Before: "65", After: "55"}, {Field: "number", Before: "12"}, {Field: "series", After: "0"}}},
		"moment":         {invoice.Draft{}, invoice.Draft{IssuedAt: &at}, []invoice.FieldChange{{Field: "issuedAt", After: "23/11/2026 14:05"}}},
		"seconds":        {invoice.Draft{IssuedAt: &at}, invoice.Draft{IssuedAt: new(at.Add(time.Second))}, []invoice.FieldChange{{Field: "issuedAt", Before: "23/11/2026 14:05:10", After: "23/11/2026 14:05:11"}}},
		"another zone":   {invoice.Draft{IssuedAt: &at}, invoice.Draft{IssuedAt: new(at.In(time.FixedZone("", 3600)))}, nil},
		"test, count":    {invoice.Draft{}, invoice.Draft{TestDocument: true, PrintedItemCount: new(3)}, []invoice.FieldChange{{Field: "testDocument", Before: "não", After: "sim"}, {Field: "itemCount", After: "3"}}},
		"totals": {
			invoice.Draft{Totals: invoice.Totals{Products: new(fiscal.Money(123456)), Paid: new(fiscal.Money(0))}},
			invoice.Draft{Totals: invoice.Totals{Due: new(fiscal.Money(5)), Discount: 1, Freight: 2, Insurance: 3, Other: 4, Taxes: 5, Change: 6}},
			[]invoice.FieldChange{
				{Field: "totals.products", Before: "R$ 1.234,56"},
				{Field: "totals.discount", Before: "R$ 0,00", After: "R$ 0,01"},
				{Field: "totals.freight", Before: "R$ 0,00", After: "R$ 0,02"},
				{Field: "totals.insurance", Before: "R$ 0,00", After: "R$ 0,03"},
				{Field: "totals.other", Before: "R$ 0,00", After: "R$ 0,04"},
				{Field: "totals.taxes", Before: "R$ 0,00", After: "R$ 0,05"},
				{Field: "totals.due", After: "R$ 0,05"},
				{Field: "totals.paid", Before: "R$ 0,00"},
				{Field: "totals.change", Before: "R$ 0,00", After: "R$ 0,06"},
			},
		},
		"payments": {
			invoice.Draft{Payments: []invoice.Payment{{Method: invoice.PaymentPix, Amount: 500}, {Method: invoice.PaymentCreditCard, Amount: 100000}}},
			invoice.Draft{},
			[]invoice.FieldChange{{Field: "payments", Before: "Pix R$ 5,00; cartão de crédito R$ 1.000,00"}},
		},
		"a line": {item(same), item(func(it *invoice.Item) {
			it.Description, it.Code, it.GTIN, it.Unit, it.Quantity, it.UnitPrice = "BOLO", "1", "12345678", "KG", number("1234567.25"), number("-0.1234567891")
			it.Total, it.Discount, it.Category, it.Line = 1, 2, "cake", 8
		}), []invoice.FieldChange{
			{Field: "items.description", Line: 8, Before: "PAO", After: "BOLO"},
			{Field: "items.code", Line: 8, After: "1"},
			{Field: "items.gtin", Line: 8, After: "12345678"},
			{Field: "items.quantity", Line: 8, Before: "1,5", After: "1.234.567,25"},
			{Field: "items.unit", Line: 8, After: "KG"},
			{Field: "items.unitPrice", Line: 8, Before: "R$ 1.234,50", After: "-R$ 0,1234567891"},
			{Field: "items.total", Line: 8, Before: "R$ 1.851,75", After: "R$ 0,01"},
			{Field: "items.discount", Line: 8, Before: "R$ 0,00", After: "R$ 0,02"},
			{Field: "items.category", Line: 8, Before: "bread", After: "cake"},
		}},
		"equal numbers": {item(same), item(func(it *invoice.Item) { it.Quantity, it.UnitPrice = number("1.500"), number("1234.50") }), nil},
		"a moved line":  {item(same), item(func(it *invoice.Item) { it.Line = 1 }), nil},
		"another line": {item(same), item(func(it *invoice.Item) { it.ID, it.Line = "2", 0 }), []invoice.FieldChange{
			{Field: "items", Line: 7, Before: "PAO R$ 1.851,75"}, {Field: "items", Line: 1, After: "PAO R$ 1.851,75"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, invoice.Changes(test.before, test.after))
		})
	}
}

func TestAnIssuersCPFIsNotToldInChanges(t *testing.T) {
	t.Parallel()
	body := "35260800052998224725559200000012341000012345"[:43]
	digit, err := fiscal.AccessKeyCheckDigit(body)
	require.NoError(t, err)
	told, err := json.Marshal(invoice.Changes(invoice.Draft{AccessKey: body + string(digit)}, invoice.Draft{Issuer: invoice.Issuer{CNPJ: "00052998224725"}}))
	require.NoError(t, err)
	assert.NotContains(t, fiscal.OnlyDigits(string(told)), "52998224725")
}

func TestADraftStoredAsARevisionHasNotChanged(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		d := draft(seed)
		for i := range d.Items {
			d.Items[i].ID = string(rune('a' + i))
		}
		stored, err := json.Marshal(d)
		require.NoError(t, err)
		var back invoice.Draft
		require.NoError(t, json.Unmarshal(stored, &back))
		assert.Empty(t, invoice.Changes(d, back))
	}
}
