package resolvers_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/graph/relay"
	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// correct sends an input as Ana and gives what reached the service.
func correct(t *testing.T, input string) invoice.Correction {
	t.Helper()
	s := setup(t)
	body := `{"query":"mutation C($input: CorrectInvoiceInput!) { correctInvoice(input: $input) { invoice { id } } }","variables":{"input":{
		"invoiceId":"` + invoiceID(anaReview) + `","expectedVersion":3` + input + `}}}`
	_, _, answer := s.json(t, body)
	require.NotContains(t, answer, `"errors"`)
	require.Len(t, s.corrections, 1)
	return s.corrections[0]
}

func set[T any](v T) invoice.Optional[T] { return invoice.Optional[T]{Set: true, Value: &v} }

func itemID(uuid string) string { return relay.EncodeID(relay.TypeItem, uuid) }

func TestCorrectionArrivesWhole(t *testing.T) {
	t.Parallel()
	const first, second = "0193b000-0000-7000-8000-000000000111", "0193b000-0000-7000-8000-000000000112"
	got := correct(t, `,"issuerName":"MERCADO BOM","issuerCnpj":"11.222.333/0001-81","issuedAt":"2026-11-20T18:30:05-03:00",
		"accessKey":"3526 1111","number":7,"series":0,
		"totals":{"products":"1","discount":"2.5","freight":"3.25","insurance":"4","other":"5","taxes":"6","due":"7","paid":"8","change":"9"},
		"payments":[{"method":"PIX","amount":"20.84"}],
		"items":[{"itemId":"`+itemID(first)+`","description":"LEITE","gtin":"","quantity":"1.234","unit":"KG","unitPrice":"7.9876543210",
			"total":"9.86","discount":"0.10","productName":"Leite integral","category":"dairy"}],
		"addItems":[{"afterLine":0,"description":"PAO","gtin":"7891000100103","quantity":"2","unit":"UN","unitPrice":"1.5","total":"3.00","discount":"1"}],
		"removeItemIds":["`+itemID(second)+`"]`)
	number := decimal.RequireFromString
	want := invoice.Correction{
		InvoiceID: anaReview, ExpectedVersion: 3,
		IssuerName: set("MERCADO BOM"), IssuerCNPJ: set("11.222.333/0001-81"),
		IssuedAt:  set(time.Date(2026, 11, 20, 18, 30, 5, 0, time.FixedZone("", -3*60*60))),
		AccessKey: set("3526 1111"), Number: set(7), Series: set(0),
		Totals: invoice.TotalsCorrection{
			Products: set(fiscal.Money(100)), Discount: set(fiscal.Money(250)), Freight: set(fiscal.Money(325)),
			Insurance: set(fiscal.Money(400)), Other: set(fiscal.Money(500)), Taxes: set(fiscal.Money(600)), Due: set(fiscal.Money(700)),
			Paid: set(fiscal.Money(800)), Change: set(fiscal.Money(900)),
		},
		Payments: set([]invoice.Payment{{Method: invoice.PaymentPix, Amount: 2084}}),
		Items: []invoice.ItemCorrection{{
			ItemID: first, Description: set("LEITE"), GTIN: set(""), Quantity: set(number("1.234")), Unit: set("KG"),
			UnitPrice: set(number("7.9876543210")), Total: set(fiscal.Money(986)), Discount: set(fiscal.Money(10)),
			ProductName: "Leite integral", Category: "dairy",
		}},
		AddItems: []invoice.NewItem{{
			AfterLine: new(0), Description: "PAO", GTIN: "7891000100103", Quantity: number("2"), Unit: "UN", UnitPrice: number("1.5"),
			Total: new(fiscal.Money(300)), Discount: 100,
		}},
		RemoveIDs: []string{second},
	}
	assert.True(t, want.IssuedAt.Value.Equal(*got.IssuedAt.Value))
	got.IssuedAt = want.IssuedAt
	assert.Equal(t, want, got)
	for _, v := range []any{got, got.Totals, got.Items[0], got.AddItems[0]} {
		for i := range reflect.TypeOf(v).NumField() {
			assert.False(t, reflect.ValueOf(v).Field(i).IsZero(), "%T.%s is not converted", v, reflect.TypeOf(v).Field(i).Name)
		}
	}
}

func TestCorrectionLeavesAloneWhatIsNotGiven(t *testing.T) {
	t.Parallel()
	assert.Equal(t, invoice.Correction{InvoiceID: anaReview, ExpectedVersion: 3}, correct(t, ``))
	assert.Equal(t, invoice.Correction{InvoiceID: anaReview, ExpectedVersion: 3}, correct(t, `,"totals":{},"items":[],"addItems":null`))
}

func TestCorrectionMakesUnknownWhatIsNull(t *testing.T) {
	t.Parallel()
	const first = "0193b000-0000-7000-8000-000000000111"
	got := correct(t, `,"issuerName":null,"issuerCnpj":null,"issuedAt":null,"accessKey":null,"number":null,"series":null,"payments":null,
		"totals":{"products":null,"due":null,"freight":null},"items":[{"itemId":"`+itemID(first)+`","gtin":null,"unit":null,"discount":null}]`)
	unknown := invoice.Correction{
		InvoiceID: anaReview, ExpectedVersion: 3,
		IssuerName: invoice.Optional[string]{Set: true}, IssuerCNPJ: invoice.Optional[string]{Set: true},
		IssuedAt: invoice.Optional[time.Time]{Set: true}, AccessKey: invoice.Optional[string]{Set: true},
		Number: invoice.Optional[int]{Set: true}, Series: invoice.Optional[int]{Set: true},
		Payments: invoice.Optional[[]invoice.Payment]{Set: true},
		Totals: invoice.TotalsCorrection{
			Products: invoice.Optional[fiscal.Money]{Set: true}, Due: invoice.Optional[fiscal.Money]{Set: true},
			Freight: invoice.Optional[fiscal.Money]{Set: true},
		},
		Items: []invoice.ItemCorrection{{
			ItemID: first, GTIN: invoice.Optional[string]{Set: true}, Unit: invoice.Optional[string]{Set: true},
			Discount: invoice.Optional[fiscal.Money]{Set: true},
		}},
	}
	assert.Equal(t, unknown, got)
}

func TestEmptyPaymentsAreNoPayments(t *testing.T) {
	t.Parallel()
	assert.Equal(t, set([]invoice.Payment{}), correct(t, `,"payments":[]`).Payments)
}
