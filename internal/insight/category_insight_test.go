package insight_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/insight"
)

func TestCategoryInsightThresholds(t *testing.T) {
	t.Parallel()
	milk := called("milk", "dairy")
	in := func(day string, price int64) past { return past{day: day, product: milk, price: price} }
	three := []past{in("2026-10-31", 60_00), in("2026-09-15", 70_00), in("2026-08-01", 110_00)} // mean 80.00
	for name, c := range map[string]struct {
		before []past
		here   int64
		want   insight.Priority // "" for nothing
	}{
		"1.3 times is not above it":              {three, 104_00, ""},
		"a cent above 1.3 times is told":         {three, 104_01, insight.PriorityMedium},
		"twice matters no more":                  {three, 160_00, insight.PriorityMedium},
		"a cent above twice matters much":        {three, 160_01, insight.PriorityHigh},
		"R$ 50 here is enough":                   {append(three[:3:3], in("2026-11-01", 54_01)), 50_00, insight.PriorityMedium},
		"a cent less is not":                     {append(three[:3:3], in("2026-11-01", 500_00)), 49_99, ""},
		"what the month has before counts":       {append(three[:3:3], in("2026-11-23", 54_00)), 50_00, ""},
		"what is bought later does not":          {append(three[:3:3], in("2026-11-24", 500_00)), 50_00, ""},
		"no earlier month is no mean":            {[]past{in("2026-11-01", 500_00)}, 500_00, ""},
		"a fourth month before is none":          {[]past{in("2026-07-31", 1_00)}, 500_00, ""},
		"one month is a mean":                    {[]past{in("2026-08-01", 80_00)}, 104_01, insight.PriorityMedium},
		"one month is a mean, just not above it": {[]past{in("2026-08-01", 80_00)}, 104_00, ""},
		"a month that cost nothing is none":      {[]past{in("2026-08-01", 0)}, 500_00, ""},
		"a month that cost less is none":         {[]past{in("2026-08-01", -5), in("2026-09-01", 80_00)}, 104_00, ""},
		"other categories are no history":        {[]past{{day: "2026-10-01", product: called("x", "meat"), price: 1}}, 500_00, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := look(t, insight.KindCategoryInsight, &shopping{lines: c.before}, basketOf(line(milk, c.here)))
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			assert.Equal(t, c.want, got[0].Priority)
			assert.Equal(t, "dairy", got[0].Subject)
		})
	}
}

func TestCategoryInsightFacts(t *testing.T) {
	t.Parallel()
	milk, cheese := called("milk", "dairy"), called("cheese", "dairy")
	before := []past{
		{day: "2026-10-31", product: milk, price: 40_00},
		{day: "2026-08-01", product: cheese, price: 20_01},
		{day: "2026-11-02", product: cheese, price: 10_00},
	}
	s := basketOf(line(milk, 30_00), line(called("x", "meat"), 1), line(cheese, 20_00))
	got := look(t, insight.KindCategoryInsight, &shopping{lines: before}, s)
	require.Len(t, got, 1)
	facts, err := json.Marshal(got[0].Facts)
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"category": "category dairy",
		"current_month_total": {"centavos": 6000, "formatted": "R$ 60,00"},
		"average_monthly": {"centavos": 3001, "formatted": "R$ 30,01"},
		"difference_percent": "100.0",
		"months_analyzed": 2
	}`, string(facts))
	assert.Equal(t, []string{"1", "3"}, got[0].ItemIDs)
	assert.Equal(t, []string{"dairy"}, got[0].Categories)
	assert.Equal(t, insight.Period{From: "2026-11-01", To: today}, got[0].Period)
}

func TestCategoryInsightTellsTheThreeFurthestAbove(t *testing.T) {
	t.Parallel()
	var lines []insight.Line
	var before []past
	for i, id := range []string{"a", "b", "c", "d", "e"} {
		p := called(id, id)
		before = append(before, past{day: "2026-10-01", product: p, price: 10_00})
		lines = append(lines, line(p, []int64{60_00, 70_00, 60_00, 90_00, 60_00}[i]))
	}
	got := look(t, insight.KindCategoryInsight, &shopping{lines: before}, basketOf(lines...))
	var order []string
	for _, f := range got {
		order = append(order, f.Subject)
	}
	assert.Equal(t, []string{"d", "b", "a"}, order)
}

func TestCategoryInsightInJanuaryLooksIntoTheYearBefore(t *testing.T) {
	t.Parallel()
	milk := called("milk", "dairy")
	s := basketOf(line(milk, 60_00))
	s.Today = "2027-01-31"
	before := []past{
		{day: "2026-10-01", product: milk, price: 10_00},
		{day: "2026-12-31", product: milk, price: 30_00},
		{day: "2026-09-30", product: milk, price: 1},
		{day: "2026-01-05", product: milk, price: 1},
	}
	got := look(t, insight.KindCategoryInsight, &shopping{lines: before}, s)
	require.Len(t, got, 1)
	facts := got[0].Facts.(insight.CategoryInsightFacts)
	assert.Equal(t, 2, facts.MonthsAnalyzed)
	assert.EqualValues(t, 20_00, facts.AverageMonthly)
	assert.Equal(t, insight.Period{From: "2027-01-01", To: "2027-01-31"}, got[0].Period)
}
