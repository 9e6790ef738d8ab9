package insight

import (
	"context"

	"github.com/shopspring/decimal"
)

const (
	// savingsWindow is how many days of analyses are looked at.
	savingsWindow = 60
	// savingsAnalyses is from how many on they say something together, savingsMany from how many on they say it loudly.
	savingsAnalyses = 5
	savingsMany     = 15
)

// SavingsPotentialFacts are what SAVINGS_POTENTIAL says.
type SavingsPotentialFacts struct {
	MonthSpent         Amount          `json:"month_spent"`
	HouseholdIncome    *Amount         `json:"household_income,omitempty"` // left out when it is not told
	AnalysesCount      int64           `json:"analyses_count"`
	FamilySizeWeighted decimal.Decimal `json:"family_size_weighted"`
	AnalysisTypes      map[Kind]int64  `json:"analysis_types"` // how many of each kind
}

// savingsPotential speaks when there are five insights or more about purchases of the last sixty days. Those of its own kind do not
// count, nor those of the invoice that is analysed: they are about to be replaced. MEDIUM, HIGH from fifteen on.
type savingsPotential struct{ figures MonthFigures }

func (savingsPotential) Kind() Kind    { return KindSavingsPotential }
func (savingsPotential) Monthly() bool { return true }

func (r savingsPotential) Find(ctx context.Context, s Subject) ([]Finding, *Gap, error) {
	m, err := monthOf(s.Today)
	if err != nil {
		return nil, nil, err
	}
	found, err := r.figures.Found(ctx, s.UserID, FoundFilter{
		Purchases: m.last(savingsWindow, 0), ExceptKind: r.Kind(), ExceptInvoiceID: s.InvoiceID, Month: m.period(),
	})
	if err != nil {
		return nil, nil, err
	}
	facts := SavingsPotentialFacts{
		MonthSpent: Amount(found.Month.Total), FamilySizeWeighted: familySize(s.Household), AnalysisTypes: found.Kinds,
	}
	for _, n := range found.Kinds {
		facts.AnalysesCount += n
	}
	if facts.AnalysesCount < savingsAnalyses {
		return nil, nil, nil
	}
	if income, ok := incomeOf(s.Household); ok {
		facts.HouseholdIncome = new(Amount(income))
	}
	priority := PriorityMedium
	if facts.AnalysesCount >= savingsMany {
		priority = PriorityHigh
	}
	return []Finding{cite(Finding{Kind: r.Kind(), Priority: priority, Period: m.last(savingsWindow, 0), Facts: facts}, found.Evidence)}, nil, nil
}
