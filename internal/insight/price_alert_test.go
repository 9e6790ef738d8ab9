package insight_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/insight"
)

func TestPriceAlertThresholds(t *testing.T) {
	t.Parallel()
	milk := called("milk", "dairy")
	two := []past{{day: "2026-11-01", product: milk, price: 400}, {day: "2026-11-02", product: milk, price: 600}} // mean 5.00
	for name, c := range map[string]struct {
		before []past
		price  int64
		want   insight.Priority // "" for nothing
	}{
		"1.2 times is not above it":             {two, 600, ""},
		"a cent above 1.2 times is told":        {two, 601, insight.PriorityMedium},
		"1.5 times matters no more":             {two, 750, insight.PriorityMedium},
		"a cent above 1.5 times matters much":   {two, 751, insight.PriorityHigh},
		"one price makes no mean":               {two[:1], 5000, ""},
		"no price makes no mean":                {nil, 5000, ""},
		"the ninetieth day before counts":       {[]past{two[0], {day: "2026-08-25", product: milk, price: 600}}, 601, insight.PriorityMedium},
		"the ninety-first day before does not":  {[]past{two[0], {day: "2026-08-24", product: milk, price: 600}}, 601, ""},
		"the purchase's own day counts":         {[]past{two[0], {day: "2026-11-23", product: milk, price: 600}}, 601, insight.PriorityMedium},
		"the day after does not":                {[]past{two[0], {day: "2026-11-24", product: milk, price: 600}}, 601, ""},
		"other products are no history":         {[]past{two[0], {day: "2026-11-02", product: called("x", "dairy"), price: 1}}, 601, ""},
		"two lines of one purchase are a price": {[]past{{invoice: "a", day: "2026-11-01", product: milk, price: 400}, {invoice: "a", day: "2026-11-01", product: milk, price: 600}}, 601, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := look(t, insight.KindPriceAlert, &shopping{lines: c.before}, basketOf(line(milk, c.price)))
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			assert.Equal(t, c.want, got[0].Priority)
			assert.Equal(t, "milk", got[0].Subject)
		})
	}
}

func TestPriceAlertFacts(t *testing.T) {
	t.Parallel()
	milk := called("milk", "dairy")
	before := []past{
		// One purchase, (4.00 + 3 x 5.00) / 4 = 4.75, and another: the mean is 5.00.
		{invoice: "a", day: "2026-11-01", product: milk, price: 400},
		{invoice: "a", day: "2026-11-01", product: milk, price: 500, quantity: 3_000_000},
		{invoice: "b", day: "2026-11-02", product: milk, price: 525},
	}
	// (1 x 9.00 + 0.5 x 6.00) / 1.5 = 8.00. The third and the fourth have no price.
	s := basketOf(line(milk, 900), lineOf(milk, 500_000, 600), line(milk, 0), insight.Line{Product: milk, QuantityMicro: 1, Paid: 1})
	got := look(t, insight.KindPriceAlert, &shopping{lines: before}, s)
	require.Len(t, got, 1)
	facts, err := json.Marshal(got[0].Facts)
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"product": "name milk",
		"current_price": {"centavos": 800, "formatted": "R$ 8,00"},
		"average_price": {"centavos": 500, "formatted": "R$ 5,00"},
		"price_difference_percent": "60.0",
		"history_count": 2,
		"quantity": "1.5"
	}`, string(facts))
	assert.Equal(t, insight.PriorityHigh, got[0].Priority)
	assert.Equal(t, []string{"1", "2"}, got[0].ItemIDs)
	assert.Equal(t, []string{"dairy"}, got[0].Categories)
	assert.Equal(t, insight.Period{From: today, To: today}, got[0].Period)
}

func TestPriceAlertTellsTheFiveThatTookMost(t *testing.T) {
	t.Parallel()
	var lines []insight.Line
	var before []past
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		p := called(id, "dairy")
		before = append(before, past{day: "2026-11-01", product: p, price: 100}, past{day: "2026-11-02", product: p, price: 100})
		quantity := int64(1_000_000)
		if id == "f" {
			quantity = 9_000_000 // 9 x 1.00 more is the most
		}
		price := int64(200)
		if id == "c" {
			price = 300
		}
		lines = append(lines, lineOf(p, quantity, price))
	}
	got := look(t, insight.KindPriceAlert, &shopping{lines: before}, basketOf(lines...))
	var order []string
	for _, f := range got {
		order = append(order, f.Subject)
	}
	assert.Equal(t, []string{"f", "c", "a", "b", "d"}, order)
}

func TestPriceAlertBearsAbsurdFigures(t *testing.T) {
	t.Parallel()
	milk := called("milk", "dairy")
	huge := int64(math.MaxInt64 / 20_000)
	before := []past{
		{day: "2026-11-01", product: milk, price: huge, quantity: math.MaxInt64},
		{day: "2026-11-02", product: milk, price: huge, quantity: math.MaxInt64},
	}
	l := insight.Line{Product: milk, QuantityMicro: math.MaxInt64, PriceMicro: new(int64(math.MaxInt64)), Paid: math.MaxInt64}
	got := look(t, insight.KindPriceAlert, &shopping{lines: before}, basketOf(l))
	require.Len(t, got, 1)
	assert.Equal(t, "100.0", got[0].Facts.(insight.PriceAlertFacts).PriceDifferencePercent.String())

	l.PriceMicro = new(int64(-5))
	assert.Empty(t, look(t, insight.KindPriceAlert, &shopping{lines: before}, basketOf(l)))
	l.QuantityMicro, l.PriceMicro = 0, new(int64(math.MaxInt64))
	assert.Empty(t, look(t, insight.KindPriceAlert, &shopping{lines: before}, basketOf(l)))
}
