package usage

import (
	"context"
	"errors"
	"time"
)

// Record is a call as it is kept: one row, whatever came of it.
type Record struct {
	ID        string // UUIDv7; made by the store when ""
	UserID    string // "" for the operator's own calls, and once the account is deleted
	InvoiceID string // "" when there is none, or none any more
	Day       Day    // whose budget it counts to: that of its start
	Task      string
	Provider  string
	Model     string
	Attempt   int
	Outcome   string
	Tokens    Tokens // of a cached reply: those that it once took
	Latency   time.Duration
	// Cost is nil when it is not known: the prices do not have the model, or nobody said what was used.
	Cost *MicroUSD
	// Charged is what counts against budgets: the estimate while the call is under way, its cost afterwards, or a guess that is
	// rather too high where the cost is not known.
	Charged   MicroUSD
	Saved     MicroUSD // by the cache
	StartedAt time.Time
	EndedAt   *time.Time // nil while it is under way
}

// Settlement is what becomes of a reserved record.
type Settlement struct {
	Model   string
	Outcome string
	Tokens  Tokens
	Latency time.Duration
	Cost    *MicroUSD
	Charged MicroUSD
	EndedAt time.Time
}

// Limits are what may be spent in a day; 0 is no limit.
type Limits struct {
	User         MicroUSD // each user
	Installation MicroUSD // all calls together, the operator's own too
}

// SpentError says that a reservation does not fit into a budget.
type SpentError struct {
	Installation bool // and not the user's own budget
	// Busy says that it is calls under way that take up the room: when they are settled there may be some.
	Busy bool
}

func (e *SpentError) Error() string {
	whose, what := "user's", "spent"
	if e.Installation {
		whose = "installation's"
	}
	if e.Busy {
		what = "taken up by calls under way"
	}
	return "the " + whose + " budget of the day is " + what
}

// ErrNoUser says that the account of a call was deleted.
var ErrNoUser = errors.New("no such user")

// Store keeps records and budgets, for all processes of an installation.
type Store interface {
	// Reserve inserts the record and adds r.Charged to what is reserved in the budgets of r.Day, the user's and the
	// installation's, all or nothing. It fails with a *SpentError when a budget would then exceed its limit, however many
	// reserve at once, and with ErrNoUser. A record that charges nothing always fits.
	Reserve(ctx context.Context, r *Record, limits Limits) error
	// Settle ends a reserved or lost record, and replaces what its budgets have reserved by what is spent. A record that is
	// settled already, or gone, stays as it is.
	Settle(ctx context.Context, id string, s Settlement) error
	// Insert keeps a record that touches no budget.
	Insert(ctx context.Context, r *Record) error
	// Stale are records under way that began before a moment, the oldest first, at most limit.
	Stale(ctx context.Context, before time.Time, limit int) ([]Record, error)
	// Sums adds up records by day, provider and model; those under way do not count. userID "" is everybody. Both days are
	// included.
	Sums(ctx context.Context, userID string, from, to Day) ([]Sum, error)
}

// Sum is what a model did in a day.
type Sum struct {
	Day      Day
	Provider string
	Model    string
	Totals   Totals
}
