package worker

import (
	"context"
	"time"

	"github.com/riverqueue/river"
)

// Analyses is what an analysis job calls. Implemented by insight.Service.
type Analyses interface {
	Analyze(ctx context.Context, invoiceID string, lastTry bool) error
}

// analyzeWorker runs analysis jobs.
type analyzeWorker struct {
	river.WorkerDefaults[analyzeArgs]

	analyses Analyses
	timeout  time.Duration
	now      func() time.Time
}

// Timeout bounds one try.
func (w *analyzeWorker) Timeout(*river.Job[analyzeArgs]) time.Duration { return w.timeout }

// Work runs one try and tells River what comes next, like extractWorker's.
func (w *analyzeWorker) Work(ctx context.Context, job *river.Job[analyzeArgs]) error {
	return outcome(ctx, job.JobRow, w.now(), guarded(ctx, func(ctx context.Context) error {
		return w.analyses.Analyze(ctx, job.Args.InvoiceID, lastTry(job.JobRow, w.now()))
	}))
}
