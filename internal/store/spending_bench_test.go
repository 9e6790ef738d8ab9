package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/spending"
	"github.com/mercadoesperto/smarket/schema"
)

// BenchmarkSpending reads a ledger of 5000 purchases with 30 lines each, of 1000 products at 40 shops in five years.
func BenchmarkSpending(b *testing.B) {
	for name, open := range both {
		b.Run(name, func(b *testing.B) {
			l := newLedger(b, open(b))
			first := l.fill(5000, 30, 1000, 40)
			if l.db.Dialect() == schema.Postgres { // which looks at its tables in the background; SQLite never does
				_, err := l.db.SQL().ExecContext(b.Context(), "ANALYZE")
				require.NoError(b, err)
			}
			s := l.service()
			month := spending.Period{From: "2026-10-01", To: "2026-10-31"}
			for period, p := range map[string]spending.Period{"5 years": {From: "2021-11-23", To: "2026-11-23"}, "month": month} {
				for _, by := range groups {
					b.Run(fmt.Sprintf("report of %s by %s", period, by), func(b *testing.B) {
						for b.Loop() {
							r, err := s.Report(b.Context(), l.user, p, by)
							require.NoError(b, err)
							require.NotEmpty(b, r.Groups)
						}
					})
				}
			}
			b.Run("history", func(b *testing.B) {
				for b.Loop() {
					points, err := s.History(b.Context(), l.user, first, nil)
					require.NoError(b, err)
					require.NotEmpty(b, points)
				}
			})
			b.Run("basket of 100", func(b *testing.B) {
				var lines []spending.BasketLine
				for i := range 100 {
					lines = append(lines, spending.BasketLine{ProductID: l.products[i].ID, Quantity: decimal.New(1, 0)})
				}
				for b.Loop() {
					offers, err := s.Basket(b.Context(), l.user, lines)
					require.NoError(b, err)
					require.Len(b, offers, 40)
				}
			})
			b.Run("export of a year", func(b *testing.B) {
				for b.Loop() {
					_, err := s.Export(b.Context(), l.user, &spending.Period{From: "2025-01-01", To: "2025-12-31"})
					require.NoError(b, err)
				}
			})
			b.Run("export of too much", func(b *testing.B) {
				for b.Loop() {
					_, err := s.Export(b.Context(), l.user, nil)
					require.Error(b, err)
				}
			})
		})
	}
}

// fill stores that many purchases, spread over the five years before November 23, 2026, and gives the id of a product.
func (l *ledger) fill(purchases, lines, products, shops int) string {
	l.tb.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range products {
		l.product(fmt.Sprintf("Produto %d", i), fmt.Sprintf("c%d", i%40))
	}
	start := time.Date(2021, 11, 24, 0, 0, 0, 0, time.UTC)
	for i := range purchases {
		var of []bought
		for range lines {
			of = append(of, one(l.products[rnd.IntN(products)].ID, 1+rnd.Int64N(5000)))
		}
		shop := rnd.IntN(shops)
		l.purchase(start.AddDate(0, 0, i*1826/purchases).Format(time.DateOnly), fmt.Sprintf("m%d", shop), fmt.Sprintf("Mercado %d", shop), 0, of...)
	}
	l.save()
	return l.products[0].ID
}
