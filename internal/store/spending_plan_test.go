package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/spending"
	"github.com/mercadoesperto/smarket/internal/store"
)

// queries keeps the text of what is read.
type queries struct{ texts []string }

func (q *queries) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (q *queries) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if e.Operation() == "SELECT" {
		q.texts = append(q.texts, e.Query)
	}
}

// A table that is read from end to end costs as much as all users have in it. PostgreSQL is told not to, because in a table as
// small as a test's nothing is quicker; what it cannot do with an index it still reads that way, and shows.
func TestSpendingReadsThroughIndexes(t *testing.T) {
	t.Parallel()
	for name, explain := range map[string]struct{ before, command, scan string }{
		"sqlite":   {"SELECT 1", "EXPLAIN QUERY PLAN ", "SCAN "},
		"postgres": {"SET LOCAL enable_seqscan = off", "EXPLAIN ", "Seq Scan"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, both[name](t))
			id := l.fill(20, 5, 30, 3)
			hook, reads := &queries{}, store.NewSpending(l.db)
			reads.Hook(hook)
			s, err := spending.NewService(spending.Config{Store: reads, Categories: categories{}})
			require.NoError(t, err)
			period := spending.Period{From: "2023-01-01", To: "2024-12-31"}
			for _, by := range groups {
				_, err := s.Report(t.Context(), l.user, period, by)
				require.NoError(t, err)
			}
			_, err = s.History(t.Context(), l.user, id, &period)
			require.NoError(t, err)
			_, err = s.Basket(t.Context(), l.user, []spending.BasketLine{{ProductID: id, Quantity: decimal.New(1, 0)}})
			require.NoError(t, err)
			_, err = s.Export(t.Context(), l.user, &period)
			require.NoError(t, err)
			_, err = s.Export(t.Context(), l.user, nil)
			require.NoError(t, err)
			require.Len(t, hook.texts, 6+2+1+2)

			tx, err := l.db.SQL().BeginTx(t.Context(), nil)
			require.NoError(t, err)
			defer func() { require.NoError(t, tx.Rollback()) }()
			_, err = tx.ExecContext(t.Context(), explain.before)
			require.NoError(t, err)
			// What was selected before is read from end to end.
			selected := []string{"SCAN CONSTANT ROW", "SCAN g", "SCAN pu LEFT-JOIN"}
			for _, query := range hook.texts {
				plan := planOf(t, tx, explain.command+query)
				for step := range strings.SplitSeq(plan, "\n") {
					if strings.Contains(step, explain.scan) && !strings.HasPrefix(step, "SCAN (subquery") && !slices.Contains(selected, step) {
						assert.Fail(t, "a table is read from end to end", "%s\n%s", query, plan)
					}
				}
			}
		})
	}
}

// planOf is the last column of each row: the step.
func planOf(t *testing.T, tx *sql.Tx, query string) string {
	t.Helper()
	rows, err := tx.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var steps []string
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		require.NoError(t, rows.Scan(values...))
		steps = append(steps, fmt.Sprint(*values[len(values)-1].(*any)))
	}
	require.NoError(t, rows.Err())
	return strings.Join(steps, "\n")
}
