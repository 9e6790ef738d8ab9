package insight_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/insight"
)

func TestPercentOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		part, whole int64
		want        string
	}{
		"a whole figure keeps its decimal":  {1, 2, "50.0"},
		"half is rounded away from zero":    {12_345, 100_000, "12.3"},
		"half up":                           {1_235, 10_000, "12.4"},
		"half down below zero":              {-1_235, 10_000, "-12.4"},
		"nothing of something":              {0, 7, "0.0"},
		"of nothing there is no percentage": {7, 0, "0.0"},
		"more than all":                     {3, 1, "300.0"},
		"the largest amounts":               {math.MaxInt64, math.MaxInt64, "100.0"},
		"a third":                           {1, 3, "33.3"},
		"two thirds":                        {2, 3, "66.7"},
		"less than rounding sees, and no 0": {-1, 100_000, "0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, insight.PercentOf(c.part, c.whole).String())
		})
	}
}

func TestPercentChange(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "30.0", insight.PercentChange(130, 100).String())
	assert.Equal(t, "-25.0", insight.PercentChange(75, 100).String())
	assert.Equal(t, "0.0", insight.PercentChange(75, 0).String())
	assert.Equal(t, "0.0", insight.PercentChange(math.MinInt64, 0).String())
	assert.Equal(t, "-200.0", insight.PercentChange(math.MinInt64, math.MaxInt64).String(), "no figure overflows")
}

func TestPercentInJSONIsAText(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(struct {
		A insight.Percent  `json:"a"`
		B *insight.Percent `json:"b,omitempty"`
		C insight.Percent  `json:"c"`
	}{A: insight.PercentOf(234, 1000)})
	require.NoError(t, err)
	assert.JSONEq(t, `{"a":"23.4","c":"0.0"}`, string(got))
}
