package worker

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/store"
)

// sweepCounter tells of each sweep.
type sweepCounter struct{ swept chan struct{} }

func (s sweepCounter) Sweep(context.Context) error {
	s.swept <- struct{}{}
	return nil
}

// TestASweepIsDoneOnceADay starts two processes one after the other: the second one leads too, and finds that today's is done.
func TestASweepIsDoneOnceADay(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		sweeps := sweepCounter{make(chan struct{}, 10)}
		none := newRecorder(func(context.Context, int) error { return nil })
		first := newSweepingWorker(t, db, none, none, sweeps)
		require.NoError(t, first.Start(t.Context()))
		<-sweeps.swept
		require.NoError(t, first.Stop(t.Context()))

		require.NoError(t, newSweepingWorker(t, db, none, none, sweeps).Start(t.Context()))
		q, err := NewQueue(jobs(db), 1, quiet())
		require.NoError(t, err)
		require.NoError(t, inTx(t.Context(), db.SQL(), func(tx *sql.Tx) error {
			res, err := q.client.InsertTx(t.Context(), tx, sweepArgs{}, nil)
			assert.True(t, res.UniqueSkippedAsDuplicate, "whoever asks again")
			return err
		}))
		enqueue(t, db, 1, "after")
		<-none.calls // the second process works
		assert.Empty(t, sweeps.swept)
	})
}
