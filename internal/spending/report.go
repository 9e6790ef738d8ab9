package spending

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// MaxProducts is how many products a report lists: those with the largest totals.
const MaxProducts = 200

// Report divides what the user spent in a period of at most 1827 days.
func (s *Service) Report(ctx context.Context, userID string, period Period, by Group) (*Report, error) {
	d, err := period.parse()
	if err != nil {
		return nil, err
	}
	previous := d.previous()
	switch {
	case d.count() > maxPeriod:
		return nil, badPeriod("O período pode ter no máximo 1827 dias, que são cinco anos.")
	case previous.from.Year() < 1:
		return nil, badPeriod("O período começa cedo demais para ser comparado com o anterior.")
	}
	sums, err := s.store.Sums(ctx, userID, previous.period(), d.period(), by)
	if err != nil {
		return nil, fmt.Errorf("report spending: %w", err)
	}
	r := &Report{
		Period: d.period(), Previous: previous.period(), Total: sums.Total, PreviousTotal: sums.Previous, Purchases: sums.Purchases,
		Unassigned: sums.Total.Sub(sums.Divided),
	}
	if by == GroupByMonth {
		r.Groups, err = monthTotals(d, sums.Groups)
		if err != nil {
			return nil, fmt.Errorf("report spending: %w", err)
		}
	} else {
		r.Groups = s.groupTotals(by, sums.Groups)
	}
	for i := range r.Groups {
		r.Groups[i].Share = share(r.Groups[i].Total, sums.Divided)
	}
	return r, nil
}

func (s *Service) groupTotals(by Group, sums []GroupSum) []GroupTotal {
	groups := make([]GroupTotal, 0, len(sums))
	for _, sum := range sums {
		g := GroupTotal{
			Key: sum.Key, Name: sum.Name, Total: sum.Total, PreviousTotal: sum.Previous, Purchases: sum.Purchases, Product: sum.Product,
		}
		switch {
		case by == GroupByCategory:
			g.Name = s.categoryName(sum.Key)
		case sum.Product != nil:
			g.Name = sum.Product.Name
		}
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b GroupTotal) int {
		return cmp.Or(
			cmp.Compare(b.Total, a.Total), cmp.Compare(b.PreviousTotal, a.PreviousTotal),
			strings.Compare(a.Name, b.Name), strings.Compare(a.Key, b.Key),
		)
	})
	return groups
}

// monthTotals has every month that the period touches, those without a purchase too.
func monthTotals(d days, sums []GroupSum) ([]GroupTotal, error) {
	var groups []GroupTotal
	at := map[string]int{}
	d.eachMonth(func(first time.Time) {
		key := first.Format(monthLayout)
		at[key] = len(groups)
		groups = append(groups, GroupTotal{Key: key, Name: monthName(first)})
	})
	for _, sum := range sums {
		day, err := time.Parse(time.DateOnly, sum.Key)
		if err != nil {
			return nil, fmt.Errorf("a day of the ledger: %w", err)
		}
		i, ok := at[d.monthOf(day)]
		if !ok {
			return nil, fmt.Errorf("the ledger gave %s, which is outside of the periods", sum.Key)
		}
		g := &groups[i]
		g.Total, g.PreviousTotal = g.Total.Add(sum.Total), g.PreviousTotal.Add(sum.Previous)
		g.Purchases += sum.Purchases
	}
	return groups, nil
}

// share is in percent, rounded half away from zero to one decimal; 0 of nothing.
func share(part, whole fiscal.Money) decimal.Decimal {
	if whole == 0 {
		return decimal.Zero
	}
	return decimal.NewFromInt(part.Centavos()).Shift(2).DivRound(decimal.NewFromInt(whole.Centavos()), 1)
}
