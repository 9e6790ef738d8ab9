package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
	"github.com/mercadoesperto/smarket/schema"
)

// BenchmarkPurchaseRules analyses one purchase of a user with 5000 invoices of 30 lines: one a day in fourteen years, and seven a
// day in two, which puts the most into the days that rules look at.
func BenchmarkPurchaseRules(b *testing.B) {
	for name, open := range both {
		for _, perDay := range []int{1, 7} {
			b.Run(fmt.Sprintf("%s/%d a day", name, perDay), func(b *testing.B) { benchmarkPurchaseRules(b, open(b), perDay) })
		}
	}
}

func benchmarkPurchaseRules(b *testing.B, db *store.DB, perDay int) {
	b.Helper()
	d, accounts := newDiary(5), store.NewAccounts(db)
	last := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for _, invoices := range []int{500, 5000} { // somebody else, and the user
		user := storetest.NewUser(b, accounts)
		products := d.addProducts(user, 300, 20)
		for i := range invoices {
			d.addPurchase(user, last.AddDate(0, 0, -i/perDay).Format(time.DateOnly), 30, products)
		}
	}
	d.write(b, db)
	if db.Dialect() == schema.Postgres { // which looks at its tables in the background; SQLite never does
		_, err := db.SQL().ExecContext(b.Context(), "ANALYZE")
		require.NoError(b, err)
	}
	s := d.subject(d.purchases[500], insight.Household{Adults: 2, Children: 2, Income: new(fiscal.Money(500_000))})
	for _, r := range insight.PurchaseRules(store.NewFigures(db), neverInSeason{}, plainNames{}) {
		b.Run(string(r.Kind()), func(b *testing.B) {
			for b.Loop() {
				_, _, err := r.Find(b.Context(), s)
				require.NoError(b, err)
			}
		})
	}
}
