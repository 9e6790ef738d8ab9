package worker

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/mercadoesperto/smarket/internal/doctor"
)

// Inspection is the queue as smarket doctor sees it. It implements doctor.Jobs.
type Inspection struct{ queue *Queue }

var _ doctor.Jobs = Inspection{}

// Inspect looks at the queue.
func (q *Queue) Inspect() Inspection { return Inspection{q} }

// Reads implements doctor.Jobs.
func (Inspection) Reads(kind string) bool { return kind == extractArgs{}.Kind() }

// Analyzes implements doctor.Jobs.
func (Inspection) Analyzes(kind string) bool { return kind == analyzeArgs{}.Kind() }

// Live implements doctor.Jobs.
func (i Inspection) Live(ctx context.Context) ([]doctor.Job, error) {
	params := river.NewJobListParams().Kinds(extractArgs{}.Kind(), analyzeArgs{}.Kind()).First(scanJobs).States(
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled)
	var live []doctor.Job
	for {
		page, err := i.queue.client.JobList(ctx, params)
		if err != nil {
			return nil, fmt.Errorf("list jobs: %w", err)
		}
		for _, job := range page.Jobs {
			var about struct {
				InvoiceID string `json:"invoice_id"`
			}
			if err := json.Unmarshal(job.EncodedArgs, &about); err != nil {
				return nil, fmt.Errorf("read job %d: %w", job.ID, err)
			}
			live = append(live, doctor.Job{ID: job.ID, Kind: job.Kind, InvoiceID: about.InvoiceID, CreatedAt: job.CreatedAt})
		}
		if len(page.Jobs) < scanJobs || page.LastCursor == nil {
			return live, nil
		}
		params = params.After(page.LastCursor)
	}
}

// Remove implements doctor.Jobs. One that runs has its context cancelled.
func (i Inspection) Remove(ctx context.Context, id int64) (err error) {
	tx, err := i.queue.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("remove job %d: %w", id, err)
	}
	defer func() { err = errors.Join(err, ignoreDone(tx.Rollback())) }()
	if err := i.queue.remove(ctx, tx, id); err != nil {
		return err
	}
	return tx.Commit()
}

// remove cancels a job and deletes it: River deletes no job that runs, and a cancelled one keeps its arguments for a day.
func (q *Queue) remove(ctx context.Context, tx *sql.Tx, id int64) error {
	if err := q.cancel(ctx, tx, id); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM river_job WHERE id = $1`, id); err != nil {
		return fmt.Errorf("remove job %d: %w", id, err)
	}
	return nil
}
