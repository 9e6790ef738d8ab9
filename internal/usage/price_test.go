package usage_test

import (
	"math"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/usage"
	"github.com/mercadoesperto/smarket/internal/usage/pricefile"
)

func on(day string) time.Time {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return time.Time{}
	}
	return at
}

func builtIn(t *testing.T) *usage.Prices {
	t.Helper()
	p, err := pricefile.Load("")
	require.NoError(t, err)
	return p
}

// Each want is worked out by hand.
func TestCostsAreExact(t *testing.T) {
	t.Parallel()
	prices, now := builtIn(t), on("2026-11-23")
	for name, c := range map[string]struct {
		provider, model string
		tokens          usage.Tokens
		want            usage.MicroUSD
	}{
		"input and output":                   {"gemini", "gemini-3.5-flash-lite", usage.Tokens{Input: 1000, Output: 100}, 300 + 250},
		"a fraction is rounded up":           {"gemini", "gemini-3.5-flash-lite", usage.Tokens{Input: 1}, 1},
		"once, at the end":                   {"gemini", "gemini-3.1-flash-lite", usage.Tokens{Input: 1, Output: 1}, 2}, // 0.25 + 1.5
		"thinking is output":                 {"gemini", "gemini-3.1-flash-lite", usage.Tokens{Output: 10, Thinking: 9}, 15},
		"cached input is cheaper":            {"openai", "gpt-6-luna", usage.Tokens{Input: 1000, CachedInput: 900}, 10 + 9},
		"to 100k prompt tokens":              {"anthropic", "claude-haiku-5-5", usage.Tokens{Input: 100_000, Output: 1000}, 10_000 + 500},
		"beyond, all of the call":            {"anthropic", "claude-haiku-5-5", usage.Tokens{Input: 100_001, Output: 1000}, 50_001 + 2500}, // 50000.5
		"cached tokens count for the tier":   {"anthropic", "claude-haiku-5-5", usage.Tokens{Input: 100_001, CachedInput: 100_000}, 50_001},
		"a credit fee":                       {"openrouter", "google/gemini-3.5-flash-lite", usage.Tokens{Input: 1000, Output: 100}, 581}, // 550 × 1.055 = 580.25
		"a dated snapshot":                   {"openai", "gpt-6-luna-2026-09-15", usage.Tokens{Input: 1000}, 100},
		"a numbered snapshot":                {"gemini", "gemini-3.5-flash-lite-001", usage.Tokens{Input: 1000}, 300},
		"nothing used":                       {"openai", "gpt-6-luna", usage.Tokens{}, 0},
		"negative counts are none":           {"openai", "gpt-6-luna", usage.Tokens{Input: -5, CachedInput: -1, Output: -9}, 0},
		"more cached than there is":          {"openai", "gpt-6-luna", usage.Tokens{Input: 10, CachedInput: 1000}, 10},
		"absurd counts do not wrap around":   {"gemini", "gemini-3.5-flash-lite", usage.Tokens{Input: math.MaxInt64, CachedInput: math.MaxInt64, CacheWrite: math.MaxInt64, Output: math.MaxInt64}, 600_000_000 + 2_500_000_000},
		"thinking that output does not hold": {"gemini", "gemini-3.1-flash-lite", usage.Tokens{Thinking: 10}, 15},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := prices.Cost(c.provider, c.model, now, c.tokens)
			require.True(t, ok)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestWhatHasNoPrice(t *testing.T) {
	t.Parallel()
	prices, now := builtIn(t), on("2026-11-23")
	for _, model := range []string{"gpt-6", "gpt-6-luna-mini", "gpt-6-luna-5", "", "gpt-6-luna-", "GPT-6-LUNA"} {
		_, ok := prices.Cost("openai", model, now, usage.Tokens{Input: 1})
		assert.False(t, ok, model)
	}
	_, ok := prices.Cost("offline", "tesseract 5", now, usage.Tokens{Input: 1})
	assert.False(t, ok)
	_, ok = prices.Cost("openai", "gpt-6-luna", on("2026-09-30"), usage.Tokens{Input: 1})
	assert.False(t, ok, "before its first price")

	tokens := usage.Tokens{Input: 1000, Output: 100}
	assert.EqualValues(t, 550, prices.Dearest("gemini", now, tokens), "of the provider's two the dearer")
	assert.EqualValues(t, 581, prices.Dearest("my-llm", now, tokens), "of all providers the dearest")
	assert.EqualValues(t, 150, prices.Dearest("openai", on("2020-01-01"), tokens), "before all prices the first")
}

func TestPricesChangeWithTheDay(t *testing.T) {
	t.Parallel()
	rate := func(n int64) []usage.Tier {
		return []usage.Tier{{Rate: usage.Rate{Input: decimal.NewFromInt(n)}}}
	}
	prices, err := usage.NewPrices(map[string]usage.Provider{"p": {Models: map[string][]usage.Price{
		"m": {{From: on("2027-01-01"), Tiers: rate(3)}, {From: on("2026-01-01"), Tiers: rate(1)}, {From: on("2026-06-15"), Tiers: rate(2)}},
	}}})
	require.NoError(t, err)
	for at, want := range map[time.Time]usage.MicroUSD{
		on("2026-01-01"): 1, on("2026-06-15").Add(-time.Nanosecond): 1, on("2026-06-15"): 2, on("2026-12-31"): 2, on("2027-01-01"): 3, on("2040-01-01"): 3,
		// In Brasília it is still 2026.
		time.Date(2026, 12, 31, 21, 0, 0, 0, time.FixedZone("-03", -3*60*60)): 3,
	} {
		got, ok := prices.Cost("p", "m", at, usage.Tokens{Input: 1})
		require.True(t, ok)
		assert.Equal(t, want, got, at)
	}
}

func TestTheFeeIsAddedToTheVendorsFigure(t *testing.T) {
	t.Parallel()
	prices := builtIn(t)
	assert.EqualValues(t, 1055, prices.Billed("openrouter", 1000))
	assert.EqualValues(t, 2, prices.Billed("openrouter", 1), "rounded up")
	assert.EqualValues(t, 1000, prices.Billed("my-llm", 1000))
	assert.EqualValues(t, 1_000_000_000_000, prices.Billed("openrouter", math.MaxInt64), "held at a million dollars")
}

func TestFaultsOfPricesAreReportedTogether(t *testing.T) {
	t.Parallel()
	one := decimal.NewFromInt(1)
	_, err := usage.NewPrices(map[string]usage.Provider{
		"fee": {FeePercent: decimal.NewFromInt(-1), Models: map[string][]usage.Price{
			"none": nil,
			"bad": {
				{From: on("2026-01-01"), Tiers: []usage.Tier{{UpTo: 5}, {UpTo: 5}, {UpTo: 9, Rate: usage.Rate{Input: one.Neg()}}}},
				{From: on("2026-01-01")},
				{From: on("2026-01-02"), Tiers: []usage.Tier{{}, {}}},
				{From: on("2026-01-03"), Tiers: []usage.Tier{{Rate: usage.Rate{Output: decimal.NewFromInt(1_000_001)}}}},
			},
			" ": {{From: on("2026-01-01"), Tiers: []usage.Tier{{}}}},
		}},
	})
	require.Error(t, err)
	for _, want := range []string{
		"fee: the fee must be from 0 to 100", "fee none: has no price", "fee bad from 2026-01-01: tier 2 must go further",
		"fee bad from 2026-01-01: the last tier must have no bound", "fee bad from 2026-01-01: a rate of tier 3",
		"fee bad from 2026-01-01: there is another price", "fee bad from 2026-01-01: has no rate",
		"fee bad from 2026-01-02: tier 1 needs a bound", "fee bad from 2026-01-03: a rate of tier 1", "a model has no name",
	} {
		require.ErrorContains(t, err, want)
	}
	_, err = usage.NewPrices(nil)
	require.ErrorContains(t, err, "there are none")
}
