package insight

import (
	"context"

	"github.com/shopspring/decimal"
)

const (
	// perCapitaDays is how long the spending is that is compared: the same for now and before, whatever the day of the month.
	perCapitaDays = 30
	// perCapitaWindows is how many such spans before are looked at.
	perCapitaWindows = 3
	// perCapitaPercent and perCapitaCentavos are changes worth a word; either is enough.
	perCapitaPercent  = 20
	perCapitaCentavos = 500_00
	// perCapitaSteep is a rise in percent that is alarming.
	perCapitaSteep = 50
)

// PerCapitaSpendingFacts are what PER_CAPITA_SPENDING says.
type PerCapitaSpendingFacts struct {
	PerCapitaCurrent   Amount          `json:"per_capita_current"` // of the last thirty days
	PerCapitaAvg3M     Amount          `json:"per_capita_avg_3m"`  // of thirty days before
	ChangePercent      Percent         `json:"change_percent"`     // below 0 when it fell
	FamilySizeWeighted decimal.Decimal `json:"family_size_weighted"`
	IncomePerCapita    *Amount         `json:"income_per_capita,omitempty"` // left out when the income is not told
}

// perCapitaSpending speaks when the last thirty days, up to the day, cost each person 20 % or R$ 500 more or less than the mean
// of the three spans of thirty days before: a month that has just begun would always seem cheap beside whole ones. A span counts
// when it has purchases and begins no earlier than the family's first one, as the rest of it is not known. MEDIUM for a rise, HIGH
// from 50 % on, LOW for a fall.
type perCapitaSpending struct{ figures MonthFigures }

func (perCapitaSpending) Kind() Kind    { return KindPerCapitaSpending }
func (perCapitaSpending) Monthly() bool { return true }

func (r perCapitaSpending) Find(ctx context.Context, s Subject) ([]Finding, *Gap, error) {
	m, err := monthOf(s.Today)
	if err != nil {
		return nil, nil, err
	}
	var periods []Period
	for n := range 1 + perCapitaWindows {
		periods = append(periods, m.last(perCapitaDays, n*perCapitaDays))
	}
	spending, err := r.figures.Spending(ctx, s.UserID, periods...)
	if err != nil {
		return nil, nil, err
	}
	var sum, n int64
	for i := 1; i < len(periods); i++ {
		if total := spending.Periods[i].Total; total > 0 && spending.First <= periods[i].From {
			sum, n = sum+total.Centavos(), n+1
		}
	}
	if n == 0 {
		return nil, nil, nil
	}
	c := perCapita{
		now: centavos(spending.Periods[0].Total), sum: decimal.NewFromInt(sum), windows: decimal.NewFromInt(n), family: familySize(s.Household),
	}
	priority := c.priority()
	if priority == "" {
		return nil, nil, nil
	}
	facts := c.facts()
	if income, ok := incomeOf(s.Household); ok {
		facts.IncomePerCapita = new(share(centavos(income), c.family))
	}
	return []Finding{cite(Finding{Kind: r.Kind(), Priority: priority, Period: periods[0], Facts: facts}, spending.Evidence)}, nil, nil
}

// perCapita is the spending of now beside the sum of some spans before, in centavos.
type perCapita struct{ now, sum, windows, family decimal.Decimal }

// rise is now less the mean, times the spans.
func (c perCapita) rise() decimal.Decimal { return c.now.Mul(c.windows).Sub(c.sum) }

// priority is "" when there is nothing to say.
func (c perCapita) priority() Priority {
	rise := c.rise()
	much := decimal.NewFromInt(perCapitaCentavos).Mul(c.windows).Mul(c.family)
	switch {
	case !reaches(rise.Abs(), c.sum, decimal.NewFromInt(perCapitaPercent)) && rise.Abs().LessThan(much):
		return ""
	case rise.IsNegative():
		return PriorityLow
	case reaches(rise, c.sum, decimal.NewFromInt(perCapitaSteep)):
		return PriorityHigh
	}
	return PriorityMedium
}

func (c perCapita) facts() PerCapitaSpendingFacts {
	return PerCapitaSpendingFacts{
		PerCapitaCurrent: share(c.now, c.family), PerCapitaAvg3M: share(c.sum, c.windows.Mul(c.family)),
		ChangePercent: percentOf(c.rise(), c.sum), FamilySizeWeighted: c.family,
	}
}
