package insight_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
)

// monthFigures answers what a test says, and keeps what it was asked.
type monthFigures struct {
	spending  insight.Spending
	visits    insight.Visits
	recurring []insight.Recurring
	found     insight.Found
	food      insight.Food
	err       error

	user    string
	periods []insight.Period
	small   fiscal.Money
	filter  insight.FoundFilter
}

var _ insight.MonthFigures = (*monthFigures)(nil)

func (f *monthFigures) Spending(_ context.Context, user string, periods ...insight.Period) (insight.Spending, error) {
	f.user, f.periods = user, periods
	answer := f.spending
	for len(answer.Periods) < len(periods) {
		answer.Periods = append(slices.Clone(answer.Periods), insight.Paid{})
	}
	return answer, f.err
}

func (f *monthFigures) Visits(_ context.Context, user string, p insight.Period, small fiscal.Money) (insight.Visits, error) {
	f.user, f.periods, f.small = user, []insight.Period{p}, small
	return f.visits, f.err
}

func (f *monthFigures) Recurring(_ context.Context, user string, p insight.Period) ([]insight.Recurring, error) {
	f.user, f.periods = user, []insight.Period{p}
	return f.recurring, f.err
}

func (f *monthFigures) Found(_ context.Context, user string, q insight.FoundFilter) (insight.Found, error) {
	f.user, f.filter = user, q
	return f.found, f.err
}

func (f *monthFigures) Food(_ context.Context, user string, p insight.Period) (insight.Food, error) {
	f.user, f.periods = user, []insight.Period{p}
	return f.food, f.err
}

// spentIn are sums of as many periods; a negative one has no purchase.
func spentIn(centavos ...int64) insight.Spending {
	s := insight.Spending{First: "2020-01-01", Evidence: monthEvidence()}
	for _, c := range centavos {
		if c < 0 {
			s.Periods = append(s.Periods, insight.Paid{})
		} else {
			s.Periods = append(s.Periods, insight.Paid{Purchases: 1, Total: fiscal.Money(c)})
		}
	}
	return s
}

func monthEvidence() []insight.EvidenceLine {
	return []insight.EvidenceLine{
		{ItemID: "i1", Category: "meat", Merchant: "Mercado B"},
		{ItemID: "i2", Category: "dairy", Merchant: "Mercado A"},
		{ItemID: "i3", Category: "meat", Merchant: "Mercado B"},
	}
}

// assertMonthEvidence says that a finding rests on monthEvidence().
func assertMonthEvidence(t *testing.T, f insight.Finding) {
	t.Helper()
	assert.Equal(t, []string{"i1", "i2", "i3"}, f.ItemIDs)
	assert.Equal(t, []string{"meat", "dairy"}, f.Categories)
	assert.Equal(t, []string{"Mercado B", "Mercado A"}, f.Merchants)
}

// familyOf is a household that earns the given centavos; 0 is not told.
func familyOf(adults, children int, income int64) insight.Household {
	h := insight.Household{Adults: adults, Children: children}
	if income != 0 {
		h.Income = new(fiscal.Money(income))
	}
	return h
}

// onThe23rd is a purchase on the 23rd of a month of thirty days.
func onThe23rd(h insight.Household) insight.Subject {
	return insight.Subject{UserID: "u", InvoiceID: "inv", Today: "2026-11-23", Household: h}
}

func monthRule(t *testing.T, kind insight.Kind, f insight.MonthFigures) insight.Rule {
	t.Helper()
	rules := insight.MonthRules(f)
	i := slices.IndexFunc(rules, func(r insight.Rule) bool { return r.Kind() == kind })
	require.GreaterOrEqual(t, i, 0)
	return rules[i]
}

// findMonthly answers the one finding of the kind, nil for none.
func findMonthly(t *testing.T, kind insight.Kind, f *monthFigures, s insight.Subject) *insight.Finding {
	t.Helper()
	findings, gap, err := monthRule(t, kind, f).Find(t.Context(), s)
	require.NoError(t, err)
	require.Nil(t, gap)
	require.LessOrEqual(t, len(findings), 1)
	assert.Equal(t, "u", f.user)
	if len(findings) == 0 {
		return nil
	}
	assert.Equal(t, kind, findings[0].Kind)
	assert.Empty(t, findings[0].Subject)
	return &findings[0]
}

// monthPriority is "" for none.
func monthPriority(f *insight.Finding) insight.Priority {
	if f == nil {
		return ""
	}
	return f.Priority
}

// assertMonthFacts compares the facts as they are stored and told.
func assertMonthFacts(t *testing.T, want string, f *insight.Finding) {
	t.Helper()
	require.NotNil(t, f)
	got, err := json.Marshal(f.Facts)
	require.NoError(t, err)
	assert.JSONEq(t, want, string(got))
}

func TestMonthRulesAreTheMonthlyKindsInTheirOrder(t *testing.T) {
	t.Parallel()
	var kinds []insight.Kind
	for _, r := range insight.MonthRules(&monthFigures{}) {
		kinds = append(kinds, r.Kind())
		assert.True(t, r.Monthly(), r.Kind())
	}
	assert.Equal(t, []insight.Kind{
		insight.KindBudgetHealth, insight.KindIncomeCommitment, insight.KindPerCapitaSpending, insight.KindShoppingFrequency,
		insight.KindWholesaleOpportunity, insight.KindSavingsPotential, insight.KindFamilyNutrition,
	}, kinds)
}

func TestMonthRulesFindNothingInAnEmptyHistory(t *testing.T) {
	t.Parallel()
	for _, r := range insight.MonthRules(&monthFigures{}) {
		for _, h := range []insight.Household{familyOf(1, 0, 300_000), familyOf(0, 0, 1), familyOf(2, 3, 300_000)} {
			findings, gap, err := r.Find(t.Context(), onThe23rd(h))
			require.NoError(t, err)
			assert.Nil(t, gap, r.Kind())
			assert.Empty(t, findings, r.Kind())
		}
	}
}

func TestMonthRulesPassErrorsOn(t *testing.T) {
	t.Parallel()
	broken := errors.New("no database")
	for _, r := range insight.MonthRules(&monthFigures{err: broken}) {
		_, _, err := r.Find(t.Context(), onThe23rd(familyOf(1, 0, 300_000)))
		require.ErrorIs(t, err, broken, r.Kind())
		s := onThe23rd(familyOf(1, 0, 300_000))
		s.Today = "23/11/2026"
		_, _, err = r.Find(t.Context(), s)
		require.ErrorContains(t, err, "day of the analysis", r.Kind())
	}
}

func TestOnlyTheRulesOfTheIncomeMissIt(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]insight.Household{
		"not told": familyOf(2, 1, 0), "nothing": {Adults: 2, Income: new(fiscal.Money(0))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, r := range insight.MonthRules(&monthFigures{spending: spentIn(100_000, 1, 1, 1)}) {
				findings, gap, err := r.Find(t.Context(), onThe23rd(h))
				require.NoError(t, err)
				if k := r.Kind(); k == insight.KindBudgetHealth || k == insight.KindIncomeCommitment {
					assert.Equal(t, &insight.Gap{Kind: k, Missing: "income"}, gap)
					assert.Empty(t, findings)
				} else {
					assert.Nil(t, gap, k)
				}
			}
		})
	}
}
