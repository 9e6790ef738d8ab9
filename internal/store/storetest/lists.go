package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// lists stores invoices with ties and without dates and walks them in every order.
func lists(t *testing.T, b *bundle) {
	t.Helper()
	var all []*invoice.Invoice
	for i := range 23 {
		inv := FilledInvoice(t, b.user, 2)
		inv.CreatedAt = At(i / 4) // ties
		inv.IssuedAt = new(At(i % 5))
		if i%6 == 0 {
			inv.IssuedAt = nil
		}
		inv.Status = []invoice.Status{invoice.StatusCompleted, invoice.StatusFailed}[i%2]
		inv.Issuer = invoice.Issuer{Name: fmt.Sprintf("Mercado %d", i), CNPJ: strings.Repeat(string(rune('0'+i%3)), 14)}
		inv.Items[1].Description = []string{"PÃO FRANCÊS 50%", "Feijão_Preto", "arroz"}[i%3]
		all = append(all, b.insert(t, inv))
	}
	b.insert(t, NewInvoice(t, NewUser(t, b.Accounts))) // somebody else's

	for _, by := range []invoice.OrderField{invoice.OrderByCreatedAt, invoice.OrderByIssuedAt, ""} {
		for _, ascending := range []bool{false, true} {
			order := invoice.Order{By: by, Ascending: ascending}
			want := sorted(all, order)
			for _, size := range []int{1, 2, 5, 23, 50} {
				t.Run(fmt.Sprintf("%s ascending %t by %d", by, ascending, size), func(t *testing.T) { walk(t, b, order, want, size) })
			}
		}
	}
	filters(t, b, all)
	edges(t, b, sorted(all, invoice.Order{}))
}

// walk goes through the list from both ends.
func walk(t *testing.T, b *bundle, order invoice.Order, want []*invoice.Invoice, size int) {
	t.Helper()
	var got []string
	q := invoice.ListQuery{UserID: b.user, First: size, OrderBy: order}
	for {
		page, err := b.Invoices.Invoices(t.Context(), q)
		require.NoError(t, err)
		assert.Equal(t, len(want), page.Total)
		assert.Equal(t, len(got) > 0, page.HasPrevious)
		got = append(got, idsOf(page.Invoices)...)
		assert.Equal(t, len(got) < len(want), page.HasNext)
		if !page.HasNext || len(page.Invoices) == 0 {
			break
		}
		q.After = new(cursor(order, page.Invoices[len(page.Invoices)-1]))
	}
	assert.Equal(t, idsOf(want), got, "forward")

	got = nil
	q = invoice.ListQuery{UserID: b.user, Last: size, OrderBy: order}
	for {
		page, err := b.Invoices.Invoices(t.Context(), q)
		require.NoError(t, err)
		assert.Equal(t, len(got) > 0, page.HasNext)
		got = append(idsOf(page.Invoices), got...)
		assert.Equal(t, len(got) < len(want), page.HasPrevious)
		if !page.HasPrevious || len(page.Invoices) == 0 {
			break
		}
		q.Before = new(cursor(order, page.Invoices[0]))
	}
	assert.Equal(t, idsOf(want), got, "backward")
}

func filters(t *testing.T, b *bundle, all []*invoice.Invoice) {
	t.Helper()
	for name, c := range map[string]struct {
		filter invoice.Filter
		keep   func(i int, inv *invoice.Invoice) bool
	}{
		"status": {
			invoice.Filter{Statuses: []invoice.Status{invoice.StatusFailed, invoice.StatusQueued}},
			func(_ int, inv *invoice.Invoice) bool { return inv.Status == invoice.StatusFailed },
		},
		"issued from, inclusive": {
			invoice.Filter{IssuedFrom: new(At(3))},
			func(_ int, inv *invoice.Invoice) bool { return inv.IssuedAt != nil && !inv.IssuedAt.Before(At(3)) },
		},
		"issued until, exclusive": {
			invoice.Filter{IssuedUntil: new(At(3))},
			func(_ int, inv *invoice.Invoice) bool { return inv.IssuedAt != nil && inv.IssuedAt.Before(At(3)) },
		},
		"a moment between microseconds": {
			invoice.Filter{IssuedFrom: new(At(3).Add(time.Nanosecond))},
			func(_ int, inv *invoice.Invoice) bool { return inv.IssuedAt != nil && inv.IssuedAt.After(At(3)) },
		},
		"years that do not exist": {
			invoice.Filter{IssuedFrom: new(time.Time{}.AddDate(-1, 0, 0)), IssuedUntil: new(time.Time{}.AddDate(20_000, 0, 0))},
			func(_ int, inv *invoice.Invoice) bool { return inv.IssuedAt != nil },
		},
		"issuer":                         {invoice.Filter{IssuerCNPJ: "11111111111111"}, func(i int, _ *invoice.Invoice) bool { return i%3 == 1 }},
		"search in items, any case":      {invoice.Filter{Search: "pão francês"}, func(i int, _ *invoice.Invoice) bool { return i%3 == 0 }},
		"search without accents":         {invoice.Filter{Search: " pao  FRANCES "}, func(i int, _ *invoice.Invoice) bool { return i%3 == 0 }},
		"search with accents too many":   {invoice.Filter{Search: "àrróz"}, func(i int, _ *invoice.Invoice) bool { return i%3 == 2 }},
		"search in the issuer":           {invoice.Filter{Search: "MERCADO 2"}, func(i int, _ *invoice.Invoice) bool { return i == 2 || i >= 20 }},
		"percent is no wildcard":         {invoice.Filter{Search: "50%"}, func(i int, _ *invoice.Invoice) bool { return i%3 == 0 }},
		"percent is no wildcard at all":  {invoice.Filter{Search: "pao%50"}, func(int, *invoice.Invoice) bool { return false }},
		"underscore is no wildcard":      {invoice.Filter{Search: "o_preto"}, func(i int, _ *invoice.Invoice) bool { return i%3 == 1 }},
		"underscore matches no blank":    {invoice.Filter{Search: "pao_frances"}, func(int, *invoice.Invoice) bool { return false }},
		"a search does not span items":   {invoice.Filter{Search: "kg\" arroz"}, func(int, *invoice.Invoice) bool { return false }},
		"a backslash is a character":     {invoice.Filter{Search: `maca \ 'fuji'`}, func(int, *invoice.Invoice) bool { return true }},
		"an exclamation is a character":  {invoice.Filter{Search: "!"}, func(int, *invoice.Invoice) bool { return false }},
		"a placeholder is a character":   {invoice.Filter{Search: "?0 {x}"}, func(int, *invoice.Invoice) bool { return true }},
		"a search of a hundred thousand": {invoice.Filter{Search: strings.Repeat("á", 100_000)}, func(int, *invoice.Invoice) bool { return false }},
		"blank search":                   {invoice.Filter{Search: "  "}, func(int, *invoice.Invoice) bool { return true }},
		"all together": {
			invoice.Filter{Statuses: []invoice.Status{invoice.StatusFailed}, IssuedFrom: new(At(1)), IssuedUntil: new(At(4)), Search: "feijao"},
			func(i int, inv *invoice.Invoice) bool {
				return i%2 == 1 && i%3 == 1 && inv.IssuedAt != nil && !inv.IssuedAt.Before(At(1)) && inv.IssuedAt.Before(At(4))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var want []*invoice.Invoice
			for i, inv := range all {
				if c.keep(i, inv) {
					want = append(want, inv)
				}
			}
			page, err := b.Invoices.Invoices(t.Context(), invoice.ListQuery{UserID: b.user, First: 50, Filter: c.filter})
			require.NoError(t, err)
			assert.Equal(t, idsOf(sorted(want, invoice.Order{})), idsOf(page.Invoices))
			assert.Equal(t, len(want), page.Total)
		})
	}
}

func edges(t *testing.T, b *bundle, want []*invoice.Invoice) {
	t.Helper()
	first, last := cursor(invoice.Order{}, want[0]), cursor(invoice.Order{}, want[len(want)-1])
	page, err := b.Invoices.Invoices(t.Context(), invoice.ListQuery{UserID: b.user, First: 3, After: &last})
	require.NoError(t, err)
	assert.Equal(t, invoice.Page{HasPrevious: true, Total: len(want)}, page, "after the end")
	page, err = b.Invoices.Invoices(t.Context(), invoice.ListQuery{UserID: b.user, Last: 3, Before: &first})
	require.NoError(t, err)
	assert.Equal(t, invoice.Page{HasNext: true, Total: len(want)}, page, "before the start")
	page, err = b.Invoices.Invoices(t.Context(), invoice.ListQuery{UserID: b.user})
	require.NoError(t, err)
	assert.Equal(t, invoice.Page{Total: len(want)}, page, "the total alone")
	third := cursor(invoice.Order{}, want[3])
	page, err = b.Invoices.Invoices(t.Context(), invoice.ListQuery{UserID: b.user, First: 10, After: &first, Before: &third})
	require.NoError(t, err)
	assert.Equal(t, idsOf(want[1:3]), idsOf(page.Invoices), "between two cursors")
}

func cursor(order invoice.Order, inv *invoice.Invoice) invoice.Cursor {
	if order.By == invoice.OrderByIssuedAt {
		return invoice.Cursor{At: inv.IssuedAt, ID: inv.ID}
	}
	return invoice.Cursor{At: new(inv.CreatedAt), ID: inv.ID}
}

// sorted is what the port promises, computed without a database.
func sorted(list []*invoice.Invoice, order invoice.Order) []*invoice.Invoice {
	sign := -1
	if order.Ascending {
		sign = 1
	}
	return slices.SortedFunc(slices.Values(list), func(x, y *invoice.Invoice) int {
		a, c := cursor(order, x), cursor(order, y)
		switch {
		case a.At == nil && c.At != nil:
			return 1
		case a.At != nil && c.At == nil:
			return -1
		case a.At != nil && !a.At.Equal(*c.At):
			return sign * a.At.Compare(*c.At)
		}
		return sign * strings.Compare(a.ID, c.ID)
	})
}

func idsOf(list []*invoice.Invoice) []string {
	var ids []string
	for _, inv := range list {
		ids = append(ids, inv.ID)
	}
	return ids
}
