package insight

import (
	"cmp"
	"context"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

const (
	// categoryInsightLeast is what a category takes of the purchase at least.
	categoryInsightLeast fiscal.Money = 50_00
	// A month is told when it is above these percentages of the mean.
	categoryInsightPercent     = 130
	categoryInsightHighPercent = 200
	// categoryInsightLimit is how many categories of one purchase are told.
	categoryInsightLimit = 3
)

// CategoryInsightFacts is what a CATEGORY_INSIGHT knows.
type CategoryInsightFacts struct {
	Category          string  `json:"category"`            // its name, for people
	CurrentMonthTotal Amount  `json:"current_month_total"` // up to the purchase, itself included
	AverageMonthly    Amount  `json:"average_monthly"`
	DifferencePercent Percent `json:"difference_percent"`
	MonthsAnalyzed    int     `json:"months_analyzed"` // earlier months that the average is made of
}

// categoryInsight: a category takes R$ 50 or more of the purchase, and what its calendar month has so far is above 1.3 times the
// mean of the three calendar months before. Of those count the ones in which something of the category was bought, one at least.
// It matters much above twice the mean. Of a purchase the three categories are told that are furthest above their mean, in
// money.
type categoryInsight struct {
	figures PurchaseFigures
	names   Names
}

func (categoryInsight) Kind() Kind { return KindCategoryInsight }

func (categoryInsight) Monthly() bool { return false }

// categoryRise is a finding with what it is sorted by.
type categoryRise struct {
	finding Finding
	extra   decimal.Decimal
}

func (r categoryInsight) Find(ctx context.Context, s Subject) ([]Finding, *Gap, error) {
	lines := largeCategories(s.Lines)
	if len(lines) == 0 {
		return nil, nil, nil
	}
	h, err := s.history(monthsBefore)
	if err != nil {
		return nil, nil, err
	}
	ids := make([]string, 0, len(lines))
	for id := range lines {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	months, err := r.figures.CategoryMonths(ctx, h, ids)
	if err != nil {
		return nil, nil, err
	}
	var rises []categoryRise
	for _, id := range ids {
		earlier, mean := monthsOf(months[id], s.month())
		month := averageOf(earlier.Add(paidFor(lines[id])), 1)
		if month.above(mean, categoryInsightPercent) {
			rises = append(rises, categoryRise{r.finding(s, id, lines[id], month, mean), month.less(mean, 0)})
		}
	}
	slices.SortFunc(rises, func(a, b categoryRise) int {
		return cmp.Or(b.extra.Cmp(a.extra), cmp.Compare(a.finding.Subject, b.finding.Subject))
	})
	var findings []Finding
	for _, rise := range rises[:min(len(rises), categoryInsightLimit)] {
		findings = append(findings, rise.finding)
	}
	return findings, nil, nil
}

// largeCategories are the lines of the categories that take enough of a purchase.
func largeCategories(lines []Line) map[string][]Line {
	by := map[string][]Line{}
	for _, l := range lines {
		by[l.Product.Category] = append(by[l.Product.Category], l)
	}
	for id := range by {
		if paidFor(by[id]) < categoryInsightLeast {
			delete(by, id)
		}
	}
	return by
}

func (r categoryInsight) finding(s Subject, id string, lines []Line, month, mean average) Finding {
	priority := PriorityMedium
	if month.above(mean, categoryInsightHighPercent) {
		priority = PriorityHigh
	}
	return Finding{
		Kind: KindCategoryInsight, Subject: id, Priority: priority,
		Facts: CategoryInsightFacts{
			Category: categoryName(r.names, id), CurrentMonthTotal: month.centavos(), AverageMonthly: mean.centavos(),
			DifferencePercent: month.change(mean), MonthsAnalyzed: int(mean.count),
		},
		Period: s.monthSoFar(), Categories: []string{id}, Merchants: []string{s.Merchant.Name}, ItemIDs: itemIDs(lines),
	}
}
