package store_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
)

func readIfThere(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return data
}

func TestFilesExpireByWhatBecameOfTheirInvoice(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, ctx := open(t), t.Context()
			s, kept := stores(db), store.NewRetention(db)
			user := storetest.NewUser(t, s.Accounts)
			files := map[invoice.Status]string{}
			for _, status := range []invoice.Status{
				invoice.StatusQueued, invoice.StatusProcessing, invoice.StatusNeedsReview, invoice.StatusCompleted, invoice.StatusFailed,
				invoice.StatusCancelled,
			} {
				inv := storetest.NewInvoice(t, user)
				inv.Status = status // all changed last at At(0)
				require.NoError(t, s.Invoices.InTx(ctx, func(ctx context.Context, tx invoice.Tx) error { return tx.Insert(ctx, inv) }))
				files[status] = inv.Files[0].ID
			}
			expired := func(failed, read time.Time) []string {
				list, err := kept.ExpiredFiles(ctx, failed, read, 10)
				require.NoError(t, err)
				ids := []string{}
				for _, f := range list {
					assert.Equal(t, "b", f.BlobKey)
					ids = append(ids, f.ID)
				}
				return ids
			}
			after := storetest.At(0).Add(time.Microsecond)
			var never time.Time
			assert.Empty(t, expired(never, never))
			assert.Empty(t, expired(storetest.At(0), storetest.At(0)), "not a moment too early")
			failed := []string{files[invoice.StatusFailed], files[invoice.StatusCancelled]}
			read := []string{files[invoice.StatusNeedsReview], files[invoice.StatusCompleted]}
			assert.ElementsMatch(t, failed, expired(after, never))
			assert.ElementsMatch(t, read, expired(never, after))
			assert.ElementsMatch(t, append(failed, read...), expired(after, after))
			few, err := kept.ExpiredFiles(ctx, after, after, 3)
			require.NoError(t, err)
			assert.Len(t, few, 3)

			require.NoError(t, kept.FilesRemoved(ctx, failed, storetest.At(5)))
			assert.ElementsMatch(t, read, expired(after, after))
		})
	}
}

func TestOldEventsGoButTheLast(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, ctx := open(t), t.Context()
			s, kept := stores(db), store.NewRetention(db)
			inv := storetest.NewInvoice(t, storetest.NewUser(t, s.Accounts))
			inv.EventSeq = 0
			require.NoError(t, s.Invoices.InTx(ctx, func(ctx context.Context, tx invoice.Tx) error {
				require.NoError(t, tx.Insert(ctx, inv))
				for n := range 3 {
					_, err := tx.AppendEvent(ctx, invoice.Event{InvoiceID: inv.ID, UserID: inv.UserID, At: storetest.At(n)})
					require.NoError(t, err)
				}
				return nil
			}))
			n, err := kept.RemoveEvents(ctx, storetest.At(1))
			require.NoError(t, err)
			assert.Equal(t, int64(1), n)
			n, err = kept.RemoveEvents(ctx, storetest.At(9))
			require.NoError(t, err)
			assert.Equal(t, int64(1), n)
			last, err := s.Invoices.LastEvent(ctx, inv.UserID, inv.ID)
			require.NoError(t, err)
			assert.Equal(t, 3, last.Seq)
		})
	}
}

func TestEndedSessionsGoAsFamilies(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, ctx := open(t), t.Context()
			s, kept := stores(db), store.NewRetention(db)
			user := storetest.NewUser(t, s.Accounts)
			add := func(family string, expires time.Time) string {
				session := &account.Session{
					ID: storetest.NewID(t), FamilyID: family, UserID: user, RefreshHash: storetest.NewID(t), CreatedAt: storetest.At(0), ExpiresAt: expires,
				}
				require.NoError(t, s.Accounts.InsertSession(ctx, session))
				return session.ID
			}
			living, over := storetest.NewID(t), storetest.NewID(t)
			replaced := add(living, storetest.At(1))
			add(living, storetest.At(5))
			ended := add(over, storetest.At(4))
			n, err := kept.RemoveSessions(ctx, storetest.At(4))
			require.NoError(t, err)
			assert.Zero(t, n)
			n, err = kept.RemoveSessions(ctx, storetest.At(5))
			require.NoError(t, err)
			assert.Equal(t, int64(1), n)
			_, err = s.Accounts.Session(ctx, ended)
			require.ErrorIs(t, err, account.ErrNoSession)
			_, err = s.Accounts.Session(ctx, replaced)
			require.NoError(t, err, "it still shows a theft")
		})
	}
}

func TestOldAuditEntriesGo(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, ctx := open(t), t.Context()
			s, kept := stores(db), store.NewRetention(db)
			for n := range 3 {
				require.NoError(t, s.Accounts.InsertAudit(ctx, &account.AuditEntry{At: storetest.At(n), Action: account.AuditUsageRead}))
			}
			n, err := kept.RemoveAudit(ctx, storetest.At(1))
			require.NoError(t, err)
			assert.Equal(t, int64(1), n)
			list, err := s.Accounts.AuditLog(ctx, 10)
			require.NoError(t, err)
			assert.Len(t, list, 2)
		})
	}
}
