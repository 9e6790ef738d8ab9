package fiscal_test

import (
	"math"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

func TestMoneyIsWrittenAsBraziliansDo(t *testing.T) {
	t.Parallel()
	for m, want := range map[fiscal.Money]string{
		0:             "R$ 0,00",
		5:             "R$ 0,05",
		-5:            "-R$ 0,05",
		100:           "R$ 1,00",
		99_999:        "R$ 999,99",
		123_456:       "R$ 1.234,56",
		-123_456:      "-R$ 1.234,56",
		100_000_000:   "R$ 1.000.000,00",
		math.MaxInt64: "R$ 92.233.720.368.547.758,07",
		math.MinInt64: "-R$ 92.233.720.368.547.758,08",
	} {
		assert.Equal(t, want, m.String())
	}
}

func TestParseMoneyReadsPaperAndXML(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]fiscal.Money{
		"1.234,56":              123_456,
		"R$ 5,99":               599,
		"R$5,99":                599,
		"r$ 5,99":               599,
		"R$\u00a05,99":          599,
		"  11,98  ":             1_198,
		"-2,00":                 -200,
		"-R$ 2,00":              -200,
		"- R$ 2,00":             -200,
		"R$ -2,00":              -200,
		"\u22122,00":            -200,
		"2,00-":                 -200,
		"2,00 -":                -200,
		"12.34":                 1_234,
		"7":                     700,
		"0,00":                  0,
		"12.345,67":             1_234_567,
		"1.234.567,89":          123_456_789,
		"1234,5":                123_450,
		"0.005":                 1,
		"0.004":                 0,
		"-0.005":                -1, // away from zero
		"2.675":                 268,
		"9999999999999.99":      999_999_999_999_999,
		"9.999.999.999.999,994": 999_999_999_999_999,
	} {
		m, err := fiscal.ParseMoney(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, m, text)
	}
}

func TestParseMoneyRefusesWhatIsNoAmount(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "R$", "-", "--1", "+-1", "- -1", "-R$ -1", "R$ R$ 1", "-1-", "1--", "abc", "1e3", "NaN", "Inf", "0x10", "1_000",
		"1,2,3", "1,234.56", "12.34.56", "1.23,45", "1234.567,89", ".123,45", ".5", "5.", ",50", "50,", "1 234,56", "R$ 5,99 UN",
		"٣,00", "9999999999999.995", "10000000000000", strings.Repeat("9", 41), strings.Repeat("9", 1_000_000),
	} {
		_, err := fiscal.ParseMoney(text)
		require.ErrorIs(t, err, fiscal.ErrMoney, "%.60q", text)
	}
}

func TestErrorsOfFiguresDoNotRepeatThem(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"529.982.247-25", "CPF 52998224725"} {
		_, err := fiscal.ParseMoney(text)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "529")
		_, err = fiscal.ParseDecimal(text)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "529")
	}
}

func TestParseDecimal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1.234,567":      "1234.567",
		"1234.567":       "1234.567",
		"1.234":          "1.234", // only a comma makes dots thousands
		"0,525":          "0.525",
		"2":              "2",
		"+2":             "2",
		"-2,5":           "-2.5",
		"12.3456789012":  "12.3456789012",
		"1.000.000,0000": "1000000",
	} {
		d, err := fiscal.ParseDecimal(text)
		require.NoError(t, err, text)
		assert.Truef(t, decimal.RequireFromString(want).Equal(d), "%s: %s", text, d)
	}
	for _, text := range []string{"", "1e9", "1.234.567", "0001.234,5", "1..2,3", "--2", "2-"} {
		_, err := fiscal.ParseDecimal(text)
		require.ErrorIs(t, err, fiscal.ErrNumber, text)
	}
}

func TestMoneyFromDecimalStaysInRange(t *testing.T) {
	t.Parallel()
	m, err := fiscal.MoneyFromDecimal(decimal.RequireFromString("-9999999999999.99"))
	require.NoError(t, err)
	assert.Equal(t, fiscal.Money(-999_999_999_999_999), m)
	assert.Equal(t, "-9999999999999.99", m.Decimal().String())
	huge := decimal.NewFromInt(10).Pow(decimal.NewFromInt(45)).BigInt()
	for name, d := range map[string]decimal.Decimal{
		"a cent too many":   decimal.RequireFromString("10000000000000.00"),
		"a great exponent":  decimal.New(1, math.MaxInt32),
		"a small exponent":  decimal.New(1, math.MinInt32),
		"a long figure":     decimal.NewFromBigInt(huge, -43),
		"zero with a scale": decimal.New(0, math.MaxInt32),
	} {
		_, err := fiscal.MoneyFromDecimal(d)
		require.ErrorIs(t, err, fiscal.ErrMoney, name)
	}
	m, err = fiscal.MoneyFromDecimal(decimal.Decimal{})
	require.NoError(t, err)
	assert.Zero(t, m)
}

func TestLineTotalRoundsHalfAwayFromZero(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		quantity, unitPrice string
		want                fiscal.Money
	}{
		{"2", "5.99", 1_198},
		{"0.525", "9.99", 524}, // 5.24475
		{"0.5", "0.01", 1},     // 0.005
		{"-0.5", "0.01", -1},
		{"0.5", "0.0099999999", 0},
		{"3", "1.6666666667", 500},
		{"99999999999.9999", "0.0000000001", 1_000},
		{"0", "5", 0},
	} {
		m, err := fiscal.LineTotal(decimal.RequireFromString(c.quantity), decimal.RequireFromString(c.unitPrice))
		require.NoError(t, err)
		assert.Equal(t, c.want, m, "%s × %s", c.quantity, c.unitPrice)
	}
	for _, d := range []decimal.Decimal{decimal.New(1, math.MaxInt32), decimal.New(1, math.MinInt32), decimal.New(1, 20)} {
		_, err := fiscal.LineTotal(d, d)
		require.ErrorIs(t, err, fiscal.ErrMoney)
		_, err = fiscal.LineTotal(decimal.NewFromInt(1), d)
		require.ErrorIs(t, err, fiscal.ErrMoney)
	}
}

func TestMoneyArithmeticDoesNotWrapAround(t *testing.T) {
	t.Parallel()
	const most, least = fiscal.Money(math.MaxInt64), fiscal.Money(math.MinInt64)
	assert.Equal(t, fiscal.Money(5), fiscal.Money(2).Add(3))
	assert.Equal(t, fiscal.Money(-1), fiscal.Money(2).Sub(3))
	assert.Equal(t, most, most.Add(1))
	assert.Equal(t, least, least.Add(-1))
	assert.Equal(t, fiscal.Money(-1), most.Add(least))
	assert.Equal(t, least, least.Sub(1))
	assert.Equal(t, most, fiscal.Money(0).Sub(least))
	assert.Equal(t, most, fiscal.Money(-1).Sub(least))
	assert.Equal(t, fiscal.Money(0), least.Sub(least))
	assert.Equal(t, most, least.Abs())
	assert.Equal(t, fiscal.Money(2), fiscal.Money(-2).Abs())
	assert.Equal(t, fiscal.Money(2), fiscal.Money(2).Abs())
}

func FuzzParseMoney(f *testing.F) {
	for _, s := range []string{
		"1.234,56", "R$ 5,99", "-2,00", "12.34", "7", "-R$ 0,05", "2,00-", "", "NaN", "1e9", ".123,45", "R$", "9999999999999.99",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := fiscal.ParseMoney(s)
		if err != nil {
			require.ErrorIs(t, err, fiscal.ErrMoney)
			return
		}
		again, err := fiscal.ParseMoney(m.String())
		require.NoError(t, err)
		require.Equal(t, m, again)
		again, err = fiscal.ParseMoney(m.Decimal().String())
		require.NoError(t, err)
		require.Equal(t, m, again)
	})
}

func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"1.234,567", "1234.567", "0,525", "-2,5", "1e9", "", "0", "00,00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := fiscal.ParseDecimal(s)
		if err != nil {
			require.ErrorIs(t, err, fiscal.ErrNumber)
			return
		}
		again, err := fiscal.ParseDecimal(d.String())
		require.NoError(t, err)
		require.True(t, d.Equal(again))
	})
}
