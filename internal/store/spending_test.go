package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/spending"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
)

func TestSpending(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for name, test := range map[string]func(*testing.T, *ledger){
				"reports equal what Go adds up":                     reportsEqualGo,
				"an empty ledger has empty reports":                 emptyLedger,
				"the first and the last day count":                  daysAtTheEdges,
				"what belongs to no group is unassigned":            unassigned,
				"groups of the period before appear":                groupsOfThePeriodBefore,
				"a shop has its newest name":                        newestNames,
				"products beyond the 200 count in shares":           manyProducts,
				"a product comes back as it was stored":             productRoundTrip,
				"a report takes two statements at most":             statementsOfReports,
				"prices are those of the product, oldest first":     pricesOfAProduct,
				"a history keeps the newest 500":                    longHistory,
				"a product of another user is not found":            productOfAnother,
				"a basket has the last price of each shop":          basketPrices,
				"the hour decides between purchases of a day":       hourOfTheDay,
				"a basket takes one statement":                      statementsOfBaskets,
				"a basket of another user's products is refused":    basketOfAnother,
				"an export has every line, oldest first":            exportedLines,
				"an export is cut to its period and takes one look": exportedPeriod,
				"ids that are none find nothing":                    badSpendingIDs,
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, newLedger(t, open(t)))
				})
			}
		})
	}
}

var groups = []spending.Group{spending.GroupByCategory, spending.GroupByMerchant, spending.GroupByMonth, spending.GroupByProduct}

// one is a line of one unit for an amount in centavos.
func one(product string, paid int64) bought {
	return bought{product: product, paid: paid, quantity: 1_000_000, price: new(paid * 10_000)}
}

func emptyLedger(t *testing.T, l *ledger) {
	s := l.service()
	for _, by := range groups {
		r, err := s.Report(t.Context(), l.user, spending.Period{From: "2026-10-01", To: "2026-11-30"}, by)
		require.NoError(t, err)
		assert.Zero(t, r.Total)
		assert.Zero(t, r.PreviousTotal)
		assert.Zero(t, r.Unassigned)
		assert.Zero(t, r.Purchases)
		if by != spending.GroupByMonth {
			assert.Empty(t, r.Groups)
			continue
		}
		require.Len(t, r.Groups, 2)
		assert.Equal(t, "outubro de 2026", r.Groups[0].Name)
		assert.True(t, r.Groups[1].Share.IsZero())
	}
	lines, err := s.Export(t.Context(), l.user, nil)
	require.NoError(t, err)
	assert.Empty(t, lines)
}

func daysAtTheEdges(t *testing.T, l *ledger) {
	milk := l.product("Leite", "dairy")
	// Each day has a binary digit of its own, so that a sum says which days are in it.
	for i, day := range []string{"2024-01-31", "2024-02-01", "2024-02-29", "2024-03-01", "2024-03-31", "2024-04-01"} {
		l.purchase(day, "m", "Mercado", 0, one(milk, 1<<i))
	}
	l.save()
	for _, test := range []struct {
		period        spending.Period
		previous      spending.Period
		total, before fiscal.Money
	}{
		{spending.Period{From: "2024-03-01", To: "2024-03-31"}, spending.Period{From: "2024-02-01", To: "2024-02-29"}, 8 + 16, 2 + 4},
		{spending.Period{From: "2024-02-29", To: "2024-03-01"}, spending.Period{From: "2024-02-27", To: "2024-02-28"}, 4 + 8, 0},
		{spending.Period{From: "2024-03-02", To: "2024-03-30"}, spending.Period{From: "2024-02-02", To: "2024-03-01"}, 0, 4 + 8},
		{spending.Period{From: "2024-03-02", To: "2024-03-31"}, spending.Period{From: "2024-02-01", To: "2024-03-01"}, 16, 2 + 4 + 8},
		{spending.Period{From: "2024-02-01", To: "2024-03-31"}, spending.Period{From: "2023-12-01", To: "2024-01-31"}, 2 + 4 + 8 + 16, 1},
		{spending.Period{From: "2024-04-01", To: "2024-04-01"}, spending.Period{From: "2024-03-31", To: "2024-03-31"}, 32, 16},
	} {
		for _, by := range groups {
			r, err := l.service().Report(t.Context(), l.user, test.period, by)
			require.NoError(t, err)
			assert.Equal(t, test.previous, r.Previous)
			assert.Equal(t, test.total, r.Total, "%s by %s", test.period, by)
			assert.Equal(t, test.before, r.PreviousTotal, "%s by %s", test.period, by)
			assert.Zero(t, r.Unassigned)
		}
	}
}

func unassigned(t *testing.T, l *ledger) {
	milk, soap := l.product("Leite", "dairy"), l.product("Sabão", "cleaning")
	l.purchase("2026-11-01", "m", "Mercado", 1500, one(milk, 500), one(soap, 300)) // freight
	l.purchase("2026-11-02", "m", "Mercado", -2000, one(milk, 600))                // a discount
	l.save()
	for _, by := range groups {
		r, err := l.service().Report(t.Context(), l.user, spending.Period{From: "2026-11-01", To: "2026-11-30"}, by)
		require.NoError(t, err)
		assert.EqualValues(t, 900, r.Total)
		assert.Equal(t, 2, r.Purchases)
		sum := r.Unassigned
		for _, g := range r.Groups {
			sum += g.Total
		}
		assert.Equal(t, r.Total, sum)
		if by == spending.GroupByCategory || by == spending.GroupByProduct {
			assert.EqualValues(t, -500, r.Unassigned)
			assert.EqualValues(t, 1100, r.Groups[0].Total)
			assert.Equal(t, 2, r.Groups[0].Purchases)
			assert.Equal(t, "78.6", r.Groups[0].Share.String())
			assert.Equal(t, "21.4", r.Groups[1].Share.String())
		} else {
			assert.Zero(t, r.Unassigned)
		}
	}
}

func groupsOfThePeriodBefore(t *testing.T, l *ledger) {
	milk, soap := l.product("Leite", "dairy"), l.product("Sabão", "cleaning")
	l.purchase("2026-10-05", "a", "Antigo", 0, one(soap, 300))
	l.purchase("2026-11-05", "b", "Novo", 0, one(milk, 500))
	l.save()
	november := spending.Period{From: "2026-11-01", To: "2026-11-30"}
	for by, keys := range map[spending.Group][]string{
		spending.GroupByCategory: {"dairy", "cleaning"}, spending.GroupByMerchant: {"b", "a"}, spending.GroupByProduct: {milk},
	} {
		r, err := l.service().Report(t.Context(), l.user, november, by)
		require.NoError(t, err)
		assert.Equal(t, keys, keysOf(r), by)
		if len(keys) > 1 {
			assert.EqualValues(t, 300, r.Groups[1].PreviousTotal)
			assert.Zero(t, r.Groups[1].Total)
			assert.Zero(t, r.Groups[1].Purchases)
		}
		assert.EqualValues(t, 300, r.PreviousTotal)
	}
	r, err := l.service().Report(t.Context(), l.user, november, spending.GroupByMonth)
	require.NoError(t, err)
	require.Equal(t, []string{"2026-11"}, keysOf(r))
	assert.EqualValues(t, 300, r.Groups[0].PreviousTotal, "October stands beside November")
}

func keysOf(r *spending.Report) []string {
	var keys []string
	for _, g := range r.Groups {
		keys = append(keys, g.Key)
	}
	return keys
}

func newestNames(t *testing.T, l *ledger) {
	milk := l.product("Leite", "dairy")
	l.purchase("2026-11-05", "m", "Nome novo", 0, one(milk, 1))
	l.purchase("2026-11-04", "m", "Nome velho", 0, one(milk, 1))
	l.purchase("2026-12-01", "m", "Nome de depois", 0, one(milk, 1))
	other := newLedger(t, l.db)
	other.purchase("2026-12-09", "m", "Nome de outro", 0)
	other.save()
	l.save()
	r, err := l.service().Report(t.Context(), l.user, spending.Period{From: "2026-11-01", To: "2026-11-30"}, spending.GroupByMerchant)
	require.NoError(t, err)
	require.Len(t, r.Groups, 1)
	assert.Equal(t, "Nome de depois", r.Groups[0].Name)
	points, err := l.service().History(t.Context(), l.user, milk, nil)
	require.NoError(t, err)
	for _, p := range points {
		assert.Equal(t, "Nome de depois", p.MerchantName)
	}
}

func manyProducts(t *testing.T, l *ledger) {
	var lines []bought
	for i := range 203 {
		lines = append(lines, one(l.product(fmt.Sprintf("Produto %03d", i), "other"), int64(i+1)))
	}
	l.purchase("2026-11-05", "m", "Mercado", 50, lines...)
	l.save()
	r, err := l.service().Report(t.Context(), l.user, spending.Period{From: "2026-11-01", To: "2026-11-30"}, spending.GroupByProduct)
	require.NoError(t, err)
	require.Len(t, r.Groups, spending.MaxProducts)
	assert.EqualValues(t, 203, r.Groups[0].Total)
	assert.EqualValues(t, 4, r.Groups[199].Total, "1, 2 and 3 centavos are beyond")
	assert.EqualValues(t, 50, r.Unassigned, "what is beyond still belongs to products")
	assert.Equal(t, "1", r.Groups[0].Share.String(), "203 of 20706")
}

func productRoundTrip(t *testing.T, l *ledger) {
	milk := l.product("Leite d'Ávila", "dairy")
	l.purchase("2026-11-05", "m", "Mercado", 0, one(milk, 1))
	l.save()
	r, err := l.service().Report(t.Context(), l.user, spending.Period{From: "2026-11-01", To: "2026-11-30"}, spending.GroupByProduct)
	require.NoError(t, err)
	require.Len(t, r.Groups, 1)
	assert.Equal(t, "Leite d'Ávila", r.Groups[0].Name)
	got := *r.Groups[0].Product
	assert.Equal(t, "0.5", got.Size.String())
	got.Size = decimal.Zero
	assert.Equal(t, product.Product{
		ID: milk, UserID: l.user, Key: "label:" + milk, GTIN: "7891000100103", Name: "Leite d'Ávila", Brand: "Marca",
		Measure: product.MeasureLitre,
		Class:   product.Class{Category: "dairy", Group: product.GroupDairy, Essential: true, Child: true, Produce: "maçã"},
		Taught:  true, CreatedAt: storetest.At(1).UTC(), UpdatedAt: storetest.At(2).UTC(),
	}, got)
}

// statements counts what is read.
type statements struct{ n atomic.Int64 }

func (c *statements) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (c *statements) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if op := e.Operation(); op != "BEGIN" && op != "COMMIT" {
		c.n.Add(1)
	}
}

// counted is the service, and how many statements it sent since the last time it was asked.
func (l *ledger) counted() (*spending.Service, func() int) {
	l.tb.Helper()
	hook, reads := &statements{}, store.NewSpending(l.db)
	reads.Hook(hook)
	s, err := spending.NewService(spending.Config{Store: reads, Categories: categories{}})
	require.NoError(l.tb, err)
	return s, func() int { return int(hook.n.Swap(0)) }
}

func statementsOfReports(t *testing.T, l *ledger) {
	s, count := l.counted()
	year := spending.Period{From: "2026-01-01", To: "2026-12-31"}
	for _, size := range []int{1, 120} {
		for i := range size {
			var lines []bought
			for range 5 {
				lines = append(lines, one(l.product(fmt.Sprintf("P%d", i), fmt.Sprintf("c%d", i%40)), 10))
			}
			l.purchase(fmt.Sprintf("2026-%02d-05", 1+i%12), fmt.Sprintf("m%d", i), "Mercado", 0, lines...)
		}
		l.save()
		for by, most := range map[spending.Group]int{
			spending.GroupByCategory: 2, spending.GroupByProduct: 2, spending.GroupByMerchant: 1, spending.GroupByMonth: 1,
		} {
			r, err := s.Report(t.Context(), l.user, year, by)
			require.NoError(t, err)
			require.NotEmpty(t, r.Groups)
			assert.Equal(t, most, count(), "%s of %d purchases", by, size)
		}
	}
}
