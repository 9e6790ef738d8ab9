package insight

import (
	"context"

	"github.com/shopspring/decimal"
)

const (
	// frequentInvoices is how many invoices of a month are many.
	frequentInvoices = 8
	// smallPurchase is below what amount, in centavos, a purchase was hardly worth the way.
	smallPurchase = 30_00
)

// ShoppingFrequencyFacts are what SHOPPING_FREQUENCY says.
type ShoppingFrequencyFacts struct {
	InvoiceCount       int64           `json:"invoice_count"`
	AvgTicket          Amount          `json:"avg_ticket"`
	MerchantCount      int64           `json:"merchant_count"`
	SmallPurchaseCount int64           `json:"small_purchase_count"` // below R$ 30
	FamilySizeWeighted decimal.Decimal `json:"family_size_weighted"`
}

// shoppingFrequency speaks from eight invoices on in the calendar month up to the day. MEDIUM when half of them or more are
// small, below R$ 30; LOW otherwise.
type shoppingFrequency struct{ figures MonthFigures }

func (shoppingFrequency) Kind() Kind    { return KindShoppingFrequency }
func (shoppingFrequency) Monthly() bool { return true }

func (r shoppingFrequency) Find(ctx context.Context, s Subject) ([]Finding, *Gap, error) {
	m, err := monthOf(s.Today)
	if err != nil {
		return nil, nil, err
	}
	t, err := r.figures.Visits(ctx, s.UserID, m.period(), smallPurchase)
	if err != nil || t.Purchases < frequentInvoices {
		return nil, nil, err
	}
	priority := PriorityLow
	if 2*t.Small >= t.Purchases {
		priority = PriorityMedium
	}
	return []Finding{cite(Finding{
		Kind: r.Kind(), Priority: priority, Period: m.period(),
		Facts: ShoppingFrequencyFacts{
			InvoiceCount: t.Purchases, AvgTicket: share(centavos(t.Total), decimal.NewFromInt(t.Purchases)), MerchantCount: t.Merchants,
			SmallPurchaseCount: t.Small, FamilySizeWeighted: familySize(s.Household),
		},
	}, t.Evidence)}, nil, nil
}
