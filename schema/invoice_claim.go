package schema

import "github.com/uptrace/bun"

// InvoiceClaim is a row of invoice_claims: the one invoice of a user that holds a value.
type InvoiceClaim struct {
	bun.BaseModel `bun:"table:invoice_claims,alias:c"`

	UserID    string `bun:"user_id,pk"`
	Kind      string `bun:"kind,pk"`
	Value     string `bun:"value,pk"`
	InvoiceID string `bun:"invoice_id"`
}
