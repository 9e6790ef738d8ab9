package insight_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/insight"
)

func TestSummaryNeedsThreeItems(t *testing.T) {
	t.Parallel()
	milk := called("milk", "dairy")
	assert.Empty(t, look(t, insight.KindSummary, nil, basketOf(line(milk, 1), line(milk, 1))))
	assert.Len(t, look(t, insight.KindSummary, nil, basketOf(line(milk, 1), line(milk, 1), line(milk, 1))), 1, "lines of one product are items")
}

func TestSummaryFacts(t *testing.T) {
	t.Parallel()
	s := basketOf(line(called("milk", "dairy"), 10_00), line(called("beef", "meat"), 25_00), line(called("cheese", "dairy"), 20_00), line(called("soap", "cleaning"), 25_00))
	s.Total = 75_00 // a discount
	got := look(t, insight.KindSummary, nil, s)
	require.Len(t, got, 1)
	facts, err := json.Marshal(got[0].Facts)
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"total_value": {"centavos": 7500, "formatted": "R$ 75,00"},
		"item_count": 4,
		"merchant": "Mercado",
		"categories": [
			{"category": "category dairy", "total": {"centavos": 3000, "formatted": "R$ 30,00"}},
			{"category": "category cleaning", "total": {"centavos": 2500, "formatted": "R$ 25,00"}},
			{"category": "category meat", "total": {"centavos": 2500, "formatted": "R$ 25,00"}}
		]
	}`, string(facts))
	assert.Equal(t, insight.PriorityLow, got[0].Priority)
	assert.Equal(t, []string{"dairy", "cleaning", "meat"}, got[0].Categories)
	assert.Equal(t, []string{"1", "2", "3", "4"}, got[0].ItemIDs)
	assert.Equal(t, insight.Period{From: today, To: today}, got[0].Period)
}
