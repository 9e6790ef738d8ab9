package insight_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/product"
)

func grown(id string) product.Product {
	p := called(id, "fruits")
	p.Produce, p.Measure = id, product.MeasureKilogram
	return p
}

// byMeasure gives a line the price of a kilogram in centavos.
func byMeasure(l insight.Line, price int64) insight.Line {
	l.MeasurePriceMicro = new(price * 10_000)
	return l
}

func TestSeasonalAlertThresholds(t *testing.T) {
	t.Parallel()
	mango, cashew := grown("manga"), grown("caju")
	once := []past{{day: "2026-06-01", product: cashew, price: 10_00}, {day: "2026-07-01", product: cashew, price: 15_00}}
	of := func(price int64) insight.Subject {
		return basketOf(line(mango, 99_00), line(mango, 99_00), line(cashew, price))
	}
	few := of(900_00)
	few.Lines[0].Product.Produce = ""
	for name, c := range map[string]struct {
		before  []past
		subject insight.Subject
		want    insight.Priority
	}{
		"1.3 times is not above it":                {once, of(13_00), ""},
		"a cent above 1.3 times is told":           {once, of(13_01), insight.PriorityLow},
		"R$ 9,99 more is good to know":             {once, of(19_99), insight.PriorityLow},
		"R$ 10 more is worth a look":               {once, of(20_00), insight.PriorityMedium},
		"two items of produce are too few":         {once, few, ""},
		"never bought before":                      {nil, of(900_00), ""},
		"in season nothing is told":                {[]past{{day: "2026-06-01", product: mango, price: 1}}, of(1), ""},
		"the same day a year before counts":        {[]past{{day: "2025-11-23", product: cashew, price: 10_00}}, of(13_01), insight.PriorityLow},
		"the day before that does not":             {[]past{{day: "2025-11-22", product: cashew, price: 10_00}}, of(13_01), ""},
		"what is bought later does not":            {[]past{{day: "2026-11-24", product: cashew, price: 10_00}}, of(13_01), ""},
		"without a price of its own nothing is":    {once, of(0), ""},
		"a measure's price here alone is not used": {once, basketOf(line(mango, 1), line(mango, 1), byMeasure(line(cashew, 13_00), 99_00)), ""},
		"a measure's price there alone is not used": {
			[]past{{day: "2026-06-01", product: cashew, price: 10_00, measure: 1}}, of(13_00), "",
		},
		"where both are known it is, not above": {
			[]past{{day: "2026-06-01", product: cashew, price: 1, measure: 20_00}},
			basketOf(line(mango, 1), line(mango, 1), byMeasure(line(cashew, 13_00), 26_00)), "",
		},
		"where both are known it is, above": {
			[]past{{day: "2026-06-01", product: cashew, price: 99_00, measure: 20_00}},
			basketOf(line(mango, 1), line(mango, 1), byMeasure(line(cashew, 13_00), 26_01)), insight.PriorityLow,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := look(t, insight.KindSeasonalAlert, &shopping{lines: c.before}, c.subject)
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			assert.Equal(t, c.want, got[0].Priority)
		})
	}
}

func TestSeasonalAlertFacts(t *testing.T) {
	t.Parallel()
	cashew, fig, mango := grown("caju"), grown("figo"), grown("manga")
	fig.Category = "other fruits"
	before := []past{
		{day: "2026-06-01", product: cashew, price: 10_00},
		{day: "2026-06-02", product: cashew, price: 8_00},
		{day: "2026-06-01", product: fig, price: 5_00, measure: 20_00},
		{day: "2026-06-01", product: mango, price: 1},
	}
	s := basketOf(
		line(called("soap", "cleaning"), 5_00),
		// 1 for 11.00 and 3 for 13.00: one costs 12.50.
		line(cashew, 11_00), lineOf(cashew, 3_000_000, 13_00), line(mango, 5_00),
		byMeasure(lineOf(fig, 2_000_000, 7_50), 30_00),
	)
	got := look(t, insight.KindSeasonalAlert, &shopping{lines: before}, s)
	require.Len(t, got, 1)
	facts, err := json.Marshal(got[0].Facts)
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"off_season_items": [
			{
				"product": "name caju",
				"current_price": {"centavos": 1250, "formatted": "R$ 12,50"}, "lowest_price": {"centavos": 800, "formatted": "R$ 8,00"},
				"difference_percent": "56.3", "premium": {"centavos": 1800, "formatted": "R$ 18,00"}
			},
			{
				"product": "name figo", "measure": "KG",
				"current_price": {"centavos": 3000, "formatted": "R$ 30,00"}, "lowest_price": {"centavos": 2000, "formatted": "R$ 20,00"},
				"difference_percent": "50.0", "premium": {"centavos": 500, "formatted": "R$ 5,00"}
			}
		],
		"total_premium": {"centavos": 2300, "formatted": "R$ 23,00"},
		"current_month": "novembro",
		"produce_count": 4
	}`, string(facts))
	assert.Equal(t, insight.PriorityMedium, got[0].Priority)
	assert.Equal(t, []string{"2", "3", "5"}, got[0].ItemIDs)
	assert.Equal(t, []string{"fruits", "other fruits"}, got[0].Categories)
}

func TestSeasonalAlertKnowsEveryMonth(t *testing.T) {
	t.Parallel()
	mango := grown("manga")
	for day, want := range map[insight.Day]string{"2025-12-31": "dezembro", "2026-01-01": "janeiro", "2026-03-15": "março"} {
		s := basketOf(line(mango, 5_00), line(mango, 5_00), line(mango, 5_00))
		s.Today = day
		got := look(t, insight.KindSeasonalAlert, &shopping{lines: []past{{day: "2025-12-24", product: mango, price: 1_00}}}, s)
		require.Len(t, got, 1)
		assert.Equal(t, want, got[0].Facts.(insight.SeasonalAlertFacts).CurrentMonth)
	}
}
