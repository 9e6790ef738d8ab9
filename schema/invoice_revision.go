package schema

import (
	"encoding/json"
	"time"

	"github.com/uptrace/bun"
)

// InvoiceRevision is a row of invoice_revisions: an invoice as it was before a correction.
type InvoiceRevision struct {
	bun.BaseModel `bun:"table:invoice_revisions,alias:ir"`

	InvoiceID string          `bun:"invoice_id,pk"`
	Version   int             `bun:"version,pk"`
	Source    string          `bun:"source"`
	Draft     json.RawMessage `bun:"draft,type:jsonb"`
	ChangedAt time.Time       `bun:"changed_at"`
}
