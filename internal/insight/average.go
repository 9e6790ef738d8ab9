package insight

import (
	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// average is an exact mean, kept as the sum it is made of: figures are compared before anything is rounded.
type average struct {
	sum   decimal.Decimal
	count int64
}

// just is a single figure, to compare with an average.
func just(figure decimal.Decimal) average { return average{figure, 1} }

func averageOf(sum fiscal.Money, count int) average {
	return average{decimal.NewFromInt(int64(sum)), int64(count)}
}

func (a *average) add(figure decimal.Decimal) {
	a.sum, a.count = a.sum.Add(figure), a.count+1
}

// above says whether a is more than percent of base. Nothing is above the average of nothing.
func (a average) above(base average, percent int64) bool {
	if a.count == 0 || base.count == 0 || !base.sum.IsPositive() {
		return false
	}
	left, right := a.crossed(base)
	return left.Shift(2).GreaterThan(right.Mul(decimal.NewFromInt(percent)))
}

// reaches says whether a is percent of base or more.
func (a average) reaches(base average, percent int64) bool {
	if a.count == 0 || base.count == 0 || !base.sum.IsPositive() {
		return false
	}
	left, right := a.crossed(base)
	return left.Shift(2).GreaterThanOrEqual(right.Mul(decimal.NewFromInt(percent)))
}

// change is by how many percent of base a differs from it.
func (a average) change(base average) Percent { return percentChange(a.crossed(base)) }

// crossed brings both to one denominator.
func (a average) crossed(base average) (decimal.Decimal, decimal.Decimal) {
	return a.sum.Mul(decimal.NewFromInt(base.count)), base.sum.Mul(decimal.NewFromInt(a.count))
}

// less is a minus base, rounded to the given places.
func (a average) less(base average, places int32) decimal.Decimal {
	left, right := a.crossed(base)
	return left.Sub(right).DivRound(decimal.NewFromInt(a.count*base.count), places)
}

// centavos is the average of amounts, rounded half away from zero. It needs a count.
func (a average) centavos() Amount {
	return Amount(a.sum.DivRound(decimal.NewFromInt(a.count), 0).IntPart())
}

// price is the average of prices in millionths of a real, rounded likewise.
func (a average) price() Amount { return average{a.sum.Shift(-4), a.count}.centavos() }

// monthsOf parts months into what the current one has so far and the average of those before it. A month in which nothing was
// spent is no part of the average: it says that a need did not arise, or that receipts were not kept.
func monthsOf(months []MonthTotal, current string) (fiscal.Money, average) {
	var now fiscal.Money
	var before average
	for _, m := range months {
		switch {
		case m.Month == current:
			now = now.Add(m.Paid)
		case m.Month < current && m.Paid > 0:
			before.add(decimal.NewFromInt(int64(m.Paid)))
		}
	}
	return now, before
}
