package schema

import (
	"github.com/shopspring/decimal"
	"github.com/uptrace/bun"
)

// InvoiceItem is a row of invoice_items.
type InvoiceItem struct {
	bun.BaseModel `bun:"table:invoice_items,alias:ii"`

	ID               string          `bun:"id,pk"`
	InvoiceID        string          `bun:"invoice_id"`
	Position         int             `bun:"position"` // 0-based, the order of the list
	Line             int             `bun:"line"`     // 1-based, as printed
	Description      string          `bun:"description"`
	Code             string          `bun:"code"`
	GTIN             string          `bun:"gtin"`
	Unit             string          `bun:"unit"`
	Quantity         decimal.Decimal `bun:"quantity"`
	UnitPrice        decimal.Decimal `bun:"unit_price"`
	TotalCentavos    int64           `bun:"total_centavos"`
	DiscountCentavos int64           `bun:"discount_centavos"`
	NotInTotal       bool            `bun:"not_in_total"`
	Uncertain        bool            `bun:"uncertain"`
	Category         string          `bun:"category"`
	ProductID        string          `bun:"product_id,nullzero"`
}
