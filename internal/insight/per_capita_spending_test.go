package insight_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/insight"
)

func TestPerCapitaSpendingThresholds(t *testing.T) {
	t.Parallel()
	const none = insight.Priority("")
	for name, tc := range map[string]struct {
		household insight.Household
		spent     insight.Spending // now, and the three spans before
		want      insight.Priority
	}{
		"a rise below 20 %":                     {familyOf(1, 0, 0), spentIn(119_999, 100_000, 90_000, 110_000), none},
		"a rise of 20 %":                        {familyOf(1, 0, 0), spentIn(120_000, 100_000, 90_000, 110_000), insight.PriorityMedium},
		"a rise below 50 %":                     {familyOf(1, 0, 0), spentIn(149_999, 100_000, 100_000, 100_000), insight.PriorityMedium},
		"a rise of 50 %":                        {familyOf(1, 0, 0), spentIn(150_000, 100_000, 100_000, 100_000), insight.PriorityHigh},
		"a fall below 20 %":                     {familyOf(1, 0, 0), spentIn(80_001, 100_000, 100_000, 100_000), none},
		"a fall of 20 %":                        {familyOf(1, 0, 0), spentIn(80_000, 100_000, 100_000, 100_000), insight.PriorityLow},
		"a mean that does not divide, below":    {familyOf(1, 0, 0), spentIn(120_000, 100_000, 100_000, 100_001), none},
		"a rise below R$ 500":                   {familyOf(1, 0, 0), spentIn(1_049_999, 1_000_000, 1_000_000, 1_000_000), none},
		"a rise of R$ 500":                      {familyOf(1, 0, 0), spentIn(1_050_000, 1_000_000, 1_000_000, 1_000_000), insight.PriorityMedium},
		"a fall below R$ 500":                   {familyOf(1, 0, 0), spentIn(950_001, 1_000_000, 1_000_000, 1_000_000), none},
		"a fall of R$ 500":                      {familyOf(1, 0, 0), spentIn(950_000, 1_000_000, 1_000_000, 1_000_000), insight.PriorityLow},
		"R$ 500 for each of 2,7, below":         {familyOf(2, 1, 0), spentIn(1_134_999, 1_000_000, 1_000_000, 1_000_000), none},
		"R$ 500 for each of 2,7":                {familyOf(2, 1, 0), spentIn(1_135_000, 1_000_000, 1_000_000, 1_000_000), insight.PriorityMedium},
		"R$ 500 for 0,7, below":                 {familyOf(0, 1, 0), spentIn(1_034_999, 1_000_000, 1_000_000, 1_000_000), none},
		"R$ 500 for 0,7":                        {familyOf(0, 1, 0), spentIn(1_035_000, 1_000_000, 1_000_000, 1_000_000), insight.PriorityMedium},
		"nobody is one, below":                  {familyOf(0, 0, 0), spentIn(1_049_999, 1_000_000, 1_000_000, 1_000_000), none},
		"nobody is one":                         {familyOf(0, 0, 0), spentIn(1_050_000, 1_000_000, 1_000_000, 1_000_000), insight.PriorityMedium},
		"a span without purchases is left out":  {familyOf(1, 0, 0), spentIn(119_999, 100_000, -1, 100_000), none},
		"a span without purchases is left, 20%": {familyOf(1, 0, 0), spentIn(120_000, 100_000, -1, 100_000), insight.PriorityMedium},
		"a span that cost nothing is left out":  {familyOf(1, 0, 0), spentIn(119_999, 100_000, 0, 100_000), none},
		"one span is enough":                    {familyOf(1, 0, 0), spentIn(120_000, -1, -1, 100_000), insight.PriorityMedium},
		"nothing before":                        {familyOf(1, 0, 0), spentIn(120_000, -1, -1, -1), none},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := findMonthly(t, insight.KindPerCapitaSpending, &monthFigures{spending: tc.spent}, onThe23rd(tc.household))
			assert.Equal(t, tc.want, monthPriority(got))
		})
	}
}

func TestPerCapitaSpendingLeavesSpansOutThatBeganBeforeTheFamilyDid(t *testing.T) {
	t.Parallel()
	for first, want := range map[insight.Day]insight.Amount{
		"2026-07-27": 3_000, // the first day of the span farthest back
		"2026-07-28": 1_500,
		"2026-08-26": 1_500,
		"2026-08-27": 1_000,
		"2026-09-25": 1_000,
	} {
		f := &monthFigures{spending: spentIn(9_000, 1_000, 2_000, 6_000)}
		f.spending.First = first
		got := findMonthly(t, insight.KindPerCapitaSpending, f, onThe23rd(familyOf(1, 0, 0)))
		require.NotNil(t, got, first)
		facts, ok := got.Facts.(insight.PerCapitaSpendingFacts)
		require.True(t, ok)
		assert.Equal(t, want, facts.PerCapitaAvg3M, first)
	}
	f := &monthFigures{spending: spentIn(9_000, 1_000, -1, -1)}
	f.spending.First = "2026-09-26"
	assert.Nil(t, findMonthly(t, insight.KindPerCapitaSpending, f, onThe23rd(familyOf(1, 0, 0))), "no whole span is known")
}

func TestPerCapitaSpendingFacts(t *testing.T) {
	t.Parallel()
	f := &monthFigures{spending: spentIn(150_000, 100_000, 100_000, 130_000)}
	got := findMonthly(t, insight.KindPerCapitaSpending, f, onThe23rd(familyOf(2, 1, 540_000)))
	assertMonthFacts(t, `{
		"per_capita_current": {"centavos": 55556, "formatted": "R$ 555,56"},
		"per_capita_avg_3m": {"centavos": 40741, "formatted": "R$ 407,41"},
		"change_percent": "36.4",
		"family_size_weighted": "2.7",
		"income_per_capita": {"centavos": 200000, "formatted": "R$ 2.000,00"}
	}`, got)
	assertMonthEvidence(t, *got)
	now := insight.Period{From: "2026-10-25", To: "2026-11-23"}
	assert.Equal(t, now, got.Period)
	assert.Equal(t, []insight.Period{
		now, {From: "2026-09-25", To: "2026-10-24"}, {From: "2026-08-26", To: "2026-09-24"}, {From: "2026-07-27", To: "2026-08-25"},
	}, f.periods)

	f.spending = spentIn(50_000, 100_000, 100_000, 100_000)
	got = findMonthly(t, insight.KindPerCapitaSpending, f, onThe23rd(familyOf(1, 0, 0)))
	require.NotNil(t, got)
	facts, ok := got.Facts.(insight.PerCapitaSpendingFacts)
	require.True(t, ok)
	assert.Equal(t, "-50.0", facts.ChangePercent.String())
	assert.Nil(t, facts.IncomePerCapita)
}
