package schema

import (
	"time"

	"github.com/uptrace/bun"
)

// Session is a row of sessions.
type Session struct {
	bun.BaseModel `bun:"table:sessions,alias:s"`

	ID          string     `bun:"id,pk"`
	FamilyID    string     `bun:"family_id"`
	UserID      string     `bun:"user_id"`
	RefreshHash string     `bun:"refresh_hash"`
	CreatedAt   time.Time  `bun:"created_at"`
	ExpiresAt   time.Time  `bun:"expires_at"`
	ReplacedAt  *time.Time `bun:"replaced_at"`
	RevokedAt   *time.Time `bun:"revoked_at"`
	Device      string     `bun:"device"`
}
