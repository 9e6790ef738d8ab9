package worker

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store"
)

var _ Reconciliations = (*invoice.Service)(nil)

// reconciled is a job that came.
type reconciled struct {
	id       string
	run, try int
}

type reconciliations chan reconciled

func (r reconciliations) Reconcile(_ context.Context, id string, run, try int) error {
	r <- reconciled{id, run, try}
	return nil
}

func TestAConfirmationIsWorkedOnInItsTimeAndForgottenWithItsInvoice(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		q, err := NewQueue(jobs(db), 3, quiet())
		require.NoError(t, err)
		enqueue := func(id string, try int, at time.Time) {
			require.NoError(t, inTx(t.Context(), db.SQL(), func(tx *sql.Tx) error {
				return q.EnqueueConfirmation(t.Context(), tx, id, 7, try, at)
			}))
		}
		enqueue("later", 2, time.Now().Add(time.Hour))
		enqueue("now", 1, time.Now())
		came := make(reconciliations, 10)
		w, err := New(Config{
			Database: jobs(db), Extractions: neverExtract(), Analyses: neverExtract(), Reconciliations: came, Sweeps: noSweeps{},
			Heartbeats: store.NewHeartbeats(db), Name: "test", Jobs: 4,
			JobTimeout: time.Minute, StopTimeout: 5 * time.Second, Log: quiet(), Now: time.Now,
		})
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, w.Stop(context.WithoutCancel(t.Context()))) })
		require.NoError(t, w.Start(t.Context()))
		assert.Equal(t, reconciled{"now", 7, 1}, <-came)
		assert.Empty(t, came)

		require.NoError(t, inTx(t.Context(), db.SQL(), func(tx *sql.Tx) error { return q.Forget(t.Context(), tx, []string{"later"}) }))
		var left int
		require.NoError(t, db.SQL().QueryRowContext(t.Context(), "SELECT count(*) FROM river_job WHERE state = 'scheduled'").Scan(&left))
		assert.Zero(t, left)
	})
}
