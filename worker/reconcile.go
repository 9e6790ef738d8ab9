package worker

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"
)

// Reconciliations is what a job calls that holds an invoice against the state's record. Implemented by invoice.Service.
type Reconciliations interface {
	Reconcile(ctx context.Context, invoiceID string, run, try int) error
}

// reconcileArgs holds nothing that is personal, like extractArgs.
type reconcileArgs struct {
	InvoiceID string `json:"invoice_id"`
	Run       int    `json:"run"` // of the extraction whose figures are held against the record
	Try       int    `json:"try"` // from 1
}

// Kind names the job in the database.
func (reconcileArgs) Kind() string { return "reconcile_invoice" }

// reconcileWorker runs those jobs.
type reconcileWorker struct {
	river.WorkerDefaults[reconcileArgs]

	reconciliations Reconciliations
	timeout         time.Duration
}

// Timeout bounds one try.
func (w *reconcileWorker) Timeout(*river.Job[reconcileArgs]) time.Duration { return w.timeout }

// Work asks once. What the state does not have yet is asked for by another job. The invoice is finished without it, so a try that
// fails counts, unless the process ended beneath it.
func (w *reconcileWorker) Work(ctx context.Context, job *river.Job[reconcileArgs]) error {
	err := guarded(ctx, func(ctx context.Context) error {
		return w.reconciliations.Reconcile(ctx, job.Args.InvoiceID, job.Args.Run, job.Args.Try)
	})
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return river.JobSnooze(0)
	}
	return err
}
