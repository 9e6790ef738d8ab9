package insight

import (
	"context"

	"github.com/shopspring/decimal"
)

// previousMonths is how many whole months before this one its spending is set beside.
const previousMonths = 3

// budgetBase is the part of the income, in percent, that groceries of one adult may take.
const budgetBase = 25

// BudgetHealthFacts are what BUDGET_HEALTH says.
type BudgetHealthFacts struct {
	MonthSpent      Amount  `json:"month_spent"`
	HouseholdIncome Amount  `json:"household_income"`
	PercentOfIncome Percent `json:"percent_of_income"`
	// AvgPreviousMonths is of those of the three months before that have purchases, whole months; left out when none has.
	AvgPreviousMonths  *Amount         `json:"avg_previous_months,omitempty"`
	FamilySizeWeighted decimal.Decimal `json:"family_size_weighted"`
	ThresholdPercent   Percent         `json:"threshold_percent"`
}

// budgetHealth speaks when the calendar month's groceries, up to the day, take 25 % of the income or more, two more for each
// further person. MEDIUM; HIGH from one and a half times that share, CRITICAL from twice.
type budgetHealth struct{ figures MonthFigures }

func (budgetHealth) Kind() Kind    { return KindBudgetHealth }
func (budgetHealth) Monthly() bool { return true }

func (r budgetHealth) Find(ctx context.Context, s Subject) ([]Finding, *Gap, error) {
	income, ok := incomeOf(s.Household)
	if !ok {
		return nil, &Gap{Kind: r.Kind(), Missing: "income"}, nil
	}
	m, err := monthOf(s.Today)
	if err != nil {
		return nil, nil, err
	}
	periods := []Period{m.period()}
	for n := range previousMonths {
		periods = append(periods, m.before(n+1))
	}
	spending, err := r.figures.Spending(ctx, s.UserID, periods...)
	if err != nil {
		return nil, nil, err
	}
	spent, threshold := spending.Periods[0].Total, familyThreshold(budgetBase, s.Household)
	if !reaches(centavos(spent), centavos(income), threshold) {
		return nil, nil, nil
	}
	return []Finding{cite(Finding{
		Kind: r.Kind(), Priority: budgetPriority(centavos(spent), centavos(income), threshold), Period: m.period(),
		Facts: BudgetHealthFacts{
			MonthSpent: Amount(spent), HouseholdIncome: Amount(income),
			PercentOfIncome:    PercentOf(spent.Centavos(), income.Centavos()),
			AvgPreviousMonths:  meanOfMonths(spending.Periods[1:]),
			FamilySizeWeighted: familySize(s.Household), ThresholdPercent: Percent(threshold),
		},
	}, spending.Evidence)}, nil, nil
}

func budgetPriority(spent, income, threshold decimal.Decimal) Priority {
	switch {
	case reaches(spent, income, threshold.Mul(decimal.NewFromInt(2))):
		return PriorityCritical
	case reaches(spent, income, threshold.Mul(decimal.New(15, -1))):
		return PriorityHigh
	}
	return PriorityMedium
}

// meanOfMonths leaves months without a purchase out; nil when all are.
func meanOfMonths(months []Paid) *Amount {
	var sum, n int64
	for _, p := range months {
		if p.Purchases > 0 {
			sum, n = sum+p.Total.Centavos(), n+1
		}
	}
	if n == 0 {
		return nil
	}
	return new(share(decimal.NewFromInt(sum), decimal.NewFromInt(n)))
}
