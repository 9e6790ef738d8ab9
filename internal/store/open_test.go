package store_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
	"github.com/mercadoesperto/smarket/schema"
)

func TestOpenFailsOnWhatIsNoDatabase(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]store.Config{
		"nothing given":       {},
		"no such folder":      {Path: filepath.Join(t.TempDir(), "missing", "x.db")},
		"nobody listens":      {URL: "postgres://u:secret@127.0.0.1:1/x?sslmode=disable&connect_timeout=2"},
		"no address":          {URL: "postgres://u:secret@[::1"},
		"an unknown database": {URL: "postgres://u:secret@127.0.0.1:1/x?sslmode=nonsense"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := store.Open(t.Context(), cfg)
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}

func TestPostgresPoolKeepsWhatIsIdleAndClosesTheOverflow(t *testing.T) {
	t.Parallel()
	db := openPostgres(t)
	pool := db.PGXPool()
	require.NotNil(t, pool)
	assert.Equal(t, schema.Postgres, db.Dialect())
	assert.EqualValues(t, 6, pool.Config().MaxConns)

	var taken []*pgxpool.Conn
	for range 4 {
		c, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		taken = append(taken, c)
	}
	// database/sql takes from the same pool.
	a, err := db.SQL().Conn(t.Context())
	require.NoError(t, err)
	b, err := db.SQL().Conn(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 6, pool.Stat().AcquiredConns())
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = pool.Acquire(short)
	require.ErrorIs(t, err, context.DeadlineExceeded, "the limit holds for both together")

	require.NoError(t, a.Close())
	require.NoError(t, b.Close())
	for _, c := range taken {
		c.Release()
	}
	require.Eventually(t, func() bool { s := pool.Stat(); return s.AcquiredConns() == 0 && s.TotalConns() <= 3 }, 10*time.Second, 5*time.Millisecond)
}

func TestPostgresSurvivesLostConnections(t *testing.T) {
	t.Parallel()
	db := openPostgres(t)
	s := stores(db)
	user := storetest.NewUser(t, s.Accounts)
	var pid int
	require.NoError(t, db.SQL().QueryRowContext(t.Context(), "SELECT pg_backend_pid()").Scan(&pid))
	_, err := db.SQL().ExecContext(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := s.Accounts.User(t.Context(), user)
		return err == nil
	}, 10*time.Second, 5*time.Millisecond)
}

func TestPostgresDoesNotPrepareLiteralStatements(t *testing.T) {
	t.Parallel()
	db := openPostgres(t)
	conn, err := db.SQL().Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	prepared := func() (n int) {
		require.NoError(t, conn.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_prepared_statements").Scan(&n))
		return n
	}
	before := prepared()
	var x int
	require.NoError(t, conn.QueryRowContext(t.Context(), "SELECT 42").Scan(&x))
	assert.Equal(t, before, prepared())
	require.NoError(t, conn.QueryRowContext(t.Context(), "SELECT $1::int", 42).Scan(&x))
	assert.Equal(t, 42, x)
	assert.Equal(t, before+1, prepared(), "those with arguments are")
}

func TestSQLiteSettings(t *testing.T) {
	t.Parallel()
	db := openSQLite(t)
	assert.Nil(t, db.PGXPool())
	assert.Equal(t, schema.SQLite, db.Dialect())
	assert.Equal(t, 1, db.SQL().Stats().MaxOpenConnections)
	for pragma, want := range map[string]string{"journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "10000", "synchronous": "2"} {
		var got string
		require.NoError(t, db.SQL().QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		assert.Equal(t, want, got, pragma)
	}
}

// A second process is a second DB on the same file: its writes wait and do not fail as busy.
func TestSQLiteWritersOfTwoProcessesWait(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	a, b := open(t, store.Config{Path: path}, true), open(t, store.Config{Path: path}, false)
	user := storetest.NewUser(t, store.NewAccounts(a))
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		s := stores([]*store.DB{a, b}[i%2])
		inv := storetest.NewInvoice(t, user)
		wg.Go(func() {
			errs[i] = s.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error { return tx.Insert(ctx, inv) })
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	page, err := store.NewInvoices(b).Invoices(t.Context(), invoice.ListQuery{UserID: user, First: 1})
	require.NoError(t, err)
	assert.Equal(t, len(errs), page.Total)
}

func TestReadsGoOnDuringATransaction(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stores(open(t))
			user := storetest.NewUser(t, s.Accounts)
			inv := storetest.NewInvoice(t, user)
			require.NoError(t, s.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
				require.NoError(t, tx.Insert(ctx, inv))
				_, err := s.Accounts.User(ctx, user)
				require.NoError(t, err)
				_, err = s.Invoices.Invoice(ctx, user, inv.ID)
				assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err), "not committed yet")
				return nil
			}))
			_, err := s.Invoices.Invoice(t.Context(), user, inv.ID)
			require.NoError(t, err, "but at once when it is")
		})
	}
}

// job is a River job of no worker.
type job struct {
	ID string `json:"id"`
}

func (job) Kind() string { return "job" }

func TestAJobCommitsWithTheRowItIsAbout(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			var driver riverdriver.Driver[*sql.Tx] = riversqlite.New(db.SQL())
			if db.Dialect() == schema.Postgres {
				driver = riverdatabasesql.New(db.SQL())
			}
			quiet := slog.New(slog.DiscardHandler)
			m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet})
			require.NoError(t, err)
			_, err = m.Migrate(t.Context(), rivermigrate.DirectionUp, nil)
			require.NoError(t, err)
			queue, err := river.NewClient(driver, &river.Config{Logger: quiet})
			require.NoError(t, err)

			s := stores(db)
			user := storetest.NewUser(t, s.Accounts)
			submit := func(commit error) *invoice.Invoice {
				inv := storetest.NewInvoice(t, user)
				require.ErrorIs(t, s.Invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
					require.NoError(t, tx.Insert(ctx, inv))
					res, err := queue.InsertTx(ctx, tx.SQL(), job{inv.ID}, nil)
					require.NoError(t, err)
					inv.JobID = res.Job.ID
					require.NoError(t, tx.Save(ctx, inv))
					return commit
				}), commit)
				return inv
			}
			kept, lost := submit(nil), submit(errAnything)
			got, err := s.Invoices.Invoice(t.Context(), user, kept.ID)
			require.NoError(t, err)
			stored, err := queue.JobGet(t.Context(), got.JobID)
			require.NoError(t, err)
			assert.JSONEq(t, `{"id":"`+kept.ID+`"}`, string(stored.EncodedArgs))
			_, err = s.Invoices.Invoice(t.Context(), user, lost.ID)
			assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err))
			jobs, err := queue.JobList(t.Context(), river.NewJobListParams())
			require.NoError(t, err)
			assert.Len(t, jobs.Jobs, 1)
		})
	}
}

var errAnything = errors.New("anything")

func TestACancelledContextEndsAQuery(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err := store.NewInvoices(db).InTx(ctx, func(context.Context, invoice.Tx) error { return nil })
			require.ErrorIs(t, err, context.Canceled)
			require.NoError(t, db.Ping(t.Context()))
		})
	}
}

func TestCloseBearsBeingCalledTwice(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			require.NoError(t, db.Close())
			require.NoError(t, db.Close())
			require.Error(t, db.Ping(t.Context()))
			_, err := db.SQL().ExecContext(t.Context(), "SELECT 1")
			require.Error(t, err)
			require.NotErrorIs(t, err, sql.ErrNoRows)
		})
	}
}
