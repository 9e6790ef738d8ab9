package insight_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/product"
)

func forChildren(id string) product.Product {
	p := called(id, "baby")
	p.Child = true
	return p
}

func TestChildrenSpendingThresholds(t *testing.T) {
	t.Parallel()
	nappy, soap := forChildren("nappy"), called("soap", "cleaning")
	in := func(day string, price int64) past { return past{day: day, product: nappy, price: price} }
	three := []past{in("2026-10-31", 60_00), in("2026-09-15", 70_00), in("2026-08-01", 110_00)} // mean 80.00
	for name, c := range map[string]struct {
		before   []past
		lines    []insight.Line
		children int
		want     insight.Priority
		change   string // "" for none
	}{
		"two items are enough":                   {nil, []insight.Line{line(nappy, 1), line(nappy, 1)}, 1, insight.PriorityLow, ""},
		"one is not":                             {nil, []insight.Line{line(nappy, 1), line(soap, 1)}, 1, "", ""},
		"without children there is nothing":      {nil, []insight.Line{line(nappy, 1), line(nappy, 1)}, 0, "", ""},
		"what costs nothing says nothing":        {nil, []insight.Line{line(nappy, 0), line(nappy, 0)}, 1, "", ""},
		"1.3 times is good to know":              {three, []insight.Line{line(nappy, 100_00), line(nappy, 4_00)}, 1, insight.PriorityLow, "30.0"},
		"a cent above it is worth a look":        {three, []insight.Line{line(nappy, 100_00), line(nappy, 4_01)}, 1, insight.PriorityMedium, "30.0"},
		"what the month has before counts":       {append(three[:3:3], in("2026-11-01", 94_01)), []insight.Line{line(nappy, 5_00), line(nappy, 5_00)}, 1, insight.PriorityMedium, "30.0"},
		"less than usual":                        {three, []insight.Line{line(nappy, 30_00), line(nappy, 10_00)}, 1, insight.PriorityLow, "-50.0"},
		"a fourth month before is none":          {[]past{in("2026-07-31", 1)}, []insight.Line{line(nappy, 1_00), line(nappy, 1_00)}, 1, insight.PriorityLow, ""},
		"one earlier month is enough":            {[]past{in("2026-08-01", 1_00)}, []insight.Line{line(nappy, 1_00), line(nappy, 1_00)}, 1, insight.PriorityMedium, "100.0"},
		"what others need is no part of a month": {[]past{{day: "2026-08-01", product: soap, price: 1_00}}, []insight.Line{line(nappy, 1_00), line(nappy, 1_00)}, 1, insight.PriorityLow, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := basketOf(c.lines...)
			s.Household.Children = c.children
			got := look(t, insight.KindChildrenSpending, &shopping{lines: c.before}, s)
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			assert.Equal(t, c.want, got[0].Priority)
			facts := got[0].Facts.(insight.ChildrenSpendingFacts)
			if c.change == "" {
				assert.Nil(t, facts.ChangePercent)
				assert.Nil(t, facts.AvgPreviousMonths)
				return
			}
			assert.Equal(t, c.change, facts.ChangePercent.String())
		})
	}
}

func TestChildrenSpendingFacts(t *testing.T) {
	t.Parallel()
	nappy := forChildren("nappy")
	s := basketOf(line(nappy, 30_00), line(called("soap", "cleaning"), 5_00), line(nappy, 20_01))
	s.Household = insight.Household{Adults: 2, Children: 2}
	got := look(t, insight.KindChildrenSpending, &shopping{}, s)
	require.Len(t, got, 1)
	facts, err := json.Marshal(got[0].Facts)
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"child_items_count": 2,
		"child_total": {"centavos": 5001, "formatted": "R$ 50,01"},
		"cost_per_child": {"centavos": 2501, "formatted": "R$ 25,01"},
		"children_count": 2,
		"month_total": {"centavos": 5001, "formatted": "R$ 50,01"}
	}`, string(facts))
	assert.Equal(t, []string{"1", "3"}, got[0].ItemIDs)
	assert.Equal(t, []string{"baby"}, got[0].Categories)
	assert.Equal(t, insight.Period{From: "2026-11-01", To: today}, got[0].Period)

	s.Household.Income = new(fiscal.Money(1_000_00))
	before := []past{{day: "2026-10-01", product: nappy, price: 40_00}, {day: "2026-11-22", product: nappy, price: 9_99}}
	got = look(t, insight.KindChildrenSpending, &shopping{lines: before}, s)
	facts, err = json.Marshal(got[0].Facts)
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"child_items_count": 2,
		"child_total": {"centavos": 5001, "formatted": "R$ 50,01"},
		"cost_per_child": {"centavos": 2501, "formatted": "R$ 25,01"},
		"children_count": 2,
		"month_total": {"centavos": 6000, "formatted": "R$ 60,00"},
		"avg_previous_months": {"centavos": 4000, "formatted": "R$ 40,00"},
		"change_percent": "50.0",
		"income_percent": "5.0"
	}`, string(facts))
}
