package schema

import (
	"time"

	"github.com/uptrace/bun"
)

// User is a row of users.
type User struct {
	bun.BaseModel `bun:"table:users,alias:u"`

	ID             string               `bun:"id,pk"`
	Email          string               `bun:"email"`
	Name           string               `bun:"name"`
	PasswordHash   string               `bun:"password_hash"`
	Role           string               `bun:"role"`
	Plan           string               `bun:"plan"`
	IncomeCentavos *int64               `bun:"income_centavos"`
	Adults         int                  `bun:"adults"`
	Children       int                  `bun:"children"`
	Consents       map[string]time.Time `bun:"consents,type:jsonb"` // provider -> since when; never null
	CreatedAt      time.Time            `bun:"created_at"`
	UpdatedAt      time.Time            `bun:"updated_at"`
}
