package worker

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/pgtest"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/schema"
)

var pg pgtest.Server

func TestMain(m *testing.M) { os.Exit(pg.Run(m)) }

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, openStore(t, store.Config{Path: filepath.Join(t.TempDir(), "test.db")}))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, openStore(t, store.Config{URL: pg.NewDatabase(t)}))
	})
}

func openStore(tb testing.TB, cfg store.Config) *store.DB {
	tb.Helper()
	db, err := store.Open(tb.Context(), cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, db.Close()) })
	tables, err := NewTables(jobs(db), quiet())
	require.NoError(tb, err)
	require.NoError(tb, schema.NewMigrator(db.SQL(), db.Dialect(), quiet(), tables).Up(tb.Context()))
	return db
}

func jobs(db *store.DB) Database { return Database{SQL: db.SQL(), PGX: db.PGXPool()} }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// call is one try as the extractions saw it.
type call struct {
	id   string
	last bool
}

// recorder is the extractions: it reports each call and answers what the test decides.
type recorder struct {
	calls  chan call
	answer func(ctx context.Context, n int) error // n counts from 1

	mu sync.Mutex
	n  int
}

func newRecorder(answer func(ctx context.Context, n int) error) *recorder {
	return &recorder{calls: make(chan call, 100), answer: answer}
}

func (r *recorder) Extract(ctx context.Context, id string, last bool) error {
	r.mu.Lock()
	r.n++
	n := r.n
	r.mu.Unlock()
	r.calls <- call{id, last}
	return r.answer(ctx, n)
}

// Analyze makes a recorder the analyses, too.
func (r *recorder) Analyze(ctx context.Context, id string, last bool) error {
	return r.Extract(ctx, id, last)
}

func newWorker(tb testing.TB, db *store.DB, extractions Extractions) *Worker {
	tb.Helper()
	return newWorkerOf(tb, db, extractions, newRecorder(func(context.Context, int) error { return errors.New("no analysis was expected") }))
}

func newWorkerOf(tb testing.TB, db *store.DB, extractions Extractions, analyses Analyses) *Worker {
	tb.Helper()
	return newSweepingWorker(tb, db, extractions, analyses, noSweeps{})
}

// noSweeps finds nothing to remove.
type noSweeps struct{}

func (noSweeps) Sweep(context.Context) error { return nil }

func newSweepingWorker(tb testing.TB, db *store.DB, extractions Extractions, analyses Analyses, sweeps Sweeps) *Worker {
	tb.Helper()
	return newWorkerWith(tb, Config{
		Database: jobs(db), Extractions: extractions, Analyses: analyses, Sweeps: sweeps, Heartbeats: store.NewHeartbeats(db),
		Log: quiet(),
	})
}

func newWorkerWith(tb testing.TB, cfg Config) *Worker {
	tb.Helper()
	cfg.Owners, cfg.Name, cfg.Jobs, cfg.JobTimeout, cfg.StopTimeout, cfg.Now = store.Jobs{}, "test", 4, time.Minute, 5*time.Second, time.Now
	w, err := New(cfg)
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, w.Stop(context.WithoutCancel(tb.Context()))) })
	return w
}

func enqueue(tb testing.TB, db *store.DB, maxAttempts int, id string) int64 {
	tb.Helper()
	q, err := NewQueue(jobs(db), maxAttempts, quiet())
	require.NoError(tb, err)
	var jobID int64
	require.NoError(tb, inTx(tb.Context(), db.SQL(), func(tx *sql.Tx) (err error) {
		jobID, err = q.EnqueueExtraction(tb.Context(), tx, id)
		return err
	}))
	return jobID
}

func inTx(ctx context.Context, db *sql.DB, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func TestAJobExistsOnlyIfItsTransactionCommits(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		q, err := NewQueue(jobs(db), 3, quiet())
		require.NoError(t, err)
		refused := errors.New("refused")
		require.ErrorIs(t, inTx(t.Context(), db.SQL(), func(tx *sql.Tx) error {
			_, err := q.EnqueueExtraction(t.Context(), tx, "rolled back")
			return errors.Join(refused, err)
		}), refused)
		enqueue(t, db, 3, "committed")

		done := newRecorder(func(context.Context, int) error { return nil })
		require.NoError(t, newWorker(t, db, done).Start(t.Context()))
		assert.Equal(t, call{"committed", false}, <-done.calls)
		assert.Empty(t, done.calls)
	})
}

func TestAFailedTryIsRepeatedAndTheLastOneSaysSo(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		enqueue(t, db, 2, "a")
		r := newRecorder(func(_ context.Context, n int) error {
			if n == 1 {
				return &invoice.RetryError{Cause: errors.New("the provider was away")}
			}
			return nil
		})
		require.NoError(t, newWorker(t, db, r).Start(t.Context()))
		assert.Equal(t, call{"a", false}, <-r.calls)
		assert.Equal(t, call{"a", true}, <-r.calls)
	})
}

func TestAPanicIsAFailedTry(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		enqueue(t, db, 2, "a")
		r := newRecorder(func(_ context.Context, n int) error {
			if n == 1 {
				panic("a document that nobody thought of")
			}
			return nil
		})
		require.NoError(t, newWorker(t, db, r).Start(t.Context()))
		<-r.calls
		assert.Equal(t, call{"a", true}, <-r.calls)
	})
}

func TestCancellingARunningJobEndsItsContext(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		id := enqueue(t, db, 2, "a")
		ended := make(chan error, 1)
		r := newRecorder(func(ctx context.Context, _ int) error {
			<-ctx.Done()
			ended <- ctx.Err()
			return ctx.Err()
		})
		require.NoError(t, newWorker(t, db, r).Start(t.Context()))
		<-r.calls
		q, err := NewQueue(jobs(db), 2, quiet())
		require.NoError(t, err)
		require.NoError(t, inTx(t.Context(), db.SQL(), func(tx *sql.Tx) error {
			return q.CancelExtraction(t.Context(), tx, id)
		}))
		assert.ErrorIs(t, <-ended, context.Canceled)
	})
}

func TestCancellingAJobThatIsGoneIsNoError(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		q, err := NewQueue(jobs(db), 2, quiet())
		require.NoError(t, err)
		assert.NoError(t, inTx(t.Context(), db.SQL(), func(tx *sql.Tx) error {
			return q.CancelExtraction(t.Context(), tx, 12345)
		}))
	})
}

// A process that died left its job running: its name is a host's where its process id no longer exists.
func TestTheJobOfADeadProcessIsTakenUpAtStart(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		id := enqueue(t, db, 3, "orphan")
		markRunning(t, db, id, "elsewhere/1/1")
		r := newRecorder(func(context.Context, int) error { return nil })
		require.NoError(t, newWorker(t, db, r).Start(t.Context()))
		assert.Equal(t, "orphan", (<-r.calls).id)
	})
}

func TestTheJobOfALiveProcessIsLeftAlone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		id := enqueue(t, db, 3, "busy")
		markRunning(t, db, id, "elsewhere/1/1")
		require.NoError(t, store.NewHeartbeats(db).Beat(t.Context(), "elsewhere/1/1", "elsewhere", time.Now()))
		w := newWorker(t, db, newRecorder(func(context.Context, int) error { return nil }))
		require.NoError(t, w.rescuer.turn(t.Context()))
		assert.Equal(t, "running", state(t, db, id))
	})
}

// A neighbour that beat a moment ago but whose process is gone need not be waited for.
func TestADeadNeighbourIsKnownByItsProcessID(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		const noSuchProcess = "test/2147483646/1" // above any pid_max
		id := enqueue(t, db, 3, "orphan")
		markRunning(t, db, id, noSuchProcess)
		require.NoError(t, store.NewHeartbeats(db).Beat(t.Context(), noSuchProcess, "test", time.Now()))
		w := newWorker(t, db, newRecorder(func(context.Context, int) error { return nil }))
		require.NoError(t, w.rescuer.turn(t.Context()))
		assert.NotEqual(t, "running", onlyState(t, db))
	})
}

func markRunning(tb testing.TB, db *store.DB, id int64, worker string) {
	tb.Helper()
	query := `UPDATE river_job SET state = 'running', attempt = 1, attempted_at = CURRENT_TIMESTAMP,
		attempted_by = ARRAY[$1] WHERE id = $2`
	if db.PGXPool() == nil {
		query = `UPDATE river_job SET state = 'running', attempt = 1, attempted_at = CURRENT_TIMESTAMP,
			attempted_by = jsonb_array($1) WHERE id = $2`
	}
	_, err := db.SQL().ExecContext(tb.Context(), query, worker, id)
	require.NoError(tb, err)
}

func state(tb testing.TB, db *store.DB, id int64) string {
	tb.Helper()
	var s string
	require.NoError(tb, db.SQL().QueryRowContext(tb.Context(), `SELECT state FROM river_job WHERE id = $1`, id).Scan(&s))
	return s
}

// onlyState is the state of the only job, whatever its number is now.
func onlyState(tb testing.TB, db *store.DB) string {
	tb.Helper()
	var s string
	require.NoError(tb, db.SQL().QueryRowContext(tb.Context(), `SELECT state FROM river_job WHERE kind <> 'sweep'`).Scan(&s))
	return s
}

func TestStartAndStopBearBeingCalledTwice(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		w := newWorker(t, db, newRecorder(func(context.Context, int) error { return nil }))
		require.NoError(t, w.Stop(t.Context()))
		require.NoError(t, w.Start(t.Context()))
		require.NoError(t, w.Start(t.Context()))
		require.NoError(t, w.Stop(t.Context()))
		require.NoError(t, w.Stop(t.Context()))
	})
}

// BenchmarkPickUp is the time from the commit of a job to its first line of work, on an idle queue.
func BenchmarkPickUp(b *testing.B) {
	for _, bench := range []struct {
		name string
		open func() store.Config
	}{
		{"sqlite", func() store.Config { return store.Config{Path: filepath.Join(b.TempDir(), "bench.db")} }},
		{"postgres", func() store.Config { return store.Config{URL: pg.NewDatabase(b)} }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			db := openStore(b, bench.open())
			r := newRecorder(func(context.Context, int) error { return nil })
			require.NoError(b, newWorker(b, db, r).Start(b.Context()))
			enqueue(b, db, 1, "warm-up")
			<-r.calls
			for b.Loop() {
				enqueue(b, db, 1, "x")
				<-r.calls
			}
		})
	}
}
