package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

const (
	// recurringWindow is in how many days a product has to come back.
	recurringWindow = 60
	// recurringProducts is from how many on buying in bulk is worth the way.
	recurringProducts = 3
	// weeklyDays and fortnightlyDays are the longest mean intervals between days of purchase that count as such.
	weeklyDays      = 9
	fortnightlyDays = 18
	// frequentShown is how many products are named: the words have room for no more.
	frequentShown = 10
	// wholesaleMedium and wholesaleHigh are monthly savings, in centavos, that matter.
	wholesaleMedium = 50_00
	wholesaleHigh   = 200_00
)

// WholesaleOpportunityFacts are what WHOLESALE_OPPORTUNITY says.
type WholesaleOpportunityFacts struct {
	FrequentProducts        []FrequentProduct `json:"frequent_products"` // those that save most first, at most ten
	EstimatedMonthlySavings Amount            `json:"estimated_monthly_savings"`
	SavingsPercentIncome    *Percent          `json:"savings_percent_income,omitempty"` // left out when the income is not told
	FamilySizeWeighted      decimal.Decimal   `json:"family_size_weighted"`
	PatternCount            int               `json:"pattern_count"` // recurring products, those that are not named too
}

// FrequentProduct is a product that recurs.
type FrequentProduct struct {
	Product        string    `json:"product"`
	Frequency      Frequency `json:"frequency"`
	DaysBought     int64     `json:"days_bought"`
	AveragePrice   Amount    `json:"average_price"`
	MonthlySavings Amount    `json:"monthly_savings"`
}

// Frequency is how often a product comes back.
type Frequency string

// The frequencies.
const (
	FrequencyWeekly      Frequency = "weekly"
	FrequencyFortnightly Frequency = "fortnightly"
	FrequencyOccasional  Frequency = "occasional"
)

// timesAMonth is how many purchases of a month are saved on.
func (f Frequency) timesAMonth() int64 {
	switch f {
	case FrequencyWeekly:
		return 4
	case FrequencyFortnightly:
		return 2
	case FrequencyOccasional:
	}
	return 0
}

// wholesaleOpportunity speaks when at least three products recur and one does so weekly or fortnightly. A product recurs that was
// bought on three different days of the last sixty; its interval is the mean one: nine days at most are weekly, eighteen
// fortnightly. Buying it wholesale saves 15 % of its mean price, four times a month or twice. Products whose price is not known do
// not count. LOW, MEDIUM from R$ 50 a month on, HIGH from R$ 200.
type wholesaleOpportunity struct{ figures MonthFigures }

func (wholesaleOpportunity) Kind() Kind    { return KindWholesaleOpportunity }
func (wholesaleOpportunity) Monthly() bool { return true }

func (r wholesaleOpportunity) Find(ctx context.Context, s Subject) ([]Finding, *Gap, error) {
	m, err := monthOf(s.Today)
	if err != nil {
		return nil, nil, err
	}
	window := m.last(recurringWindow, 0)
	recurring, err := r.figures.Recurring(ctx, s.UserID, window)
	if err != nil {
		return nil, nil, err
	}
	patterns, err := patternsOf(recurring)
	if err != nil {
		return nil, nil, err
	}
	if len(patterns) < recurringProducts || !slices.ContainsFunc(patterns, func(p pattern) bool { return p.Frequency.timesAMonth() > 0 }) {
		return nil, nil, nil
	}
	facts := WholesaleOpportunityFacts{PatternCount: len(patterns), FamilySizeWeighted: familySize(s.Household)}
	for _, p := range patterns {
		facts.EstimatedMonthlySavings += p.MonthlySavings
	}
	if income, ok := incomeOf(s.Household); ok {
		facts.SavingsPercentIncome = new(PercentOf(int64(facts.EstimatedMonthlySavings), income.Centavos()))
	}
	var evidence []EvidenceLine
	for _, p := range patterns[:min(len(patterns), frequentShown)] {
		facts.FrequentProducts = append(facts.FrequentProducts, p.FrequentProduct)
		for _, id := range p.itemIDs {
			evidence = append(evidence, EvidenceLine{ItemID: id, Category: p.category})
		}
	}
	return []Finding{cite(Finding{
		Kind: r.Kind(), Priority: wholesalePriority(facts.EstimatedMonthlySavings), Period: window, Facts: facts,
	}, evidence)}, nil, nil
}

func wholesalePriority(savings Amount) Priority {
	switch {
	case savings >= wholesaleHigh:
		return PriorityHigh
	case savings >= wholesaleMedium:
		return PriorityMedium
	}
	return PriorityLow
}

// pattern is a recurring product as the facts have it.
type pattern struct {
	FrequentProduct
	category string
	itemIDs  []string
}

// patternsOf puts those that save most first, then those bought most often.
func patternsOf(recurring []Recurring) ([]pattern, error) {
	patterns := make([]pattern, 0, len(recurring))
	for _, p := range recurring {
		frequency, err := frequencyOf(p)
		if err != nil {
			return nil, err
		}
		sum, priced := decimal.NewFromInt(p.PriceSumMicro), decimal.NewFromInt(p.Priced)
		patterns = append(patterns, pattern{
			FrequentProduct: FrequentProduct{
				Product: p.Name, Frequency: frequency, DaysBought: p.Days, AveragePrice: share(sum.Shift(-4), priced),
				MonthlySavings: share(sum.Shift(-4).Mul(decimal.New(15*frequency.timesAMonth(), -2)), priced),
			},
			category: p.Category, itemIDs: p.ItemIDs,
		})
	}
	slices.SortStableFunc(patterns, func(a, b pattern) int {
		return cmp.Or(cmp.Compare(b.MonthlySavings, a.MonthlySavings), cmp.Compare(b.DaysBought, a.DaysBought), cmp.Compare(a.Product, b.Product))
	})
	return patterns, nil
}

// frequencyOf compares the days between the first and the last purchase with as many longest intervals as lie between them.
func frequencyOf(p Recurring) (Frequency, error) {
	first, err := time.Parse(time.DateOnly, string(p.First))
	if err != nil {
		return "", fmt.Errorf("read the first day of a product: %w", err)
	}
	last, err := time.Parse(time.DateOnly, string(p.Last))
	if err != nil {
		return "", fmt.Errorf("read the last day of a product: %w", err)
	}
	days := int64(last.Sub(first) / (24 * time.Hour)) // both at midnight UTC
	switch intervals := p.Days - 1; {
	case days <= weeklyDays*intervals:
		return FrequencyWeekly, nil
	case days <= fortnightlyDays*intervals:
		return FrequencyFortnightly, nil
	}
	return FrequencyOccasional, nil
}
