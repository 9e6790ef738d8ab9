package pricefile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/usage"
	"github.com/mercadoesperto/smarket/internal/usage/pricefile"
)

// on is a day on which the built-in prices are in force.
var on = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestTheBuiltInPricesAreTheVendors(t *testing.T) {
	t.Parallel()
	prices, err := pricefile.Load("")
	require.NoError(t, err)
	// US dollars for a million tokens, in and out, are micro-dollars for one each: of a million, dollars.
	for _, c := range []struct {
		provider, model string
		in, out         usage.MicroUSD
	}{
		{"gemini", "gemini-3.5-flash-lite", 300_000, 2_500_000},
		{"gemini", "gemini-3.1-flash-lite", 250_000, 1_500_000},
		{"openai", "gpt-6-luna", 100_000, 500_000},
		{"anthropic", "claude-haiku-5-5", 500_000, 500_000}, // a prompt of a million is in the second tier, an empty one in the first
		{"openrouter", "google/gemini-3.5-flash-lite", 316_500, 2_637_500},
	} {
		in, ok := prices.Cost(c.provider, c.model, on, usage.Tokens{Input: 1_000_000})
		require.True(t, ok, c.model)
		out, _ := prices.Cost(c.provider, c.model, on, usage.Tokens{Output: 1_000_000})
		assert.Equal(t, []usage.MicroUSD{c.in, c.out}, []usage.MicroUSD{in, out}, c.model)
	}
}

func TestAFileOfTheOperatorsReplacesTheBuiltInOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "prices.yaml")
	require.NoError(t, os.WriteFile(path, []byte(
		"providers:\n  mine:\n    models:\n      m:\n        - {from: 2026-01-01, input: 0.000001, cached_input: 0, cache_write: 2.5, output: 0}\n"), 0o600))
	prices, err := pricefile.Load(path)
	require.NoError(t, err)
	got, ok := prices.Cost("mine", "m", on, usage.Tokens{Input: 2_000_002, CachedInput: 1_000_000, CacheWrite: 2})
	require.True(t, ok)
	assert.EqualValues(t, 1+5, got)
	_, ok = prices.Cost("gemini", "gemini-3.5-flash-lite", on, usage.Tokens{})
	assert.False(t, ok)

	_, err = pricefile.Load(filepath.Join(t.TempDir(), "absent.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestEveryFaultOfAFileIsReported(t *testing.T) {
	t.Parallel()
	_, err := pricefile.Parse([]byte(`
providers:
  a:
    credit_fee_percent: -5
    models:
      m:
        - { from: 2026-13-01, input: 1e3, output: -1, cached_input: x }
        - { input: 0x10, tiers: [{ up_to_prompt_tokens: 0.5 }] }
        - { from: 2026-01-01, tiers: [{ up_to_prompt_tokens: 10, input: 1, output: 1 }] }
      n: []
  b: {}
`))
	require.Error(t, err)
	for _, want := range []string{
		"a credit_fee_percent: must be a plain number", "a m, price 1: from: must be a day", "a m, price 1: input: must be a plain number",
		"a m, price 1: output: must be", "a m, price 1: cached_input: must be", "a m, price 2: from: is missing",
		"a m, price 2: has both rates and tiers", "a m, price 2, tier 1: input: is missing", "a m, price 2, tier 1: output: is missing",
		"a m, price 2, tier 1: up_to_prompt_tokens: must be a whole number above zero",
		"a m from 2026-01-01: the last tier must have no bound", "a n: has no price", "b: has no models",
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestWhatIsNoPriceFileIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty":              "",
		"no providers":       "providers:\n",
		"a list":             "- 1",
		"a text":             "prices",
		"an unknown field":   "providers:\n  a:\n    models:\n      m: [{from: 2026-01-01, input: 1, output: 1, price: 2}]",
		"a model twice":      "providers:\n  a:\n    models:\n      m: [{from: 2026-01-01, input: 1, output: 1}]\n      m: []",
		"a second document":  "providers:\n  a:\n    models:\n      m: [{from: 2026-01-01, input: 1, output: 1}]\n---\nproviders: {}",
		"not YAML":           "providers: {",
		"too large":          strings.Repeat("#", 1<<20+1),
		"an alias of itself": "providers: &a\n  a:\n    models: *a",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := pricefile.Parse([]byte(text))
			require.Error(t, err)
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(usage.BuiltInPrices()))
	f.Add([]byte("providers:\n  a:\n    models:\n      m:\n        - {from: 2026-01-01, tiers: [{up_to_prompt_tokens: 1, input: 1, output: 0.5}, {input: 2, output: 3}]}\n"))
	f.Add([]byte("providers: {a: {credit_fee_percent: 99999999999999999999, models: {m: [{from: 2026-01-01, input: 1, output: 1}]}}}"))
	f.Add([]byte("providers: &a {a: *a}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		prices, err := pricefile.Parse(text)
		if err != nil {
			require.Nil(t, prices)
			return
		}
		tokens := usage.Tokens{Input: 100_001, Output: 3}
		require.GreaterOrEqual(t, prices.Dearest("a", on, tokens), usage.MicroUSD(0))
	})
}
