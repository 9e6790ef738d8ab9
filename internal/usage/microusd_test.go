package usage_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/usage"
)

func TestAmountsAreReadExactly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]usage.MicroUSD{
		"0": 0, "20": 20_000_000, "0.50": 500_000, "0.000001": 1, " 1.5 ": 1_500_000, "1000000": 1_000_000_000_000, "0.0000010": 1,
	} {
		got, err := usage.ParseUSD(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "-1", "+1", "1,5", "1e3", "0.0000001", "1000000.000001", ".5", "5.", "NaN", "0x1", "1_000", strings.Repeat("9", 99)} {
		_, err := usage.ParseUSD(text)
		require.ErrorIs(t, err, usage.ErrUSD, text)
	}
}

func TestAmountsAreWrittenAsBraziliansDo(t *testing.T) {
	t.Parallel()
	for amount, want := range map[usage.MicroUSD]string{
		0: "US$ 0,00", 1: "US$ 0,000001", 500_000: "US$ 0,50", 1_234_567_890_000: "US$ 1.234.567,89", -2_120: "-US$ 0,00212", 20_000_000: "US$ 20,00",
	} {
		assert.Equal(t, want, amount.String())
	}
	assert.Equal(t, "0.5", usage.MicroUSD(500_000).USD())
}

func TestSumsDoNotWrapAround(t *testing.T) {
	t.Parallel()
	const most, least = usage.MicroUSD(1<<63 - 1), usage.MicroUSD(-1 << 63)
	assert.Equal(t, most, most.Add(1))
	assert.Equal(t, least, least.Add(-1))
	assert.EqualValues(t, 3, usage.MicroUSD(1).Add(2))
}
