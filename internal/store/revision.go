package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/schema"
)

// AddRevision implements invoice.Tx.
func (t *invoiceTx) AddRevision(ctx context.Context, invoiceID string, r invoice.Revision) error {
	id, ok := canonical(invoiceID)
	if !ok {
		return notFound()
	}
	draft, err := json.Marshal(r.Draft) //nolint:gosec // G117: the access key is printed on the note, and it is no key to anything
	if err != nil {
		return fmt.Errorf("encode revision: %w", err)
	}
	row := schema.InvoiceRevision{
		InvoiceID: id, Version: r.Version, Source: clean(string(r.Source)), Draft: draft, ChangedAt: micros(r.ChangedAt),
	}
	if _, err := t.tx.NewInsert().Model(&row).Exec(ctx); err != nil {
		return fmt.Errorf("add revision: %w", err)
	}
	return nil
}

// Revisions implements invoice.Store.
func (s *Invoices) Revisions(ctx context.Context, userID string, invoiceIDs []string) (map[string][]invoice.Revision, error) {
	userID, ok := canonical(userID)
	invoiceIDs = canonicals(invoiceIDs)
	if !ok || len(invoiceIDs) == 0 {
		return map[string][]invoice.Revision{}, nil
	}
	var rows []schema.InvoiceRevision
	err := s.db.read.NewSelect().Model(&rows).
		Where("invoice_id IN (SELECT id FROM invoices WHERE user_id = ? AND id IN (?))", userID, bun.List(invoiceIDs)).
		Order("invoice_id", "version").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read revisions: %w", err)
	}
	revisions := map[string][]invoice.Revision{}
	for _, r := range rows {
		var draft invoice.Draft
		if err := json.Unmarshal(r.Draft, &draft); err != nil {
			return nil, fmt.Errorf("decode revision %d of %s: %w", r.Version, r.InvoiceID, err)
		}
		revisions[r.InvoiceID] = append(revisions[r.InvoiceID], invoice.Revision{
			Version: r.Version, Source: invoice.Source(r.Source), Draft: draft, ChangedAt: micros(r.ChangedAt),
		})
	}
	return revisions, nil
}
