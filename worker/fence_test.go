package worker

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store"
)

// TestAnOldProcessCannotEndItsSuccessorsJob has a process that was thought dead come to its end while another does its work: were
// the job ended with it, nobody would take it up should that other one die.
func TestAnOldProcessCannotEndItsSuccessorsJob(t *testing.T) {
	t.Parallel()
	db := openStore(t, store.Config{URL: pg.NewDatabase(t)})
	enqueue(t, db, 3, "a")
	wake := make(chan struct{})
	asleep := newRecorder(func(context.Context, int) error {
		<-wake
		return invoice.ErrSuperseded
	})
	old := newWorker(t, db, asleep)
	require.NoError(t, old.Start(t.Context()))
	<-asleep.calls

	finish := make(chan struct{})
	successor := newRecorder(func(context.Context, int) error {
		<-finish
		return nil
	})
	next := newWorker(t, db, successor)
	listed, err := old.client.JobList(t.Context(), nil)
	require.NoError(t, err)
	for _, job := range listed.Jobs {
		if job.Kind == (extractArgs{}).Kind() {
			require.NoError(t, next.rescuer.giveBack(t.Context(), job))
		}
	}
	taken := func() bool { return onlyState(t, db) == "running" }
	require.NoError(t, next.Start(t.Context()))
	select { // whichever of the two has room takes it
	case <-successor.calls:
	case <-asleep.calls:
	}
	require.True(t, taken())
	close(wake)
	require.NoError(t, old.Stop(t.Context())) // by now it has told River how its try ended
	if len(successor.calls) == 0 && onlyState(t, db) == "available" {
		<-successor.calls
	}
	close(finish)
	require.NoError(t, next.Stop(t.Context()))
	assert.Equal(t, "completed", onlyState(t, db))
}

// TestAnOutageOfTheDatabaseUsesUpNoTry fails as an extraction does that could write down nothing, on the last try of its job.
func TestAnOutageOfTheDatabaseUsesUpNoTry(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		enqueue(t, db, 1, "a")
		r := newRecorder(func(_ context.Context, n int) error {
			if n == 1 {
				return errors.New("the database is away")
			}
			return nil
		})
		require.NoError(t, newWorker(t, db, r).Start(t.Context()))
		assert.Equal(t, call{"a", true}, <-r.calls)
		assert.Equal(t, call{"a", true}, <-r.calls, "there is always another try for that")
	})
}

// TestAJobThatTheEndCutsShortIsThereAtOnceForTheNextProcess stops a worker that does not wait.
func TestAJobThatTheEndCutsShortIsThereAtOnceForTheNextProcess(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		enqueue(t, db, 1, "a")
		var began atomic.Bool
		r := newRecorder(func(ctx context.Context, _ int) error {
			began.Store(true)
			<-ctx.Done()
			return ctx.Err()
		})
		w, err := New(Config{
			Database: jobs(db), Extractions: r, Analyses: r, Sweeps: noSweeps{}, Heartbeats: store.NewHeartbeats(db), Owners: store.Jobs{},
			Name: "test", Jobs: 1, JobTimeout: time.Minute, StopTimeout: time.Millisecond, Log: quiet(), Now: time.Now,
		})
		require.NoError(t, err)
		require.NoError(t, w.Start(t.Context()))
		<-r.calls
		require.NoError(t, w.Stop(t.Context()))
		assert.True(t, began.Load())
		assert.Equal(t, "available", onlyState(t, db))
	})
}
