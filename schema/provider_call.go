package schema

import (
	"time"

	"github.com/uptrace/bun"
)

// ProviderCall is a row of provider_calls: one call to a provider, or one reply from the cache. It outlives its invoice and its
// user, without naming them: what was spent was spent.
type ProviderCall struct {
	bun.BaseModel `bun:"table:provider_calls,alias:pc"`

	ID               string     `bun:"id,pk"`
	UserID           string     `bun:"user_id,nullzero"`
	InvoiceID        string     `bun:"invoice_id,nullzero"`
	Day              string     `bun:"day"` // 2026-11-23, in Brasília
	Task             string     `bun:"task"`
	Provider         string     `bun:"provider"`
	Model            string     `bun:"model"`
	Attempt          int        `bun:"attempt"`
	Outcome          string     `bun:"outcome"`
	InputTokens      int64      `bun:"input_tokens"`
	CachedTokens     int64      `bun:"cached_tokens"`      // of input_tokens
	CacheWriteTokens int64      `bun:"cache_write_tokens"` // of input_tokens
	OutputTokens     int64      `bun:"output_tokens"`
	ThinkingTokens   int64      `bun:"thinking_tokens"` // of output_tokens
	LatencyMS        int64      `bun:"latency_ms"`
	CostMicroUSD     *int64     `bun:"cost_micro_usd"`    // nil when it is not known
	ChargedMicroUSD  int64      `bun:"charged_micro_usd"` // in budgets
	SavedMicroUSD    int64      `bun:"saved_micro_usd"`
	StartedAt        time.Time  `bun:"started_at"`
	EndedAt          *time.Time `bun:"ended_at"` // nil while it is under way
}
