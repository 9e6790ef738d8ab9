package store

import "github.com/uptrace/bun"

// Hook sees every statement that s sends from now on.
func (s *Spending) Hook(h bun.QueryHook) {
	db := *s.db
	db.read = db.read.WithQueryHook(h)
	s.db = &db
}
