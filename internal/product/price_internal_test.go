package product

import (
	"math"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

func TestPricesAreExactAndDoNotOverflow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		quantity string
		paid     fiscal.Money
		micro    int64
		price    *int64
	}{
		{"1", 1000, 1_000_000, new(int64(10_000_000))},
		{"3", 1000, 3_000_000, new(int64(3_333_333))},
		{"0.456", 296, 456_000, new(int64(6_491_228))},
		{"0.0000001", 1, 0, new(int64(100_000_000_000))},
		{"1", 0, 1_000_000, new(int64(0))},
		{"1", -1, 1_000_000, nil},
		{"0", 100, 0, nil},
		{"-2", 100, -2_000_000, nil},
		{"9223372036854.775807", 100, math.MaxInt64, new(int64(0))},
		{"9223372036854.775808", 100, 0, nil},
		{"1e9999", 100, 0, nil},
		{"1e-9999", 100, 0, nil},
		{"0.000001", math.MaxInt64, 1, nil},
	} {
		n, price := price(decimal.RequireFromString(c.quantity), c.paid)
		assert.Equal(t, c.micro, n, c.quantity)
		assert.Equal(t, c.price, price, c.quantity)
	}
}

func TestMeasurePriceNeedsASizeOfTheSameMeasure(t *testing.T) {
	t.Parallel()
	labels, err := NewLabels()
	require.NoError(t, err)
	half := &Product{Size: decimal.RequireFromString("0.5"), Measure: MeasureKilogram}
	for _, c := range []struct {
		label, unit string
		product     *Product
		want        *int64
	}{
		{"CAFE 250G", "UN", half, new(int64(40_000_000))}, // the label's own size
		{"CAFE", "UN", half, new(int64(20_000_000))},
		{"CAFE 500ML", "UN", half, new(int64(20_000_000))},
		{"CAFE", "KG", half, new(int64(10_000_000))},
		{"CAFE", "KG", &Product{Size: decimal.NewFromInt(1), Measure: MeasureUnit}, nil},
		{"CAFE", "UN", &Product{Measure: MeasureUnit}, nil},
	} {
		got := measurePrice(new(int64(10_000_000)), labels.Parse(c.label, c.unit), c.product)
		assert.Equal(t, c.want, got, "%s %s", c.label, c.unit)
	}
	assert.Nil(t, measurePrice(nil, labels.Parse("CAFE 500G", "UN"), half))
}

func TestMerchantsHaveAKey(t *testing.T) {
	t.Parallel()
	for want, issuer := range map[string]invoice.Issuer{
		"11222333000181":       {Name: "X", CNPJ: "11222333000181"},
		"name:padaria do joao": {Name: " PADARIA do João  LTDA. - ME"},
		"name:":                {},
	} {
		assert.Equal(t, want, MerchantKey(issuer))
	}
}

func TestInStoreNumbersAreNoProducts(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"7891000100103": "7891000100103", "07891000100103": "7891000100103", "042100005264": "0042100005264", "0042100005264": "0042100005264",
		"78910003": "78910003", "0000078910003": "78910003", "17891000100100": "17891000100100", "7891000100104": "", "": "", "00000000": "",
		"2000000000015": "", "20000004": "",
	} {
		assert.Equal(t, want, globalGTIN(in), in)
	}
}

func TestWordsAreAlike(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"italac", "italac", 1000},
		{"cho", "chocolate", 900},
		{"ch", "chocolate", 0},
		{"itlac", "italac", 800},
		{"italac", "italoc", 800},
		{"branco", "branca", 0},
		{"prato", "preto", 0},
		{"pato", "rato", 0},
		{"1", "12", 0},
		{"t1", "t2", 0},
		{"morango", "marongo", 0},
	} {
		assert.Equal(t, c.want, wordLikeness(c.a, c.b), "%s %s", c.a, c.b)
		assert.Equal(t, c.want, wordLikeness(c.b, c.a), "%s %s", c.b, c.a)
	}
}
