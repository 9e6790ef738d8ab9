package store

import (
	"context"
	"fmt"
	"time"

	dbschema "github.com/mercadoesperto/smarket/schema"
)

// forgetAfter is how long the row of a worker that died without a word is kept.
const forgetAfter = 24 * time.Hour

// Heartbeats keeps the signs of life of worker processes. It implements worker.Heartbeats.
type Heartbeats struct{ db *DB }

// NewHeartbeats works on an open database.
func NewHeartbeats(db *DB) *Heartbeats { return &Heartbeats{db: db} }

// now is the database's clock on PostgreSQL, which all processes share; a SQLite file is used on one machine alone.
func (h *Heartbeats) now(ctx context.Context) (time.Time, error) {
	if h.db.dialect == dbschema.SQLite {
		return time.Now().UTC(), nil
	}
	var now time.Time
	err := h.db.write.NewSelect().ColumnExpr("now()").Scan(ctx, &now)
	return now, err
}

// Beat says that the worker is alive.
func (h *Heartbeats) Beat(ctx context.Context, workerID, name string, started time.Time) error {
	now, err := h.now(ctx)
	if err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	row := &dbschema.WorkerHeartbeat{WorkerID: workerID, Name: name, StartedAt: started.UTC(), SeenAt: now}
	_, err = h.db.write.NewInsert().Model(row).On("CONFLICT (worker_id) DO UPDATE").Set("seen_at = EXCLUDED.seen_at").Exec(ctx)
	if err != nil {
		return fmt.Errorf("store heartbeat: %w", err)
	}
	return nil
}

// Alive are the workers that beat within the last d.
func (h *Heartbeats) Alive(ctx context.Context, d time.Duration) ([]string, error) {
	now, err := h.now(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the clock: %w", err)
	}
	var ids []string
	err = h.db.read.NewSelect().Model((*dbschema.WorkerHeartbeat)(nil)).Column("worker_id").
		Where("seen_at > ?", now.Add(-d)).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("list heartbeats: %w", err)
	}
	return ids, nil
}

// Forget removes a worker that has stopped, and those that have not beaten for a day.
func (h *Heartbeats) Forget(ctx context.Context, workerID string) error {
	now, err := h.now(ctx)
	if err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	_, err = h.db.write.NewDelete().Model((*dbschema.WorkerHeartbeat)(nil)).
		Where("worker_id = ? OR seen_at < ?", workerID, now.Add(-forgetAfter)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("forget heartbeat: %w", err)
	}
	return nil
}
