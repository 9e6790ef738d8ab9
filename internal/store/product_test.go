package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
)

func TestProducts(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.ExerciseProducts(t, func(tb testing.TB) storetest.Stores {
				tb.Helper()
				return stores(open(tb))
			})
		})
	}
}

func TestRecordTakesTheSameNumberOfStatementsWhateverTheItems(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			user := storetest.NewUser(t, stores(db).Accounts)
			var counted statements
			db.Hook(&counted)
			s := stores(db)
			catalogue := storetest.NewCatalogue(t, s.Products)
			sent := map[int]int64{}
			for _, items := range []int{2, 60} {
				var labels []string
				for i := range items {
					labels = append(labels, fmt.Sprintf("NOVIDADE %dA%d 500G", items, i))
				}
				inv := storetest.Bought(t, user, "11222333000181", labels...)
				require.NoError(t, s.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
					if err := tx.Insert(ctx, inv); err != nil {
						return err
					}
					before := counted.n.Load()
					err := catalogue.Record(ctx, tx.SQL(), inv)
					sent[items] = counted.n.Load() - before
					return err
				}))
			}
			assert.Equal(t, sent[2], sent[60])
			assert.LessOrEqual(t, sent[60], int64(11))
		})
	}
}

// BenchmarkRecord records an invoice of 30 items that the user bought before, and one of 30 new ones.
func BenchmarkRecord(b *testing.B) {
	all := receipts.Catalogue()
	for name, labelOf := range map[string]func(n, i int) string{
		"known": func(_, i int) string { return all[i*6].Description },
		"new":   func(n, i int) string { return fmt.Sprintf("%s LOTE %d", all[i*6].Description, n) },
	} {
		b.Run(name, func(b *testing.B) {
			db := openSQLite(b)
			s := stores(db)
			user := storetest.NewUser(b, s.Accounts)
			catalogue := storetest.NewCatalogue(b, s.Products)
			record(b, s, catalogue, user, all)
			n := 0
			for b.Loop() {
				n++
				var labels []string
				for i := range 30 {
					labels = append(labels, labelOf(n, i))
				}
				inv := storetest.Bought(b, user, "11222333000181", labels...)
				b.StopTimer()
				require.NoError(b, s.Invoices.InTx(b.Context(), func(ctx context.Context, tx invoice.Tx) error { return tx.Insert(ctx, inv) }))
				b.StartTimer()
				require.NoError(b, s.Invoices.InTx(b.Context(), func(ctx context.Context, tx invoice.Tx) error {
					return catalogue.Record(ctx, tx.SQL(), inv)
				}))
			}
		})
	}
}

// record lets the user have bought everything once.
func record(tb testing.TB, s storetest.Stores, catalogue invoice.Catalogue, user string, all []receipts.Product) {
	tb.Helper()
	var labels []string
	for _, p := range all {
		labels = append(labels, p.Description)
	}
	inv := storetest.Bought(tb, user, "11222333000181", labels...)
	require.NoError(tb, s.Invoices.InTx(tb.Context(), func(ctx context.Context, tx invoice.Tx) error {
		if err := tx.Insert(ctx, inv); err != nil {
			return err
		}
		return catalogue.Record(ctx, tx.SQL(), inv)
	}))
}
