package store

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"slices"

	"github.com/uptrace/bun"
	bunschema "github.com/uptrace/bun/schema"

	"github.com/mercadoesperto/smarket/internal/privacy"
	"github.com/mercadoesperto/smarket/schema"
)

// Personal implements privacy.Store: everything about one user, whatever table it is in.
type Personal struct{ db *DB }

var _ privacy.Store = (*Personal)(nil)

// NewPersonal finds what db has about users.
func NewPersonal(db *DB) *Personal { return &Personal{db: db} }

// secretColumns are of no use to a person, and of much to whoever steals their export.
var secretColumns = []string{"password_hash", "refresh_hash"} //nolint:gochecknoglobals // a constant list

// owner is how the rows of a table are found that are about a user; "" when none can be.
func owner(t *bunschema.Table) string {
	switch {
	case t.Name == "users":
		return "id = ?"
	case t.FieldMap["user_id"] != nil:
		return "user_id = ?"
	case t.FieldMap["subject_id"] != nil:
		return "subject_id = ?"
	case t.FieldMap["invoice_id"] != nil:
		return "invoice_id IN (SELECT id FROM invoices WHERE user_id = ?)"
	}
	return ""
}

// Rows implements privacy.Store. Tables come in the order of schema.Rows, rows in that of their primary keys.
func (s *Personal) Rows(ctx context.Context, userID string, yield func(table string, row map[string]any) error) error {
	userID, ok := canonical(userID)
	if !ok {
		return nil
	}
	for _, model := range schema.Rows() {
		t := s.db.read.Table(reflect.TypeOf(model).Elem())
		where := owner(t)
		if where == "" {
			continue
		}
		if err := s.tableRows(ctx, t, model, where, userID, yield); err != nil {
			return err
		}
	}
	return nil
}

func (s *Personal) tableRows(
	ctx context.Context, t *bunschema.Table, model any, where, userID string, yield func(string, map[string]any) error,
) error {
	q := s.db.read.NewSelect().Model(model).Where(where, userID)
	for _, pk := range t.PKs {
		q.OrderExpr("?", bun.Ident(pk.Name))
	}
	rows, err := q.Rows(ctx)
	if err != nil {
		return fmt.Errorf("read %s: %w", t.Name, err)
	}
	defer func() { _ = rows.Close() }() // read to its end, or failed: Err says which
	for rows.Next() {
		row := reflect.New(reflect.TypeOf(model).Elem())
		if err := s.db.read.ScanRow(ctx, rows, row.Interface()); err != nil {
			return fmt.Errorf("read a row of %s: %w", t.Name, err)
		}
		columns := make(map[string]any, len(t.Fields))
		for _, f := range t.Fields {
			if !slices.Contains(secretColumns, f.Name) {
				columns[f.Name] = f.Value(row.Elem()).Interface()
			}
		}
		if err := yield(t.Name, columns); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Files implements privacy.Store.
func (s *Personal) Files(ctx context.Context, userID string) ([]privacy.File, error) {
	userID, ok := canonical(userID)
	if !ok {
		return nil, nil
	}
	var rows []schema.InvoiceFile
	if err := s.db.read.NewSelect().Model(&rows).Where("user_id = ?", userID).Order("invoice_id", "position").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read files: %w", err)
	}
	files := make([]privacy.File, len(rows))
	for i, r := range rows {
		files[i] = privacy.File{InvoiceID: r.InvoiceID, Position: r.Position, Kind: r.Kind, BlobKey: r.BlobKey}
	}
	return files, nil
}

// Erase implements privacy.Store. Everything that names the user goes with the row of users; what outlives it (costs, the audit
// log) loses the name. On SQLite the file holds no copy of it afterwards, unless somebody reads for longer than busyTimeout: then
// the write-ahead log keeps what was there until it is next written over.
func (s *Personal) Erase(
	ctx context.Context, userID string, before func(ctx context.Context, tx *sql.Tx, invoiceIDs []string) error,
) error {
	userID, ok := canonical(userID)
	if !ok {
		return nil
	}
	err := s.db.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if s.db.dialect == schema.Postgres { // nothing is submitted from here on
			if _, err := tx.NewRaw("SELECT id FROM users WHERE id = ? FOR UPDATE", userID).Exec(ctx); err != nil {
				return fmt.Errorf("lock user: %w", err)
			}
		}
		var invoices []string
		if err := tx.NewSelect().Model((*schema.Invoice)(nil)).Column("id").Where("user_id = ?", userID).Scan(ctx, &invoices); err != nil {
			return fmt.Errorf("read invoices: %w", err)
		}
		if err := before(ctx, tx.Tx, invoices); err != nil {
			return err
		}
		if _, err := tx.NewDelete().Model((*schema.User)(nil)).Where("id = ?", userID).Exec(ctx); err != nil {
			return fmt.Errorf("delete user: %w", err)
		}
		return nil
	})
	if err != nil || s.db.dialect == schema.Postgres {
		return err
	}
	if _, err := s.db.write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return fmt.Errorf("empty the write-ahead log: %w", err)
	}
	return nil
}
