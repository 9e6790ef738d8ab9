package schema

import (
	"encoding/json"
	"time"

	"github.com/uptrace/bun"
)

// Analysis is a row of analyses: how an invoice was analysed last.
type Analysis struct {
	bun.BaseModel `bun:"table:analyses,alias:a"`

	InvoiceID    string          `bun:"invoice_id,pk"`
	UserID       string          `bun:"user_id"`
	Status       string          `bun:"status"`
	SkipReason   string          `bun:"skip_reason"`
	FailureCode  string          `bun:"failure_code"`
	ItemsVersion int             `bun:"items_version"`
	JobID        int64           `bun:"job_id"`
	Provider     string          `bun:"provider"`
	Model        string          `bun:"model"`
	Gaps         json.RawMessage `bun:"gaps,type:jsonb"` // never null
	RequestedAt  time.Time       `bun:"requested_at"`
	FinishedAt   *time.Time      `bun:"finished_at"`
}

// Insight is a row of insights.
type Insight struct {
	bun.BaseModel `bun:"table:insights,alias:s"`

	ID           string          `bun:"id,pk"`
	UserID       string          `bun:"user_id"`
	InvoiceID    string          `bun:"invoice_id"`
	Kind         string          `bun:"kind"`
	Subject      string          `bun:"subject"`
	Priority     string          `bun:"priority"`
	PriorityRank int             `bun:"priority_rank"`
	Title        string          `bun:"title"`
	Description  string          `bun:"description"`
	Details      json.RawMessage `bun:"details,type:jsonb"`
	PeriodFrom   string          `bun:"period_from"`
	PeriodTo     string          `bun:"period_to"`
	Categories   []string        `bun:"categories,type:jsonb"` // never null
	Merchants    []string        `bun:"merchants,type:jsonb"`  // never null
	ItemIDs      []string        `bun:"item_ids,type:jsonb"`   // never null
	Provider     string          `bun:"provider"`
	Model        string          `bun:"model"`
	ReadAt       *time.Time      `bun:"read_at"`
	ActedUponAt  *time.Time      `bun:"acted_upon_at"`
	DismissedAt  *time.Time      `bun:"dismissed_at"`
	CreatedAt    time.Time       `bun:"created_at"`
}
