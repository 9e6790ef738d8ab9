package store_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
)

func BenchmarkInsertInvoiceWith30Items(b *testing.B) {
	for name, open := range both {
		b.Run(name, func(b *testing.B) {
			s := stores(open(b))
			user := storetest.NewUser(b, s.Accounts)
			for b.Loop() {
				inv := storetest.FilledInvoice(b, user, 30)
				require.NoError(b, s.Invoices.InTx(b.Context(), func(ctx context.Context, tx invoice.Tx) error { return tx.Insert(ctx, inv) }))
			}
		})
	}
}

func BenchmarkPageOf20WithItems(b *testing.B) {
	for name, open := range both {
		b.Run(name, func(b *testing.B) {
			s := stores(open(b))
			user := storetest.NewUser(b, s.Accounts)
			for range 200 {
				inv := storetest.FilledInvoice(b, user, 30)
				require.NoError(b, s.Invoices.InTx(b.Context(), func(ctx context.Context, tx invoice.Tx) error { return tx.Insert(ctx, inv) }))
			}
			for b.Loop() {
				page, err := s.Invoices.Invoices(b.Context(), invoice.ListQuery{UserID: user, First: 20})
				require.NoError(b, err)
				require.Len(b, page.Invoices, 20)
			}
		})
	}
}

func BenchmarkAppendEvent(b *testing.B) {
	for name, open := range both {
		b.Run(name, func(b *testing.B) {
			s := stores(open(b))
			inv := storetest.NewInvoice(b, storetest.NewUser(b, s.Accounts))
			require.NoError(b, s.Invoices.InTx(b.Context(), func(ctx context.Context, tx invoice.Tx) error { return tx.Insert(ctx, inv) }))
			for b.Loop() {
				require.NoError(b, s.Invoices.InTx(b.Context(), func(ctx context.Context, tx invoice.Tx) error {
					_, err := tx.AppendRunEvent(ctx, inv.Run, invoice.Event{InvoiceID: inv.ID, At: storetest.At(0)})
					return err
				}))
			}
		})
	}
}
