package providers

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

func TestReceiptBecomesADraft(t *testing.T) {
	t.Parallel()
	d, err := DraftFromReceipt(sdk.Receipt{
		AccessKey: "3526 1111 2223 3300 0181 6500 1000 0123 4518 7654 3214", Number: "000012345", Series: "001",
		IssuedAt: "2026-11-23T16:00:00", Protocol: "135 260 000 123 456", IssuerName: "SUPERMERCADO  EXEMPLO\nLTDA",
		IssuerCNPJ: "11.222.333/0001-81", ConsumerCPF: "529.982.247-25", ItemCount: "2", Products: "34.05", Discount: "-2.00",
		Freight: "0.00", Other: "1.00", Due: "1,033.05", Change: "", Test: true,
		Items: []sdk.ReceiptItem{
			{
				Description: "LEITE UHT 1L", Code: "7891000100103", GTIN: "7891000100103", Quantity: "2", Unit: "UN",
				UnitPrice: "5.99", Total: "11.98", Discount: "-2,00",
			},
			{},
			{Description: "BANANA", Code: "42", GTIN: "42", Quantity: "0.738", Unit: "KG", UnitPrice: "29.90", Total: "22.07", Uncertain: true},
		},
		Payments: []sdk.ReceiptPayment{{Method: "PIX", Amount: "20.00"}, {Method: "Cartão de Débito", Amount: "R$ 13,05"}, {Method: "seashells", Amount: ""}, {}},
	})
	require.NoError(t, err)
	issued := time.Date(2026, 11, 23, 19, 0, 0, 0, time.UTC)
	require.NotNil(t, d.IssuedAt)
	assert.True(t, issued.Equal(*d.IssuedAt))
	d.IssuedAt = nil
	assert.Equal(t, invoice.Draft{
		AccessKey: "35261111222333000181650010000123451876543214", Model: 65, Number: 12345, Series: new(1), TestDocument: true,
		Protocol: "135260000123456", Issuer: invoice.Issuer{Name: "SUPERMERCADO EXEMPLO LTDA", CNPJ: "11222333000181", State: "SP"},
		ConsumerCPF: "***.***.247-**", PrintedItemCount: new(2),
		Items: []invoice.Item{
			{
				Line: 1, Description: "LEITE UHT 1L", Code: "7891000100103", GTIN: "7891000100103", Unit: "UN",
				Quantity: decimal.RequireFromString("2"), UnitPrice: decimal.RequireFromString("5.99"), Total: 11_98, Discount: 2_00,
			},
			{
				Line: 2, Description: "BANANA", Code: "42", Unit: "KG", Quantity: decimal.RequireFromString("0.738"),
				UnitPrice: decimal.RequireFromString("29.9"), Total: 22_07, Uncertain: true,
			},
		},
		// "1,033.05" is neither notation: better nothing than a guess.
		Totals:   invoice.Totals{Products: new(fiscal.Money(34_05)), Discount: 2_00, Other: 1_00},
		Payments: []invoice.Payment{{Method: "PIX", Amount: 20_00}, {Method: "DEBIT_CARD", Amount: 13_05}, {Method: "OTHER"}},
	}, normalized(d))
}

// normalized makes decimals of equal value equal.
func normalized(d invoice.Draft) invoice.Draft {
	for i := range d.Items {
		d.Items[i].Quantity = decimal.RequireFromString(d.Items[i].Quantity.String())
		d.Items[i].UnitPrice = decimal.RequireFromString(d.Items[i].UnitPrice.String())
	}
	return d
}

func TestFiguresThatCannotBeTrueAreLeftOutAndFlagged(t *testing.T) {
	t.Parallel()
	for name, item := range map[string]sdk.ReceiptItem{
		"negative total":      {Total: "-5.99", Quantity: "1", UnitPrice: "5.99"},
		"barcode as price":    {Total: "7891000100103", Quantity: "1", UnitPrice: "5.99"},
		"NaN":                 {Total: "NaN", Quantity: "1", UnitPrice: "5.99"},
		"infinite quantity":   {Total: "5.99", Quantity: "Infinity", UnitPrice: "5.99"},
		"exponent":            {Total: "5.99", Quantity: "1e9", UnitPrice: "5.99"},
		"negative unit price": {Total: "5.99", Quantity: "1", UnitPrice: "-5.99"},
		"script":              {Total: "<script>alert(1)</script>", Quantity: "1", UnitPrice: "5.99"},
		"nothing":             {Quantity: "1", UnitPrice: "5.99"},
		"odd discount":        {Total: "5.99", Quantity: "1", UnitPrice: "5.99", Discount: "ten percent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			item.Description = "LEITE"
			d, err := DraftFromReceipt(sdk.Receipt{Items: []sdk.ReceiptItem{item}})
			require.NoError(t, err)
			it := d.Items[0]
			assert.True(t, it.Uncertain)
			assert.GreaterOrEqual(t, it.Total, fiscal.Money(0))
			assert.LessOrEqual(t, it.Total, maxAmount)
			assert.False(t, it.Quantity.IsNegative() || it.UnitPrice.IsNegative())
		})
	}
}

func TestMomentsOfIssue(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"2026-11-23T16:00:00":       "2026-11-23T16:00:00-03:00",
		"2026-11-23T16:00:00-04:00": "2026-11-23T16:00:00-04:00",
		"2026-11-23T19:00:00Z":      "2026-11-23T19:00:00Z",
		"23/11/2026 16:00:01":       "2026-11-23T16:00:01-03:00",
		"2026-11-23":                "2026-11-23T00:00:00-03:00",
		"2026-13-23":                "",
		"0001-01-01T00:00:00":       "",
		"yesterday":                 "",
		"":                          "",
	} {
		got := ""
		if at := issuedAt(in); at != nil {
			got = at.Format(time.RFC3339)
		}
		assert.Equal(t, want, got, in)
	}
}

func TestTextOfAReceiptIsCleaned(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "CAFÉ TORRADO 500G", line("  CAFÉ\x00\t TORRADO\u202e\u200b\n500G\x1b\xff", 100))
	assert.Equal(t, strings.Repeat("é", 10), line(strings.Repeat("é", 50), 10))
	assert.Equal(t, "CPF ***.***.247-**", line("CPF 529.982.247-25", 100))
	assert.Equal(t, "<b>2</b>", line("<b>2</b>", 100), "markup stays text: whoever shows it escapes it")
}

func TestNothingReadIsAnError(t *testing.T) {
	t.Parallel()
	_, err := DraftFromReceipt(sdk.Receipt{IssuerName: "SUPERMERCADO", Items: []sdk.ReceiptItem{{}}})
	require.ErrorIs(t, err, ErrNothingRead)
	_, err = DraftFromReceipt(sdk.Receipt{Items: make([]sdk.ReceiptItem, maxItems+1)})
	require.ErrorIs(t, err, ErrTooManyItems)
}

func TestRepliesAsModelsWriteThem(t *testing.T) {
	t.Parallel()
	want := sdk.Receipt{
		Due: "12.5", Number: "7", Test: true, Products: "1000",
		Items:    []sdk.ReceiptItem{{Description: "LEITE", Quantity: "2", Uncertain: true}},
		Payments: []sdk.ReceiptPayment{},
	}
	for name, reply := range map[string]string{
		"numbers for text": `{"due":12.5,"number":7,"products":1e3,"test":"true","unknown":{"a":[1]},"series":null,
			"items":[{"description":"LEITE","quantity":2,"uncertain":1,"why":"?"}],"payments":[]}`,
		"in a fence": "```json\n" + `{"due":"12.5","number":"7","products":"1000","test":true,
			"items":[{"description":"LEITE","quantity":"2","uncertain":true}],"payments":[]}` + "\n```\n",
		"with a byte order mark": "\uFEFF" + `{"due":"12.5","number":"7","products":"1000","test":true,
			"items":[{"description":"LEITE","quantity":"2","uncertain":true}],"payments":[]}`,
	} {
		got, err := decodeReceipt(reply)
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
	got, err := decodeReceipt(`{"due":1e999999999,"items":null}`)
	require.NoError(t, err)
	assert.Equal(t, "1e999999999", got.Due, "not written out")
}

func FuzzDraftFromReply(f *testing.F) {
	for _, seed := range []string{
		`{"due":"1.00"}`, `{"items":[{"description":"a","total":-1,"quantity":1e5,"unit_price":"0,99"}]}`, `{"access_key":1e44}`,
		"```json\n{}\n```", `{"issued_at":"2026-11-23T16:00:00","consumer_cpf":52998224725}`, `[1]`, `{"items":{}}`, "{",
		`{"due":9e99,"items":[{"description":"\u0000\ud800"}],"payments":[{"method":"pix","amount":"R$ 1"}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, reply string) {
		clean := NewRedactor().Reply(reply)
		if json.Valid([]byte(reply)) && !json.Valid([]byte(clean)) {
			t.Fatalf("redaction broke %q into %q", reply, clean)
		}
		var c itemCounter
		c.add(reply)
		d, err := draftFromReply(clean, nil)
		if err != nil {
			return
		}
		for _, m := range []*fiscal.Money{d.Totals.Products, d.Totals.Due} {
			if m != nil && (*m < 0 || *m > maxAmount) {
				t.Fatalf("amount %d from %q", *m, reply)
			}
		}
		for i, it := range d.Items {
			if it.Line != i+1 || it.Total < 0 || it.Discount < 0 || it.Quantity.IsNegative() || it.UnitPrice.IsNegative() {
				t.Fatalf("item %+v from %q", it, reply)
			}
			if fiscal.MaskCPFs(it.Description) != it.Description {
				t.Fatalf("a CPF in %q", it.Description)
			}
		}
		if len(d.ConsumerCPF) > 0 && !strings.HasPrefix(d.ConsumerCPF, "***.***.") {
			t.Fatalf("CPF %q", d.ConsumerCPF)
		}
	})
}
