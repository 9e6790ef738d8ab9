package worker

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// maxJobAge bounds how long a job may be put off by providers that ask to wait: snoozing does not use up attempts.
const maxJobAge = 2 * time.Hour

// Extractions is what an extraction job calls. Implemented by invoice.Service.
type Extractions interface {
	Extract(ctx context.Context, invoiceID string, lastTry bool) error
}

// extractWorker runs extraction jobs.
type extractWorker struct {
	river.WorkerDefaults[extractArgs]

	extractions Extractions
	timeout     time.Duration
	now         func() time.Time
}

// Timeout bounds one try.
func (w *extractWorker) Timeout(*river.Job[extractArgs]) time.Duration { return w.timeout }

// Work runs one try and tells River what comes next: done, wait, or try again with its back-off.
func (w *extractWorker) Work(ctx context.Context, job *river.Job[extractArgs]) error {
	return outcome(ctx, job.JobRow, w.now(), guarded(ctx, func(ctx context.Context) error {
		return w.extractions.Extract(ctx, job.Args.InvoiceID, lastTry(job.JobRow, w.now()))
	}))
}

// lastTry says that no other try of the job follows, now that this one has begun.
func lastTry(job *rivertype.JobRow, now time.Time) bool {
	return job.Attempt >= job.MaxAttempts || now.Sub(job.CreatedAt) > maxJobAge
}

const (
	// outage is when a job is looked at again that could not even write down how it went.
	outage = 5 * time.Second
	// maxOutage bounds how long that goes on; then the job fails, and smarket doctor finds what it was about.
	maxOutage = 24 * time.Hour
)

// outcome is what River is told of a try that ended with err. A try that the service itself has judged counts; one that was cut
// off, by the end of the process or because the database was away, does not: the last one would leave its invoice unfinished.
func outcome(ctx context.Context, job *rivertype.JobRow, now time.Time, err error) error {
	if err == nil || errors.Is(err, invoice.ErrSuperseded) {
		return nil
	}
	if retry, ok := errors.AsType[*invoice.RetryError](err); ok {
		if retry.After > 0 {
			return river.JobSnooze(retry.After)
		}
		return err
	}
	if _, ok := errors.AsType[*panicError](err); ok || now.Sub(job.CreatedAt) > maxOutage {
		return err
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return river.JobSnooze(0) // for whoever comes next, at once; a job that was cancelled stays so
	}
	return river.JobSnooze(outage)
}
