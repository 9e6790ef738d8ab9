package insight

import (
	"cmp"
	"context"
)

const (
	// merchantPatternVisits is how many purchases at a shop make a pattern.
	merchantPatternVisits = 3
	// A shop's mean ticket is told when it is above these percentages of that of the others.
	merchantPatternPercent     = 120
	merchantPatternHighPercent = 150
)

// MerchantPatternFacts is what a MERCHANT_PATTERN knows.
type MerchantPatternFacts struct {
	MerchantName      string  `json:"merchant_name"`
	MerchantCategory  string  `json:"merchant_category"` // its name, for people
	CurrentAvgTicket  Amount  `json:"current_avg_ticket"`
	CategoryAvgTicket Amount  `json:"category_avg_ticket"` // of the user's other shops of the category
	DifferencePercent Percent `json:"difference_percent"`
	VisitCount        int     `json:"visit_count"`
}

// merchantPattern: the user made three or more purchases at the shop on the day and in the ninety days before, this one
// included, and they cost above 1.2 times, in the mean, what the user's purchases at other shops of the category did in that
// time, of which there is one at least. It matters much above 1.5 times. Purchases that cost nothing do not count.
type merchantPattern struct {
	figures PurchaseFigures
	names   Names
}

func (merchantPattern) Kind() Kind { return KindMerchantPattern }

func (merchantPattern) Monthly() bool { return false }

func (r merchantPattern) Find(ctx context.Context, s Subject) ([]Finding, *Gap, error) {
	if s.Total <= 0 || s.Merchant.Category == "" {
		return nil, nil, nil
	}
	h, err := s.history(daysBefore)
	if err != nil {
		return nil, nil, err
	}
	t, err := r.figures.MerchantTickets(ctx, h, s.Merchant)
	if err != nil {
		return nil, nil, err
	}
	visits := t.Here + 1
	here, others := averageOf(t.PaidHere.Add(s.Total), visits), averageOf(t.PaidOthers, t.Others)
	if visits < merchantPatternVisits || !here.above(others, merchantPatternPercent) {
		return nil, nil, nil
	}
	priority := PriorityMedium
	if here.above(others, merchantPatternHighPercent) {
		priority = PriorityHigh
	}
	return []Finding{{
		Kind: KindMerchantPattern, Priority: priority,
		Facts: MerchantPatternFacts{
			MerchantName: s.Merchant.Name, MerchantCategory: cmp.Or(r.names.MerchantCategoryName(s.Merchant.Category), s.Merchant.Category),
			CurrentAvgTicket: here.centavos(), CategoryAvgTicket: others.centavos(), DifferencePercent: here.change(others),
			VisitCount: visits,
		},
		Period: h.Period, Categories: categoriesOf(s.Lines), Merchants: []string{s.Merchant.Name}, ItemIDs: itemIDs(s.Lines),
	}}, nil, nil
}
