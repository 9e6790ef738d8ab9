package insight

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// Store keeps analyses and insights. What names a user finds nothing of another's.
type Store interface {
	// SaveAnalysis writes the analysis of its invoice anew, inside the caller's transaction.
	SaveAnalysis(ctx context.Context, tx *sql.Tx, a Analysis) error
	// LockedAnalysis is the analysis as the caller's transaction sees it; nil, nil when there is none.
	LockedAnalysis(ctx context.Context, tx *sql.Tx, invoiceID string) (*Analysis, error)
	// Analyses are those of the user's invoices, by invoice: one statement.
	Analyses(ctx context.Context, userID string, invoiceIDs []string) (map[string]*Analysis, error)
	// ReplaceInsights puts insights in the place of those of the invoice, inside the caller's transaction. What the user did
	// with an old one is kept where the new one says the same: kind, subject and details are equal.
	ReplaceInsights(ctx context.Context, tx *sql.Tx, invoiceID string, insights []Insight) error
	// InsightsOf are those of the user's invoices, the most important first, by invoice: one statement.
	InsightsOf(ctx context.Context, userID string, invoiceIDs []string) (map[string][]*Insight, error)
	// Insights is a page. Insight is one; a NOT_FOUND *invoice.Error when it is not userID's.
	Insights(ctx context.Context, q ListQuery) (Page, error)
	Insight(ctx context.Context, userID, id string) (*Insight, error)
	// Mark sets a mark that is not set yet, or unsets it with at nil; a NOT_FOUND *invoice.Error when the insight is not userID's.
	Mark(ctx context.Context, userID, id string, m Mark, at *time.Time) (*Insight, error)
	// LastOfKinds is the last day of the period on which each kind spoke to the user: the last that an insight is about, which is
	// its purchase's. Insights of the invoice exceptID are left out.
	LastOfKinds(ctx context.Context, userID, exceptID string, p Period) (map[Kind]Day, error)
	// LockedLastOfKinds is LastOfKinds as the caller's transaction sees it. Until the transaction ends it keeps others of the
	// same user waiting, so that of two analyses at once one sees what the other said.
	LockedLastOfKinds(ctx context.Context, tx *sql.Tx, userID, exceptID string, p Period) (map[Kind]Day, error)
	// Lines are the invoice's lines in the ledger with their products, and the purchase's own figures: what a Subject is made
	// of, but for the household. A NOT_FOUND *invoice.Error when the ledger does not have it.
	Lines(ctx context.Context, userID, invoiceID string) (Subject, error)
}

// Mark is what a user did with an insight.
type Mark string

// The marks.
const (
	MarkRead      Mark = "READ"
	MarkActedUpon Mark = "ACTED_UPON"
	MarkDismissed Mark = "DISMISSED"
)

// ListQuery asks for a page of a user's insights: newest first.
type ListQuery struct {
	UserID string
	First  int
	After  *Cursor
	Filter Filter
	// ByPriority puts the most important first, the newest among equals.
	ByPriority bool
}

// Filter narrows a list; zero fields do not.
type Filter struct {
	Kinds      []Kind
	Priorities []Priority
	Read       *bool
	Dismissed  *bool // nil is all
	InvoiceID  string
	Period     *Period // that the insight's own reaches into
}

// Cursor is a place in a list.
type Cursor struct {
	Rank int // of the priority; 0 in a list by time
	At   time.Time
	ID   string
}

// Page is part of a list.
type Page struct {
	Insights []*Insight
	HasNext  bool
	Total    int
}

// People says for whom a user buys and what they pay for. Implemented in internal/app over the accounts.
type People interface {
	Household(ctx context.Context, userID string) (Household, error)
	// Premium says what the user pays for, as the caller's transaction sees it.
	Premium(ctx context.Context, tx *sql.Tx, userID string) (bool, error)
}

// Queue holds the analyses to come. Implemented by worker.
type Queue interface {
	EnqueueAnalysis(ctx context.Context, tx *sql.Tx, invoiceID string) (jobID int64, err error)
}

// Writer puts findings into words. Implemented by providers.Chain.
type Writer interface {
	// Write asks the providers in their order, once for all findings. The error is an *invoice.ExtractionError, or ctx's.
	Write(ctx context.Context, req WriteRequest) (Words, error)
}

// WriteRequest is what is to be said.
type WriteRequest struct {
	InvoiceID string
	UserID    string
	// Findings in a fixed order, with their keys: equal facts make equal requests, which the cache answers.
	Findings []WriteFinding
	// Sound says whether words with these entries may answer later requests from the cache; nil finds all sound that are whole.
	Sound func(entries []json.RawMessage) bool
}

// WriteFinding is one finding as a writer sees it.
type WriteFinding struct {
	Key      string // "f1": names the finding in the reply
	Kind     Kind
	Priority Priority
	Facts    json.RawMessage
}

// Words are a reply, entry by entry as it came: nothing in it has been checked but its JSON form.
type Words struct {
	Entries  []json.RawMessage // {"key", "title", "description"} where the writer kept to the form
	Provider string
	Model    string
}

// Invoices is what analyses need of the invoices' store.
type Invoices interface {
	InTx(ctx context.Context, fn func(ctx context.Context, tx invoice.Tx) error) error
	Invoice(ctx context.Context, userID, id string) (*invoice.Invoice, error)
}
