package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/retention"
	"github.com/mercadoesperto/smarket/schema"
)

// Retention implements retention.Store.
type Retention struct{ db *DB }

var _ retention.Store = (*Retention)(nil)

// NewRetention finds in db what has expired.
func NewRetention(db *DB) *Retention { return &Retention{db: db} }

// ExpiredFiles implements retention.Store.
func (s *Retention) ExpiredFiles(ctx context.Context, failed, read time.Time, limit int) ([]retention.File, error) {
	var rows []schema.InvoiceFile
	of := func(statuses []invoice.Status, before time.Time) func(*bun.SelectQuery) *bun.SelectQuery {
		return func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.Where("i.status IN (?)", bun.List(statuses)).Where("i.updated_at < ?", micros(before))
		}
	}
	err := s.db.read.NewSelect().Model(&rows).Column("f.id", "f.blob_key").Join("JOIN invoices AS i ON i.id = f.invoice_id").
		Where("f.removed_at IS NULL").
		WhereGroup(" AND ", func(q *bun.SelectQuery) *bun.SelectQuery {
			return q.
				WhereGroup(" OR ", of([]invoice.Status{invoice.StatusFailed, invoice.StatusCancelled}, failed)).
				WhereGroup(" OR ", of([]invoice.Status{invoice.StatusCompleted, invoice.StatusNeedsReview}, read))
		}).
		Order("f.id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read expired files: %w", err)
	}
	files := make([]retention.File, len(rows))
	for i, r := range rows {
		files[i] = retention.File{ID: r.ID, BlobKey: r.BlobKey}
	}
	return files, nil
}

// FilesRemoved implements retention.Store.
func (s *Retention) FilesRemoved(ctx context.Context, ids []string, at time.Time) error {
	_, err := s.db.write.NewUpdate().Model((*schema.InvoiceFile)(nil)).Set("removed_at = ?", micros(at)).
		Where("id IN (?)", bun.List(ids)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("note removed files: %w", err)
	}
	return nil
}

// RemoveEvents implements retention.Store. The last event of an invoice stays: it is what a subscriber sees first.
func (s *Retention) RemoveEvents(ctx context.Context, before time.Time) (int64, error) {
	return removed(s.db.write.NewDelete().Model((*schema.ExtractionEvent)(nil)).Where("at < ?", micros(before)).
		Where("seq < (SELECT i.event_seq FROM invoices AS i WHERE i.id = e.invoice_id)").Exec(ctx))
}

// RemoveSessions implements retention.Store. A replaced session is kept as long as its successors: coming back it shows that it
// was stolen.
func (s *Retention) RemoveSessions(ctx context.Context, endedBefore time.Time) (int64, error) {
	return removed(s.db.write.NewDelete().Model((*schema.Session)(nil)).
		Where("family_id NOT IN (SELECT family_id FROM sessions WHERE expires_at >= ?)", micros(endedBefore)).Exec(ctx))
}

// RemoveAudit implements retention.Store.
func (s *Retention) RemoveAudit(ctx context.Context, before time.Time) (int64, error) {
	return removed(s.db.write.NewDelete().Model((*schema.AuditEntry)(nil)).Where("at < ?", micros(before)).Exec(ctx))
}

func removed(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, fmt.Errorf("remove what has expired: %w", err)
	}
	return res.RowsAffected()
}
