package insight_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
)

// parted is a purchase of four essential lines and one that is not, in centavos.
func parted(essential, other int64) insight.Subject {
	rice, sweets := called("rice", "grains"), called("sweets", "candy")
	rice.Essential = true
	return basketOf(line(rice, essential), line(rice, 0), line(rice, 0), line(rice, 0), line(sweets, other))
}

func TestEssentialRatioThresholds(t *testing.T) {
	t.Parallel()
	few := parted(65_00, 35_00)
	few.Lines = few.Lines[1:]
	for name, c := range map[string]struct {
		subject insight.Subject
		income  fiscal.Money // 0 is not known
		want    insight.Priority
	}{
		"35 % is told":                        {parted(65_00, 35_00), 0, insight.PriorityMedium},
		"a cent less is not":                  {parted(65_01, 34_99), 0, ""},
		"50 % matters no more":                {parted(50_00, 50_00), 0, insight.PriorityMedium},
		"a cent above 50 % matters much":      {parted(49_99, 50_01), 0, insight.PriorityHigh},
		"15 % of the income matters no more":  {parted(60_00, 40_00), 266_67, insight.PriorityMedium},
		"above 15 % of it matters much":       {parted(60_00, 40_00), 266_66, insight.PriorityHigh},
		"an exact 15 % of it is not above":    {parted(65_00, 37_50), 250_00, insight.PriorityMedium},
		"of 34.9 % the income says nothing":   {parted(65_01, 34_99), 1, ""},
		"four items are too few":              {few, 0, ""},
		"a purchase for nothing has no part":  {parted(0, 0), 0, ""},
		"everything essential":                {parted(100_00, 0), 0, ""},
		"nothing essential":                   {parted(0, 100_00), 0, insight.PriorityHigh},
		"what is given back is no part of it": {parted(65_00, -35_00), 0, ""},
		"nor does it enlarge the other part":  {parted(-100_00, 35_00), 0, insight.PriorityHigh},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.income != 0 {
				c.subject.Household.Income = &c.income
			}
			got := look(t, insight.KindEssentialRatio, nil, c.subject)
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			assert.Equal(t, c.want, got[0].Priority)
			facts := got[0].Facts.(insight.EssentialRatioFacts)
			assert.Equal(t, facts.TotalValue, facts.EssentialTotal+facts.NonEssentialTotal)
			assert.Equal(t, c.income != 0, facts.IncomePercentNonEssential != nil)
		})
	}
}

func TestEssentialRatioFacts(t *testing.T) {
	t.Parallel()
	s := parted(60_00, 40_00)
	s.Total = 90_00 // a discount of the whole purchase is nobody's part
	got := look(t, insight.KindEssentialRatio, nil, s)
	require.Len(t, got, 1)
	facts, err := json.Marshal(got[0].Facts)
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"total_value": {"centavos": 10000, "formatted": "R$ 100,00"},
		"essential_total": {"centavos": 6000, "formatted": "R$ 60,00"},
		"non_essential_total": {"centavos": 4000, "formatted": "R$ 40,00"},
		"non_essential_percent": "40.0",
		"item_count": 5
	}`, string(facts))
	assert.Equal(t, []string{"5"}, got[0].ItemIDs)
	assert.Equal(t, []string{"candy"}, got[0].Categories)

	s.Household.Income = new(fiscal.Money(3_000_00))
	got = look(t, insight.KindEssentialRatio, nil, s)
	assert.Equal(t, "1.3", got[0].Facts.(insight.EssentialRatioFacts).IncomePercentNonEssential.String())

	s.Household.Income = new(fiscal.Money(0))
	got = look(t, insight.KindEssentialRatio, nil, s)
	assert.Nil(t, got[0].Facts.(insight.EssentialRatioFacts).IncomePercentNonEssential, "no share of nothing")
	assert.Equal(t, insight.PriorityMedium, got[0].Priority)
}
