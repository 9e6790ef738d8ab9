package worker

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// How quickly the jobs of a dead process are found. River itself rescues a job only after longer than any job may run,
// because it has no heartbeat.
const (
	beatEvery = 5 * time.Second
	deadAfter = 20 * time.Second // four beats missed: a pause of a busy process must not look like its death
	scanJobs  = 1000             // running jobs looked at in one scan
)

// Heartbeats keeps the signs of life of worker processes, by the database's clock. Implemented by internal/store.
type Heartbeats interface {
	// Beat says that the worker is alive. name is of where it runs, started when it began.
	Beat(ctx context.Context, workerID, name string, started time.Time) error
	// Alive are the workers that beat within the last d.
	Alive(ctx context.Context, d time.Duration) ([]string, error)
	// Forget removes a worker that has stopped, and those that have not beaten for a day.
	Forget(ctx context.Context, workerID string) error
}

// Owners know their jobs by number. Implemented by internal/store.
type Owners interface {
	// Moved says, inside the caller's transaction, that the job about an invoice has another number now.
	Moved(ctx context.Context, tx *sql.Tx, invoiceID string, from, to int64) error
}

// workerID names one process: name is where its process ids mean something (a host, a container), then its process id, then
// its start.
func workerID(name string, started time.Time) string {
	return fmt.Sprintf("%s/%d/%d", name, os.Getpid(), started.UnixNano())
}

// rescuer beats for its own process and gives the jobs of dead ones back to the queue.
type rescuer struct {
	id      string
	name    string
	started time.Time
	beats   Heartbeats
	owners  Owners
	db      Database
	jobs    *river.Client[*sql.Tx]
	log     *slog.Logger
}

func (r *rescuer) run(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		if err := r.turn(ctx); err != nil && ctx.Err() == nil {
			r.log.WarnContext(ctx, "look for jobs of dead workers", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// turn beats once and rescues once.
func (r *rescuer) turn(ctx context.Context) error {
	if err := r.beats.Beat(ctx, r.id, r.name, r.started); err != nil {
		return fmt.Errorf("beat: %w", err)
	}
	beating, err := r.beats.Alive(ctx, deadAfter)
	if err != nil {
		return fmt.Errorf("who is alive: %w", err)
	}
	alive := map[string]bool{r.id: true}
	for _, id := range beating {
		alive[id] = !r.deadNeighbour(id)
	}
	running, err := r.jobs.JobList(ctx, river.NewJobListParams().States(rivertype.JobStateRunning).First(scanJobs))
	if err != nil {
		return fmt.Errorf("list running jobs: %w", err)
	}
	for _, job := range running.Jobs {
		if n := len(job.AttemptedBy); n == 0 || alive[job.AttemptedBy[n-1]] {
			continue
		}
		if err := r.giveBack(ctx, job); err != nil {
			return err
		}
	}
	return nil
}

// deadNeighbour says that id is of a process that ran where this one runs and is gone: no need to wait for its silence. A
// process with this one's number is gone too, for this one has its number now.
func (r *rescuer) deadNeighbour(id string) bool {
	name, pid, ok := splitWorkerID(id)
	mine, self, _ := splitWorkerID(r.id)
	if !ok || name != mine || id == r.id {
		return false
	}
	return pid == self || syscall.Kill(pid, 0) == syscall.ESRCH
}

func splitWorkerID(id string) (name string, pid int, ok bool) {
	rest, _, ok := cutLast(id, "/")
	if !ok {
		return "", 0, false
	}
	name, number, ok := cutLast(rest, "/")
	pid, err := strconv.Atoi(number)
	return name, pid, ok && err == nil && pid > 0
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// giveBack makes a job available again, unless it has moved on since it was listed. An old process that was not dead after all
// is fenced off by the invoice's run number, or by the state of the analysis; and from the job by its number.
func (r *rescuer) giveBack(ctx context.Context, job *rivertype.JobRow) error {
	found, err := r.renew(ctx, job)
	if err != nil {
		return fmt.Errorf("give job %d back: %w", job.ID, err)
	}
	if found {
		r.log.WarnContext(ctx, "gave back the job of a dead worker", "job_id", job.ID, "attempt", job.Attempt)
	}
	return nil
}

// renew gives the job a new number: River ends a running job by its number alone, whatever the attempt, so that an old process
// that wakes up would end the new one's, which nobody would then rescue. A SQLite file has one process, whose predecessor is dead.
func (r *rescuer) renew(ctx context.Context, job *rivertype.JobRow) (found bool, err error) {
	const still = ` WHERE id = $1 AND state = 'running' AND attempt = $2`
	if r.db.PGX == nil {
		res, err := r.db.SQL.ExecContext(ctx, `UPDATE river_job SET state = 'available'`+still, job.ID, job.Attempt)
		if err != nil {
			return false, err
		}
		n, err := res.RowsAffected()
		return n == 1, err
	}
	tx, err := r.db.SQL.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, ignoreDone(tx.Rollback())) }()
	var id int64
	err = tx.QueryRowContext(ctx, `UPDATE river_job SET state = 'available', id = nextval(pg_get_serial_sequence('river_job', 'id'))`+
		still+` RETURNING id`, job.ID, job.Attempt).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var about struct {
		InvoiceID string `json:"invoice_id"`
	}
	if err := json.Unmarshal(job.EncodedArgs, &about); err != nil {
		return false, err
	}
	if about.InvoiceID != "" {
		if err := r.owners.Moved(ctx, tx, about.InvoiceID, job.ID, id); err != nil {
			return false, err
		}
	}
	return true, tx.Commit()
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}
