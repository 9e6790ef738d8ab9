package store

import (
	"database/sql"
	"time"
)

// Pool is the connections of one pool.
type Pool struct {
	Idle, InUse int
	Most        int           // 0 is no limit
	Waits       int64         // for a connection
	Waited      time.Duration // altogether
}

// Pools are the connections to the database, by what they are for: "postgres", or "write" and "read" of SQLite.
func (db *DB) Pools() map[string]Pool {
	if db.pool != nil {
		s := db.pool.Stat()
		return map[string]Pool{"postgres": {
			Idle: int(s.IdleConns()), InUse: int(s.AcquiredConns()), Most: int(s.MaxConns()),
			Waits: s.EmptyAcquireCount(), Waited: s.EmptyAcquireWaitTime(),
		}}
	}
	return map[string]Pool{"write": fromStats(db.write.Stats()), "read": fromStats(db.read.Stats())}
}

func fromStats(s sql.DBStats) Pool {
	return Pool{Idle: s.Idle, InUse: s.InUse, Most: s.MaxOpenConnections, Waits: s.WaitCount, Waited: s.WaitDuration}
}

// Reader is the pool that reads: on SQLite it does not wait for whoever writes.
func (db *DB) Reader() *sql.DB { return db.read.DB }
