package store_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/spending"
)

// reportsEqualGo adds a random ledger up row by row, and expects the same of the reports.
func reportsEqualGo(t *testing.T, l *ledger) {
	rnd := rand.New(rand.NewPCG(2026, 11))
	var products []string
	for i := range 40 {
		products = append(products, l.product(fmt.Sprintf("Produto %d", i), fmt.Sprintf("c%d", i%9)))
	}
	start := time.Date(2023, 11, 20, 0, 0, 0, 0, time.UTC)
	for range 300 {
		var lines []bought
		for range rnd.IntN(8) {
			lines = append(lines, one(products[rnd.IntN(len(products))], rnd.Int64N(5000)))
		}
		day := start.AddDate(0, 0, rnd.IntN(500)).Format(time.DateOnly)
		merchant := rnd.IntN(12)
		l.purchase(day, fmt.Sprintf("m%d", merchant), fmt.Sprintf("Mercado %d", merchant), rnd.Int64N(600)-300, lines...)
	}
	other := newLedger(t, l.db)
	other.purchase("2024-02-29", "m1", "Mercado 1", 12345, one(other.product("Leite", "c1"), 999))
	other.save()
	l.save()
	for _, period := range []spending.Period{
		{From: "2024-02-01", To: "2024-02-29"},
		{From: "2024-03-01", To: "2024-03-31"},
		{From: "2024-02-28", To: "2024-03-01"},
		{From: "2024-01-01", To: "2024-12-31"},
		{From: "2024-06-10", To: "2024-09-09"},
		{From: "2024-02-29", To: "2024-02-29"},
		{From: "2024-11-01", To: "2025-02-28"},
		{From: "2020-04-01", To: "2025-04-01"},
		{From: "2022-01-01", To: "2022-12-31"},
	} {
		for _, by := range groups {
			got, err := l.service().Report(t.Context(), l.user, period, by)
			require.NoError(t, err)
			l.assertAddsUp(t, got, by)
		}
	}
}

// expectedSum is a group as Go adds it up.
type expectedSum struct {
	total, previous int64
	invoices        map[string]bool
	current         bool // something of it lies in the period
}

func (l *ledger) assertAddsUp(t *testing.T, r *spending.Report, by spending.Group) {
	t.Helper()
	in := func(day string, p spending.Period) bool { return p.From <= day && day <= p.To }
	want := map[string]*expectedSum{}
	add := func(key, day, invoiceID string, amount int64) {
		e := want[key]
		if e == nil {
			e = &expectedSum{invoices: map[string]bool{}}
			want[key] = e
		}
		if in(day, r.Period) {
			e.total, e.current = e.total+amount, true
			e.invoices[invoiceID] = true
		} else if in(day, r.Previous) {
			e.previous += amount
		}
	}
	var total, previous, purchases, divided int64
	for _, p := range l.purchases {
		if !in(p.BoughtOn, r.Period) && !in(p.BoughtOn, r.Previous) {
			continue
		}
		if in(p.BoughtOn, r.Period) {
			total, purchases = total+p.TotalCentavos, purchases+1
		} else {
			previous += p.TotalCentavos
		}
		switch by {
		case spending.GroupByMerchant:
			add(p.Merchant, p.BoughtOn, p.InvoiceID, p.TotalCentavos)
		case spending.GroupByMonth:
			add(standsBeside(t, p.BoughtOn, r), p.BoughtOn, p.InvoiceID, p.TotalCentavos)
		default:
		}
	}
	category := map[string]string{}
	for _, p := range l.products {
		category[p.ID] = p.Category
	}
	for _, line := range l.lines {
		if !in(line.BoughtOn, r.Period) && !in(line.BoughtOn, r.Previous) {
			continue
		}
		switch by {
		case spending.GroupByCategory:
			add(category[line.ProductID], line.BoughtOn, line.InvoiceID, line.PaidCentavos)
		case spending.GroupByProduct:
			add(line.ProductID, line.BoughtOn, line.InvoiceID, line.PaidCentavos)
		default:
		}
	}
	if by == spending.GroupByProduct {
		for key, e := range want {
			if !e.current {
				delete(want, key)
			}
		}
	}
	for _, e := range want {
		divided += e.total
	}
	name := fmt.Sprintf("%s by %s", r.Period, by)
	assert.EqualValues(t, total, r.Total, name)
	assert.EqualValues(t, previous, r.PreviousTotal, name)
	assert.EqualValues(t, purchases, r.Purchases, name)
	assert.EqualValues(t, total-divided, r.Unassigned, name)
	seen := map[string]bool{}
	for i, g := range r.Groups {
		seen[g.Key] = true
		e := want[g.Key]
		if e == nil {
			require.Equal(t, spending.GroupByMonth, by, "%s: group %s", name, g.Key)
			e = &expectedSum{}
		}
		assert.EqualValues(t, e.total, g.Total, "%s: %s", name, g.Key)
		assert.EqualValues(t, e.previous, g.PreviousTotal, "%s: %s before", name, g.Key)
		assert.Len(t, e.invoices, g.Purchases, "%s: purchases of %s", name, g.Key)
		if divided > 0 {
			assert.Equal(t, decimal.New(e.total*100, 0).Div(decimal.New(divided, 0)).Round(1).String(), g.Share.String())
		}
		if i > 0 && by == spending.GroupByMonth {
			assert.Less(t, r.Groups[i-1].Key, g.Key)
		} else if i > 0 {
			assert.GreaterOrEqual(t, r.Groups[i-1].Total, g.Total)
		}
	}
	for key := range want {
		assert.True(t, seen[key], "%s: %s is missing", name, key)
	}
}

// standsBeside is the month of the period that a day is added up to, found by walking both periods day by day.
func standsBeside(t *testing.T, day string, r *spending.Report) string {
	t.Helper()
	if day >= r.Period.From {
		return day[:7]
	}
	at := func(day string) time.Time {
		d, err := time.Parse(time.DateOnly, day)
		require.NoError(t, err)
		return d
	}
	whole := strings.HasSuffix(r.Period.From, "-01") && at(r.Period.To).AddDate(0, 0, 1).Day() == 1
	d, p := at(r.Previous.From), at(r.Period.From)
	for d.Format(time.DateOnly) != day {
		next := d.AddDate(0, 0, 1)
		switch {
		case !whole:
			p = p.AddDate(0, 0, 1)
		case next.Month() != d.Month():
			p = p.AddDate(0, 1, 0)
		}
		d = next
	}
	return p.Format("2006-01")
}
