package insight

import (
	"context"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

const (
	// essentialRatioItems is how many items make a purchase worth parting.
	essentialRatioItems = 5
	// essentialRatioPercent of the purchase, not essential, is told; more than essentialRatioHighPercent of it, or more than
	// essentialRatioIncomePercent of the month's income, matters much.
	essentialRatioPercent       = 35
	essentialRatioHighPercent   = 50
	essentialRatioIncomePercent = 15
)

// EssentialRatioFacts is what an ESSENTIAL_RATIO knows. Totals are of the lines, before discounts of the whole purchase, so that
// the two parts make up the total.
type EssentialRatioFacts struct {
	TotalValue                Amount   `json:"total_value"`
	EssentialTotal            Amount   `json:"essential_total"`
	NonEssentialTotal         Amount   `json:"non_essential_total"`
	NonEssentialPercent       Percent  `json:"non_essential_percent"`
	IncomePercentNonEssential *Percent `json:"income_percent_non_essential,omitempty"` // only where the income is known
	ItemCount                 int      `json:"item_count"`
}

// essentialRatio: of a purchase of five items or more, 35 % or more went to what is not essential. It matters much above 50 %, or
// above 15 % of the month's income. Lines that cost less than nothing are no part of the totals. An unknown income is no gap:
// only its share is left out.
type essentialRatio struct{}

func (essentialRatio) Kind() Kind { return KindEssentialRatio }

func (essentialRatio) Monthly() bool { return false }

func (essentialRatio) Find(_ context.Context, s Subject) ([]Finding, *Gap, error) {
	if len(s.Lines) < essentialRatioItems {
		return nil, nil, nil
	}
	var essential, other fiscal.Money
	var evidence []Line
	for _, l := range s.Lines {
		switch paid := max(l.Paid, 0); {
		case l.Product.Essential:
			essential = essential.Add(paid)
		default:
			other = other.Add(paid)
			evidence = append(evidence, l)
		}
	}
	total := essential.Add(other)
	share, whole := averageOf(other, 1), averageOf(total, 1)
	if total <= 0 || !share.reaches(whole, essentialRatioPercent) {
		return nil, nil, nil
	}
	facts := EssentialRatioFacts{
		TotalValue: Amount(total), EssentialTotal: Amount(essential), NonEssentialTotal: Amount(other),
		NonEssentialPercent: PercentOf(int64(other), int64(total)), IncomePercentNonEssential: s.Household.incomePercent(other),
		ItemCount: len(s.Lines),
	}
	priority := PriorityMedium
	if share.above(whole, essentialRatioHighPercent) || s.Household.incomeBelow(other, essentialRatioIncomePercent) {
		priority = PriorityHigh
	}
	return []Finding{{
		Kind: KindEssentialRatio, Priority: priority, Facts: facts, Period: s.thatDay(), Categories: categoriesOf(evidence),
		Merchants: []string{s.Merchant.Name}, ItemIDs: itemIDs(evidence),
	}}, nil, nil
}

// incomePercent is how much of the month's income an amount is; nil where no income is known.
func (h Household) incomePercent(amount fiscal.Money) *Percent {
	if h.Income == nil || *h.Income <= 0 {
		return nil
	}
	return new(PercentOf(int64(amount), int64(*h.Income)))
}

// incomeBelow says whether an amount is more than percent of the month's income; false where none is known.
func (h Household) incomeBelow(amount fiscal.Money, percent int64) bool {
	return h.Income != nil && averageOf(amount, 1).above(averageOf(*h.Income, 1), percent)
}
