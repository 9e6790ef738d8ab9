package schema

import "github.com/uptrace/bun"

// InvoicePayment is a row of invoice_payments.
type InvoicePayment struct {
	bun.BaseModel `bun:"table:invoice_payments,alias:ip"`

	InvoiceID      string `bun:"invoice_id,pk"`
	Position       int    `bun:"position,pk"`
	Method         string `bun:"method"`
	AmountCentavos int64  `bun:"amount_centavos"`
}
