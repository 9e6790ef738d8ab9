package schema

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"
	"github.com/rogpeppe/go-internal/lockedfile"
)

const (
	// lockName is the one that Atlas' CLI takes, so that it waits for us and we for it.
	lockName = "atlas_migrate_execute"
	// lockTimeout is how long a process waits for another that migrates.
	lockTimeout = 5 * time.Minute
)

// locked runs fn while no other Migrator works on the database. On PostgreSQL that is Atlas' advisory lock. On SQLite it is a
// locked file beside the database, which the system frees when a process dies; a lock in the database itself would hold the
// one connection that fn needs.
func (m *Migrator) locked(ctx context.Context, fn func(context.Context) error) (err error) {
	lock := m.lockAdvisory
	if m.dialect == SQLite {
		lock = m.lockFile
	}
	unlock, err := lock(ctx)
	if err != nil {
		return fmt.Errorf("lock the database for migrations: %w", err)
	}
	defer func() {
		if e := unlock(); e != nil {
			err = errors.Join(err, fmt.Errorf("unlock the database: %w", e))
		}
	}()
	return fn(ctx)
}

func (m *Migrator) lockAdvisory(ctx context.Context) (atlas.UnlockFunc, error) {
	drv, err := postgres.Open(m.db)
	if err != nil {
		return nil, fmt.Errorf("open atlas' postgres driver: %w", err)
	}
	return drv.Lock(ctx, lockName, lockTimeout)
}

func (m *Migrator) lockFile(ctx context.Context) (atlas.UnlockFunc, error) {
	var file string
	if err := m.db.QueryRowContext(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&file); err != nil {
		return nil, fmt.Errorf("ask for the database's file: %w", err)
	}
	if file == "" { // in memory: nobody else sees it
		return func() error { return nil }, nil
	}
	type result struct {
		unlock func()
		err    error
	}
	got := make(chan result, 1)
	go func() {
		unlock, err := lockedfile.MutexAt(file + ".migrate.lock").Lock()
		got <- result{unlock, err}
	}()
	select {
	case r := <-got:
		if r.err != nil {
			return nil, r.err
		}
		return func() error { r.unlock(); return nil }, nil
	case <-ctx.Done():
		go func() { // the wait itself cannot be interrupted
			if r := <-got; r.err == nil {
				r.unlock()
			}
		}()
		return nil, ctx.Err()
	}
}
