package insight_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mercadoesperto/smarket/internal/insight"
)

func TestIncomeCommitmentThresholds(t *testing.T) {
	t.Parallel()
	const none = insight.Priority("")
	for name, tc := range map[string]struct {
		today     insight.Day
		household insight.Household
		spent     int64
		want      insight.Priority
	}{
		// On the last day the projection is what was spent.
		"below 20 %":       {"2026-11-30", familyOf(1, 0, 300_000), 59_999, none},
		"20 %":             {"2026-11-30", familyOf(1, 0, 300_000), 60_000, insight.PriorityMedium},
		"below 30 %":       {"2026-11-30", familyOf(1, 0, 300_000), 89_999, insight.PriorityMedium},
		"30 % at the end":  {"2026-11-30", familyOf(1, 0, 300_000), 90_000, insight.PriorityCritical},
		"two, below 32 %":  {"2026-11-30", familyOf(2, 0, 300_000), 95_999, insight.PriorityMedium},
		"two, 32 %":        {"2026-11-30", familyOf(2, 0, 300_000), 96_000, insight.PriorityCritical},
		"family, below":    {"2026-11-30", familyOf(2, 3, 300_000), 108_599, insight.PriorityMedium},
		"family, 36,2 %":   {"2026-11-30", familyOf(2, 3, 300_000), 108_600, insight.PriorityCritical},
		"child only":       {"2026-11-30", familyOf(0, 1, 300_000), 89_999, insight.PriorityMedium},
		"child only, 30 %": {"2026-11-30", familyOf(0, 1, 300_000), 90_000, insight.PriorityCritical},
		// On the tenth of thirty days the month will be three times what was spent.
		"projection below 30 %":           {"2026-11-10", familyOf(1, 0, 300_000), 29_999, none},
		"projection of 30 %":              {"2026-11-10", familyOf(1, 0, 300_000), 30_000, insight.PriorityMedium},
		"projection, two, below 32 %":     {"2026-11-10", familyOf(2, 0, 300_000), 31_999, none},
		"projection, two, 32 %":           {"2026-11-10", familyOf(2, 0, 300_000), 32_000, insight.PriorityMedium},
		"projection, family, below":       {"2026-11-10", familyOf(1, 1, 300_000), 31_399, none},
		"projection, family, 31,4 %":      {"2026-11-10", familyOf(1, 1, 300_000), 31_400, insight.PriorityMedium},
		"both":                            {"2026-11-10", familyOf(1, 0, 300_000), 60_000, insight.PriorityHigh},
		"both, not quite critical":        {"2026-11-10", familyOf(1, 0, 300_000), 89_999, insight.PriorityHigh},
		"critical before the end":         {"2026-11-10", familyOf(1, 0, 300_000), 90_000, insight.PriorityCritical},
		"a projection of a week is weak":  {"2026-11-07", familyOf(1, 0, 300_000), 21_000, insight.PriorityLow},
		"a week, below":                   {"2026-11-07", familyOf(1, 0, 300_000), 20_999, none},
		"a projection of eight days":      {"2026-11-08", familyOf(1, 0, 300_000), 24_000, insight.PriorityMedium},
		"eight days, below":               {"2026-11-08", familyOf(1, 0, 300_000), 23_999, none},
		"a month of 31 days projects on":  {"2026-12-10", familyOf(1, 0, 310_000), 30_000, insight.PriorityMedium},
		"a month of 31 days, below":       {"2026-12-10", familyOf(1, 0, 310_000), 29_999, none},
		"a February of 28 days":           {"2027-02-14", familyOf(1, 0, 300_000), 45_000, insight.PriorityMedium},
		"a February of 28 days, below":    {"2027-02-14", familyOf(1, 0, 300_000), 44_999, none},
		"the accumulated alone, day 21":   {"2026-11-21", familyOf(2, 3, 300_000), 60_000, insight.PriorityMedium},
		"the accumulated alone, one less": {"2026-11-21", familyOf(2, 3, 300_000), 59_999, none},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := onThe23rd(tc.household)
			s.Today = tc.today
			got := findMonthly(t, insight.KindIncomeCommitment, &monthFigures{spending: spentIn(tc.spent)}, s)
			assert.Equal(t, tc.want, monthPriority(got))
		})
	}
}

func TestIncomeCommitmentFacts(t *testing.T) {
	t.Parallel()
	f := &monthFigures{spending: spentIn(70_000)}
	got := findMonthly(t, insight.KindIncomeCommitment, f, onThe23rd(familyOf(1, 0, 300_000)))
	assertMonthFacts(t, `{
		"accumulated": {"centavos": 70000, "formatted": "R$ 700,00"},
		"household_income": {"centavos": 300000, "formatted": "R$ 3.000,00"},
		"percent_accumulated": "23.3",
		"daily_rate": {"centavos": 3043, "formatted": "R$ 30,43"},
		"projected_total": {"centavos": 91304, "formatted": "R$ 913,04"},
		"projected_percent": "30.4",
		"days_elapsed": 23,
		"days_remaining": 7
	}`, got)
	assertMonthEvidence(t, *got)
	assert.Equal(t, insight.Period{From: "2026-11-01", To: "2026-11-23"}, got.Period)
	assert.Equal(t, []insight.Period{got.Period}, f.periods)
}
