package worker

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store"
)

var (
	_ insight.Queue = (*Queue)(nil)
	_ invoice.Queue = (*Queue)(nil)
	_ Analyses      = (*insight.Service)(nil)
)

func enqueueAnalysis(tb testing.TB, db *store.DB, maxAttempts int, id string) int64 {
	tb.Helper()
	q, err := NewQueue(jobs(db), maxAttempts, quiet())
	require.NoError(tb, err)
	var jobID int64
	require.NoError(tb, inTx(tb.Context(), db.SQL(), func(tx *sql.Tx) (err error) {
		jobID, err = q.EnqueueAnalysis(tb.Context(), tx, id)
		return err
	}))
	return jobID
}

func neverExtract() *recorder {
	return newRecorder(func(context.Context, int) error { return errors.New("no extraction was expected") })
}

func TestAnAnalysisIsNoExtraction(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		enqueueAnalysis(t, db, 3, "a")
		extractions, analyses := neverExtract(), newRecorder(func(context.Context, int) error { return nil })
		require.NoError(t, newWorkerOf(t, db, extractions, analyses).Start(t.Context()))
		assert.Equal(t, call{"a", false}, <-analyses.calls)
		assert.Empty(t, extractions.calls)
	})
}

func TestAFailedAnalysisIsRepeatedAndTheLastTrySaysSo(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		enqueueAnalysis(t, db, 3, "a")
		r := newRecorder(func(_ context.Context, n int) error {
			switch n {
			case 1:
				return &invoice.RetryError{Cause: errors.New("the provider was away")}
			case 2:
				panic("figures that nobody thought of")
			}
			return nil
		})
		require.NoError(t, newWorkerOf(t, db, neverExtract(), r).Start(t.Context()))
		assert.Equal(t, call{"a", false}, <-r.calls)
		assert.Equal(t, call{"a", false}, <-r.calls)
		assert.Equal(t, call{"a", true}, <-r.calls)
	})
}

// Waiting for a provider does not use up tries.
func TestAnAnalysisThatIsToldToWaitWaits(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		enqueueAnalysis(t, db, 2, "a")
		r := newRecorder(func(_ context.Context, n int) error {
			if n <= 2 {
				return &invoice.RetryError{After: time.Millisecond, Cause: errors.New("too many requests")}
			}
			return nil
		})
		require.NoError(t, newWorkerOf(t, db, neverExtract(), r).Start(t.Context()))
		for range 3 {
			assert.Equal(t, call{"a", false}, <-r.calls)
		}
	})
}

func TestAnAnalysisThatWasTakenOverIsDone(t *testing.T) {
	t.Parallel()
	require.NoError(t, outcome(t.Context(), &rivertype.JobRow{}, time.Now(), errors.Join(invoice.ErrSuperseded, errors.New("cause"))))
}

func TestTheAnalysisOfADeadProcessIsTakenUpAtStart(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		markRunning(t, db, enqueueAnalysis(t, db, 3, "orphan"), "elsewhere/1/1")
		r := newRecorder(func(context.Context, int) error { return nil })
		require.NoError(t, newWorkerOf(t, db, neverExtract(), r).Start(t.Context()))
		assert.Equal(t, "orphan", (<-r.calls).id)
	})
}
