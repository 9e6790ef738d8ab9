package schema

import (
	"time"

	"github.com/uptrace/bun"
)

// ProviderSetting is a row of provider_settings: what operators decided about a provider.
type ProviderSetting struct {
	bun.BaseModel `bun:"table:provider_settings,alias:ps"`

	Name      string    `bun:"name,pk"`
	Enabled   bool      `bun:"enabled"`
	Position  int       `bun:"position"` // in the chain, from 1
	UpdatedAt time.Time `bun:"updated_at"`
}

// ProviderControl is the row of provider_control: what the workers are to do.
type ProviderControl struct {
	bun.BaseModel `bun:"table:provider_control,alias:pc"`

	ID        int       `bun:"id,pk"` // 1
	Reload    int64     `bun:"reload"`
	UpdatedAt time.Time `bun:"updated_at"`
}
