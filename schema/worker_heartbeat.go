package schema

import (
	"time"

	"github.com/uptrace/bun"
)

// WorkerHeartbeat is a row of worker_heartbeats: a process that works on jobs, and when it last said so.
type WorkerHeartbeat struct {
	bun.BaseModel `bun:"table:worker_heartbeats,alias:w"`

	WorkerID  string    `bun:"worker_id,pk"` // host name and instance
	Name      string    `bun:"name"`
	StartedAt time.Time `bun:"started_at"`
	SeenAt    time.Time `bun:"seen_at"`
}
