package insight_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/insight"
)

func TestBudgetHealthThreshold(t *testing.T) {
	t.Parallel()
	const none = insight.Priority("")
	for name, tc := range map[string]struct {
		household insight.Household
		spent     int64
		want      insight.Priority
	}{
		"one adult, below 25 %":             {familyOf(1, 0, 400_000), 99_999, none},
		"one adult, 25 %":                   {familyOf(1, 0, 400_000), 100_000, insight.PriorityMedium},
		"one adult, below 37,5 %":           {familyOf(1, 0, 400_000), 149_999, insight.PriorityMedium},
		"one adult, 37,5 %":                 {familyOf(1, 0, 400_000), 150_000, insight.PriorityHigh},
		"one adult, below 50 %":             {familyOf(1, 0, 400_000), 199_999, insight.PriorityHigh},
		"one adult, 50 %":                   {familyOf(1, 0, 400_000), 200_000, insight.PriorityCritical},
		"two adults, below 27 %":            {familyOf(2, 0, 400_000), 107_999, none},
		"two adults, 27 %":                  {familyOf(2, 0, 400_000), 108_000, insight.PriorityMedium},
		"an adult and a child, below 26.4%": {familyOf(1, 1, 400_000), 105_599, none},
		"an adult and a child, 26.4 %":      {familyOf(1, 1, 400_000), 105_600, insight.PriorityMedium},
		"two and three, below 31,2 %":       {familyOf(2, 3, 400_000), 124_799, none},
		"two and three, 31,2 %":             {familyOf(2, 3, 400_000), 124_800, insight.PriorityMedium},
		"two and three, 62,4 %":             {familyOf(2, 3, 400_000), 249_600, insight.PriorityCritical},
		"a child alone does not lower it":   {familyOf(0, 1, 400_000), 99_999, none},
		"a child alone, 25 %":               {familyOf(0, 1, 400_000), 100_000, insight.PriorityMedium},
		"nobody counts as one, below":       {familyOf(0, 0, 400_000), 99_999, none},
		"nobody counts as one":              {familyOf(0, 0, 400_000), 100_000, insight.PriorityMedium},
		"an income that does not divide":    {familyOf(1, 0, 333_333), 83_333, none},
		"an income that does not divide, 1": {familyOf(1, 0, 333_333), 83_334, insight.PriorityMedium},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := findMonthly(t, insight.KindBudgetHealth, &monthFigures{spending: spentIn(tc.spent)}, onThe23rd(tc.household))
			assert.Equal(t, tc.want, monthPriority(got))
		})
	}
}

func TestBudgetHealthFacts(t *testing.T) {
	t.Parallel()
	f := &monthFigures{spending: spentIn(123_456, 100_000, -1, 50_001)}
	got := findMonthly(t, insight.KindBudgetHealth, f, onThe23rd(familyOf(2, 1, 400_000)))
	assertMonthFacts(t, `{
		"month_spent": {"centavos": 123456, "formatted": "R$ 1.234,56"},
		"household_income": {"centavos": 400000, "formatted": "R$ 4.000,00"},
		"percent_of_income": "30.9",
		"avg_previous_months": {"centavos": 75001, "formatted": "R$ 750,01"},
		"family_size_weighted": "2.7",
		"threshold_percent": "28.4"
	}`, got)
	assertMonthEvidence(t, *got)
	month := insight.Period{From: "2026-11-01", To: "2026-11-23"}
	assert.Equal(t, month, got.Period)
	assert.Equal(t, []insight.Period{
		month, {From: "2026-10-01", To: "2026-10-31"}, {From: "2026-09-01", To: "2026-09-30"}, {From: "2026-08-01", To: "2026-08-31"},
	}, f.periods)
}

func TestBudgetHealthKeepsAnAverageOfNothingToItself(t *testing.T) {
	t.Parallel()
	got := findMonthly(t, insight.KindBudgetHealth, &monthFigures{spending: spentIn(123_456, -1, -1, -1)}, onThe23rd(familyOf(1, 0, 400_000)))
	require.NotNil(t, got)
	facts, ok := got.Facts.(insight.BudgetHealthFacts)
	require.True(t, ok)
	assert.Nil(t, facts.AvgPreviousMonths)
}

func TestMonthsBeforeAreWholeMonthsOfTheCalendar(t *testing.T) {
	t.Parallel()
	for today, want := range map[insight.Day][]insight.Period{
		"2026-01-31": {{From: "2026-01-01", To: "2026-01-31"}, {From: "2025-12-01", To: "2025-12-31"}, {From: "2025-11-01", To: "2025-11-30"}, {From: "2025-10-01", To: "2025-10-31"}},
		"2026-03-31": {{From: "2026-03-01", To: "2026-03-31"}, {From: "2026-02-01", To: "2026-02-28"}, {From: "2026-01-01", To: "2026-01-31"}, {From: "2025-12-01", To: "2025-12-31"}},
		"2028-03-01": {{From: "2028-03-01", To: "2028-03-01"}, {From: "2028-02-01", To: "2028-02-29"}, {From: "2028-01-01", To: "2028-01-31"}, {From: "2027-12-01", To: "2027-12-31"}},
	} {
		f := &monthFigures{}
		s := onThe23rd(familyOf(1, 0, 400_000))
		s.Today = today
		assert.Nil(t, findMonthly(t, insight.KindBudgetHealth, f, s))
		assert.Equal(t, want, f.periods)
	}
}
