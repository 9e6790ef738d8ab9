package worker

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Depth is how many jobs of a kind are in a state of River's, and since when the oldest of them is due, or running. Oldest is
// below zero while the next one is not due yet.
type Depth struct {
	Kind   string
	State  string
	Jobs   int
	Oldest time.Duration
}

// depthQueries count the jobs that are not done. The clock is the database's.
const (
	depthPostgres = `SELECT kind, state, count(*),
		EXTRACT(EPOCH FROM now() - min(CASE WHEN state = 'running' THEN attempted_at ELSE scheduled_at END))::float8
		FROM river_job WHERE state IN ('available', 'running', 'retryable', 'scheduled', 'pending', 'discarded') GROUP BY kind, state`
	depthSQLite = `SELECT kind, state, count(*),
		(julianday('now') - julianday(min(CASE WHEN state = 'running' THEN attempted_at ELSE scheduled_at END))) * 86400.0
		FROM river_job WHERE state IN ('available', 'running', 'retryable', 'scheduled', 'pending', 'discarded') GROUP BY kind, state`
)

// Depths counts the jobs that are not done, by kind and state: one statement, on connections that read. Discarded ones are
// those that failed for good in the last days; their age is that of the oldest.
func Depths(ctx context.Context, db *sql.DB, postgres bool) (depths []Depth, err error) {
	query := depthSQLite
	if postgres {
		query = depthPostgres
	}
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("count jobs: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var d Depth
		var seconds sql.NullFloat64
		if err := rows.Scan(&d.Kind, &d.State, &d.Jobs, &seconds); err != nil {
			return nil, fmt.Errorf("count jobs: %w", err)
		}
		d.Oldest = time.Duration(seconds.Float64 * float64(time.Second))
		depths = append(depths, d)
	}
	return depths, rows.Err()
}
