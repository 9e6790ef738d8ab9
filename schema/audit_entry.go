package schema

import (
	"time"

	"github.com/uptrace/bun"
)

// AuditEntry is a row of audit_entries: what an admin looked at or changed.
type AuditEntry struct {
	bun.BaseModel `bun:"table:audit_entries,alias:ae"`

	ID        string    `bun:"id,pk"`
	At        time.Time `bun:"at"`
	ActorID   string    `bun:"actor_id,nullzero"`
	SubjectID string    `bun:"subject_id,nullzero"`
	Action    string    `bun:"action"`
	Detail    string    `bun:"detail"`
}
