package spending_test

import (
	"strconv"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/spending"
)

func line(product, quantity string) spending.BasketLine {
	return spending.BasketLine{ProductID: product, Quantity: decimal.RequireFromString(quantity)}
}

func TestBasketsThatAreRefused(t *testing.T) {
	t.Parallel()
	var many []spending.BasketLine
	for range 101 {
		many = append(many, line("p", "1"))
	}
	for name, lines := range map[string][]spending.BasketLine{
		"no lines":                nil,
		"101 lines of one":        many,
		"a quantity of zero":      {line("p", "0")},
		"a negative quantity":     {line("p", "-1")},
		"below a thousandth":      {line("p", "0.00099")},
		"above 9999":              {line("p", "9999.001")},
		"above 9999 together":     {line("p", "9999"), line("q", "1"), line("p", "0.001")},
		"a hostile exponent":      {{ProductID: "p", Quantity: decimal.New(1, 1_000_000_000)}},
		"another hostile one":     {{ProductID: "p", Quantity: decimal.New(1, -1_000_000_000)}},
		"a product nobody knows":  {line("p", "1"), line("unknown", "1")},
		"a product without an id": {line("", "1")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{prices: []spending.LastPrice{{ProductID: "p"}, {ProductID: "q"}}}
			_, err := service(t, f).Basket(t.Context(), "u", lines)
			requireBad(t, err, "lines")
		})
	}
}

func TestBasketsAtTheLimits(t *testing.T) {
	t.Parallel()
	f := &fake{}
	var lines []spending.BasketLine
	for i := range 100 {
		id := strconv.Itoa(i)
		lines = append(lines, line(id, []string{"0.001", "9999"}[i%2]))
		f.prices = append(f.prices, spending.LastPrice{ProductID: id, MerchantKey: "m", Price: decimal.RequireFromString("5")})
	}
	offers, err := service(t, f).Basket(t.Context(), "u", lines)
	require.NoError(t, err)
	require.Len(t, offers, 1)
	assert.Len(t, f.ids, 100)
	assert.EqualValues(t, 50*(1+4_999_500), offers[0].Total, "half a centavo rounds up, line by line")
}

func TestOffersAreSortedAndTheirLinesMerged(t *testing.T) {
	t.Parallel()
	at := func(merchant, name, product, price string) spending.LastPrice {
		return spending.LastPrice{
			ProductID: product, MerchantKey: merchant, MerchantName: name, Price: decimal.RequireFromString(price), On: "2026-11-01",
		}
	}
	f := &fake{prices: []spending.LastPrice{
		at("1", "Zebra", "milk", "5"), at("1", "Zebra", "soap", "3"),
		at("2", "Azul", "milk", "4"), at("2", "Azul", "soap", "6"), // the same total
		at("3", "Barato", "milk", "1"),
		at("4", "Caro", "milk", "50"), at("4", "Caro", "soap", "30"),
		at("5", "Azul", "milk", "1"), // equal in all but the key
		at("6", "Absurdo", "milk", "9999999999999"),
	}}
	offers, err := service(t, f).Basket(t.Context(), "u", []spending.BasketLine{line("soap", "1"), line("milk", "0.5"), line("soap", "1"), line("milk", "1.5")})
	require.NoError(t, err)
	assert.Equal(t, []string{"soap", "milk"}, f.ids)
	var keys []string
	var totals []fiscal.Money
	for _, o := range offers {
		keys, totals = append(keys, o.MerchantKey), append(totals, o.Total)
		assert.Equal(t, len(o.Missing) == 0, o.Complete)
	}
	assert.Equal(t, []string{"1", "2", "4", "5", "3"}, keys, "what has no sane price is no offer")
	assert.Equal(t, []fiscal.Money{1600, 2000, 16000, 200, 200}, totals)
	assert.Equal(t, []spending.BasketPrice{
		{ProductID: "soap", Price: decimal.RequireFromString("3"), Total: 600, On: "2026-11-01"},
		{ProductID: "milk", Price: decimal.RequireFromString("5"), Total: 1000, On: "2026-11-01"},
	}, offers[0].Found)
	assert.Equal(t, []string{"soap"}, offers[3].Missing)
}
