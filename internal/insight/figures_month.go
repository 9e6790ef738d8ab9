package insight

import (
	"context"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/product"
)

// EvidenceLimit is how many lines stand for a period: its dearest.
const EvidenceLimit = 50

// RecurringDays is on how many different days a product was bought that recurs.
const RecurringDays = 3

// RecurringEvidence is how many lines stand for a recurring product: its latest.
const RecurringEvidence = 3

// MonthFigures is what monthly rules read from the ledger of one user. Each method is one statement. Nothing after the end of a
// period counts, so that an old purchase is seen as on its own day.
type MonthFigures interface {
	// Spending is what was paid in each of the periods. The evidence is of the first.
	Spending(ctx context.Context, userID string, periods ...Period) (Spending, error)
	// Visits are how often the period was shopped in; small ones are those below the given amount.
	Visits(ctx context.Context, userID string, p Period, small fiscal.Money) (Visits, error)
	// Recurring are the products bought on at least RecurringDays days of the period that have a price, by id.
	Recurring(ctx context.Context, userID string, p Period) ([]Recurring, error)
	// Found is what analyses found about purchases of the period, and what was paid in the month.
	Found(ctx context.Context, userID string, f FoundFilter) (Found, error)
	// Food is what the food of the period cost.
	Food(ctx context.Context, userID string, p Period) (Food, error)
}

// Spending is what was paid in several periods.
type Spending struct {
	Periods  []Paid // in the order they were asked for
	First    Day    // of the user's first purchase; "" when there is none
	Evidence []EvidenceLine
}

// Paid is what purchases cost.
type Paid struct {
	Purchases int64
	Total     fiscal.Money
}

// EvidenceLine is a line that figures are made of.
type EvidenceLine struct {
	ItemID   string
	Category string // the product's
	Merchant string // name
}

// Visits are how often a period was shopped in.
type Visits struct {
	Paid
	Merchants int64 // different ones
	Small     int64
	Evidence  []EvidenceLine
}

// Recurring is a product that comes back.
type Recurring struct {
	ProductID   string
	Name        string
	Category    string
	Days        int64 // different ones on which it was bought: at least RecurringDays
	First, Last Day   // of them
	// PriceSumMicro is the sum of Priced prices of one printed unit, in millionths of a real. Priced is at least 1.
	PriceSumMicro int64
	Priced        int64
	ItemIDs       []string // the latest lines, at most RecurringEvidence
}

// FoundFilter says which insights are counted.
type FoundFilter struct {
	// Purchases is when the purchases were made that the insights are about: their day, not that of the analysis, so that
	// receipts handed in late are seen in their order.
	Purchases       Period
	ExceptKind      Kind
	ExceptInvoiceID string // is being analysed: its old insights are about to go
	Month           Period
}

// Found is how many insights there are of each kind.
type Found struct {
	Kinds    map[Kind]int64
	Month    Paid
	Evidence []EvidenceLine // of the month
}

// Food is spending on products that have a food group.
type Food struct {
	Groups     map[product.FoodGroup]fiscal.Money // no entry for what was not bought
	Categories []string                           // different ones, sorted
	Evidence   []EvidenceLine                     // food alone
}
