package worker

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"
)

// Database is where the jobs are. PGX is the pool below SQL on PostgreSQL, which LISTEN needs; nil means SQLite.
type Database struct {
	SQL *sql.DB
	PGX *pgxpool.Pool
}

func (d Database) driver() riverdriver.Driver[*sql.Tx] {
	if d.PGX != nil {
		return riverdatabasesql.NewWithPgxListener(d.SQL, d.PGX)
	}
	return riversqlite.New(d.SQL)
}

// sqlitePoll is how often SQLite is asked for jobs, which does not tell of them: a purchase waits for two, one to be read and one to
// be analysed. Asking an idle queue costs a read of a few pages.
const sqlitePoll = 100 * time.Millisecond

// poll is how often the database is asked for jobs whether or not it told of any; 0 leaves it to River.
func (d Database) poll() time.Duration {
	if d.PGX != nil {
		return 0
	}
	return sqlitePoll
}

// extractArgs holds the id alone: finished jobs keep their arguments, and the rest may be personal.
type extractArgs struct {
	InvoiceID string `json:"invoice_id"`
}

// Kind names the job in the database: it outlives any name in the code.
func (extractArgs) Kind() string { return "extract_invoice" }

// analyzeArgs holds the id alone, like extractArgs.
type analyzeArgs struct {
	InvoiceID string `json:"invoice_id"`
}

// Kind names the job in the database.
func (analyzeArgs) Kind() string { return "analyze_invoice" }

// Queue accepts work. It implements invoice.Queue and insight.Queue.
type Queue struct {
	client      *river.Client[*sql.Tx]
	maxAttempts int
	postgres    bool
	observer    Observer // nil is none
	db          *sql.DB
}

// NewQueue makes a Queue whose jobs are tried at most maxAttempts times.
func NewQueue(db Database, maxAttempts int, log *slog.Logger) (*Queue, error) {
	client, err := river.NewClient(db.driver(), &river.Config{Logger: forRiver(log)}) // without queues it only inserts
	if err != nil {
		return nil, fmt.Errorf("queue client: %w", err)
	}
	return &Queue{client: client, maxAttempts: maxAttempts, postgres: db.PGX != nil, db: db.SQL}, nil
}

// EnqueueExtraction adds a job that is seen once tx commits.
func (q *Queue) EnqueueExtraction(ctx context.Context, tx *sql.Tx, invoiceID string) (int64, error) {
	res, err := q.client.InsertTx(ctx, tx, extractArgs{InvoiceID: invoiceID}, q.insertOpts(ctx))
	if err != nil {
		return 0, fmt.Errorf("enqueue extraction: %w", err)
	}
	return res.Job.ID, nil
}

// EnqueueAnalysis adds a job that is seen once tx commits.
func (q *Queue) EnqueueAnalysis(ctx context.Context, tx *sql.Tx, invoiceID string) (int64, error) {
	res, err := q.client.InsertTx(ctx, tx, analyzeArgs{InvoiceID: invoiceID}, q.insertOpts(ctx))
	if err != nil {
		return 0, fmt.Errorf("enqueue analysis: %w", err)
	}
	return res.Job.ID, nil
}

// EnqueueConfirmation adds a job that is seen once tx commits, and worked on from at on.
func (q *Queue) EnqueueConfirmation(ctx context.Context, tx *sql.Tx, invoiceID string, run, try int, at time.Time) error {
	args := reconcileArgs{InvoiceID: invoiceID, Run: run, Try: try}
	if _, err := q.client.InsertTx(ctx, tx, args, &river.InsertOpts{MaxAttempts: q.maxAttempts, ScheduledAt: at}); err != nil {
		return fmt.Errorf("enqueue confirmation: %w", err)
	}
	return nil
}

// CancelExtraction cancels a job once tx commits: a waiting one is never begun, a running one has its context cancelled.
func (q *Queue) CancelExtraction(ctx context.Context, tx *sql.Tx, jobID int64) error {
	return q.cancel(ctx, tx, jobID)
}

// cancel cancels a job of any kind. One that is gone is no error.
func (q *Queue) cancel(ctx context.Context, tx *sql.Tx, jobID int64) error {
	if _, err := q.client.JobCancelTx(ctx, tx, jobID); err != nil && !errors.Is(err, rivertype.ErrNotFound) {
		return fmt.Errorf("cancel job %d: %w", jobID, err)
	}
	return nil
}
