// Package doctor finds what belongs together and is not: files without rows, rows without files, work without a job, jobs without
// work, events that are not numbered one after the other, calls that nobody settled. It mends what can be mended without losing
// anything, beside running servers: what has changed within the last while is left alone, and each thing is looked at once more,
// under its lock, before it is touched.
package doctor

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"
)

// Kind is what is wrong.
type Kind string

// The kinds.
const (
	FileWithoutRow Kind = "file_without_row" // of a submission that was cut off; mended by removing it
	RowWithoutFile Kind = "row_without_file" // the bytes are gone; mended by saying so, so that the family is asked for them anew
	InvoiceStuck   Kind = "invoice_stuck"    // to be read, and no job for it; mended by a new job
	AnalysisStuck  Kind = "analysis_stuck"   // to be analysed, and no job for it; mended by a new job
	JobWithoutRow  Kind = "job_without_row"  // about an invoice that is not there; mended by removing it
	EventsBroken   Kind = "events_broken"    // a number is missing, or beyond the counter; the counter alone can be mended
)

// Finding is one thing that is wrong.
type Finding struct {
	Kind Kind `json:"kind"`
	// ID is the invoice's, the job's number or the file's key, which is made of ids.
	ID       string `json:"id"`
	Repaired bool   `json:"repaired"`
}

// Store knows the rows.
type Store interface {
	// KnownFiles are those of keys that a row names.
	KnownFiles(ctx context.Context, keys []string) (map[string]bool, error)
	// Files are at most limit files that are said to be there, by key, after one, of invoices from before a moment.
	Files(ctx context.Context, before time.Time, after string, limit int) ([]File, error)
	// FilesRemoved notes that the bytes of files are gone.
	FilesRemoved(ctx context.Context, ids []string, at time.Time) error
	// Unfinished are the invoices that are QUEUED or PROCESSING, or whose analysis is, and that have not changed since.
	Unfinished(ctx context.Context, since time.Time) (invoices, analyses []string, err error)
	// KnownInvoices are those of ids that exist.
	KnownInvoices(ctx context.Context, ids []string) (map[string]bool, error)
	// BrokenEvents are invoices, unchanged since, whose events' numbers do not follow one another up to the counter.
	BrokenEvents(ctx context.Context, since time.Time) ([]string, error)
	// CatchUpEvents sets the counter of an invoice to its last event's number, and says whether that was needed.
	CatchUpEvents(ctx context.Context, invoiceID string) (bool, error)
}

// File is a submitted file.
type File struct{ ID, BlobKey string }

// Blobs keeps the bytes of files.
type Blobs interface {
	// Each calls fn for every file there is, with when it was written.
	Each(ctx context.Context, fn func(key string, written time.Time) error) error
	Exists(ctx context.Context, key string) (bool, error)
	Delete(ctx context.Context, key string) error
}

// Job is one that waits or runs.
type Job struct {
	ID        int64
	Kind      string
	InvoiceID string
	CreatedAt time.Time
}

// Jobs knows the queue.
type Jobs interface {
	// Live are the jobs about invoices that wait or run.
	Live(ctx context.Context) ([]Job, error)
	// Remove removes one.
	Remove(ctx context.Context, id int64) error
	// Reads and Analyzes say what a job is for.
	Reads(kind string) bool
	Analyzes(kind string) bool
}

// Work puts invoices into the queue again. Both look once more whether that is needed, and say whether it was.
type Work interface {
	RequeueReading(ctx context.Context, invoiceID string) (bool, error)
	RequeueAnalysis(ctx context.Context, invoiceID string) (bool, error)
}

// Doctor looks and mends.
type Doctor struct {
	Store Store
	Blobs Blobs
	Jobs  Jobs
	Work  Work
	Now   func() time.Time
	Log   *slog.Logger
}

// Options of one examination.
type Options struct {
	// Repair mends what is found.
	Repair bool
	// MinAge is how long a thing must have been left alone to count as left behind: longer than any request or job takes.
	MinAge time.Duration
}

// batch is how many files one statement is about.
const batch = 500

// Examine looks at everything. It tells each finding once it was dealt with; an error ends it.
func (d *Doctor) Examine(ctx context.Context, opts Options, tell func(Finding)) error {
	before := d.Now().Add(-opts.MinAge)
	e := &examination{Doctor: d, before: before, repair: opts.Repair, tell: tell}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"work", e.work}, {"events", e.events}, {"files without rows", e.strayFiles}, {"rows without files", e.lostFiles},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("examine %s: %w", step.name, err)
		}
	}
	return nil
}

// examination is one run over everything.
type examination struct {
	*Doctor

	before time.Time // what has changed later is left alone
	repair bool
	tell   func(Finding)
}

// found tells a finding, after mend has had its try. mend says false for what turned out to be in order.
func (e *examination) found(kind Kind, id string, mend func() (bool, error)) error {
	f := Finding{Kind: kind, ID: id}
	if e.repair && mend != nil {
		done, err := mend()
		if err != nil {
			return fmt.Errorf("repair %s %s: %w", kind, id, err)
		}
		if !done {
			return nil // it has moved on since it was listed
		}
		f.Repaired = true
	}
	e.tell(f)
	return nil
}

func always(err error) (bool, error) { return err == nil, err }

// work compares what is to be done with the jobs for it. The rows are listed first: a job that comes in between is then seen.
func (e *examination) work(ctx context.Context) error {
	invoices, analyses, err := e.Store.Unfinished(ctx, e.before)
	if err != nil {
		return err
	}
	jobs, err := e.Jobs.Live(ctx)
	if err != nil {
		return err
	}
	reads, analyzes := map[string]bool{}, map[string]bool{}
	var ids []string
	for _, j := range jobs {
		reads[j.InvoiceID] = reads[j.InvoiceID] || e.Jobs.Reads(j.Kind)
		analyzes[j.InvoiceID] = analyzes[j.InvoiceID] || e.Jobs.Analyzes(j.Kind)
		ids = append(ids, j.InvoiceID)
	}
	for _, id := range invoices {
		if !reads[id] {
			if err := e.found(InvoiceStuck, id, func() (bool, error) { return e.Work.RequeueReading(ctx, id) }); err != nil {
				return err
			}
		}
	}
	for _, id := range analyses {
		if !analyzes[id] {
			if err := e.found(AnalysisStuck, id, func() (bool, error) { return e.Work.RequeueAnalysis(ctx, id) }); err != nil {
				return err
			}
		}
	}
	return e.strayJobs(ctx, jobs, ids)
}

func (e *examination) strayJobs(ctx context.Context, jobs []Job, ids []string) error {
	known, err := e.Store.KnownInvoices(ctx, ids)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if known[j.InvoiceID] || j.CreatedAt.After(e.before) {
			continue
		}
		mend := func() (bool, error) { return always(e.Jobs.Remove(ctx, j.ID)) }
		if err := e.found(JobWithoutRow, strconv.FormatInt(j.ID, 10), mend); err != nil {
			return err
		}
	}
	return nil
}

func (e *examination) events(ctx context.Context) error {
	broken, err := e.Store.BrokenEvents(ctx, e.before)
	if err != nil {
		return err
	}
	for _, id := range broken {
		f := Finding{Kind: EventsBroken, ID: id}
		if e.repair {
			if f.Repaired, err = e.Store.CatchUpEvents(ctx, id); err != nil {
				return err
			}
		}
		e.tell(f) // a number that is missing stays so: what it said is gone
	}
	return nil
}

// strayFiles are those that no row names, and that are too old to be on their way to one.
func (e *examination) strayFiles(ctx context.Context) error {
	var keys []string
	look := func() error {
		known, err := e.Store.KnownFiles(ctx, keys)
		if err != nil {
			return err
		}
		for _, key := range keys {
			if known[key] {
				continue
			}
			if err := e.found(FileWithoutRow, key, func() (bool, error) { return always(e.Blobs.Delete(ctx, key)) }); err != nil {
				return err
			}
		}
		keys = keys[:0]
		return nil
	}
	err := e.Blobs.Each(ctx, func(key string, written time.Time) error {
		if written.After(e.before) {
			return nil
		}
		if keys = append(keys, key); len(keys) < batch {
			return nil
		}
		return look()
	})
	if err != nil {
		return err
	}
	return look()
}

// lostFiles are those that a row names and that are not there.
func (e *examination) lostFiles(ctx context.Context) error {
	after := ""
	for {
		files, err := e.Store.Files(ctx, e.before, after, batch)
		if err != nil || len(files) == 0 {
			return err
		}
		for _, f := range files {
			after = f.BlobKey
			there, err := e.Blobs.Exists(ctx, f.BlobKey)
			if err != nil {
				return err
			}
			if there {
				continue
			}
			mend := func() (bool, error) { return always(e.Store.FilesRemoved(ctx, []string{f.ID}, e.Now())) }
			if err := e.found(RowWithoutFile, f.BlobKey, mend); err != nil {
				return err
			}
		}
	}
}
