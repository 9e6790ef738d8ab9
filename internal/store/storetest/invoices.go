package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// Exercise holds an invoice.Store to its promises.
func Exercise(t *testing.T, open Open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *bundle){
		"a filled invoice comes back as it was":                       filledRoundTrip,
		"an empty invoice comes back as it was":                       emptyRoundTrip,
		"decimals and moments are exact":                              exactValues,
		"text that a database refuses is stored without what it is":   hostileText,
		"values no column holds are refused":                          impossibleValues,
		"saving writes what changed and nothing else":                 savingLists,
		"saving keeps item ids and makes missing ones":                itemIDs,
		"saving does not touch the event counter":                     savingKeepsCounter,
		"saving without locking replaces all lists":                   savingUnlocked,
		"another user's invoice is not found":                         isolation,
		"ids that are none are not found":                             badIDs,
		"an idempotency key is taken once per user":                   idempotency,
		"an error rolls everything back":                              rollback,
		"a panic rolls back and goes on":                              panics,
		"events are numbered from one and read in order":              events,
		"events of fifty goroutines have no gap":                      concurrentEvents,
		"run events end with the run":                                 runEvents,
		"a claim has one holder":                                      claims,
		"twenty claims at once have one winner":                       concurrentClaims,
		"claims of rolled back transactions are free":                 claimRollback,
		"a lock serialises":                                           lockSerialises,
		"an idempotency key sent ten times at once makes one invoice": concurrentIdempotency,
		"picture hashes are the user's others":                        pictureHashes,
		"deleting removes everything below":                           deletion,
		"the transaction is the caller's too":                         sharedTransaction,
		"lists":                                                       lists,
		"revisions are the user's, oldest first":                      revisions,
		"invoices by their ids":                                       invoicesByID,
		"items by their ids":                                          itemsByID,
		"what an item is can be changed":                              itemProducts,
		"one claim is freed":                                          unclaiming,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newBundle(t, open))
		})
	}
}

// bundle is a fresh database with one user.
type bundle struct {
	Stores
	user string
}

func newBundle(t *testing.T, open Open) *bundle {
	t.Helper()
	s := open(t)
	return &bundle{Stores: s, user: NewUser(t, s.Accounts)}
}

// tx runs fn in a transaction that must commit.
func (b *bundle) tx(t *testing.T, fn func(ctx context.Context, tx invoice.Tx) error) {
	t.Helper()
	require.NoError(t, b.Invoices.InTx(t.Context(), fn))
}

func (b *bundle) insert(t *testing.T, inv *invoice.Invoice) *invoice.Invoice {
	t.Helper()
	b.tx(t, func(ctx context.Context, tx invoice.Tx) error { return tx.Insert(ctx, inv) })
	return inv
}

func (b *bundle) get(t *testing.T, id string) *invoice.Invoice {
	t.Helper()
	inv, err := b.Invoices.Invoice(t.Context(), b.user, id)
	require.NoError(t, err)
	return inv
}

// change locks, changes and saves.
func (b *bundle) change(t *testing.T, id string, change func(*invoice.Invoice)) {
	t.Helper()
	b.tx(t, func(ctx context.Context, tx invoice.Tx) error {
		inv, err := tx.Lock(ctx, b.user, id)
		if err != nil {
			return err
		}
		change(inv)
		return tx.Save(ctx, inv)
	})
}

func filledRoundTrip(t *testing.T, b *bundle) {
	t.Helper()
	want := FilledInvoice(t, b.user, 3)
	b.insert(t, want)
	EqualInvoices(t, want, b.get(t, want.ID))
	byKey, err := b.Invoices.InvoiceByIdempotencyKey(t.Context(), b.user, want.IdempotencyKey)
	require.NoError(t, err)
	EqualInvoices(t, want, byKey)
	page, err := b.Invoices.Invoices(t.Context(), invoice.ListQuery{UserID: b.user, First: 1})
	require.NoError(t, err)
	require.Len(t, page.Invoices, 1)
	EqualInvoices(t, want, page.Invoices[0])
	b.tx(t, func(ctx context.Context, tx invoice.Tx) error {
		locked, err := tx.Lock(ctx, "", want.ID)
		require.NoError(t, err)
		EqualInvoices(t, want, locked)
		return nil
	})
}

func emptyRoundTrip(t *testing.T, b *bundle) {
	t.Helper()
	want := &invoice.Invoice{UserID: b.user, Status: invoice.StatusQueued, CreatedAt: At(0), UpdatedAt: At(0)}
	b.insert(t, want)
	require.NotEmpty(t, want.ID, "an id was made")
	EqualInvoices(t, want, b.get(t, want.ID))
}

func exactValues(t *testing.T, b *bundle) {
	t.Helper()
	inv := NewInvoice(t, b.user)
	values := []string{"0", "-1", "0.0000000001", "1.10", "123456789012345678901234567890.0123456789", "1000000", "0.001"}
	for _, v := range values {
		inv.Items = append(inv.Items, invoice.Item{Quantity: decimal.RequireFromString(v), UnitPrice: decimal.RequireFromString(v)})
	}
	b.insert(t, inv)
	got := b.get(t, inv.ID)
	for i, v := range values {
		assert.True(t, got.Items[i].Quantity.Equal(decimal.RequireFromString(v)), "%s became %s", v, got.Items[i].Quantity)
	}
	assert.True(t, At(0).Equal(got.CreatedAt), "%s became %s", At(0), got.CreatedAt)
}

func hostileText(t *testing.T, b *bundle) {
	t.Helper()
	inv := NewInvoice(t, b.user)
	const hostile, stored = "a\x00b\xffc'; DROP TABLE users; -- \\", "ab\uFFFDc'; DROP TABLE users; -- \\"
	inv.Issuer.Name, inv.IdempotencyKey, inv.Protocol = hostile, hostile, hostile
	inv.Items = []invoice.Item{{Description: hostile}}
	inv.Failure = &invoice.Failure{Code: invoice.CodeInternal, Message: hostile}
	b.insert(t, inv)
	got := b.get(t, inv.ID)
	assert.Equal(t, stored, got.Issuer.Name)
	assert.Equal(t, stored, got.Items[0].Description)
	assert.Equal(t, stored, got.Failure.Message)
	byKey, err := b.Invoices.InvoiceByIdempotencyKey(t.Context(), b.user, hostile)
	require.NoError(t, err)
	require.NotNil(t, byKey)
	b.tx(t, func(ctx context.Context, tx invoice.Tx) error {
		e, err := tx.AppendEvent(ctx, invoice.Event{InvoiceID: inv.ID, Message: hostile, At: At(0)})
		assert.Equal(t, stored, e.Message)
		if err != nil {
			return err
		}
		_, err = tx.Claim(ctx, b.user, invoice.DuplicateSamePurchase, hostile, inv.ID)
		return err
	})
	page, err := b.Invoices.Invoices(t.Context(), invoice.ListQuery{UserID: b.user, First: 5, Filter: invoice.Filter{Search: hostile, IssuerCNPJ: hostile}})
	require.NoError(t, err)
	assert.Zero(t, page.Total)
}

func impossibleValues(t *testing.T, b *bundle) {
	t.Helper()
	huge := NewInvoice(t, b.user)
	huge.Items = []invoice.Item{{Quantity: decimal.New(1, 1_000_000_000)}}
	late := NewInvoice(t, b.user)
	late.IssuedAt = new(At(0).AddDate(9000, 0, 0))
	for _, inv := range []*invoice.Invoice{huge, late} {
		require.Error(t, b.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error { return tx.Insert(ctx, inv) }))
	}
}

func savingLists(t *testing.T, b *bundle) {
	t.Helper()
	inv := b.insert(t, FilledInvoice(t, b.user, 3))
	b.change(t, inv.ID, func(i *invoice.Invoice) {
		i.Items = append(i.Items[1:], invoice.Item{ID: NewID(t), Line: 9, Description: "new"})
		i.Items[0].Category = "changed"
		i.Payments, i.Checks, i.Attempts = nil, i.Checks[:1], append(i.Attempts, invoice.Attempt{Number: 3, StartedAt: At(1), FinishedAt: At(2)})
		i.Files[1].PictureHash = nil
		i.Status, i.Version, i.Run, i.JobID = invoice.StatusCompleted, 8, 4, 0
		i.Duplicate, i.Failure, i.Confidence, i.Series, i.IssuedAt, i.Totals.Due = nil, nil, nil, nil, nil, nil
		i.UpdatedAt = At(12)
		inv = i
	})
	EqualInvoices(t, inv, b.get(t, inv.ID))
	b.change(t, inv.ID, func(i *invoice.Invoice) { i.Version++; inv = i })
	EqualInvoices(t, inv, b.get(t, inv.ID))
	// Several saves in one transaction, the lists going there and back.
	b.tx(t, func(ctx context.Context, tx invoice.Tx) error {
		i, err := tx.Lock(ctx, b.user, inv.ID)
		if err != nil {
			return err
		}
		items := i.Items
		i.Items = nil
		if err := tx.Save(ctx, i); err != nil {
			return err
		}
		i.Items = items[:1]
		inv = i
		return tx.Save(ctx, i)
	})
	EqualInvoices(t, inv, b.get(t, inv.ID))
}

func itemIDs(t *testing.T, b *bundle) {
	t.Helper()
	inv := NewInvoice(t, b.user)
	inv.Items = []invoice.Item{{Line: 1}, {ID: NewID(t), Line: 2}}
	given := inv.Items[1].ID
	b.insert(t, inv)
	require.NotEmpty(t, inv.Items[0].ID, "made and set in what was inserted")
	first := b.get(t, inv.ID)
	assert.Equal(t, []string{inv.Items[0].ID, given}, []string{first.Items[0].ID, first.Items[1].ID})
	b.change(t, inv.ID, func(i *invoice.Invoice) {
		i.Items[0], i.Items[1] = i.Items[1], i.Items[0]
		i.Items = append(i.Items, invoice.Item{Line: 3})
	})
	second := b.get(t, inv.ID)
	assert.Equal(t, []string{given, inv.Items[0].ID}, []string{second.Items[0].ID, second.Items[1].ID}, "the order is the list's")
	assert.NotEmpty(t, second.Items[2].ID)
}

func savingKeepsCounter(t *testing.T, b *bundle) {
	t.Helper()
	inv := b.insert(t, NewInvoice(t, b.user))
	b.tx(t, func(ctx context.Context, tx invoice.Tx) error {
		i, err := tx.Lock(ctx, b.user, inv.ID)
		if err != nil {
			return err
		}
		if _, err := tx.AppendEvent(ctx, invoice.Event{InvoiceID: inv.ID, At: At(0)}); err != nil {
			return err
		}
		i.EventSeq, i.CreatedAt = 0, At(9)
		return tx.Save(ctx, i)
	})
	got := b.get(t, inv.ID)
	assert.Equal(t, 1, got.EventSeq)
	assert.True(t, got.CreatedAt.Equal(At(0)))
}

func savingUnlocked(t *testing.T, b *bundle) {
	t.Helper()
	inv := b.insert(t, FilledInvoice(t, b.user, 2))
	inv.Items, inv.Payments = inv.Items[:1], nil
	b.tx(t, func(ctx context.Context, tx invoice.Tx) error { return tx.Save(ctx, inv) })
	EqualInvoices(t, inv, b.get(t, inv.ID))
	err := b.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error { return tx.Save(ctx, NewInvoice(t, b.user)) })
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err), "of an invoice that is not there")
}

func isolation(t *testing.T, b *bundle) {
	t.Helper()
	ctx, other := t.Context(), NewUser(t, b.Accounts)
	inv := FilledInvoice(t, b.user, 1)
	b.insert(t, inv)
	b.tx(t, func(ctx context.Context, tx invoice.Tx) error {
		_, err := tx.AppendEvent(ctx, invoice.Event{InvoiceID: inv.ID, At: At(0)})
		return err
	})
	missing := NewID(t)
	for _, id := range []string{inv.ID, missing} {
		_, err := b.Invoices.Invoice(ctx, other, id)
		assert.Equal(t, invoice.NotFound("Nota fiscal"), err, "the same as one that does not exist")
		_, err = b.Invoices.LastEvent(ctx, other, id)
		assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err))
		err = b.Invoices.InTx(ctx, func(ctx context.Context, tx invoice.Tx) error {
			_, err := tx.Lock(ctx, other, id)
			return err
		})
		assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err))
	}
	byKey, err := b.Invoices.InvoiceByIdempotencyKey(ctx, other, inv.IdempotencyKey)
	require.NoError(t, err)
	assert.Nil(t, byKey)
	page, err := b.Invoices.Invoices(ctx, invoice.ListQuery{UserID: other, First: 10})
	require.NoError(t, err)
	assert.Equal(t, invoice.Page{}, page)
	hashes, err := b.Invoices.PictureHashes(ctx, other, "")
	require.NoError(t, err)
	assert.Empty(t, hashes)
}

func badIDs(t *testing.T, b *bundle) {
	t.Helper()
	ctx := t.Context()
	notFound := func(err error) {
		t.Helper()
		assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err), "%v", err)
	}
	for _, id := range []string{"", "x", "' OR 1=1", "\x00", "{01890000-0000-7000-8000-000000000001}", "018900000000700080000000000000zz"} {
		_, err := b.Invoices.Invoice(ctx, b.user, id)
		notFound(err)
		_, err = b.Invoices.Invoice(ctx, id, NewID(t))
		notFound(err)
		_, err = b.Invoices.LastEvent(ctx, b.user, id)
		notFound(err)
		list, err := b.Invoices.Events(ctx, id, 0, 10)
		require.NoError(t, err)
		assert.Empty(t, list)
		hashes, err := b.Invoices.PictureHashes(ctx, b.user, id)
		require.NoError(t, err)
		assert.Empty(t, hashes)
		_, err = b.Invoices.Invoices(ctx, invoice.ListQuery{UserID: id, First: 1})
		require.NoError(t, err)
		_, err = b.Invoices.Invoices(ctx, invoice.ListQuery{UserID: b.user, First: 1, After: &invoice.Cursor{At: new(At(0)), ID: id}})
		assert.Equal(t, invoice.CodeBadUserInput, invoice.CodeOf(err))
		b.tx(t, func(ctx context.Context, tx invoice.Tx) error {
			_, err := tx.Lock(ctx, b.user, id)
			notFound(err)
			_, err = tx.AppendEvent(ctx, invoice.Event{InvoiceID: id})
			notFound(err)
			_, err = tx.AppendRunEvent(ctx, 1, invoice.Event{InvoiceID: id})
			require.ErrorIs(t, err, invoice.ErrSuperseded)
			_, err = tx.Claim(ctx, b.user, invoice.DuplicateSameBytes, "x", id)
			notFound(err)
			notFound(tx.Delete(ctx, id))
			return tx.Release(ctx, id)
		})
	}
	orphan := NewInvoice(t, NewID(t))
	notFound(b.Invoices.InTx(ctx, func(ctx context.Context, tx invoice.Tx) error { return tx.Insert(ctx, orphan) }))
}

func idempotency(t *testing.T, b *bundle) {
	t.Helper()
	ctx, other := t.Context(), NewUser(t, b.Accounts)
	first, second, others := NewInvoice(t, b.user), NewInvoice(t, b.user), NewInvoice(t, other)
	first.IdempotencyKey, second.IdempotencyKey, others.IdempotencyKey = "k", "k", "k"
	b.insert(t, first)
	b.insert(t, others)
	b.insert(t, NewInvoice(t, b.user)) // without a key, as often as one likes
	b.insert(t, NewInvoice(t, b.user))
	err := b.Invoices.InTx(ctx, func(ctx context.Context, tx invoice.Tx) error {
		err := tx.Insert(ctx, second)
		assert.Equal(t, invoice.CodeConflict, invoice.CodeOf(err))
		_, lockErr := tx.Lock(ctx, b.user, first.ID)
		require.NoError(t, lockErr, "the transaction can still be used")
		return err
	})
	assert.Equal(t, invoice.CodeConflict, invoice.CodeOf(err))
	got, err := b.Invoices.InvoiceByIdempotencyKey(ctx, b.user, "k")
	require.NoError(t, err)
	assert.Equal(t, first.ID, got.ID)
	none, err := b.Invoices.InvoiceByIdempotencyKey(ctx, b.user, "")
	require.NoError(t, err)
	assert.Nil(t, none)
}

var errDeliberate = errors.New("deliberate")

func rollback(t *testing.T, b *bundle) {
	t.Helper()
	kept, lost := b.insert(t, FilledInvoice(t, b.user, 2)), NewInvoice(t, b.user)
	err := b.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
		require.NoError(t, tx.Insert(ctx, lost))
		inv, err := tx.Lock(ctx, b.user, kept.ID)
		require.NoError(t, err)
		inv.Items, inv.Version = nil, 99
		require.NoError(t, tx.Save(ctx, inv))
		_, err = tx.AppendEvent(ctx, invoice.Event{InvoiceID: kept.ID, At: At(0)})
		require.NoError(t, err)
		return fmt.Errorf("wrapped: %w", errDeliberate)
	})
	require.ErrorIs(t, err, errDeliberate)
	EqualInvoices(t, kept, b.get(t, kept.ID))
	_, err = b.Invoices.Invoice(t.Context(), b.user, lost.ID)
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err))
}

func panics(t *testing.T, b *bundle) {
	t.Helper()
	lost := NewInvoice(t, b.user)
	assert.PanicsWithError(t, errDeliberate.Error(), func() {
		_ = b.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
			require.NoError(t, tx.Insert(ctx, lost))
			panic(errDeliberate)
		})
	})
	_, err := b.Invoices.Invoice(t.Context(), b.user, lost.ID)
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err))
	b.insert(t, lost) // the connection is free
}

func events(t *testing.T, b *bundle) {
	t.Helper()
	ctx, inv := t.Context(), b.insert(t, NewInvoice(t, b.user))
	_, err := b.Invoices.LastEvent(ctx, b.user, inv.ID)
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err), "none yet")
	want := invoice.Event{
		InvoiceID: inv.ID, Stage: invoice.StageExtracting, Status: invoice.StatusProcessing, Percent: 50, Provider: "gemini", Attempt: 2,
		ItemsFound: 3, Message: "Lendo", Code: invoice.CodeUnavailable, At: At(1), More: true,
	}
	b.tx(t, func(ctx context.Context, tx invoice.Tx) error {
		for i := range 5 {
			got, err := tx.AppendEvent(ctx, want)
			if err != nil {
				return err
			}
			assert.Equal(t, i+1, got.Seq)
			assert.Equal(t, b.user, got.UserID)
		}
		return nil
	})
	all, err := b.Invoices.Events(ctx, inv.ID, 0, 100)
	require.NoError(t, err)
	require.Len(t, all, 5)
	for i, e := range all {
		assert.True(t, want.At.Equal(e.At))
		expected := want
		expected.Seq, expected.UserID, expected.At = i+1, b.user, e.At
		assert.Equal(t, expected, e)
	}
	some, err := b.Invoices.Events(ctx, inv.ID, 2, 2)
	require.NoError(t, err)
	assert.Equal(t, all[2:4], some)
	last, err := b.Invoices.LastEvent(ctx, b.user, inv.ID)
	require.NoError(t, err)
	assert.Equal(t, all[4], last)
	assert.Equal(t, 5, b.get(t, inv.ID).EventSeq)
}

func concurrentEvents(t *testing.T, b *bundle) {
	t.Helper()
	const n = 50
	inv := b.insert(t, NewInvoice(t, b.user))
	errs := parallel(n, func(i int) error {
		return b.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
			if _, err := tx.AppendEvent(ctx, invoice.Event{InvoiceID: inv.ID, At: At(0)}); err != nil {
				return err
			}
			if i%5 == 0 {
				return errDeliberate // its number must be given again
			}
			return nil
		})
	})
	kept := 0
	for _, err := range errs {
		if err == nil {
			kept++
		} else {
			require.ErrorIs(t, err, errDeliberate)
		}
	}
	list, err := b.Invoices.Events(t.Context(), inv.ID, 0, 2*n)
	require.NoError(t, err)
	require.Len(t, list, kept)
	for i, e := range list {
		assert.Equal(t, i+1, e.Seq)
	}
}

func runEvents(t *testing.T, b *bundle) {
	t.Helper()
	inv := NewInvoice(t, b.user)
	inv.Run = 2
	b.insert(t, inv)
	try := func(run int) error {
		return b.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
			e, err := tx.AppendRunEvent(ctx, run, invoice.Event{InvoiceID: inv.ID, At: At(0), Stage: invoice.StageReading})
			if err == nil {
				assert.Equal(t, b.user, e.UserID)
				assert.Positive(t, e.Seq)
			}
			return err
		})
	}
	for _, status := range []invoice.Status{invoice.StatusQueued, invoice.StatusProcessing} {
		b.change(t, inv.ID, func(i *invoice.Invoice) { i.Status = status })
		require.NoError(t, try(2))
		require.ErrorIs(t, try(1), invoice.ErrSuperseded, "a newer run")
	}
	for _, status := range []invoice.Status{invoice.StatusCompleted, invoice.StatusNeedsReview, invoice.StatusFailed, invoice.StatusCancelled} {
		b.change(t, inv.ID, func(i *invoice.Invoice) { i.Status = status })
		require.ErrorIs(t, try(2), invoice.ErrSuperseded, string(status))
	}
	assert.Equal(t, 2, b.get(t, inv.ID).EventSeq)
	b.tx(t, func(ctx context.Context, tx invoice.Tx) error { return tx.Delete(ctx, inv.ID) })
	require.ErrorIs(t, try(2), invoice.ErrSuperseded, "gone")
}

func claims(t *testing.T, b *bundle) {
	t.Helper()
	other := NewUser(t, b.Accounts)
	first, second, others := b.insert(t, NewInvoice(t, b.user)), b.insert(t, NewInvoice(t, b.user)), b.insert(t, NewInvoice(t, other))
	b.tx(t, func(ctx context.Context, tx invoice.Tx) error {
		claim := func(user string, kind invoice.DuplicateReason, value, id string) string {
			holder, err := tx.Claim(ctx, user, kind, value, id)
			require.NoError(t, err)
			return holder
		}
		assert.Equal(t, first.ID, claim(b.user, invoice.DuplicateSameBytes, "v", first.ID))
		assert.Equal(t, first.ID, claim(b.user, invoice.DuplicateSameBytes, "v", first.ID), "again")
		assert.Equal(t, first.ID, claim(b.user, invoice.DuplicateSameBytes, "v", second.ID), "taken")
		assert.Equal(t, second.ID, claim(b.user, invoice.DuplicateSameAccessKey, "v", second.ID), "another kind")
		assert.Equal(t, second.ID, claim(b.user, invoice.DuplicateSameBytes, "w", second.ID), "another value")
		assert.Equal(t, others.ID, claim(other, invoice.DuplicateSameBytes, "v", others.ID), "another user")
		require.NoError(t, tx.Release(ctx, first.ID))
		assert.Equal(t, second.ID, claim(b.user, invoice.DuplicateSameBytes, "v", second.ID), "released")
		require.NoError(t, tx.Delete(ctx, second.ID))
		assert.Equal(t, first.ID, claim(b.user, invoice.DuplicateSameBytes, "v", first.ID), "deleted")
		return nil
	})
	err := b.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
		_, err := tx.Claim(ctx, b.user, invoice.DuplicateSameBytes, "x", NewID(t))
		return err
	})
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err), "for an invoice that is not there")
}

func concurrentClaims(t *testing.T, b *bundle) {
	t.Helper()
	const n = 20
	holders := make([]string, n)
	ids := make([]string, n)
	for i := range n {
		ids[i] = b.insert(t, NewInvoice(t, b.user)).ID
	}
	for _, err := range parallel(n, func(i int) error {
		return b.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) (err error) {
			holders[i], err = tx.Claim(ctx, b.user, invoice.DuplicateSameAccessKey, "key", ids[i])
			return err
		})
	}) {
		require.NoError(t, err)
	}
	winners := 0
	for i, h := range holders {
		assert.Equal(t, holders[0], h, "everybody sees the same holder")
		if h == ids[i] {
			winners++
		}
	}
	assert.Equal(t, 1, winners)
}

func claimRollback(t *testing.T, b *bundle) {
	t.Helper()
	a, c := b.insert(t, NewInvoice(t, b.user)), b.insert(t, NewInvoice(t, b.user))
	require.ErrorIs(t, b.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
		_, err := tx.Claim(ctx, b.user, invoice.DuplicateSameBytes, "v", a.ID)
		require.NoError(t, err)
		return errDeliberate
	}), errDeliberate)
	b.tx(t, func(ctx context.Context, tx invoice.Tx) error {
		holder, err := tx.Claim(ctx, b.user, invoice.DuplicateSameBytes, "v", c.ID)
		assert.Equal(t, c.ID, holder)
		return err
	})
}

func lockSerialises(t *testing.T, b *bundle) {
	t.Helper()
	const n = 20
	inv := b.insert(t, NewInvoice(t, b.user))
	start := inv.Version
	for _, err := range parallel(n, func(int) error {
		return b.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
			i, err := tx.Lock(ctx, "", inv.ID)
			if err != nil {
				return err
			}
			i.Version++
			i.Attempts = append(i.Attempts, invoice.Attempt{Number: len(i.Attempts) + 1, StartedAt: At(0), FinishedAt: At(0)})
			return tx.Save(ctx, i)
		})
	}) {
		require.NoError(t, err)
	}
	got := b.get(t, inv.ID)
	assert.Equal(t, start+n, got.Version, "no change was lost")
	require.Len(t, got.Attempts, n)
	for i, a := range got.Attempts {
		assert.Equal(t, i+1, a.Number)
	}
}

func concurrentIdempotency(t *testing.T, b *bundle) {
	t.Helper()
	made, conflicts := 0, 0
	for _, err := range parallel(10, func(int) error {
		inv := NewInvoice(t, b.user)
		inv.IdempotencyKey = "once"
		return b.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error { return tx.Insert(ctx, inv) })
	}) {
		switch {
		case err == nil:
			made++
		case invoice.CodeOf(err) == invoice.CodeConflict:
			conflicts++
		}
	}
	assert.Equal(t, 1, made)
	assert.Equal(t, 9, conflicts)
}

func pictureHashes(t *testing.T, b *bundle) {
	t.Helper()
	ctx := t.Context()
	newer, older, except := FilledInvoice(t, b.user, 0), FilledInvoice(t, b.user, 0), FilledInvoice(t, b.user, 0)
	newer.CreatedAt, older.CreatedAt = At(20), At(2)
	older.AccessKey = ""
	older.Files[1].PictureHash = nil
	others := FilledInvoice(t, NewUser(t, b.Accounts), 0)
	failed, cancelled := FilledInvoice(t, b.user, 0), FilledInvoice(t, b.user, 0)
	failed.Status, cancelled.Status = invoice.StatusFailed, invoice.StatusCancelled
	for _, inv := range []*invoice.Invoice{newer, older, except, others, failed, cancelled} {
		b.insert(t, inv)
	}
	got, err := b.Invoices.PictureHashes(ctx, b.user, except.ID)
	require.NoError(t, err)
	assert.Equal(t, []invoice.PictureHash{
		{InvoiceID: older.ID, Position: 1, Hash: []byte{0, 255, 1}},
		{InvoiceID: newer.ID, Position: 1, Hash: []byte{0, 255, 1}},
		{InvoiceID: newer.ID, Position: 2, Hash: []byte{9}},
	}, got)
	all, err := b.Invoices.PictureHashes(ctx, b.user, "")
	require.NoError(t, err)
	assert.Len(t, all, 5)
}

func deletion(t *testing.T, b *bundle) {
	t.Helper()
	ctx := t.Context()
	gone, stays := b.insert(t, FilledInvoice(t, b.user, 2)), b.insert(t, FilledInvoice(t, b.user, 2))
	for _, inv := range []*invoice.Invoice{gone, stays} {
		b.tx(t, func(ctx context.Context, tx invoice.Tx) error {
			if _, err := tx.Claim(ctx, b.user, invoice.DuplicateSameBytes, inv.ID, inv.ID); err != nil {
				return err
			}
			_, err := tx.AppendEvent(ctx, invoice.Event{InvoiceID: inv.ID, At: At(0)})
			return err
		})
	}
	b.tx(t, func(ctx context.Context, tx invoice.Tx) error { return tx.Delete(ctx, gone.ID) })
	_, err := b.Invoices.Invoice(ctx, b.user, gone.ID)
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err))
	list, err := b.Invoices.Events(ctx, gone.ID, 0, 10)
	require.NoError(t, err)
	assert.Empty(t, list)
	stays.EventSeq++
	EqualInvoices(t, stays, b.get(t, stays.ID))
	b.tx(t, func(ctx context.Context, tx invoice.Tx) error {
		holder, err := tx.Claim(ctx, b.user, invoice.DuplicateSameBytes, gone.ID, stays.ID)
		assert.Equal(t, stays.ID, holder, "its claims are free")
		return err
	})
	b.insert(t, gone) // nothing of it is left: every id can be used again
}

func sharedTransaction(t *testing.T, b *bundle) {
	t.Helper()
	inv := NewInvoice(t, b.user)
	require.ErrorIs(t, b.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
		require.NoError(t, tx.Insert(ctx, inv))
		var n int
		require.NoError(t, tx.SQL().QueryRowContext(ctx, "SELECT count(*) FROM invoices").Scan(&n))
		assert.Equal(t, 1, n, "it sees the row")
		_, err := tx.SQL().ExecContext(ctx, "DELETE FROM users")
		require.NoError(t, err)
		return errDeliberate
	}), errDeliberate)
	_, err := b.Accounts.User(t.Context(), b.user)
	require.NoError(t, err, "and is rolled back with it")
}

// parallel runs n calls that begin together and gives their errors.
func parallel(n int, call func(i int) error) []error {
	var wg sync.WaitGroup
	errs, start := make([]error, n), make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = call(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}
