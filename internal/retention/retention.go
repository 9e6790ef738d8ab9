// Package retention removes what is not needed any more: files that were read, or could not be, long ago; the steps of old
// extractions; sessions that are over; old entries of the audit log. How long is the operator's to say. What people bought is
// kept until they delete it.
package retention

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Limits are how long things are kept; 0 is for ever.
type Limits struct {
	FailedFiles time.Duration // of invoices that FAILED or were CANCELLED: people throw the paper away, so they can try again
	ReadFiles   time.Duration // of invoices that were read
	Events      time.Duration // all of an invoice but the last
	Sessions    time.Duration // after they ended
	Audit       time.Duration
}

// Store finds and removes rows.
type Store interface {
	// ExpiredFiles are at most limit files that are still there, of invoices that last changed before failed (those that FAILED
	// or were CANCELLED) or before read (those that were read). A zero time is none.
	ExpiredFiles(ctx context.Context, failed, read time.Time, limit int) ([]File, error)
	// FilesRemoved notes that the bytes of files are gone.
	FilesRemoved(ctx context.Context, ids []string, at time.Time) error
	// RemoveEvents, RemoveSessions and RemoveAudit remove what is older, and say how much it was.
	RemoveEvents(ctx context.Context, before time.Time) (int64, error)
	RemoveSessions(ctx context.Context, endedBefore time.Time) (int64, error)
	RemoveAudit(ctx context.Context, before time.Time) (int64, error)
}

// File is a submitted file.
type File struct{ ID, BlobKey string }

// Blobs keeps the bytes of files.
type Blobs interface {
	// Delete of what does not exist is no error.
	Delete(ctx context.Context, key string) error
}

// Sweeper removes what has expired.
type Sweeper struct {
	Limits Limits
	Store  Store
	Blobs  Blobs
	Now    func() time.Time
	Log    *slog.Logger
}

// batch is how many files are removed before that is noted: what is removed twice after a crash.
const batch = 200

// Sweep removes what has expired by now. It may be ended and begun again at any moment.
func (s *Sweeper) Sweep(ctx context.Context) error {
	files, err := s.sweepFiles(ctx)
	if err != nil {
		return err
	}
	counts := map[string]int64{"files": files}
	for _, part := range []struct {
		name   string
		keep   time.Duration
		remove func(context.Context, time.Time) (int64, error)
	}{
		{"events", s.Limits.Events, s.Store.RemoveEvents},
		{"sessions", s.Limits.Sessions, s.Store.RemoveSessions},
		{"audit_entries", s.Limits.Audit, s.Store.RemoveAudit},
	} {
		if part.keep <= 0 {
			continue
		}
		if counts[part.name], err = part.remove(ctx, s.Now().Add(-part.keep)); err != nil {
			return fmt.Errorf("sweep %s: %w", part.name, err)
		}
	}
	s.Log.InfoContext(ctx, "removed what has expired", "files", counts["files"], "events", counts["events"],
		"sessions", counts["sessions"], "audit_entries", counts["audit_entries"])
	return nil
}

// sweepFiles removes the bytes first: a file that is noted as removed and still there would never be found again.
func (s *Sweeper) sweepFiles(ctx context.Context) (removed int64, err error) {
	before := func(keep time.Duration) (t time.Time) {
		if keep > 0 {
			t = s.Now().Add(-keep)
		}
		return t
	}
	failed, read := before(s.Limits.FailedFiles), before(s.Limits.ReadFiles)
	for {
		files, err := s.Store.ExpiredFiles(ctx, failed, read, batch)
		if err != nil {
			return removed, fmt.Errorf("find expired files: %w", err)
		}
		if len(files) == 0 {
			return removed, nil
		}
		ids := make([]string, len(files))
		for i, f := range files {
			if err := s.Blobs.Delete(ctx, f.BlobKey); err != nil {
				return removed, fmt.Errorf("remove an expired file: %w", err)
			}
			ids[i] = f.ID
		}
		if err := s.Store.FilesRemoved(ctx, ids, s.Now()); err != nil {
			return removed, fmt.Errorf("note removed files: %w", err)
		}
		removed += int64(len(files))
	}
}
