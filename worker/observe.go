package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Observer is told of jobs. Implemented by internal/telemetry.
type Observer interface {
	// Carry is what a job takes along of the context in which it is enqueued: a few short texts, none of them personal.
	Carry(ctx context.Context) map[string]string
	// Began is told when a try begins, which then runs with the context that it returns. ended is called once.
	Began(ctx context.Context, job Job) (_ context.Context, ended func(outcome string))
}

// Job is a try of a job as observers see it.
type Job struct {
	ID          int64
	Kind        string
	Attempt     int
	CreatedAt   time.Time
	ScheduledAt time.Time // when the try might have begun
	Carried     map[string]string
}

// What comes of a try.
const (
	OutcomeDone      = "done"
	OutcomeRetried   = "retried"   // failed; another try follows
	OutcomeFailed    = "failed"    // failed, and it was the last try
	OutcomeSnoozed   = "snoozed"   // put off, without counting as a failure
	OutcomeCancelled = "cancelled" // by its owner, or because the process stops
)

// carriedKey is what is carried in the metadata of a job, which nobody but the queue sees.
const carriedKey = "carried"

// Carrying is the queue whose jobs take along what o says.
func (q *Queue) Carrying(o Observer) *Queue {
	carrying := *q
	carrying.observer = o
	return &carrying
}

// insertOpts are those of a job that is enqueued in ctx.
func (q *Queue) insertOpts(ctx context.Context) *river.InsertOpts {
	opts := &river.InsertOpts{MaxAttempts: q.maxAttempts}
	if q.observer == nil {
		return opts
	}
	if carried := q.observer.Carry(ctx); len(carried) > 0 {
		if data, err := json.Marshal(map[string]any{carriedKey: carried}); err == nil {
			opts.Metadata = data
		}
	}
	return opts
}

// observed has an observer, which may be nil, see every try, and panics logged where they can be found.
func observed(o Observer, log *slog.Logger) river.WorkerMiddlewareFunc {
	return func(ctx context.Context, row *rivertype.JobRow, work func(ctx context.Context) error) error {
		ended := func(string) {}
		if o != nil {
			ctx, ended = o.Began(ctx, toJob(row))
		}
		err := errors.New("the try did not end")
		defer func() { ended(outcomeOf(ctx, row, err)) }() // after a panic too
		err = work(ctx)
		if p, ok := errors.AsType[*panicError](err); ok {
			log.ErrorContext(ctx, "a job panicked", "job_id", row.ID, "job_kind", row.Kind, "attempt", row.Attempt,
				"panic_type", fmt.Sprintf("%T", p.value), "stack", p.stack)
		}
		return err
	}
}

func toJob(row *rivertype.JobRow) Job {
	var metadata struct {
		Carried map[string]string `json:"carried"`
	}
	if json.Unmarshal(row.Metadata, &metadata) != nil {
		metadata.Carried = nil // it was written by another version of the program
	}
	return Job{
		ID: row.ID, Kind: row.Kind, Attempt: row.Attempt, CreatedAt: row.CreatedAt, ScheduledAt: row.ScheduledAt, Carried: metadata.Carried,
	}
}

func outcomeOf(ctx context.Context, row *rivertype.JobRow, err error) string {
	if err == nil {
		return OutcomeDone
	}
	if _, ok := errors.AsType[*rivertype.JobSnoozeError](err); ok {
		return OutcomeSnoozed
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return OutcomeCancelled
	case row.Attempt >= row.MaxAttempts:
		return OutcomeFailed
	}
	return OutcomeRetried
}

// scrubbed has the queue write down errors without what is personal or secret in their text. What River is told by their types
// stays.
func scrubbed(scrub func(text string) string) river.WorkerMiddlewareFunc {
	return func(ctx context.Context, _ *rivertype.JobRow, work func(ctx context.Context) error) error {
		err := work(ctx)
		if err == nil || scrub == nil {
			return err
		}
		return &scrubbedError{error: err, text: scrub(err.Error())}
	}
}

// scrubbedError is an error with another text.
type scrubbedError struct {
	error

	text string
}

func (e *scrubbedError) Error() string { return e.text }
func (e *scrubbedError) Unwrap() error { return e.error }
