package account

import (
	"context"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// User is one account, of a person and the household they buy for.
type User struct {
	ID           string // UUIDv7
	Email        string // normalised: trimmed, lower case
	Name         string
	PasswordHash string // argon2id in PHC form
	Role         Role
	Plan         Plan
	Household    Household
	// Consents are the providers abroad that may see this user's pictures, and since when.
	Consents  map[string]time.Time
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Household is what analyses need to know of a family.
type Household struct {
	Income   *fiscal.Money // monthly; nil when not told
	Adults   int           // at least 1
	Children int
}

// Role is what a user may do.
type Role string

// The roles.
const (
	RoleUser  Role = "USER"
	RoleAdmin Role = "ADMIN"
)

// Plan is what a user pays for.
type Plan string

// The plans.
const (
	PlanFree    Plan = "FREE"
	PlanPremium Plan = "PREMIUM"
)

// Session is one refresh token's life. Each refresh replaces a session by its successor in the same family; a token that
// comes back after it was replaced was stolen, and its whole family is revoked.
type Session struct {
	ID          string // UUIDv7
	FamilyID    string // the first session's id
	UserID      string
	RefreshHash string // SHA-256 of the refresh token, hex: the token itself is never kept
	CreatedAt   time.Time
	ExpiresAt   time.Time
	ReplacedAt  *time.Time
	RevokedAt   *time.Time
	Device      string // browser and system of who signed in: "Chrome, Android"; "" when not told
}

// Store keeps users and sessions.
type Store interface {
	// InsertUser fails with ErrEmailTaken.
	InsertUser(ctx context.Context, u *User) error
	// User and UserByEmail fail with ErrNoUser. SaveUser writes everything but ID and CreatedAt.
	User(ctx context.Context, id string) (*User, error)
	UserByEmail(ctx context.Context, email string) (*User, error)
	SaveUser(ctx context.Context, u *User) error

	InsertSession(ctx context.Context, s *Session) error
	// SessionByRefreshHash and Session fail with ErrNoSession. Replaced and revoked sessions are found too.
	SessionByRefreshHash(ctx context.Context, hash string) (*Session, error)
	Session(ctx context.Context, id string) (*Session, error)
	// ReplaceSession marks the session old as replaced and inserts its successor, in one transaction. It fails with
	// ErrSessionReplaced when old was replaced or revoked already: of two refreshes at once one wins.
	ReplaceSession(ctx context.Context, oldID string, next *Session) error
	RevokeFamily(ctx context.Context, familyID string, at time.Time) error
	// RevokeOtherFamilies revokes all of the user's families but one; with keepID "" all.
	RevokeOtherFamilies(ctx context.Context, userID, keepID string, at time.Time) error
	// SignIns are the user's families with a session that is neither replaced, revoked nor expired at now, the newest used
	// first.
	SignIns(ctx context.Context, userID string, now time.Time) ([]SignIn, error)

	InsertAudit(ctx context.Context, e *AuditEntry) error
	// AuditLog is the newest entries, at most limit.
	AuditLog(ctx context.Context, limit int) ([]AuditEntry, error)
}
