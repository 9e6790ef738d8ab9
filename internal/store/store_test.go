package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/pgtest"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
	"github.com/mercadoesperto/smarket/schema"
)

var pg pgtest.Server

func TestMain(m *testing.M) {
	code := pg.Run(m)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// both are the databases that every test here runs on.
var both = map[string]func(testing.TB) *store.DB{"sqlite": openSQLite, "postgres": openPostgres}

func openSQLite(tb testing.TB) *store.DB {
	tb.Helper()
	return open(tb, store.Config{Path: filepath.Join(tb.TempDir(), "with space?#%.db")}, true)
}

func openPostgres(tb testing.TB) *store.DB {
	tb.Helper()
	url := pg.Clone(tb, "migrated", func(url string) error {
		db, err := store.Open(context.Background(), store.Config{URL: url, MaxIdle: 3})
		if err != nil {
			return err
		}
		return errors.Join(migrator(db).Up(context.Background()), db.Close())
	})
	return open(tb, store.Config{URL: url, MaxIdle: 2, MaxOverflow: 4}, false)
}

func open(tb testing.TB, cfg store.Config, migrate bool) *store.DB {
	tb.Helper()
	db, err := store.Open(tb.Context(), cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	if migrate {
		require.NoError(tb, migrator(db).Up(tb.Context()))
	}
	return db
}

func migrator(db *store.DB) *schema.Migrator {
	return schema.NewMigrator(db.SQL(), db.Dialect(), slog.New(slog.DiscardHandler))
}

func stores(db *store.DB) storetest.Stores {
	return storetest.Stores{
		Invoices: store.NewInvoices(db), Accounts: store.NewAccounts(db), Usage: store.NewUsage(db),
		Products: store.NewProducts(db),
		DeleteUser: func(tb testing.TB, id string) {
			tb.Helper()
			_, err := db.SQL().ExecContext(tb.Context(), "DELETE FROM users WHERE id = '"+id+"'")
			require.NoError(tb, err)
		},
		DeleteInvoice: func(tb testing.TB, id string) {
			tb.Helper()
			_, err := db.SQL().ExecContext(tb.Context(), "DELETE FROM invoices WHERE id = '"+id+"'")
			require.NoError(tb, err)
		},
	}
}

func TestInvoices(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Exercise(t, func(tb testing.TB) storetest.Stores {
				tb.Helper()
				return stores(open(tb))
			})
		})
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.ExerciseAccounts(t, func(tb testing.TB) storetest.Stores {
				tb.Helper()
				return stores(open(tb))
			})
		})
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.ExerciseUsage(t, func(tb testing.TB) storetest.Stores {
				tb.Helper()
				return stores(open(tb))
			})
		})
	}
}

func TestDeletingAUserRemovesEverything(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, ctx := open(t), t.Context()
			s := stores(db)
			user := storetest.NewUser(t, s.Accounts)
			inv := storetest.FilledInvoice(t, user, 2)
			require.NoError(t, s.Invoices.InTx(ctx, func(ctx context.Context, tx invoice.Tx) error {
				require.NoError(t, tx.Insert(ctx, inv))
				_, err := tx.AppendEvent(ctx, invoice.Event{InvoiceID: inv.ID})
				require.NoError(t, err)
				_, err = tx.Claim(ctx, user, invoice.DuplicateSameBytes, "v", inv.ID)
				return err
			}))
			_, err := db.SQL().ExecContext(ctx, "DELETE FROM users")
			require.NoError(t, err)
			for _, table := range []string{
				"invoices", "invoice_items", "invoice_payments", "invoice_checks", "invoice_attempts", "invoice_files", "invoice_claims",
				"extraction_events",
			} {
				var n int
				require.NoError(t, db.SQL().QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n))
				assert.Zero(t, n, table)
			}
		})
	}
}
