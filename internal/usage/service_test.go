package usage_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
	"github.com/mercadoesperto/smarket/internal/usage"
	"github.com/mercadoesperto/smarket/schema"
)

// bundle is a service over a real database, at a time that the test sets.
type bundle struct {
	*usage.Service

	user string
	sql  *sql.DB
	log  *bytes.Buffer

	mu  sync.Mutex
	now time.Time
}

func (b *bundle) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bundle) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// noon in Brasília.
func noon() time.Time { return time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC) }

func setup(t *testing.T, limits usage.Limits) *bundle {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "x.db")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, schema.NewMigrator(db.SQL(), db.Dialect(), slog.New(slog.DiscardHandler)).Up(t.Context()))
	b := &bundle{now: noon(), log: &bytes.Buffer{}, sql: db.SQL(), user: storetest.NewUser(t, store.NewAccounts(db))}
	b.Service, err = usage.NewService(usage.Config{
		Store: store.NewUsage(db), Prices: builtIn(t), Limits: limits, Now: b.clock, Log: slog.New(slog.NewTextHandler(b.log, nil)),
	})
	require.NoError(t, err)
	return b
}

func (b *bundle) call() usage.Call {
	return usage.Call{
		UserID: b.user, Task: "extract", Provider: "gemini", Model: "gemini-3.5-flash-lite", Attempt: 1, InputBytes: 4000,
		MaxOutputTokens: 1000, StartedAt: b.clock(),
	}
}

// row is the charge, the cost and the outcome of the newest call.
func (b *bundle) row(t *testing.T) (charged int64, cost *int64, outcome string) {
	t.Helper()
	err := b.sql.QueryRowContext(t.Context(), "SELECT charged_micro_usd, cost_micro_usd, outcome FROM provider_calls ORDER BY rowid DESC LIMIT 1").
		Scan(&charged, &cost, &outcome)
	require.NoError(t, err)
	return charged, cost, outcome
}

func TestTheEstimateIsBookedBeforeTheCall(t *testing.T) {
	t.Parallel()
	b := setup(t, usage.Limits{})
	for name, c := range map[string]struct {
		change func(*usage.Call)
		want   int64
	}{
		"texts and output":            {func(*usage.Call) {}, 300 + 2500},
		"pictures":                    {func(c *usage.Call) { c.Pictures = 2 }, 300 + 2*960 + 2500},
		"output without a bound":      {func(c *usage.Call) { c.MaxOutputTokens = 0 }, 300 + 20_480},
		"part of a token":             {func(c *usage.Call) { c.InputBytes = 4001 }, 301 + 2500}, // 1001 × 0.3, rounded up
		"an unknown model: dearest":   {func(c *usage.Call) { c.Model = "gemini-9" }, 300 + 2500},
		"an unknown provider":         {func(c *usage.Call) { c.Provider = "x" }, 2954}, // 2800 × 1.055
		"local":                       {func(c *usage.Call) { c.Local = true }, 0},
		"a large prompt's dear tier":  {func(c *usage.Call) { c.Provider, c.Model, c.InputBytes = "anthropic", "claude-haiku-5-5", 400_004 }, 50_001 + 2500},
		"sizes that make no sense":    {func(c *usage.Call) { c.InputBytes, c.Pictures, c.MaxOutputTokens = -1, -1, -1 }, 20_480},
		"a call of the operator's":    {func(c *usage.Call) { c.UserID = "" }, 300 + 2500},
		"a start that was not noted":  {func(c *usage.Call) { c.StartedAt = time.Time{} }, 300 + 2500},
		"a snapshot of a known model": {func(c *usage.Call) { c.Model += "-001" }, 300 + 2500},
	} {
		call := b.call()
		c.change(&call)
		_, err := b.Reserve(t.Context(), call)
		require.NoError(t, err, name)
		charged, cost, outcome := b.row(t)
		assert.Equal(t, c.want, charged, name)
		assert.Nil(t, cost, name)
		assert.Equal(t, usage.OutcomeReserved, outcome, name)
	}
}

func TestACallIsSettledWithWhatItCost(t *testing.T) {
	t.Parallel()
	const estimate, input = 2800, 300
	for name, c := range map[string]struct {
		change  func(*usage.Call, *usage.End)
		cost    int64 // -1 when it is not known
		charged int64
	}{
		"by its tokens":                      {func(*usage.Call, *usage.End) {}, 550, 550},
		"a failed call costs too":            {func(_ *usage.Call, e *usage.End) { e.Outcome = "invalid_reply" }, 550, 550},
		"by the model that answered":         {func(_ *usage.Call, e *usage.End) { e.Model = "gemini-3.1-flash-lite" }, 400, 400},
		"by the one asked, failing that":     {func(_ *usage.Call, e *usage.End) { e.Model = "gemini-new" }, 550, 550},
		"by the vendor's figure, with fee":   {func(c *usage.Call, e *usage.End) { c.Provider, e.Figure = "openrouter", new(usage.MicroUSD(1000)) }, 1055, 1055},
		"the vendor's figure may be nothing": {func(_ *usage.Call, e *usage.End) { e.Figure = new(usage.MicroUSD(0)) }, 0, 0},
		"a figure below nothing is none":     {func(_ *usage.Call, e *usage.End) { e.Figure = new(usage.MicroUSD(-1)) }, 550, 550},
		"a model without a price":            {func(c *usage.Call, _ *usage.End) { c.Model = "gemini-9" }, -1, 550},
		"local":                              {func(c *usage.Call, _ *usage.End) { c.Local = true }, 0, 0},
		"refused":                            {func(_ *usage.Call, e *usage.End) { e.Outcome, e.Tokens = "rate_limited", usage.Tokens{} }, 0, 0},
		"refused, of a model without price":  {func(c *usage.Call, e *usage.End) { c.Model, e.Outcome, e.Tokens = "x", "auth", usage.Tokens{} }, 0, 0},
		"a time-out is charged its prompt":   {func(_ *usage.Call, e *usage.End) { e.Outcome, e.Tokens = "timeout", usage.Tokens{} }, -1, input},
		"and so is one that was left":        {func(_ *usage.Call, e *usage.End) { e.Outcome, e.Tokens = "cancelled", usage.Tokens{} }, -1, input},
		"a reply that nobody counted":        {func(_ *usage.Call, e *usage.End) { e.Tokens = usage.Tokens{} }, -1, estimate},
		"an outcome that is none":            {func(_ *usage.Call, e *usage.End) { e.Outcome = usage.OutcomeReserved }, 550, 550},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, usage.Limits{User: 10_000})
			call := b.call()
			end := usage.End{Outcome: usage.OutcomeOK, Tokens: usage.Tokens{Input: 1000, Output: 100}, EndedAt: noon().Add(time.Second)}
			c.change(&call, &end)
			booking, err := b.Reserve(t.Context(), call)
			require.NoError(t, err)
			gone, cancel := context.WithCancel(t.Context())
			cancel()
			require.NoError(t, booking.Settle(gone, end), "the caller has left")
			charged, cost, outcome := b.row(t)
			assert.Equal(t, c.charged, charged)
			if c.cost < 0 {
				assert.Nil(t, cost)
			} else if assert.NotNil(t, cost) {
				assert.Equal(t, c.cost, *cost)
			}
			assert.NotEqual(t, usage.OutcomeReserved, outcome)
			var spent, reserved int64
			require.NoError(t, b.sql.QueryRowContext(t.Context(),
				"SELECT coalesce(sum(spent_micro_usd), 0), coalesce(sum(reserved_micro_usd), 0) FROM budget_days WHERE scope = 'installation'").Scan(&spent, &reserved))
			assert.Equal(t, c.charged, spent)
			assert.Zero(t, reserved)
		})
	}
}

func TestASpentBudgetRefusesUntilMidnight(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]usage.Limits{"the user's": {User: 3000}, "the installation's": {Installation: 3000}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, limits)
			booking, err := b.Reserve(t.Context(), b.call())
			require.NoError(t, err)

			_, err = b.Reserve(t.Context(), b.call())
			busy := invoiceError(t, err)
			assert.Equal(t, invoice.CodeUnavailable, busy.Code, "the call under way may leave room")
			assert.Equal(t, 15*time.Second, busy.RetryAfter)

			require.NoError(t, booking.Settle(t.Context(), usage.End{Outcome: "ok", Tokens: usage.Tokens{Input: 1000, Output: 100}}))
			again, err := b.Reserve(t.Context(), usage.Call{UserID: b.user, Provider: "gemini", Model: "gemini-3.5-flash-lite", MaxOutputTokens: 980, StartedAt: b.clock()})
			require.NoError(t, err, "it left 2450")
			require.NoError(t, again.Settle(t.Context(), usage.End{Outcome: "ok", Tokens: usage.Tokens{Output: 980}}))

			_, err = b.Reserve(t.Context(), b.call())
			spent := invoiceError(t, err)
			assert.Equal(t, invoice.CodeQuotaExceeded, spent.Code)
			assert.Equal(t, 12*time.Hour, spent.RetryAfter)
			assert.Contains(t, spent.Message, "meia-noite")

			local := b.call()
			local.Local = true
			_, err = b.Reserve(t.Context(), local)
			require.NoError(t, err, "what costs nothing is not refused")
			b.pass(12 * time.Hour)
			_, err = b.Reserve(t.Context(), b.call())
			require.NoError(t, err, "a new day")
		})
	}
}

func TestTheAccountOfACallMustExist(t *testing.T) {
	t.Parallel()
	b := setup(t, usage.Limits{})
	call := b.call()
	call.UserID = storetest.NewID(t)
	_, err := b.Reserve(t.Context(), call)
	assert.Equal(t, invoice.CodeNotFound, invoiceError(t, err).Code)
}

func TestCallsOfADeadProcessCountAsSpent(t *testing.T) {
	t.Parallel()
	b := setup(t, usage.Limits{User: 5000})
	lost, err := b.Reserve(t.Context(), b.call())
	require.NoError(t, err)
	b.pass(10*time.Minute + time.Second)
	alive, err := b.Reserve(t.Context(), usage.Call{UserID: b.user, Provider: "gemini", Model: "gemini-3.5-flash-lite", MaxOutputTokens: 40, StartedAt: b.clock()})
	require.NoError(t, err)

	require.NoError(t, b.Expire(t.Context()))
	require.NoError(t, b.Expire(t.Context()), "once")
	report, err := b.Report(t.Context(), b.user, usage.Period{From: "2026-11-23", To: "2026-11-23"})
	require.NoError(t, err)
	assert.Equal(t, usage.Totals{Calls: 1, Failed: 1, Uncosted: 1, Estimated: 2800}, report.Totals, "the one under way does not count yet")
	_, err = b.Reserve(t.Context(), b.call())
	assert.Equal(t, invoice.CodeQuotaExceeded, invoiceError(t, err).Code, "its estimate is spent")

	require.NoError(t, lost.Settle(t.Context(), usage.End{Outcome: "ok", Tokens: usage.Tokens{Input: 1000, Output: 100}}), "it was slow, not dead")
	require.NoError(t, alive.Settle(t.Context(), usage.End{Outcome: "ok", Tokens: usage.Tokens{Output: 10}}))
	report, err = b.Report(t.Context(), b.user, usage.Period{From: "2026-11-23", To: "2026-11-23"})
	require.NoError(t, err)
	assert.Equal(t, usage.Totals{Calls: 2, InputTokens: 1000, OutputTokens: 110, Cost: 575}, report.Totals)
	_, err = b.Reserve(t.Context(), b.call())
	require.NoError(t, err)
}

func TestABudgetThatDeadCallsFillIsSettledWhenItRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t, usage.Limits{User: 3000})
	_, err := b.Reserve(t.Context(), b.call())
	require.NoError(t, err)
	b.pass(11 * time.Minute)
	_, err = b.Reserve(t.Context(), b.call())
	assert.Equal(t, invoice.CodeUnavailable, invoiceError(t, err).Code)
	_, err = b.Reserve(t.Context(), b.call())
	assert.Equal(t, invoice.CodeQuotaExceeded, invoiceError(t, err).Code, "the dead call has become spent")
}

func TestAModelWithoutAPriceIsWarnedOfOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, usage.Limits{})
	for _, model := range []string{"gemini-9", "gemini-9", "gemini-8"} {
		call := b.call()
		call.Model = model
		booking, err := b.Reserve(t.Context(), call)
		require.NoError(t, err)
		require.NoError(t, booking.Settle(t.Context(), usage.End{Outcome: "ok", Tokens: usage.Tokens{Input: 1}}))
	}
	assert.Equal(t, 2, strings.Count(b.log.String(), "has no price"))
	assert.Equal(t, 1, strings.Count(b.log.String(), "gemini-9"))
}

func TestWhatTheCacheSavesIsReported(t *testing.T) {
	t.Parallel()
	b := setup(t, usage.Limits{User: 1})
	tokens := usage.Tokens{Input: 1000, Output: 100}
	require.NoError(t, b.Saved(t.Context(), b.call(), tokens, nil))
	router := b.call()
	router.Provider, router.Model = "openrouter", "x/y"
	require.NoError(t, b.Saved(t.Context(), router, tokens, new(usage.MicroUSD(1000))))
	unknown := b.call()
	unknown.Model = "gemini-9"
	require.NoError(t, b.Saved(t.Context(), unknown, tokens, nil))
	local := b.call()
	local.Provider, local.Local = "offline", true
	require.NoError(t, b.Saved(t.Context(), local, tokens, nil))
	report, err := b.Report(t.Context(), b.user, usage.Period{From: "2026-11-23", To: "2026-11-23"})
	require.NoError(t, err)
	assert.Equal(t, usage.Totals{Cached: 4, SavedByCache: 550 + 1055}, report.Totals, "no tokens, no cost, no budget")
}

func TestAReportIsSplitByModelAndDay(t *testing.T) {
	t.Parallel()
	b := setup(t, usage.Limits{})
	settle := func(provider, model string, tokens usage.Tokens, outcome string) {
		call := b.call()
		call.Provider, call.Model = provider, model
		booking, err := b.Reserve(t.Context(), call)
		require.NoError(t, err)
		require.NoError(t, booking.Settle(t.Context(), usage.End{Outcome: outcome, Tokens: tokens, EndedAt: b.clock()}))
	}
	settle("openai", "gpt-6-luna", usage.Tokens{Input: 1000, CachedInput: 500, Output: 10, Thinking: 4}, "ok") // 50 + 5 + 5
	b.pass(11*time.Hour + 59*time.Minute)
	settle("gemini", "gemini-3.5-flash-lite", usage.Tokens{Input: 1000}, "truncated") // 300, at 23:59
	b.pass(time.Minute)
	settle("openai", "gpt-6-luna", usage.Tokens{Input: 2000}, "ok") // 200
	require.NoError(t, b.Saved(t.Context(), b.call(), usage.Tokens{Input: 10}, nil))

	report, err := b.Report(t.Context(), b.user, usage.Period{From: "2026-11-01", To: "2026-11-30"})
	require.NoError(t, err)
	assert.Equal(t, usage.Totals{
		Calls: 3, Failed: 1, Cached: 1, InputTokens: 4000, CachedInputTokens: 500, OutputTokens: 10, ThinkingTokens: 4, Cost: 560, SavedByCache: 3,
	}, report.Totals)
	require.Len(t, report.ByModel, 2)
	assert.Equal(t, usage.ModelTotals{Provider: "gemini", Model: "gemini-3.5-flash-lite", Totals: usage.Totals{
		Calls: 1, Failed: 1, Cached: 1, InputTokens: 1000, Cost: 300, SavedByCache: 3,
	}}, report.ByModel[0])
	assert.EqualValues(t, 260, report.ByModel[1].Cost)
	require.Len(t, report.ByDay, 2)
	assert.EqualValues(t, 360, report.ByDay[0].Cost)
	assert.Equal(t, "2026-11-24", report.ByDay[1].Day.Format(time.DateOnly))
	assert.EqualValues(t, 200, report.ByDay[1].Cost)

	day, err := b.Report(t.Context(), b.user, usage.Period{From: "2026-11-24", To: "2026-11-24"})
	require.NoError(t, err)
	assert.EqualValues(t, 200, day.Cost)
	other, err := b.Report(t.Context(), storetest.NewID(t), usage.Period{From: "2026-11-01", To: "2026-11-30"})
	require.NoError(t, err)
	assert.Equal(t, &usage.Report{}, other)
	all, err := b.Report(t.Context(), "", usage.Period{From: "2026-11-01", To: "2026-11-30"})
	require.NoError(t, err)
	assert.Equal(t, report, all)
}

func TestPeriodsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, usage.Limits{})
	for _, p := range []usage.Period{
		{From: "2026-11-24", To: "2026-11-23"}, {From: "2025-11-23", To: "2026-11-24"}, {}, {From: "x", To: "2026-11-23"},
	} {
		_, err := b.Report(t.Context(), b.user, p)
		e := invoiceError(t, err)
		assert.Equal(t, invoice.CodeBadUserInput, e.Code)
		assert.Equal(t, "period", e.Field)
	}
	_, err := b.Report(t.Context(), b.user, usage.Period{From: "2025-11-23", To: "2026-11-23"})
	require.NoError(t, err, "a year and its day")
}

func invoiceError(t *testing.T, err error) *invoice.Error {
	t.Helper()
	e, ok := errors.AsType[*invoice.Error](err)
	require.True(t, ok, "%v", err)
	return e
}
