package providers

import (
	"context"
	"time"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Ledger accounts for what calls cost: money is booked before a call and settled after it, so that a budget holds however many
// calls are under way at once. Implemented by internal/usage.
type Ledger interface {
	// Reserve books what a call may cost and writes its row. A QUOTA_EXCEEDED *invoice.Error when the user's or the day's budget
	// is spent: the call is then not made.
	Reserve(ctx context.Context, call Call) (Booking, error)
	// Saved records a reply that came from the cache instead of a provider: what it would have cost is what was saved.
	Saved(ctx context.Context, call Call, usage sdk.Usage) error
}

// Booking is one call under way.
type Booking interface {
	// Settle replaces the booked amount by what the call cost, failed ones too. It must be called once; ctx may have ended.
	Settle(ctx context.Context, end CallEnd) error
}

// Call is one call to a provider that is about to be made.
type Call struct {
	UserID    string
	InvoiceID string // "" for a call that is about no invoice
	Task      sdk.Task
	Provider  string
	Model     string // as the provider describes itself
	Local     bool   // costs nothing
	Attempt   int    // within the request, from 1; a repair is an attempt of its own
	// InputBytes is the size of instructions, input and page texts; Pictures counts pages with a picture; MaxOutputTokens is what
	// was asked for. The cost is estimated from them.
	InputBytes      int
	Pictures        int
	MaxOutputTokens int
	StartedAt       time.Time
}

// CallEnd is how a call ended.
type CallEnd struct {
	Model   string // that answered; "" keeps Call.Model
	Outcome string // "ok", "invalid_reply", or an sdk.Kind
	Usage   sdk.Usage
	EndedAt time.Time
}

// Consents says which providers may see a user's documents. Implemented over internal/account.
type Consents interface {
	// Allowed answers for all providers at once. A local provider needs no consent and is not asked about.
	Allowed(ctx context.Context, userID string) (func(provider string) bool, error)
}
