package invoice

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// Optional is a field of a correction: left alone unless Set, and made unknown (or zero, where a field cannot be unknown) when
// Value is nil.
type Optional[T any] struct {
	Set   bool
	Value *T
}

// Correction is what a user changes on an invoice that was read.
type Correction struct {
	InvoiceID string
	// ExpectedVersion is the version that the user saw.
	ExpectedVersion int

	IssuerName Optional[string]
	IssuerCNPJ Optional[string]
	IssuedAt   Optional[time.Time]
	AccessKey  Optional[string]
	Number     Optional[int]
	Series     Optional[int]
	Totals     TotalsCorrection
	Payments   Optional[[]Payment] // all of them
	Items      []ItemCorrection
	AddItems   []NewItem
	RemoveIDs  []string
}

// TotalsCorrection is what changes among the totals.
type TotalsCorrection struct {
	Products, Discount, Freight, Insurance, Other, Taxes, Due, Paid, Change Optional[fiscal.Money]
}

// ItemCorrection is what changes on a line.
type ItemCorrection struct {
	ItemID      string
	Description Optional[string]
	GTIN        Optional[string]
	Quantity    Optional[decimal.Decimal]
	Unit        Optional[string]
	UnitPrice   Optional[decimal.Decimal]
	Total       Optional[fiscal.Money]
	Discount    Optional[fiscal.Money]
	// ProductName and Category are learned for the line's label at this shop; "" leaves them.
	ProductName string
	Category    string
}

// NewItem is a line that the reading missed.
type NewItem struct {
	AfterLine   *int // the line it comes after, 0 for the first place; nil is the end
	Description string
	GTIN        string
	Quantity    decimal.Decimal
	Unit        string
	UnitPrice   decimal.Decimal
	Total       *fiscal.Money // nil: quantity times unit price
	Discount    fiscal.Money
}
