package insight

import (
	"context"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

const (
	// childrenSpendingItems is how many items for children make a purchase worth telling.
	childrenSpendingItems = 2
	// childrenSpendingMediumPercent of the mean month is above what is only good to know.
	childrenSpendingMediumPercent = 130
)

// ChildrenSpendingFacts is what a CHILDREN_SPENDING knows: of the purchase but for what names a month.
type ChildrenSpendingFacts struct {
	ChildItemsCount int    `json:"child_items_count"`
	ChildTotal      Amount `json:"child_total"`
	CostPerChild    Amount `json:"cost_per_child"`
	ChildrenCount   int    `json:"children_count"`
	// MonthTotal is what the calendar month has so far, this purchase included: what ChangePercent compares with the months
	// before. Those three count in which something was bought for children; both figures are left out where there is none.
	MonthTotal        Amount   `json:"month_total"`
	AvgPreviousMonths *Amount  `json:"avg_previous_months,omitempty"`
	ChangePercent     *Percent `json:"change_percent,omitempty"`
	IncomePercent     *Percent `json:"income_percent,omitempty"` // only where the income is known
}

// childrenSpending: a household with children bought two or more items for them. It is good to know, and worth a look once the
// calendar month is above 1.3 times the mean of the three before. A household without children gets nothing, and lacks nothing.
type childrenSpending struct{ figures PurchaseFigures }

func (childrenSpending) Kind() Kind { return KindChildrenSpending }

func (childrenSpending) Monthly() bool { return false }

func (r childrenSpending) Find(ctx context.Context, s Subject) ([]Finding, *Gap, error) {
	if s.Household.Children <= 0 {
		return nil, nil, nil
	}
	var lines []Line
	for _, l := range s.Lines {
		if l.Product.Child {
			lines = append(lines, l)
		}
	}
	total := paidFor(lines)
	if len(lines) < childrenSpendingItems || total <= 0 {
		return nil, nil, nil
	}
	h, err := s.history(monthsBefore)
	if err != nil {
		return nil, nil, err
	}
	months, err := r.figures.ChildMonths(ctx, h)
	if err != nil {
		return nil, nil, err
	}
	facts, priority := childrenFacts(s, len(lines), total, months)
	return []Finding{{
		Kind: KindChildrenSpending, Priority: priority, Facts: facts, Period: s.monthSoFar(), Categories: categoriesOf(lines),
		Merchants: []string{s.Merchant.Name}, ItemIDs: itemIDs(lines),
	}}, nil, nil
}

func childrenFacts(s Subject, items int, total fiscal.Money, months []MonthTotal) (ChildrenSpendingFacts, Priority) {
	earlier, mean := monthsOf(months, s.month())
	month := averageOf(earlier.Add(total), 1)
	facts := ChildrenSpendingFacts{
		ChildItemsCount: items, ChildTotal: Amount(total), CostPerChild: averageOf(total, s.Household.Children).centavos(),
		ChildrenCount: s.Household.Children, MonthTotal: month.centavos(), IncomePercent: s.Household.incomePercent(total),
	}
	if mean.count == 0 {
		return facts, PriorityLow
	}
	facts.AvgPreviousMonths, facts.ChangePercent = new(mean.centavos()), new(month.change(mean))
	if month.above(mean, childrenSpendingMediumPercent) {
		return facts, PriorityMedium
	}
	return facts, PriorityLow
}
