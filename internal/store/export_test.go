package store

import "github.com/uptrace/bun"

// Hook sees every statement that db sends from now on.
func (db *DB) Hook(h bun.QueryHook) { db.write = db.write.WithQueryHook(h) }
