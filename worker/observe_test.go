package worker

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store"
)

type ctxKey struct{}

// watcher is an observer that keeps what it is told of extractions.
type watcher struct {
	seen  chan Job
	ended chan string
}

func newWatcher() *watcher { return &watcher{make(chan Job, 100), make(chan string, 100)} }

func (w *watcher) Carry(ctx context.Context) map[string]string {
	id, _ := ctx.Value(ctxKey{}).(string)
	return map[string]string{"request_id": id}
}

func (w *watcher) Began(ctx context.Context, job Job) (context.Context, func(string)) {
	if job.Kind != (extractArgs{}).Kind() {
		return ctx, func(string) {}
	}
	w.seen <- job
	return context.WithValue(ctx, ctxKey{}, "from the observer"), func(outcome string) { w.ended <- outcome }
}

func enqueueCarrying(tb testing.TB, db *store.DB, w *watcher, request, id string, tries int) {
	tb.Helper()
	q, err := NewQueue(jobs(db), tries, quiet())
	require.NoError(tb, err)
	ctx := context.WithValue(tb.Context(), ctxKey{}, request)
	require.NoError(tb, inTx(ctx, db.SQL(), func(tx *sql.Tx) error {
		_, err := q.Carrying(w).EnqueueExtraction(ctx, tx, id)
		return err
	}))
}

func TestAnObserverSeesEachTryAndWhatTheJobCarries(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		w := newWatcher()
		contexts := make(chan any, 10)
		r := newRecorder(func(ctx context.Context, n int) error {
			contexts <- ctx.Value(ctxKey{})
			switch n {
			case 1:
				return &invoice.RetryError{After: time.Millisecond, Cause: errors.New("wait")}
			case 2:
				return &invoice.RetryError{Cause: errors.New("failed")}
			}
			return nil
		})
		enqueueCarrying(t, db, w, "REQUEST-1", "a", 3)
		require.NoError(t, newWorkerWith(t, Config{
			Database: jobs(db), Extractions: r, Analyses: neverExtract(), Sweeps: noSweeps{}, Heartbeats: store.NewHeartbeats(db),
			Log: quiet(), Observer: w,
		}).Start(t.Context()))
		for _, outcome := range []string{OutcomeSnoozed, OutcomeRetried, OutcomeDone} {
			job := <-w.seen
			assert.Equal(t, "extract_invoice", job.Kind)
			assert.Equal(t, map[string]string{"request_id": "REQUEST-1"}, job.Carried)
			assert.WithinDuration(t, time.Now(), job.CreatedAt, time.Hour)
			assert.Equal(t, "from the observer", <-contexts)
			assert.Equal(t, outcome, <-w.ended)
		}
	})
}

func TestTheLastTryThatFailsIsAFailure(t *testing.T) {
	t.Parallel()
	row := &rivertype.JobRow{Attempt: 3, MaxAttempts: 3}
	assert.Equal(t, OutcomeFailed, outcomeOf(t.Context(), row, errors.New("x")))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Equal(t, OutcomeCancelled, outcomeOf(gone, row, gone.Err()))
	assert.Equal(t, map[string]string(nil), toJob(&rivertype.JobRow{Metadata: []byte(`{"carried": 7}`)}).Carried)
}

// safeBuffer is a log that several write to.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestAPanicOfAJobIsLoggedWithItsPlaceAndNotWithItsValue(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		var log safeBuffer
		enqueue(t, db, 2, "a")
		r := newRecorder(func(_ context.Context, n int) error {
			if n == 1 {
				panic("Ana Secreta")
			}
			return nil
		})
		w := newWorkerWith(t, Config{
			Database: jobs(db), Extractions: r, Analyses: neverExtract(), Sweeps: noSweeps{}, Heartbeats: store.NewHeartbeats(db),
			Log: slog.New(slog.NewJSONHandler(&log, nil)),
		})
		require.NoError(t, w.Start(t.Context()))
		<-r.calls
		<-r.calls
		assert.Contains(t, log.String(), "a job panicked")
		assert.Contains(t, log.String(), "observe_test.go")
		assert.Contains(t, log.String(), `"panic_type":"string"`)
		assert.NotContains(t, log.String(), "Secreta")
	})
}

func TestTheQueueIsCountedByKindAndState(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		count := func() map[string]Depth {
			depths, err := Depths(t.Context(), db.Reader(), db.PGXPool() != nil)
			require.NoError(t, err)
			all := map[string]Depth{}
			for _, d := range depths {
				all[d.Kind+" "+d.State] = d
			}
			return all
		}
		assert.Empty(t, count())
		enqueue(t, db, 3, "a")
		enqueue(t, db, 3, "b")
		markRunning(t, db, enqueueAnalysis(t, db, 3, "c"), "elsewhere/1/1")
		old := `now() - interval '90 seconds'`
		if db.PGXPool() == nil {
			old = `strftime('%Y-%m-%d %H:%M:%f', 'now', '-90 seconds')`
		}
		_, err := db.SQL().ExecContext(t.Context(), `UPDATE river_job SET scheduled_at = `+old+` WHERE kind = 'extract_invoice'`)
		require.NoError(t, err)
		all := count()
		require.Len(t, all, 2)
		waiting := all["extract_invoice available"]
		assert.Equal(t, 2, waiting.Jobs)
		assert.GreaterOrEqual(t, waiting.Oldest, 89*time.Second)
		assert.Less(t, waiting.Oldest, time.Hour)
		running := all["analyze_invoice running"]
		assert.Equal(t, 1, running.Jobs)
		assert.Less(t, running.Oldest, time.Hour)
	})
}
