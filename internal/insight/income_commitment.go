package insight

import (
	"context"

	"github.com/shopspring/decimal"
)

const (
	// accumulatedPercent of the income is much to have spent already, however far the month is.
	accumulatedPercent = 20
	// projectedBase is the part of the income, in percent, that a whole month's groceries of one adult may take.
	projectedBase = 30
	// earlyDays is until when in a month a projection rests on a few purchases.
	earlyDays = 7
)

// IncomeCommitmentFacts are what INCOME_COMMITMENT says.
type IncomeCommitmentFacts struct {
	Accumulated        Amount  `json:"accumulated"`
	HouseholdIncome    Amount  `json:"household_income"`
	PercentAccumulated Percent `json:"percent_accumulated"`
	DailyRate          Amount  `json:"daily_rate"`      // of the days elapsed, those without a purchase too
	ProjectedTotal     Amount  `json:"projected_total"` // of the whole month, were the rest of it like the days elapsed
	ProjectedPercent   Percent `json:"projected_percent"`
	DaysElapsed        int     `json:"days_elapsed"` // of the month, the day of the analysis included
	DaysRemaining      int     `json:"days_remaining"`
}

// incomeCommitment speaks when the calendar month's groceries, up to the day, take 20 % of the income or more, or when the month
// will end at 30 % or more if it goes on like that, two more for each further person. CRITICAL when what is already spent is that
// much; HIGH when both hold, MEDIUM when one does, but LOW for a projection alone in the month's first week.
type incomeCommitment struct{ figures MonthFigures }

func (incomeCommitment) Kind() Kind    { return KindIncomeCommitment }
func (incomeCommitment) Monthly() bool { return true }

func (r incomeCommitment) Find(ctx context.Context, s Subject) ([]Finding, *Gap, error) {
	income, ok := incomeOf(s.Household)
	if !ok {
		return nil, &Gap{Kind: r.Kind(), Missing: "income"}, nil
	}
	m, err := monthOf(s.Today)
	if err != nil {
		return nil, nil, err
	}
	spending, err := r.figures.Spending(ctx, s.UserID, m.period())
	if err != nil {
		return nil, nil, err
	}
	c := commitment{
		spent: centavos(spending.Periods[0].Total), income: centavos(income), threshold: familyThreshold(projectedBase, s.Household),
		elapsed: decimal.NewFromInt(int64(m.elapsed())), days: decimal.NewFromInt(int64(m.days())),
	}
	priority := c.priority()
	if priority == "" {
		return nil, nil, nil
	}
	facts := c.facts()
	facts.DaysElapsed, facts.DaysRemaining = m.elapsed(), m.days()-m.elapsed()
	return []Finding{cite(Finding{Kind: r.Kind(), Priority: priority, Period: m.period(), Facts: facts}, spending.Evidence)}, nil, nil
}

// commitment is a month's spending beside the income, in centavos.
type commitment struct{ spent, income, threshold, elapsed, days decimal.Decimal }

// priority is "" when there is nothing to say.
func (c commitment) priority() Priority {
	accumulated := reaches(c.spent, c.income, decimal.NewFromInt(accumulatedPercent))
	projected := reaches(c.spent.Mul(c.days), c.income.Mul(c.elapsed), c.threshold)
	switch {
	case reaches(c.spent, c.income, c.threshold):
		return PriorityCritical
	case accumulated && projected:
		return PriorityHigh
	case accumulated || projected && c.elapsed.GreaterThan(decimal.NewFromInt(earlyDays)):
		return PriorityMedium
	case projected:
		return PriorityLow
	}
	return ""
}

func (c commitment) facts() IncomeCommitmentFacts {
	return IncomeCommitmentFacts{
		Accumulated: Amount(c.spent.IntPart()), HouseholdIncome: Amount(c.income.IntPart()),
		PercentAccumulated: percentOf(c.spent, c.income),
		DailyRate:          share(c.spent, c.elapsed),
		ProjectedTotal:     share(c.spent.Mul(c.days), c.elapsed),
		ProjectedPercent:   percentOf(c.spent.Mul(c.days), c.income.Mul(c.elapsed)),
	}
}
