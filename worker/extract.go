package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

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
	last := job.Attempt >= job.MaxAttempts || w.now().Sub(job.CreatedAt) > maxJobAge
	err := w.extract(ctx, job.Args.InvoiceID, last)
	if err == nil || errors.Is(err, invoice.ErrSuperseded) {
		return nil
	}
	if retry, ok := errors.AsType[*invoice.RetryError](err); ok && retry.After > 0 {
		return river.JobSnooze(retry.After)
	}
	return err
}

// extract turns a panic into an error, so that the last try of a document that makes the service panic ends in FAILED.
func (w *extractWorker) extract(ctx context.Context, id string, last bool) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("extraction panicked: %v", p)
		}
	}()
	return w.extractions.Extract(ctx, id, last)
}
