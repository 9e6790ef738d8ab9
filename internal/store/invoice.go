package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/schema"
)

// Invoices implements invoice.Store.
type Invoices struct{ db *DB }

var _ invoice.Store = (*Invoices)(nil)

// NewInvoices keeps invoices in db.
func NewInvoices(db *DB) *Invoices { return &Invoices{db: db} }

// InTx implements invoice.Store. On SQLite transactions run one at a time: fn must not begin another on this store, which
// would wait for itself, and must not wait for what needs one. Reads of the store are free, and do not see what fn wrote.
func (s *Invoices) InTx(ctx context.Context, fn func(ctx context.Context, tx invoice.Tx) error) error {
	return s.db.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		return fn(ctx, &invoiceTx{tx: tx, dialect: s.db.dialect, loaded: map[string]*aggregate{}})
	})
}

// Invoice implements invoice.Store.
func (s *Invoices) Invoice(ctx context.Context, userID, id string) (*invoice.Invoice, error) {
	userID, ok := canonical(userID)
	id, ok2 := canonical(id)
	if !ok || !ok2 {
		return nil, notFound()
	}
	return s.one(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("id = ?", id).Where("user_id = ?", userID)
	})
}

// InvoiceByIdempotencyKey implements invoice.Store.
func (s *Invoices) InvoiceByIdempotencyKey(ctx context.Context, userID, key string) (*invoice.Invoice, error) {
	userID, ok := canonical(userID)
	key = clean(key)
	if !ok || key == "" {
		return nil, nil //nolint:nilnil // the port's answer for none
	}
	inv, err := s.one(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("user_id = ?", userID).Where("idempotency_key = ?", key)
	})
	if invoice.CodeOf(err) == invoice.CodeNotFound {
		return nil, nil //nolint:nilnil // the port's answer for none
	}
	return inv, err
}

func (s *Invoices) one(ctx context.Context, where func(*bun.SelectQuery) *bun.SelectQuery) (inv *invoice.Invoice, err error) {
	err = s.db.snapshot(ctx, func(ctx context.Context, tx bun.IDB) error {
		var row schema.Invoice
		if err := where(tx.NewSelect().Model(&row)).Scan(ctx); err != nil {
			return readFault(err)
		}
		aggregates, err := load(ctx, tx, []schema.Invoice{row})
		if err != nil {
			return err
		}
		inv = fromRows(aggregates[0])
		return nil
	})
	return inv, err
}

// InvoicesByID implements invoice.Store.
func (s *Invoices) InvoicesByID(ctx context.Context, userID string, ids []string) (map[string]*invoice.Invoice, error) {
	userID, ok := canonical(userID)
	ids = canonicals(ids)
	if !ok || len(ids) == 0 {
		return map[string]*invoice.Invoice{}, nil
	}
	found := make(map[string]*invoice.Invoice, len(ids))
	err := s.db.snapshot(ctx, func(ctx context.Context, tx bun.IDB) error {
		var rows []schema.Invoice
		if err := tx.NewSelect().Model(&rows).Where("user_id = ?", userID).Where("id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
			return fmt.Errorf("read invoices: %w", err)
		}
		aggregates, err := load(ctx, tx, rows)
		if err != nil {
			return err
		}
		for _, a := range aggregates {
			found[a.invoice.ID] = fromRows(a)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// ItemsByID implements invoice.Store.
func (s *Invoices) ItemsByID(ctx context.Context, userID string, ids []string) (map[string]invoice.Item, error) {
	userID, ok := canonical(userID)
	ids = canonicals(ids)
	if !ok || len(ids) == 0 {
		return map[string]invoice.Item{}, nil
	}
	var rows []schema.InvoiceItem
	err := s.db.read.NewSelect().Model(&rows).Where("id IN (?)", bun.List(ids)).
		Where("invoice_id IN (SELECT id FROM invoices WHERE user_id = ?)", userID).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
	found := make(map[string]invoice.Item, len(rows))
	for _, r := range rows {
		found[r.ID] = fromItemRow(r)
	}
	return found, nil
}

// load reads what hangs on the rows: five statements, however many rows there are.
func load(ctx context.Context, tx bun.IDB, rows []schema.Invoice) ([]*aggregate, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	var (
		list = make([]*aggregate, len(rows))
		byID = make(map[string]*aggregate, len(rows))
		ids  = make([]string, len(rows))
	)
	for i, r := range rows {
		list[i] = &aggregate{invoice: r}
		byID[r.ID], ids[i] = list[i], r.ID
	}
	if err := loadChildren(ctx, tx, ids, func(r schema.InvoiceItem) { a := byID[r.InvoiceID]; a.items = append(a.items, r) }); err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
	if err := loadChildren(ctx, tx, ids, func(r schema.InvoicePayment) { a := byID[r.InvoiceID]; a.payments = append(a.payments, r) }); err != nil {
		return nil, fmt.Errorf("read payments: %w", err)
	}
	if err := loadChildren(ctx, tx, ids, func(r schema.InvoiceCheck) { a := byID[r.InvoiceID]; a.checks = append(a.checks, r) }); err != nil {
		return nil, fmt.Errorf("read checks: %w", err)
	}
	if err := loadChildren(ctx, tx, ids, func(r schema.InvoiceAttempt) { a := byID[r.InvoiceID]; a.attempts = append(a.attempts, r) }); err != nil {
		return nil, fmt.Errorf("read attempts: %w", err)
	}
	if err := loadChildren(ctx, tx, ids, func(r schema.InvoiceFile) { a := byID[r.InvoiceID]; a.files = append(a.files, r) }); err != nil {
		return nil, fmt.Errorf("read files: %w", err)
	}
	return list, nil
}

func loadChildren[R any](ctx context.Context, tx bun.IDB, ids []string, add func(R)) error {
	var rows []R
	if err := tx.NewSelect().Model(&rows).Where("invoice_id IN (?)", bun.List(ids)).Order("invoice_id", "position").Scan(ctx); err != nil {
		return err
	}
	for _, r := range rows {
		add(r)
	}
	return nil
}

// Events implements invoice.Store.
func (s *Invoices) Events(ctx context.Context, invoiceID string, afterSeq, limit int) ([]invoice.Event, error) {
	invoiceID, ok := canonical(invoiceID)
	if !ok || limit <= 0 {
		return nil, nil
	}
	var rows []schema.ExtractionEvent
	err := s.db.read.NewSelect().Model(&rows).Where("invoice_id = ?", invoiceID).Where("seq > ?", afterSeq).Order("seq").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	events := make([]invoice.Event, len(rows))
	for i, r := range rows {
		events[i] = fromEventRow(r)
	}
	return events, nil
}

// LastEvent implements invoice.Store.
func (s *Invoices) LastEvent(ctx context.Context, userID, invoiceID string) (invoice.Event, error) {
	userID, ok := canonical(userID)
	invoiceID, ok2 := canonical(invoiceID)
	if !ok || !ok2 {
		return invoice.Event{}, notFound()
	}
	var row schema.ExtractionEvent
	err := s.db.read.NewSelect().Model(&row).Where("invoice_id = ?", invoiceID).Where("user_id = ?", userID).OrderExpr("seq DESC").Limit(1).Scan(ctx)
	if err != nil {
		return invoice.Event{}, readFault(err)
	}
	return fromEventRow(row), nil
}

// PictureHashes implements invoice.Store. With exceptID "" nothing is left out.
func (s *Invoices) PictureHashes(ctx context.Context, userID, exceptID string) ([]invoice.PictureHash, error) {
	userID, ok := canonical(userID)
	if !ok {
		return nil, nil
	}
	var rows []struct {
		InvoiceID   string `bun:"invoice_id"`
		Position    int    `bun:"position"`
		PictureHash []byte `bun:"picture_hash"`
	}
	q := s.db.read.NewSelect().TableExpr("invoice_files AS f").
		ColumnExpr("f.invoice_id, f.position, f.picture_hash").
		Join("JOIN invoices AS i ON i.id = f.invoice_id").
		Where("f.user_id = ?", userID).Where("f.picture_hash IS NOT NULL").
		Where("i.status NOT IN (?)", bun.List([]invoice.Status{invoice.StatusFailed, invoice.StatusCancelled})).
		OrderExpr("i.created_at, i.id, f.position")
	if except, ok := canonical(exceptID); ok {
		q.Where("f.invoice_id <> ?", except)
	}
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("read picture hashes: %w", err)
	}
	hashes := make([]invoice.PictureHash, len(rows))
	for i, r := range rows {
		hashes[i] = invoice.PictureHash{InvoiceID: r.InvoiceID, Position: r.Position, Hash: r.PictureHash}
	}
	return hashes, nil
}

// readFault makes NOT_FOUND of no rows.
func readFault(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return notFound()
	}
	return fmt.Errorf("read invoice: %w", err)
}
