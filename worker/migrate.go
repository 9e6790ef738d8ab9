package worker

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/riverqueue/river/rivermigrate"
)

// Tables are the queue's own tables, which River versions itself. It implements schema.Companion.
type Tables struct {
	migrator *rivermigrate.Migrator[*sql.Tx]
}

// NewTables makes a Tables for the database.
func NewTables(db Database, log *slog.Logger) (*Tables, error) {
	m, err := rivermigrate.New(db.driver(), &rivermigrate.Config{Logger: forRiver(log)})
	if err != nil {
		return nil, fmt.Errorf("queue tables: %w", err)
	}
	return &Tables{migrator: m}, nil
}

// Name of the queue, for reports.
func (t *Tables) Name() string { return "river" }

// Up brings the tables to the version of the library.
func (t *Tables) Up(ctx context.Context) error {
	_, err := t.migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// Down removes the tables, with the jobs in them.
func (t *Tables) Down(ctx context.Context) error {
	_, err := t.migrator.Migrate(ctx, rivermigrate.DirectionDown, &rivermigrate.MigrateOpts{TargetVersion: -1})
	return err
}

// Status lists the versions that are applied, and those that the library has beyond them.
func (t *Tables) Status(ctx context.Context) (applied, pending []string, err error) {
	existing, err := t.migrator.ExistingVersions(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("existing versions: %w", err)
	}
	done := map[int]bool{}
	for _, m := range existing {
		done[m.Version] = true
	}
	for _, m := range t.migrator.AllVersions() {
		if version := strconv.Itoa(m.Version); done[m.Version] {
			applied = append(applied, version)
		} else {
			pending = append(pending, version)
		}
	}
	return applied, pending, nil
}
