package schema

import "github.com/uptrace/bun"

// BudgetDay is a row of budget_days: what a user, or the whole installation, has spent and reserved in a day.
type BudgetDay struct {
	bun.BaseModel `bun:"table:budget_days,alias:b"`

	Scope            string `bun:"scope,pk"`         // a user's id, or "installation"
	Day              string `bun:"day,pk"`           // 2026-11-23, in Brasília
	UserID           string `bun:"user_id,nullzero"` // the scope's, so that it goes with the user
	SpentMicroUSD    int64  `bun:"spent_micro_usd"`
	ReservedMicroUSD int64  `bun:"reserved_micro_usd"`
}
