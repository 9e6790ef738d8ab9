package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/doctor"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/schema"
)

// Doctor implements doctor.Store.
type Doctor struct {
	*Retention

	db *DB
}

var _ doctor.Store = (*Doctor)(nil)

// NewDoctor looks at the rows of db.
func NewDoctor(db *DB) *Doctor { return &Doctor{NewRetention(db), db} }

// KnownFiles implements doctor.Store. It asks the connection that writes: a row that has just come counts.
func (s *Doctor) KnownFiles(ctx context.Context, keys []string) (map[string]bool, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	var found []string
	err := s.db.write.NewSelect().Model((*schema.InvoiceFile)(nil)).Column("blob_key").Where("blob_key IN (?)", bun.List(keys)).Scan(ctx, &found)
	return set(found, err)
}

// KnownInvoices implements doctor.Store.
func (s *Doctor) KnownInvoices(ctx context.Context, ids []string) (map[string]bool, error) {
	ids = canonicals(ids)
	known := map[string]bool{}
	const some = 500
	for len(ids) > 0 {
		n := min(some, len(ids))
		var found []string
		err := s.db.write.NewSelect().Model((*schema.Invoice)(nil)).Column("id").Where("id IN (?)", bun.List(ids[:n])).Scan(ctx, &found)
		if err != nil {
			return nil, fmt.Errorf("look for invoices: %w", err)
		}
		for _, id := range found {
			known[id] = true
		}
		ids = ids[n:]
	}
	return known, nil
}

func set(found []string, err error) (map[string]bool, error) {
	if err != nil {
		return nil, fmt.Errorf("look for files: %w", err)
	}
	known := make(map[string]bool, len(found))
	for _, key := range found {
		known[key] = true
	}
	return known, nil
}

// Files implements doctor.Store.
func (s *Doctor) Files(ctx context.Context, before time.Time, after string, limit int) ([]doctor.File, error) {
	var rows []schema.InvoiceFile
	err := s.db.read.NewSelect().Model(&rows).Column("f.id", "f.blob_key").Join("JOIN invoices AS i ON i.id = f.invoice_id").
		Where("f.removed_at IS NULL").Where("i.created_at < ?", micros(before)).Where("f.blob_key > ?", after).
		Order("f.blob_key").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read files: %w", err)
	}
	files := make([]doctor.File, len(rows))
	for i, r := range rows {
		files[i] = doctor.File{ID: r.ID, BlobKey: r.BlobKey}
	}
	return files, nil
}

// Unfinished implements doctor.Store.
func (s *Doctor) Unfinished(ctx context.Context, since time.Time) (invoices, analyses []string, err error) {
	err = s.db.read.NewSelect().Model((*schema.Invoice)(nil)).Column("id").Where("updated_at < ?", micros(since)).
		Where("status IN (?)", bun.List([]invoice.Status{invoice.StatusQueued, invoice.StatusProcessing})).Order("id").Scan(ctx, &invoices)
	if err != nil {
		return nil, nil, fmt.Errorf("list unfinished invoices: %w", err)
	}
	err = s.db.read.NewSelect().Model((*schema.Analysis)(nil)).Column("invoice_id").Where("requested_at < ?", micros(since)).
		Where("status = 'QUEUED'").Order("invoice_id").Scan(ctx, &analyses)
	if err != nil {
		return nil, nil, fmt.Errorf("list unfinished analyses: %w", err)
	}
	return invoices, analyses, nil
}

// brokenEvents: retention removes the oldest events of an invoice, so the first number is any.
const brokenEvents = `SELECT i.id FROM invoices AS i LEFT JOIN extraction_events AS e ON e.invoice_id = i.id
	WHERE i.updated_at < ? GROUP BY i.id, i.event_seq
	HAVING coalesce(max(e.seq), 0) <> i.event_seq OR count(e.seq) <> coalesce(max(e.seq) - min(e.seq) + 1, 0) ORDER BY i.id`

// BrokenEvents implements doctor.Store.
func (s *Doctor) BrokenEvents(ctx context.Context, since time.Time) ([]string, error) {
	var ids []string
	if err := s.db.read.NewRaw(brokenEvents, micros(since)).Scan(ctx, &ids); err != nil {
		return nil, fmt.Errorf("look for broken events: %w", err)
	}
	return ids, nil
}

// CatchUpEvents implements doctor.Store.
func (s *Doctor) CatchUpEvents(ctx context.Context, invoiceID string) (bool, error) {
	n, err := removed(s.db.write.NewRaw(`UPDATE invoices SET event_seq = (SELECT max(seq) FROM extraction_events WHERE invoice_id = ?0)
		WHERE id = ?0 AND event_seq < (SELECT max(seq) FROM extraction_events WHERE invoice_id = ?0)`, invoiceID).Exec(ctx))
	return n > 0, err
}
