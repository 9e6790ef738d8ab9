package worker

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Forget cancels and removes every job about the invoices, finished ones too, once tx commits. A job that runs has its context
// cancelled; what it still wants to write finds no invoice.
func (q *Queue) Forget(ctx context.Context, tx *sql.Tx, invoiceIDs []string) error {
	for ids := range slices.Chunk(invoiceIDs, forgetChunk) {
		jobs, err := q.jobsAbout(ctx, tx, ids)
		if err != nil {
			return fmt.Errorf("forget jobs: %w", err)
		}
		for _, id := range jobs {
			if err := q.remove(ctx, tx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// forgetChunk is how many invoices one statement names.
const forgetChunk = 500

func (q *Queue) jobsAbout(ctx context.Context, tx *sql.Tx, invoiceIDs []string) (jobs []int64, err error) {
	field := `args ->> 'invoice_id'`
	if !q.postgres {
		field = `json_extract(args, '$.invoice_id')`
	}
	places, args := make([]string, len(invoiceIDs)), make([]any, len(invoiceIDs))
	for i, id := range invoiceIDs {
		places[i], args[i] = "$"+strconv.Itoa(i+1), id
	}
	rows, err := tx.QueryContext(ctx, `SELECT id FROM river_job WHERE `+field+` IN (`+strings.Join(places, ", ")+`)`, args...) //nolint:gosec // of our own texts
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		jobs = append(jobs, id)
	}
	return jobs, rows.Err()
}
