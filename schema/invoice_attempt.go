package schema

import (
	"time"

	"github.com/uptrace/bun"
)

// InvoiceAttempt is a row of invoice_attempts.
type InvoiceAttempt struct {
	bun.BaseModel `bun:"table:invoice_attempts,alias:ia"`

	InvoiceID  string    `bun:"invoice_id,pk"`
	Position   int       `bun:"position,pk"`
	Number     int       `bun:"number"`
	Run        int       `bun:"run"`
	Provider   string    `bun:"provider"`
	Model      string    `bun:"model"`
	Outcome    string    `bun:"outcome"`
	Items      int       `bun:"items"`
	StartedAt  time.Time `bun:"started_at"`
	FinishedAt time.Time `bun:"finished_at"`
}
