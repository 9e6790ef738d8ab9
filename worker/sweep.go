package worker

import (
	"context"
	"time"

	"github.com/riverqueue/river"
)

// Sweeps removes what has expired. Implemented by retention.Sweeper.
type Sweeps interface {
	Sweep(ctx context.Context) error
}

const (
	// sweepEvery is how often, over all processes.
	sweepEvery = 24 * time.Hour
	// sweepAttempts is how often one sweep is tried: the next one comes tomorrow.
	sweepAttempts = 5
)

type sweepArgs struct{}

// Kind names the job in the database.
func (sweepArgs) Kind() string { return "sweep" }

// InsertOpts makes it one job a day, however many processes there are and however often they start.
func (sweepArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: sweepAttempts, UniqueOpts: river.UniqueOpts{ByPeriod: sweepEvery}}
}

// sweepJob is inserted by whichever process leads, also when it begins to: a service that runs for hours at a time sweeps too.
func sweepJob() *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(sweepEvery),
		func() (river.JobArgs, *river.InsertOpts) { return sweepArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true})
}

type sweepWorker struct {
	river.WorkerDefaults[sweepArgs]

	sweeps  Sweeps
	timeout time.Duration
}

// Timeout implements river.Worker.
func (w *sweepWorker) Timeout(*river.Job[sweepArgs]) time.Duration { return w.timeout }

// Work implements river.Worker. A sweep that is cut short goes on where it was.
func (w *sweepWorker) Work(ctx context.Context, _ *river.Job[sweepArgs]) error {
	return guarded(ctx, w.sweeps.Sweep)
}
