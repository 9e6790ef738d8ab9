package invoice_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
)

const most fiscal.Money = 10_000_000_00

func amounts(n int) []invoice.Payment {
	payments := make([]invoice.Payment, n)
	for i := range payments {
		payments[i] = invoice.Payment{Method: invoice.PaymentPix, Amount: 1}
	}
	return payments
}

func bread(n int) []invoice.NewItem {
	items := make([]invoice.NewItem, n)
	for i := range items {
		items[i] = invoice.NewItem{Description: "PAO", Quantity: decimal.NewFromInt(1), UnitPrice: decimal.NewFromInt(1)}
	}
	return items
}

// onFirst is a correction of the first line; onNew adds one.
func onFirst(change func(*invoice.ItemCorrection)) func(*invoice.Invoice, *invoice.Correction) {
	return func(inv *invoice.Invoice, c *invoice.Correction) {
		ic := invoice.ItemCorrection{ItemID: inv.Items[0].ID}
		change(&ic)
		c.Items = []invoice.ItemCorrection{ic}
	}
}

func onNew(change func(*invoice.NewItem)) func(*invoice.Invoice, *invoice.Correction) {
	return func(_ *invoice.Invoice, c *invoice.Correction) {
		c.AddItems = bread(2)
		change(&c.AddItems[1])
	}
}

func onNote(change func(*invoice.Correction)) func(*invoice.Invoice, *invoice.Correction) {
	return func(_ *invoice.Invoice, c *invoice.Correction) { change(c) }
}

func TestCorrectionsThatCannotBeAreRefusedByField(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.read(t, "photo", misread())
	others := b.read(t, "photo 2", draft(2))
	number := decimal.RequireFromString
	year := func(y int) time.Time { return time.Date(y, 6, 1, 0, 0, 0, 0, time.UTC) }
	for name, test := range map[string]struct {
		field  string
		change func(*invoice.Invoice, *invoice.Correction)
	}{
		"nothing":         {"", onNote(func(*invoice.Correction) {})},
		"the same again":  {"", onNote(func(c *invoice.Correction) { c.IssuerName = set(" " + inv.Issuer.Name) })},
		"name too long":   {"issuerName", onNote(func(c *invoice.Correction) { c.IssuerName = set(strings.Repeat("ã", 121)) })},
		"wrong CNPJ":      {"issuerCnpj", onNote(func(c *invoice.Correction) { c.IssuerCNPJ = set("11.222.333/0001-82") })},
		"signs as CNPJ":   {"issuerCnpj", onNote(func(c *invoice.Correction) { c.IssuerCNPJ = set("./-") })},
		"CPF as CNPJ":     {"issuerCnpj", onNote(func(c *invoice.Correction) { c.IssuerCNPJ = set("529.982.247-25") })},
		"before notes":    {"issuedAt", onNote(func(c *invoice.Correction) { c.IssuedAt = set(year(2005)) })},
		"far future":      {"issuedAt", onNote(func(c *invoice.Correction) { c.IssuedAt = set(year(2101)) })},
		"short key":       {"accessKey", onNote(func(c *invoice.Correction) { c.AccessKey = set(inv.AccessKey[:43]) })},
		"misread key":     {"accessKey", onNote(func(c *invoice.Correction) { c.AccessKey = set("9" + inv.AccessKey[:43]) })},
		"negative number": {"number", onNote(func(c *invoice.Correction) { c.Number = set(-1) })},
		"ten digits":      {"number", onNote(func(c *invoice.Correction) { c.Number = set(1_000_000_000) })},
		"negative series": {"series", onNote(func(c *invoice.Correction) { c.Series = set(-1) })},
		"four digits":     {"series", onNote(func(c *invoice.Correction) { c.Series = set(1000) })},

		"negative products":  {"totals.products", onNote(func(c *invoice.Correction) { c.Totals.Products = set(fiscal.Money(-1)) })},
		"large due":          {"totals.due", onNote(func(c *invoice.Correction) { c.Totals.Due = set(most + 1) })},
		"large paid":         {"totals.paid", onNote(func(c *invoice.Correction) { c.Totals.Paid = set(most + 1) })},
		"negative discount":  {"totals.discount", onNote(func(c *invoice.Correction) { c.Totals.Discount = set(fiscal.Money(-1)) })},
		"negative freight":   {"totals.freight", onNote(func(c *invoice.Correction) { c.Totals.Freight = set(fiscal.Money(-1)) })},
		"negative insurance": {"totals.insurance", onNote(func(c *invoice.Correction) { c.Totals.Insurance = set(fiscal.Money(-1)) })},
		"negative other":     {"totals.other", onNote(func(c *invoice.Correction) { c.Totals.Other = set(fiscal.Money(-1)) })},
		"large taxes":        {"totals.taxes", onNote(func(c *invoice.Correction) { c.Totals.Taxes = set(most + 1) })},
		"large change":       {"totals.change", onNote(func(c *invoice.Correction) { c.Totals.Change = set(most + 1) })},

		"101 payments":     {"payments", onNote(func(c *invoice.Correction) { c.Payments = set(amounts(101)) })},
		"unknown method":   {"payments.1.method", onNote(func(c *invoice.Correction) { p := amounts(2); p[1].Method = "SHELLS"; c.Payments = set(p) })},
		"negative payment": {"payments.0.amount", onNote(func(c *invoice.Correction) { p := amounts(1); p[0].Amount = -1; c.Payments = set(p) })},

		"another invoice's line": {"items.0.itemId", onFirst(func(c *invoice.ItemCorrection) { c.ItemID, c.Unit = others.Items[0].ID, set("L") })},
		"no line":                {"items.0.itemId", onFirst(func(c *invoice.ItemCorrection) { c.ItemID = "" })},
		"a line twice": {"items.1.itemId", func(inv *invoice.Invoice, c *invoice.Correction) {
			c.Items = []invoice.ItemCorrection{{ItemID: inv.Items[0].ID, Unit: set("L")}, {ItemID: inv.Items[0].ID}}
		}},
		"no description":    {"items.0.description", onFirst(func(c *invoice.ItemCorrection) { c.Description = unset[string]() })},
		"blank description": {"items.0.description", onFirst(func(c *invoice.ItemCorrection) { c.Description = set(" \u200b") })},
		"long description":  {"items.0.description", onFirst(func(c *invoice.ItemCorrection) { c.Description = set(strings.Repeat("é", 241)) })},
		"long unit":         {"items.0.unit", onFirst(func(c *invoice.ItemCorrection) { c.Unit = set(strings.Repeat("u", 13)) })},
		"long product name": {"items.0.productName", onFirst(func(c *invoice.ItemCorrection) { c.ProductName = strings.Repeat("u", 121) })},
		"letters as GTIN":   {"items.0.gtin", onFirst(func(c *invoice.ItemCorrection) { c.GTIN = set("SEM GTIN") })},
		"GTIN of 11 digits": {"items.0.gtin", onFirst(func(c *invoice.ItemCorrection) { c.GTIN = set("78910001001") })},
		"negative quantity": {"items.0.quantity", onFirst(func(c *invoice.ItemCorrection) { c.Quantity = set(number("-0.001")) })},
		"11 decimals":       {"items.0.quantity", onFirst(func(c *invoice.ItemCorrection) { c.Quantity = set(number("1.00000000001")) })},
		"hostile exponent":  {"items.0.unitPrice", onFirst(func(c *invoice.ItemCorrection) { c.UnitPrice = set(decimal.New(1, 2_000_000_000)) })},
		"tiny exponent":     {"items.0.unitPrice", onFirst(func(c *invoice.ItemCorrection) { c.UnitPrice = set(decimal.New(0, -2_000_000_000)) })},
		"large price":       {"items.0.unitPrice", onFirst(func(c *invoice.ItemCorrection) { c.UnitPrice = set(number("10000000.01")) })},
		"negative total":    {"items.0.total", onFirst(func(c *invoice.ItemCorrection) { c.Total = set(fiscal.Money(-1)) })},
		"large discount":    {"items.0.discount", onFirst(func(c *invoice.ItemCorrection) { c.Discount = set(most + 1) })},

		"new without description": {"addItems.1.description", onNew(func(n *invoice.NewItem) { n.Description = "" })},
		"new with a long unit":    {"addItems.1.unit", onNew(func(n *invoice.NewItem) { n.Unit = strings.Repeat("u", 13) })},
		"new with a wrong GTIN":   {"addItems.1.gtin", onNew(func(n *invoice.NewItem) { n.GTIN = "1" })},
		"new, negative quantity":  {"addItems.1.quantity", onNew(func(n *invoice.NewItem) { n.Quantity = number("-1") })},
		"new, large total":        {"addItems.1.total", onNew(func(n *invoice.NewItem) { n.Quantity, n.UnitPrice = number("10000000"), number("2") })},
		"new, negative discount":  {"addItems.1.discount", onNew(func(n *invoice.NewItem) { n.Discount = -1 })},
		"new after no line":       {"addItems.1.afterLine", onNew(func(n *invoice.NewItem) { n.AfterLine = new(5) })},
		"new before the first":    {"addItems.1.afterLine", onNew(func(n *invoice.NewItem) { n.AfterLine = new(-1) })},
		"2001 lines":              {"addItems", onNote(func(c *invoice.Correction) { c.AddItems = bread(1997) })},

		"removing another invoice's line": {"removeItemIds.0", onNote(func(c *invoice.Correction) { c.RemoveIDs = []string{others.Items[0].ID} })},
		"removing a line twice":           {"removeItemIds.1", onNote(func(c *invoice.Correction) { c.RemoveIDs = []string{inv.Items[1].ID, inv.Items[1].ID} })},
		"changing and removing": {"removeItemIds.0", func(inv *invoice.Invoice, c *invoice.Correction) {
			onFirst(func(ic *invoice.ItemCorrection) { ic.Unit = set("L") })(inv, c)
			c.RemoveIDs = []string{inv.Items[0].ID}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := invoice.Correction{InvoiceID: inv.ID, ExpectedVersion: inv.Version}
			test.change(inv, &c)
			_, err := b.Correct(t.Context(), b.user, c)
			requireFault(t, err, invoice.CodeBadUserInput, test.field)
			storetest.EqualInvoices(t, inv, b.get(t, inv.ID))
		})
	}
}

func TestEveryFieldCanBeCorrectedToItsLimit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := draft(1)
	d.Items[0].Uncertain, d.Items[1].Uncertain = true, true
	inv := b.read(t, "photo", d)
	at := time.Date(2100, 12, 31, 10, 0, 0, 0, time.UTC)
	key := draft(2).AccessKey
	got := b.correct(t, invoice.Correction{
		InvoiceID: inv.ID, ExpectedVersion: inv.Version,
		IssuerName: set("Padaria\n d'Ávila\u202e " + strings.Repeat("é", 104)), IssuerCNPJ: set("11.222.333/0001-81"), IssuedAt: set(at),
		AccessKey: set("NFe" + key[:20] + " " + key[20:]), Number: set(999_999_999), Series: set(999),
		Totals: invoice.TotalsCorrection{
			Products: set(most), Discount: set(fiscal.Money(1)), Freight: set(fiscal.Money(2)), Insurance: set(fiscal.Money(3)),
			Other: set(fiscal.Money(4)), Taxes: set(fiscal.Money(5)), Due: set(fiscal.Money(0)), Paid: set(fiscal.Money(6)), Change: set(most),
		},
		Payments: set(amounts(100)),
		Items: []invoice.ItemCorrection{{
			ItemID: inv.Items[0].ID, Description: set("Recibo da Ana, CPF 529.982.247-25"), GTIN: set("12345678"),
			Quantity: set(decimal.RequireFromString("0.0000000001")), Unit: set(strings.Repeat("u", 12)),
			UnitPrice: set(decimal.RequireFromString("1.50000000000")), Total: set(most), Discount: set(fiscal.Money(7)),
		}},
	})
	k, err := fiscal.ParseAccessKey(key)
	require.NoError(t, err)
	assert.Equal(t, "Padaria d'Ávila "+strings.Repeat("é", 104), got.Issuer.Name)
	assert.Equal(t, "11222333000181", got.Issuer.CNPJ)
	assert.Equal(t, k.State(), got.Issuer.State, "a key says its state")
	assert.Equal(t, k.Model(), got.Model)
	assert.True(t, at.Equal(*got.IssuedAt))
	assert.Equal(t, key, got.AccessKey)
	assert.Equal(t, []int{999_999_999, 999}, []int{got.Number, *got.Series})
	assert.Equal(t, invoice.Totals{
		Products: new(most), Discount: 1, Freight: 2, Insurance: 3, Other: 4, Taxes: 5, Due: new(fiscal.Money(0)), Paid: new(fiscal.Money(6)), Change: most,
	}, got.Totals)
	assert.Len(t, got.Payments, 100)
	it := got.Items[0]
	assert.Equal(t, "Recibo da Ana, CPF ***.***.247-**", it.Description)
	assert.Equal(t, "12345678", it.GTIN, "a wrong check digit fails its check alone")
	assert.Contains(t, failed(got), invoice.CheckItemGTIN)
	assert.Equal(t, "0.0000000001", it.Quantity.String())
	assert.Equal(t, "1.5", it.UnitPrice.String())
	assert.Equal(t, []fiscal.Money{most, 7}, []fiscal.Money{it.Total, it.Discount})
	assert.False(t, it.Uncertain, "somebody has looked at the line")
	assert.True(t, got.Items[1].Uncertain)

	unknown := b.correct(t, invoice.Correction{
		InvoiceID: inv.ID, ExpectedVersion: got.Version, IssuerName: unset[string](), IssuerCNPJ: unset[string](), IssuedAt: unset[time.Time](),
		AccessKey: set(" "), Number: unset[int](), Series: unset[int](), Payments: unset[[]invoice.Payment](),
		Totals: invoice.TotalsCorrection{
			Products: unset[fiscal.Money](), Discount: unset[fiscal.Money](), Freight: unset[fiscal.Money](), Insurance: unset[fiscal.Money](),
			Other: unset[fiscal.Money](), Taxes: unset[fiscal.Money](), Due: unset[fiscal.Money](), Paid: unset[fiscal.Money](), Change: unset[fiscal.Money](),
		},
		Items: []invoice.ItemCorrection{{
			ItemID: it.ID, GTIN: set(""), Quantity: unset[decimal.Decimal](), Unit: unset[string](), UnitPrice: unset[decimal.Decimal](),
			Total: unset[fiscal.Money](), Discount: unset[fiscal.Money](),
		}},
	})
	assert.Empty(t, unknown.Issuer.Name+unknown.Issuer.CNPJ+unknown.AccessKey)
	assert.Nil(t, unknown.IssuedAt)
	assert.Zero(t, unknown.Number)
	assert.Nil(t, unknown.Series)
	assert.Empty(t, unknown.Payments)
	assert.Equal(t, invoice.Totals{}, unknown.Totals)
	assert.Equal(t, it.Description, unknown.Items[0].Description)
	assert.True(t, unknown.Items[0].Quantity.IsZero() && unknown.Items[0].UnitPrice.IsZero())
	assert.Zero(t, unknown.Items[0].Total+unknown.Items[0].Discount)
	assert.Contains(t, failed(unknown), invoice.CheckHasAmountDue)
}

func TestLinesAreAddedAndRemovedWhereTheUserSawThem(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		add    map[string]int // descriptions by the line they come after, -1 is the end
		remove []int          // lines
		want   string
	}{
		"at the end":               {map[string]int{"a": -1}, nil, "1 2 3 4 a"},
		"in the first place":       {map[string]int{"a": 0}, nil, "a 1 2 3 4"},
		"after a line":             {map[string]int{"a": 2}, nil, "1 2 a 3 4"},
		"after the last line":      {map[string]int{"a": 4}, nil, "1 2 3 4 a"},
		"in the order sent":        {map[string]int{"a": 1, "b": 1, "c": -1, "d": 4}, nil, "1 a b 2 3 4 c d"},
		"after a line that goes":   {map[string]int{"a": 2}, []int{2}, "1 a 3 4"},
		"all lines gone":           {nil, []int{4, 3, 2, 1}, ""},
		"others in place of all":   {map[string]int{"a": 0, "b": -1}, []int{1, 2, 3, 4}, "a b"},
		"the first and the last":   {nil, []int{1, 4}, "2 3"},
		"one in place of a middle": {map[string]int{"a": 3}, []int{3}, "1 2 a 4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			d := draft(1)
			for i := range d.Items {
				d.Items[i].Description = strconv.Itoa(i + 1)
			}
			inv := b.read(t, "photo", d)
			c := invoice.Correction{InvoiceID: inv.ID, ExpectedVersion: inv.Version}
			for _, what := range []string{"a", "b", "c", "d"} {
				after, ok := test.add[what]
				if !ok {
					continue
				}
				n := invoice.NewItem{
					Description: what, Quantity: decimal.RequireFromString("0.335"), UnitPrice: decimal.RequireFromString("9.99"), Unit: "KG",
					GTIN: "7891000100103", Discount: 1,
				}
				if after >= 0 {
					n.AfterLine = &after
				}
				c.AddItems = append(c.AddItems, n)
			}
			for _, line := range test.remove {
				c.RemoveIDs = append(c.RemoveIDs, inv.Items[line-1].ID)
			}
			got := b.correct(t, c)
			descriptions, ids := make([]string, 0, 8), map[string]bool{}
			for i, it := range got.Items {
				descriptions = append(descriptions, it.Description)
				assert.Equal(t, i+1, it.Line)
				assert.Equal(t, product, it.ProductID)
				ids[it.ID] = true
				if it.Description > "9" {
					assert.Equal(t, fiscal.Money(335), it.Total, "computed when it is not given")
					assert.Equal(t, fiscal.Money(1), it.Discount)
				}
			}
			assert.Equal(t, test.want, strings.Join(descriptions, " "))
			assert.Len(t, ids, len(got.Items))
			assert.Equal(t, inv.PrintedItemCount, got.PrintedItemCount, "the paper says what it says")
		})
	}
}

func TestAGivenTotalOfANewLineIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inv := b.read(t, "photo", draft(1))
	c := invoice.Correction{InvoiceID: inv.ID, ExpectedVersion: inv.Version, AddItems: bread(1)}
	c.AddItems[0].Total = new(fiscal.Money(0))
	got := b.correct(t, c)
	assert.Zero(t, got.Items[4].Total)
	assert.Contains(t, failed(got), invoice.CheckItemTotal)
}
