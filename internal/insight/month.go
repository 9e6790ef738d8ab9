package insight

import (
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// MonthRules are the kinds that come at most once in thirty days, in their order. When one spoke last is not theirs to know.
func MonthRules(f MonthFigures) []Rule {
	return []Rule{
		budgetHealth{f},
		incomeCommitment{f},
		perCapitaSpending{f},
		shoppingFrequency{f},
		wholesaleOpportunity{f},
		savingsPotential{f},
		familyNutrition{f},
	}
}

// calendarMonth is the month of a day in Brasília, up to and including that day.
type calendarMonth struct{ first, today time.Time }

func monthOf(today Day) (calendarMonth, error) {
	t, err := time.Parse(time.DateOnly, string(today))
	if err != nil {
		return calendarMonth{}, fmt.Errorf("read the day of the analysis: %w", err)
	}
	return calendarMonth{first: t.AddDate(0, 0, 1-t.Day()), today: t}, nil
}

// period is from the first of the month to the day.
func (m calendarMonth) period() Period { return periodOf(m.first, m.today) }

// before is the whole month n months ago.
func (m calendarMonth) before(n int) Period {
	return periodOf(m.first.AddDate(0, -n, 0), m.first.AddDate(0, 1-n, -1))
}

// elapsed is how many days the period has.
func (m calendarMonth) elapsed() int { return m.today.Day() }

// days is how many days the whole month has.
func (m calendarMonth) days() int { return m.first.AddDate(0, 1, -1).Day() }

// last is the run of n days that ends with the day, or skip days before it.
func (m calendarMonth) last(n, skip int) Period {
	to := m.today.AddDate(0, 0, -skip)
	return periodOf(to.AddDate(0, 0, 1-n), to)
}

func periodOf(from, to time.Time) Period {
	return Period{From: Day(from.Format(time.DateOnly)), To: Day(to.Format(time.DateOnly))}
}

// familySize is adults and 0.7 for each child. Of nobody it is 1, so that it divides.
func familySize(h Household) decimal.Decimal {
	if h.Adults <= 0 && h.Children <= 0 {
		return decimal.NewFromInt(1)
	}
	return decimal.New(10*int64(h.Adults)+7*int64(h.Children), -1)
}

// familyThreshold is base percent and two more for each further person of the family size. It never falls below base.
func familyThreshold(base int64, h Household) decimal.Decimal {
	one := decimal.NewFromInt(1)
	further := decimal.Max(familySize(h).Sub(one), decimal.Zero)
	return decimal.NewFromInt(base).Add(further.Mul(decimal.NewFromInt(2)))
}

// incomeOf is the household's income; false when it is not told, or told to be nothing, of which nothing is a share.
func incomeOf(h Household) (fiscal.Money, bool) {
	if h.Income == nil || *h.Income <= 0 {
		return 0, false
	}
	return *h.Income, true
}

// reaches says whether part is at least the percentage of whole, without rounding.
func reaches(part, whole, percent decimal.Decimal) bool {
	return part.Shift(2).GreaterThanOrEqual(percent.Mul(whole))
}

// share is a part of an amount of money, rounded half away from zero to centavos.
func share(m decimal.Decimal, of decimal.Decimal) Amount { return Amount(m.DivRound(of, 0).IntPart()) }

func centavos(m fiscal.Money) decimal.Decimal { return decimal.NewFromInt(m.Centavos()) }

// cite makes lines the evidence of a finding, with their categories and shops in the lines' order.
func cite(f Finding, lines []EvidenceLine) Finding {
	for _, l := range lines {
		f.ItemIDs = append(f.ItemIDs, l.ItemID)
		f.Categories = appendNew(f.Categories, l.Category)
		f.Merchants = appendNew(f.Merchants, l.Merchant)
	}
	return f
}

func appendNew(all []string, s string) []string {
	if s == "" || slices.Contains(all, s) {
		return all
	}
	return append(all, s)
}
