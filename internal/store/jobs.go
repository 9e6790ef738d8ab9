package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Jobs keeps which job an invoice or its analysis waits for. It implements worker.Owners.
type Jobs struct{}

// Moved notes, inside the caller's transaction, that an invoice's job has another number now.
func (Jobs) Moved(ctx context.Context, tx *sql.Tx, invoiceID string, from, to int64) error {
	id, ok := canonical(invoiceID)
	if !ok {
		return nil
	}
	for _, table := range []struct{ name, key string }{{"invoices", "id"}, {"analyses", "invoice_id"}} {
		query := "UPDATE " + table.name + " SET job_id = $1 WHERE " + table.key + " = $2 AND job_id = $3" //nolint:gosec // G202: our own names
		if _, err := tx.ExecContext(ctx, query, to, id, from); err != nil {
			return fmt.Errorf("note the job's number in %s: %w", table.name, err)
		}
	}
	return nil
}
