package usage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// Totals adds up calls that have ended.
type Totals struct {
	Calls    int64 // to providers, failed ones too
	Failed   int64 // of Calls
	Cached   int64 // replies from the cache, beside Calls
	Uncosted int64 // of Calls: those whose cost is not known

	// Tokens are those of Calls.
	InputTokens       int64
	CachedInputTokens int64 // of InputTokens
	OutputTokens      int64
	ThinkingTokens    int64 // of OutputTokens

	Cost         MicroUSD // of calls whose cost is known
	Estimated    MicroUSD // what the others count for in budgets
	SavedByCache MicroUSD
}

// Add adds other calls to the sum.
func (t *Totals) Add(u Totals) {
	t.Calls += u.Calls
	t.Failed += u.Failed
	t.Cached += u.Cached
	t.Uncosted += u.Uncosted
	t.InputTokens += u.InputTokens
	t.CachedInputTokens += u.CachedInputTokens
	t.OutputTokens += u.OutputTokens
	t.ThinkingTokens += u.ThinkingTokens
	t.Cost = t.Cost.Add(u.Cost)
	t.Estimated = t.Estimated.Add(u.Estimated)
	t.SavedByCache = t.SavedByCache.Add(u.SavedByCache)
}

// Report is what calls of a period were and cost.
type Report struct {
	Totals

	ByModel []ModelTotals // the dearest first
	ByDay   []DayTotals   // the days with calls, in their order
}

// ModelTotals is the part of one provider's model.
type ModelTotals struct {
	Totals

	Provider string
	Model    string
}

// DayTotals is the part of one day.
type DayTotals struct {
	Totals

	Day time.Time // its midnight in Brasília
}

// maxPeriod bounds a report, in days.
const maxPeriod = 366

// Period is days in Brasília, both included.
type Period struct{ From, To Day }

func (p Period) validate() error {
	from, to := p.From.Start(), p.To.Start()
	bad := func(message string) error {
		return &invoice.Error{Code: invoice.CodeBadUserInput, Field: "period", Message: message}
	}
	switch {
	case from.IsZero() || to.IsZero() || to.Before(from):
		return bad("O período deve começar antes de terminar.")
	case to.Sub(from) >= maxPeriod*24*time.Hour:
		return bad("O período pode ter no máximo 366 dias.")
	}
	return nil
}

// Report adds up the calls of a user, or with userID "" of everybody. Calls under way do not count; those whose process died do.
func (s *Service) Report(ctx context.Context, userID string, period Period) (*Report, error) {
	if err := period.validate(); err != nil {
		return nil, err
	}
	if err := s.Expire(ctx); err != nil {
		return nil, err
	}
	sums, err := s.store.Sums(ctx, userID, period.From, period.To)
	if err != nil {
		return nil, fmt.Errorf("report usage: %w", err)
	}
	return assemble(sums), nil
}

func assemble(sums []Sum) *Report {
	type model struct{ provider, model string }
	r, models, days := &Report{}, map[model]*ModelTotals{}, map[Day]*DayTotals{}
	for _, sum := range sums {
		m, d := models[model{sum.Provider, sum.Model}], days[sum.Day]
		if m == nil {
			m = &ModelTotals{Provider: sum.Provider, Model: sum.Model}
			models[model{sum.Provider, sum.Model}] = m
		}
		if d == nil {
			d = &DayTotals{Day: sum.Day.Start()}
			days[sum.Day] = d
		}
		for _, t := range []*Totals{&r.Totals, &m.Totals, &d.Totals} {
			t.Add(sum.Totals)
		}
	}
	for _, m := range models {
		r.ByModel = append(r.ByModel, *m)
	}
	for _, d := range days {
		r.ByDay = append(r.ByDay, *d)
	}
	slices.SortFunc(r.ByModel, func(a, b ModelTotals) int {
		return cmp.Or(cmp.Compare(b.Cost, a.Cost), cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Model, b.Model))
	})
	slices.SortFunc(r.ByDay, func(a, b DayTotals) int { return a.Day.Compare(b.Day) })
	return r
}
