package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/schema"
)

// inTx commits what fn did when it returns nil, and nothing of it otherwise.
func (db *DB) inTx(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) error {
	return db.write.RunInTx(ctx, nil, fn)
}

// snapshot lets fn read one state of the database with several statements.
func (db *DB) snapshot(ctx context.Context, fn func(ctx context.Context, tx bun.IDB) error) error {
	opts := &sql.TxOptions{ReadOnly: true}
	if db.dialect == schema.Postgres {
		opts.Isolation = sql.LevelRepeatableRead // SQLite's transactions are snapshots as they are
	}
	return db.read.RunInTx(ctx, opts, func(ctx context.Context, tx bun.Tx) error { return fn(ctx, tx) })
}

// invoiceTx implements invoice.Tx. It is used by one goroutine, as the transaction is.
type invoiceTx struct {
	tx      bun.Tx
	dialect schema.Dialect
	// loaded is what Lock found or Save wrote, by id: lists that did not change need not be written again.
	loaded map[string]*aggregate
}

var _ invoice.Tx = (*invoiceTx)(nil)

// SQL implements invoice.Tx.
func (t *invoiceTx) SQL() *sql.Tx { return t.tx.Tx }

// Insert implements invoice.Tx. Ids that are missing are made and set in inv.
func (t *invoiceTx) Insert(ctx context.Context, inv *invoice.Invoice) error {
	if err := setIDs(inv); err != nil {
		return fmt.Errorf("insert invoice: %w", err)
	}
	rows, err := toRows(inv)
	if err != nil {
		return fmt.Errorf("insert invoice: %w", err)
	}
	// A conflict that is no error leaves the transaction usable on PostgreSQL.
	res, err := t.tx.NewInsert().Model(&rows.invoice).On("CONFLICT (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING").Exec(ctx)
	if err != nil {
		if isForeignKey(err) {
			return &invoice.Error{Code: invoice.CodeNotFound, Message: "Conta não encontrada.", Cause: err}
		}
		return fmt.Errorf("insert invoice: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil {
		return fmt.Errorf("insert invoice: %w", err)
	} else if n == 0 {
		return &invoice.Error{Code: invoice.CodeConflict, Message: "Este envio já foi recebido.", Field: "idempotencyKey"}
	}
	if err := t.writeLists(ctx, rows, &aggregate{}); err != nil {
		return fmt.Errorf("insert invoice: %w", err)
	}
	t.loaded[inv.ID] = rows
	return nil
}

// Lock implements invoice.Tx. On SQLite the transaction itself keeps others out.
func (t *invoiceTx) Lock(ctx context.Context, userID, id string) (*invoice.Invoice, error) {
	id, ok := canonical(id)
	if !ok {
		return nil, notFound()
	}
	var row schema.Invoice
	q := t.tx.NewSelect().Model(&row).Where("id = ?", id)
	if userID != "" {
		if userID, ok = canonical(userID); !ok {
			return nil, notFound()
		}
		q.Where("user_id = ?", userID)
	}
	if t.dialect == schema.Postgres {
		q.For("UPDATE")
	}
	if err := q.Scan(ctx); err != nil {
		return nil, readFault(err)
	}
	aggregates, err := load(ctx, t.tx, []schema.Invoice{row})
	if err != nil {
		return nil, err
	}
	inv := fromRows(aggregates[0])
	// Through the domain and back: rows as Save will make them, so that equal ones compare as equal.
	if rows, err := toRows(inv); err == nil {
		t.loaded[id] = rows
	}
	return inv, nil
}

// Save implements invoice.Tx. EventSeq, UserID and CreatedAt are left as they are stored. Item ids that are missing are made
// and set in inv. A NotFound *Error when there is no such invoice.
func (t *invoiceTx) Save(ctx context.Context, inv *invoice.Invoice) error {
	if _, ok := canonical(inv.ID); !ok {
		return notFound()
	}
	if err := setIDs(inv); err != nil {
		return fmt.Errorf("save invoice: %w", err)
	}
	rows, err := toRows(inv)
	if err != nil {
		return fmt.Errorf("save invoice: %w", err)
	}
	res, err := t.tx.NewUpdate().Model(&rows.invoice).ExcludeColumn("user_id", "event_seq", "created_at").WherePK().Exec(ctx)
	if err != nil {
		return fmt.Errorf("save invoice: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil {
		return fmt.Errorf("save invoice: %w", err)
	} else if n == 0 {
		return notFound()
	}
	if err := t.writeLists(ctx, rows, t.loaded[inv.ID]); err != nil {
		delete(t.loaded, inv.ID)
		return fmt.Errorf("save invoice: %w", err)
	}
	t.loaded[inv.ID] = rows
	return nil
}

// writeLists replaces the lists of an invoice that differ from old; with old nil, which is not known, all of them.
func (t *invoiceTx) writeLists(ctx context.Context, rows, old *aggregate) error {
	known := old != nil
	if !known {
		old = &aggregate{}
	}
	id := rows.invoice.ID
	if err := replace(ctx, t.tx, id, rows.items, old.items, known); err != nil {
		return fmt.Errorf("write items: %w", err)
	}
	if err := replace(ctx, t.tx, id, rows.payments, old.payments, known); err != nil {
		return fmt.Errorf("write payments: %w", err)
	}
	if err := replace(ctx, t.tx, id, rows.checks, old.checks, known); err != nil {
		return fmt.Errorf("write checks: %w", err)
	}
	if err := replace(ctx, t.tx, id, rows.attempts, old.attempts, known); err != nil {
		return fmt.Errorf("write attempts: %w", err)
	}
	if err := replace(ctx, t.tx, id, rows.files, old.files, known); err != nil {
		return fmt.Errorf("write files: %w", err)
	}
	return nil
}

func replace[R any](ctx context.Context, tx bun.Tx, invoiceID string, rows, old []R, known bool) error {
	if known && reflect.DeepEqual(rows, old) {
		return nil
	}
	if !known || len(old) > 0 {
		if _, err := tx.NewDelete().Model((*R)(nil)).Where("invoice_id = ?", invoiceID).Exec(ctx); err != nil {
			return err
		}
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := tx.NewInsert().Model(&rows).Exec(ctx)
	return err
}

// AppendEvent implements invoice.Tx. The event's UserID becomes the invoice's. A NotFound *Error when there is no invoice.
func (t *invoiceTx) AppendEvent(ctx context.Context, e invoice.Event) (invoice.Event, error) {
	stored, err := t.append(ctx, e, "id = ?", e.InvoiceID)
	if errors.Is(err, sql.ErrNoRows) {
		return invoice.Event{}, notFound()
	}
	return stored, err
}

// AppendRunEvent implements invoice.Tx.
func (t *invoiceTx) AppendRunEvent(ctx context.Context, run int, e invoice.Event) (invoice.Event, error) {
	stored, err := t.append(ctx, e, "id = ? AND run = ? AND status IN (?)", e.InvoiceID, run,
		bun.List([]invoice.Status{invoice.StatusQueued, invoice.StatusProcessing}))
	if errors.Is(err, sql.ErrNoRows) {
		return invoice.Event{}, invoice.ErrSuperseded
	}
	return stored, err
}

// append fails with sql.ErrNoRows when no invoice is as where says.
func (t *invoiceTx) append(ctx context.Context, e invoice.Event, where string, args ...any) (invoice.Event, error) {
	id, ok := canonical(e.InvoiceID)
	if !ok {
		return invoice.Event{}, sql.ErrNoRows
	}
	e.InvoiceID, args[0] = id, id
	// The update locks the row until the transaction ends, so numbers are taken in the order of commits and none is lost.
	err := t.tx.NewRaw("UPDATE invoices SET event_seq = event_seq + 1 WHERE "+where+" RETURNING event_seq, user_id", args...).Scan(ctx, &e.Seq, &e.UserID)
	if err != nil {
		return invoice.Event{}, fmt.Errorf("number event: %w", err)
	}
	row := toEventRow(e)
	if _, err := t.tx.NewInsert().Model(&row).Exec(ctx); err != nil {
		return invoice.Event{}, fmt.Errorf("append event: %w", err)
	}
	return fromEventRow(row), nil
}

// claimTries bounds how often a value is seen freed between the try to take it and the look at who holds it.
const claimTries = 5

// Claim implements invoice.Tx. A transaction that claims several values should take them in one order, always: two that cross
// would block each other until PostgreSQL ends one.
func (t *invoiceTx) Claim(ctx context.Context, userID string, kind invoice.DuplicateReason, value, invoiceID string) (string, error) {
	userID, ok := canonical(userID)
	invoiceID, ok2 := canonical(invoiceID)
	if !ok || !ok2 {
		return "", notFound()
	}
	row := schema.InvoiceClaim{UserID: userID, Kind: clean(string(kind)), Value: clean(value), InvoiceID: invoiceID}
	for range claimTries {
		// Waits for a transaction that has claimed the same value and not ended yet.
		res, err := t.tx.NewInsert().Model(&row).On("CONFLICT DO NOTHING").Exec(ctx)
		if err != nil {
			if isForeignKey(err) {
				return "", notFound()
			}
			return "", fmt.Errorf("claim: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil {
			return "", fmt.Errorf("claim: %w", err)
		} else if n == 1 {
			return invoiceID, nil
		}
		var holder schema.InvoiceClaim
		err = t.tx.NewSelect().Model(&holder).Where("user_id = ?", userID).Where("kind = ?", row.Kind).Where("value = ?", row.Value).Scan(ctx)
		if err == nil {
			return holder.InvoiceID, nil
		}
		if !errors.Is(err, sql.ErrNoRows) { // freed in between: take it
			return "", fmt.Errorf("read claim: %w", err)
		}
	}
	return "", fmt.Errorf("claim: the value was taken and freed %d times in between", claimTries)
}

// Release implements invoice.Tx.
func (t *invoiceTx) Release(ctx context.Context, invoiceID string) error {
	invoiceID, ok := canonical(invoiceID)
	if !ok {
		return nil
	}
	if _, err := t.tx.NewDelete().Model((*schema.InvoiceClaim)(nil)).Where("invoice_id = ?", invoiceID).Exec(ctx); err != nil {
		return fmt.Errorf("release claims: %w", err)
	}
	return nil
}

// Unclaim implements invoice.Tx.
func (t *invoiceTx) Unclaim(ctx context.Context, userID string, kind invoice.DuplicateReason, value, invoiceID string) error {
	userID, ok := canonical(userID)
	invoiceID, ok2 := canonical(invoiceID)
	if !ok || !ok2 {
		return nil
	}
	_, err := t.tx.NewDelete().Model((*schema.InvoiceClaim)(nil)).Where("user_id = ?", userID).Where("kind = ?", clean(string(kind))).
		Where("value = ?", clean(value)).Where("invoice_id = ?", invoiceID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("release a claim: %w", err)
	}
	return nil
}

// Delete implements invoice.Tx. A NotFound *Error when there is no such invoice.
func (t *invoiceTx) Delete(ctx context.Context, id string) error {
	id, ok := canonical(id)
	if !ok {
		return notFound()
	}
	res, err := t.tx.NewDelete().Model((*schema.Invoice)(nil)).Where("id = ?", id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("delete invoice: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil {
		return fmt.Errorf("delete invoice: %w", err)
	} else if n == 0 {
		return notFound()
	}
	delete(t.loaded, id)
	return nil
}

// setIDs makes the ids that are missing and puts the others in their canonical form. It fails on what is no id.
func setIDs(inv *invoice.Invoice) error {
	ids := []*string{&inv.ID}
	for i := range inv.Items {
		ids = append(ids, &inv.Items[i].ID)
	}
	for i := range inv.Files {
		ids = append(ids, &inv.Files[i].ID)
	}
	for _, id := range ids {
		if *id == "" {
			made, err := newID()
			if err != nil {
				return fmt.Errorf("make an id: %w", err)
			}
			*id = made
			continue
		}
		c, ok := canonical(*id)
		if !ok {
			return fmt.Errorf("%q is no id", *id)
		}
		*id = c
	}
	user, ok := canonical(inv.UserID)
	if !ok {
		return &invoice.Error{Code: invoice.CodeNotFound, Message: "Conta não encontrada."}
	}
	inv.UserID = user
	return nil
}
