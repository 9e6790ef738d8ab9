package schema

import "github.com/uptrace/bun"

// InvoiceCheck is a row of invoice_checks.
type InvoiceCheck struct {
	bun.BaseModel `bun:"table:invoice_checks,alias:ic"`

	InvoiceID          string `bun:"invoice_id,pk"`
	Position           int    `bun:"position,pk"`
	Name               string `bun:"name"`
	Passed             bool   `bun:"passed"`
	Expected           string `bun:"expected"`
	Found              string `bun:"found"`
	DifferenceCentavos *int64 `bun:"difference_centavos"`
	Line               int    `bun:"line"` // 0 for the whole note
}
