package schema

import (
	"time"

	"github.com/uptrace/bun"
)

// ExtractionEvent is a row of extraction_events. Seq has no gaps within an invoice.
type ExtractionEvent struct {
	bun.BaseModel `bun:"table:extraction_events,alias:e"`

	InvoiceID  string    `bun:"invoice_id,pk"`
	Seq        int       `bun:"seq,pk"`
	UserID     string    `bun:"user_id"`
	Stage      string    `bun:"stage"`
	Status     string    `bun:"status"`
	Percent    int       `bun:"percent"`
	Provider   string    `bun:"provider"`
	Attempt    int       `bun:"attempt"`
	ItemsFound int       `bun:"items_found"`
	Message    string    `bun:"message"`
	Code       string    `bun:"code"`
	At         time.Time `bun:"at"`
	More       bool      `bun:"more"`
}
