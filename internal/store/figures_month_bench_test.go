package store_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
)

// BenchmarkMonthFigures is of a user with 5,000 purchases of 30 lines in two years, and another like that.
func BenchmarkMonthFigures(b *testing.B) {
	for name, open := range both {
		b.Run(name, func(b *testing.B) {
			db := open(b)
			var l monthLedger
			r := rand.New(rand.NewPCG(1, 1))
			last := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
			accounts := store.NewAccounts(db)
			users := []string{storetest.NewUser(b, accounts), storetest.NewUser(b, accounts)}
			for _, user := range users {
				products := l.addProducts(r, user, 800)
				for i := range 5000 {
					l.addPurchase(r, user, last.AddDate(0, 0, -i*730/5000), products, 30)
				}
			}
			l.write(b, db)
			_, err := db.SQL().ExecContext(b.Context(), "ANALYZE")
			require.NoError(b, err)
			benchmarkMonth(b, store.NewFigures(db), users[0])
		})
	}
}

func benchmarkMonth(b *testing.B, f *store.Figures, user string) {
	b.Helper()
	month := insight.Period{From: "2026-11-01", To: "2026-11-23"}
	thirty, sixty := insight.Period{From: "2026-10-25", To: "2026-11-23"}, insight.Period{From: "2026-09-25", To: "2026-11-23"}
	for name, read := range map[string]func() error{
		"spending": func() error {
			_, err := f.Spending(b.Context(), user, month, insight.Period{From: "2026-10-01", To: "2026-10-31"},
				insight.Period{From: "2026-09-01", To: "2026-09-30"}, insight.Period{From: "2026-08-01", To: "2026-08-31"})
			return err
		},
		"visits": func() error {
			_, err := f.Visits(b.Context(), user, month, 3000)
			return err
		},
		"recurring": func() error {
			_, err := f.Recurring(b.Context(), user, sixty)
			return err
		},
		"found": func() error {
			_, err := f.Found(b.Context(), user, insight.FoundFilter{Purchases: sixty, Month: month})
			return err
		},
		"food": func() error {
			_, err := f.Food(b.Context(), user, thirty)
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				require.NoError(b, read())
			}
		})
	}
}
