package insight_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/insight"
)

func TestMerchantPatternThresholds(t *testing.T) {
	t.Parallel()
	other := ticket{"2026-11-01", "other", "supermarket", 100_00}
	visits := []ticket{{"2026-11-01", here, "supermarket", 100_00}, {"2026-11-02", here, "supermarket", 110_00}}
	for name, c := range map[string]struct {
		before []ticket
		paid   int64
		want   insight.Priority // "" for nothing
	}{
		"1.2 times is not above it":            {append(visits[:2:2], other), 150_00, ""},
		"a cent above 1.2 times is told":       {append(visits[:2:2], other), 150_01, insight.PriorityMedium},
		"1.5 times matters no more":            {append(visits[:2:2], other), 240_00, insight.PriorityMedium},
		"a cent above 1.5 times matters much":  {append(visits[:2:2], other), 240_01, insight.PriorityHigh},
		"two visits are no pattern":            {append(visits[:1:1], other), 900_00, ""},
		"nowhere else was bought":              {visits, 900_00, ""},
		"other kinds of shop do not compare":   {append(visits[:2:2], ticket{"2026-11-01", "other", "pharmacy", 1}), 900_00, ""},
		"the ninetieth day before counts":      {append(visits[:2:2], ticket{"2026-08-25", "other", "supermarket", 100_00}), 150_01, insight.PriorityMedium},
		"the ninety-first day before does not": {append(visits[:2:2], ticket{"2026-08-24", "other", "supermarket", 100_00}), 150_01, ""},
		"visits before that do not either":     {append(visits[:1:1], ticket{"2026-08-24", here, "supermarket", 110_00}, other), 150_01, ""},
		"visits later do not either":           {append(visits[:1:1], ticket{"2026-11-24", here, "supermarket", 110_00}, other), 150_01, ""},
		"visits on the day do":                 {append(visits[:1:1], ticket{"2026-11-23", here, "supermarket", 110_00}, other), 150_01, insight.PriorityMedium},
		"a purchase for nothing says nothing":  {append(visits[:2:2], other), 0, ""},
		"the mean is over all other purchases": {append(visits[:2:2], other, ticket{"2026-11-01", "third", "supermarket", 100_01}), 150_01, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := look(t, insight.KindMerchantPattern, &shopping{tickets: c.before}, basketOf(line(called("p", "dairy"), c.paid)))
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			assert.Equal(t, c.want, got[0].Priority)
		})
	}
}

func TestMerchantPatternFacts(t *testing.T) {
	t.Parallel()
	before := []ticket{
		{"2026-11-01", here, "supermarket", 100_00},
		{"2026-11-02", here, "supermarket", 100_00},
		{"2026-11-01", "a", "supermarket", 50_00},
		{"2026-11-01", "b", "supermarket", 50_01},
	}
	s := basketOf(line(called("p", "dairy"), 50_00), line(called("q", "meat"), 50_00))
	got := look(t, insight.KindMerchantPattern, &shopping{tickets: before}, s)
	require.Len(t, got, 1)
	facts, err := json.Marshal(got[0].Facts)
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"merchant_name": "Mercado",
		"merchant_category": "kind supermarket",
		"current_avg_ticket": {"centavos": 10000, "formatted": "R$ 100,00"},
		"category_avg_ticket": {"centavos": 5001, "formatted": "R$ 50,01"},
		"difference_percent": "100.0",
		"visit_count": 3
	}`, string(facts))
	assert.Equal(t, []string{"1", "2"}, got[0].ItemIDs)
	assert.Equal(t, insight.Period{From: "2026-08-25", To: today}, got[0].Period)

	s.Merchant.Category = ""
	assert.Empty(t, look(t, insight.KindMerchantPattern, &shopping{tickets: before}, s), "nobody knows which shops are like it")
}
