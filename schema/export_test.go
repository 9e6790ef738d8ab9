package schema

import (
	"database/sql"
	"io/fs"
	"log/slog"
)

// NewMigratorOf is a Migrator of other migrations.
func NewMigratorOf(db *sql.DB, dialect Dialect, log *slog.Logger, files fs.FS, companions ...Companion) *Migrator {
	m := NewMigrator(db, dialect, log, companions...)
	m.files = files
	return m
}
