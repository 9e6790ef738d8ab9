package storetest

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

func revisions(t *testing.T, b *bundle) {
	t.Helper()
	ctx, other := t.Context(), NewUser(t, b.Accounts)
	first, second, none := b.insert(t, FilledInvoice(t, b.user, 3)), b.insert(t, FilledInvoice(t, b.user, 0)), b.insert(t, NewInvoice(t, b.user))
	others := b.insert(t, FilledInvoice(t, other, 1))
	add := func(inv *invoice.Invoice, version int) {
		b.tx(t, func(ctx context.Context, tx invoice.Tx) error {
			return tx.AddRevision(ctx, inv.ID, invoice.Revision{
				Version: version, Source: inv.Source, Draft: inv.Draft, ChangedAt: At(version),
			})
		})
	}
	add(first, 10) // not in the order of texts
	add(first, 9)
	add(second, 1)
	add(others, 1)
	got, err := b.Invoices.Revisions(ctx, b.user, []string{strings.ToUpper(first.ID), second.ID, none.ID, others.ID, NewID(t), "none"})
	require.NoError(t, err)
	require.Len(t, got, 2, "another user's are not there")
	require.Len(t, got[first.ID], 2)
	require.Len(t, got[second.ID], 1)
	for i, version := range []int{9, 10} {
		r := got[first.ID][i]
		assert.Equal(t, version, r.Version, "oldest first")
		assert.Equal(t, first.Source, r.Source)
		assert.True(t, At(version).Equal(r.ChangedAt))
		EqualInvoices(t, &invoice.Invoice{Draft: first.Draft}, &invoice.Invoice{Draft: r.Draft})
		assert.Empty(t, invoice.Changes(b.get(t, first.ID).Draft, r.Draft))
	}
	for _, ids := range [][]string{nil, {}, {"none"}} {
		got, err = b.Invoices.Revisions(ctx, b.user, ids)
		require.NoError(t, err)
		assert.Empty(t, got)
	}
	require.Error(t, b.Invoices.InTx(ctx, func(ctx context.Context, tx invoice.Tx) error {
		return tx.AddRevision(ctx, second.ID, invoice.Revision{Version: 1, ChangedAt: At(0)})
	}), "a version is kept once")
	b.tx(t, func(ctx context.Context, tx invoice.Tx) error { return tx.Delete(ctx, second.ID) })
	got, err = b.Invoices.Revisions(ctx, b.user, []string{second.ID})
	require.NoError(t, err)
	assert.Empty(t, got, "they go with their invoice")
}

func invoicesByID(t *testing.T, b *bundle) {
	t.Helper()
	ctx := t.Context()
	first, second := b.insert(t, FilledInvoice(t, b.user, 3)), b.insert(t, NewInvoice(t, b.user))
	b.insert(t, FilledInvoice(t, b.user, 1)) // not asked for
	others := b.insert(t, FilledInvoice(t, NewUser(t, b.Accounts), 1))
	got, err := b.Invoices.InvoicesByID(ctx, b.user, []string{second.ID, strings.ToUpper(first.ID), first.ID, others.ID, NewID(t), "none", ""})
	require.NoError(t, err)
	require.Len(t, got, 2)
	EqualInvoices(t, first, got[first.ID])
	EqualInvoices(t, second, got[second.ID])
	for _, ids := range [][]string{nil, {"none"}, {others.ID}} {
		got, err = b.Invoices.InvoicesByID(ctx, b.user, ids)
		require.NoError(t, err)
		assert.Empty(t, got)
	}
	got, err = b.Invoices.InvoicesByID(ctx, "", []string{first.ID})
	require.NoError(t, err)
	assert.Empty(t, got, "without a user nothing is found")
}

func itemsByID(t *testing.T, b *bundle) {
	t.Helper()
	ctx := t.Context()
	first, second := b.insert(t, FilledInvoice(t, b.user, 3)), b.insert(t, FilledInvoice(t, b.user, 2))
	others := b.insert(t, FilledInvoice(t, NewUser(t, b.Accounts), 1))
	got, err := b.Invoices.ItemsByID(ctx, b.user, []string{
		first.Items[2].ID, strings.ToUpper(first.Items[0].ID), second.Items[1].ID, others.Items[0].ID, first.ID, NewID(t), "none",
	})
	require.NoError(t, err)
	require.Len(t, got, 3)
	for _, want := range []invoice.Item{first.Items[2], first.Items[0], second.Items[1]} {
		item, ok := got[want.ID]
		require.True(t, ok)
		EqualInvoices(t, &invoice.Invoice{Draft: invoice.Draft{Items: []invoice.Item{want}}}, &invoice.Invoice{Draft: invoice.Draft{Items: []invoice.Item{item}}})
		assert.Equal(t, want.ProductID, item.ProductID)
	}
	for _, ids := range [][]string{nil, {"none"}, {others.Items[0].ID}} {
		got, err = b.Invoices.ItemsByID(ctx, b.user, ids)
		require.NoError(t, err)
		assert.Empty(t, got)
	}
}

// itemProducts holds that what an item is can be told and taken back, apart from the rest of its line.
func itemProducts(t *testing.T, b *bundle) {
	t.Helper()
	inv := b.insert(t, FilledInvoice(t, b.user, 2))
	id := NewID(t)
	b.change(t, inv.ID, func(i *invoice.Invoice) { i.Items[0].ProductID, i.Items[1].ProductID = id, "" })
	got := b.get(t, inv.ID)
	assert.Equal(t, id, got.Items[0].ProductID)
	assert.Empty(t, got.Items[1].ProductID)
	inv.Items[0].ProductID, inv.Items[1].ProductID = id, ""
	EqualInvoices(t, inv, got)
}

func unclaiming(t *testing.T, b *bundle) {
	t.Helper()
	other := NewUser(t, b.Accounts)
	first, second, others := b.insert(t, NewInvoice(t, b.user)), b.insert(t, NewInvoice(t, b.user)), b.insert(t, NewInvoice(t, other))
	b.tx(t, func(ctx context.Context, tx invoice.Tx) error {
		claim := func(user string, kind invoice.DuplicateReason, value, id string) string {
			holder, err := tx.Claim(ctx, user, kind, value, id)
			require.NoError(t, err)
			return holder
		}
		for _, value := range []string{"v", "w"} {
			claim(b.user, invoice.DuplicateSameAccessKey, value, first.ID)
			claim(b.user, invoice.DuplicateSamePurchase, value, first.ID)
			claim(other, invoice.DuplicateSameAccessKey, value, others.ID)
		}
		require.NoError(t, tx.Unclaim(ctx, b.user, invoice.DuplicateSameAccessKey, "v", second.ID))
		assert.Equal(t, first.ID, claim(b.user, invoice.DuplicateSameAccessKey, "v", second.ID), "it is not the holder")
		require.NoError(t, tx.Unclaim(ctx, b.user, invoice.DuplicateSameAccessKey, "v", first.ID))
		require.NoError(t, tx.Unclaim(ctx, b.user, invoice.DuplicateSameAccessKey, "v", first.ID), "again")
		assert.Equal(t, second.ID, claim(b.user, invoice.DuplicateSameAccessKey, "v", second.ID), "free")
		assert.Equal(t, first.ID, claim(b.user, invoice.DuplicateSameAccessKey, "w", second.ID), "another value")
		assert.Equal(t, first.ID, claim(b.user, invoice.DuplicateSamePurchase, "v", second.ID), "another kind")
		assert.Equal(t, others.ID, claim(other, invoice.DuplicateSameAccessKey, "v", NewID(t)), "another user")
		return tx.Unclaim(ctx, "none", invoice.DuplicateSamePurchase, "v", "none")
	})
}
