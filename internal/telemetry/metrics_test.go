package telemetry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/ratelimit"
	"github.com/mercadoesperto/smarket/internal/usage"
	"github.com/mercadoesperto/smarket/providers"
)

func TestALabelHasSoManyValuesAndNoNumbersOfPeople(t *testing.T) {
	t.Parallel()
	b := newBounded(3)
	for _, model := range []string{"gemini-3-flash", "anthropic/claude-4.5", "gpt-5.2"} {
		assert.Equal(t, model, b.of(model))
	}
	assert.Equal(t, other, b.of("one-more"))
	assert.Equal(t, "gpt-5.2", b.of("gpt-5.2"))
	assert.Equal(t, none, b.of(""))
	for _, garbage := range []string{"52998224725", "cpf-52998224725", "ana@example.com", "Ana Secreta", "a\nb", strings.Repeat("x", 200)} {
		assert.Equal(t, other, newBounded(3).of(garbage))
	}
}

func TestAThousandModelsOfAVendorAreFewSeries(t *testing.T) {
	t.Parallel()
	m := NewMetrics(Build{})
	for n := range 1000 {
		m.Settled(usage.Call{Provider: "openrouter", Task: "extract"}, usage.Settlement{Model: fmt.Sprintf("vendor/model-%d", n), Outcome: "ok"})
	}
	assert.Equal(t, maxModels+1, testutil.CollectAndCount(m.calls))
}

func TestCallsCostWhatTheLedgerSays(t *testing.T) {
	t.Parallel()
	m, cost := NewMetrics(Build{}), usage.MicroUSD(1234)
	call := usage.Call{Provider: "gemini", Task: "extract"}
	m.Settled(call, usage.Settlement{
		Model: "g", Outcome: "ok", Cost: &cost, Latency: time.Second, Tokens: usage.Tokens{Input: 10, CachedInput: 4, Output: 5, Thinking: 2},
	})
	m.Settled(call, usage.Settlement{Model: "g", Outcome: "timeout"})
	assert.InDelta(t, 0.001234, testutil.ToFloat64(m.cost.WithLabelValues("gemini", "g")), 1e-12)
	assert.InDelta(t, 10, testutil.ToFloat64(m.tokens.WithLabelValues("gemini", "g", "input")), 0)
	assert.InDelta(t, 2, testutil.ToFloat64(m.tokens.WithLabelValues("gemini", "g", "thinking")), 0)
	assert.InDelta(t, 1, testutil.ToFloat64(m.unpriced.WithLabelValues("gemini")), 0)
	assert.InDelta(t, 1, testutil.ToFloat64(m.calls.WithLabelValues("gemini", "g", "extract", "timeout")), 0)
}

type refusing struct {
	providers.Ledger

	err error
}

func (r refusing) Reserve(context.Context, providers.Call) (providers.Booking, error) {
	return nil, r.err
}

func TestRefusedBudgetsAreCounted(t *testing.T) {
	t.Parallel()
	m := NewMetrics(Build{})
	for _, err := range []error{
		&invoice.Error{Code: invoice.CodeQuotaExceeded, Cause: &usage.SpentError{}},
		&invoice.Error{Code: invoice.CodeUnavailable, Cause: &usage.SpentError{Installation: true, Busy: true}},
		errors.New("the database is away"),
	} {
		_, got := m.Ledger(refusing{err: err}).Reserve(t.Context(), providers.Call{})
		require.ErrorIs(t, got, err)
	}
	assert.InDelta(t, 1, testutil.ToFloat64(m.refusals.WithLabelValues("user", "spent")), 0)
	assert.InDelta(t, 1, testutil.ToFloat64(m.refusals.WithLabelValues("installation", "busy")), 0)
	assert.InDelta(t, 0, testutil.ToFloat64(m.refusals.WithLabelValues("installation", "spent")), 0)
}

type deciding struct{ allowed bool }

func (d deciding) Take(context.Context, int, ...ratelimit.Bucket) ratelimit.Verdict {
	return ratelimit.Verdict{Allowed: d.allowed}
}

func TestDecisionsOfTheLimiterAreCountedByClass(t *testing.T) {
	t.Parallel()
	m := NewMetrics(Build{})
	bucket := ratelimit.Bucket{Key: "sign_in:user:0123456789abcdef"}
	assert.True(t, m.Limiter(deciding{true}).Take(t.Context(), 1, bucket).Allowed)
	assert.False(t, m.Limiter(deciding{false}).Take(t.Context(), 1, bucket).Allowed)
	assert.InDelta(t, 1, testutil.ToFloat64(m.rateLimit.WithLabelValues("sign_in", "allowed")), 0)
	assert.InDelta(t, 1, testutil.ToFloat64(m.rateLimit.WithLabelValues("sign_in", "refused")), 0)
	assert.Equal(t, 8, testutil.CollectAndCount(m.rateLimit))
}

func TestTheQueueIsCountedOnceForManyScrapes(t *testing.T) {
	t.Parallel()
	asked, now := 0, time.Now()
	q := queueCache{now: func() time.Time { return now }, ask: func(context.Context) ([]QueueDepth, error) {
		asked++
		return []QueueDepth{{Kind: "extract_invoice", State: "available", Jobs: asked}}, nil
	}}
	for range 50 {
		depths, ok := q.get()
		require.True(t, ok)
		assert.Equal(t, 1, depths[0].Jobs)
	}
	now = now.Add(queueKept)
	depths, _ := q.get()
	assert.Equal(t, 2, depths[0].Jobs)
}

func TestAQueueThatCannotBeCountedCostsItsOwnMetricsAlone(t *testing.T) {
	t.Parallel()
	m := NewMetrics(Build{})
	m.Watch(Sources{
		Queue: func(context.Context) ([]QueueDepth, error) { return nil, errors.New("the database is away") },
		Redis: func() RedisPool { return RedisPool{Idle: 2, Total: 5} },
	})
	count, err := testutil.GatherAndCount(m.Gatherer(), "smarket_queue_jobs")
	require.NoError(t, err)
	assert.Zero(t, count)
	count, err = testutil.GatherAndCount(m.Gatherer(), "smarket_queue_up", "smarket_redis_connections")
	require.NoError(t, err)
	assert.Equal(t, 3, count)
}

func TestTheProcessesOfAGroupAreAddedUp(t *testing.T) {
	t.Parallel()
	group := processGroups()[syscall.Getpgrp()]
	assert.Positive(t, group.processes)
	assert.Greater(t, group.resident, 1e6)
	line := "4711 (a name) with) ) S 1 4700 4700 0 -1 4194560 100 0 0 0 250 50 7 3 20 0 9 0 100 1000000 " +
		"300 18446744073709551615 0 0 0 0"
	pgrp, ticks, pages, ok := parseStat([]byte(line))
	require.True(t, ok)
	assert.Equal(t, 4700, pgrp)
	assert.Equal(t, int64(310), ticks)
	assert.Equal(t, int64(300), pages)
	for _, broken := range []string{"", "4711 (x) S 1", "4711 (x) S " + strings.Repeat("x ", 40)} {
		_, _, _, ok := parseStat([]byte(broken))
		assert.False(t, ok, broken)
	}
	own, err := os.ReadFile("/proc/" + strconv.Itoa(os.Getpid()) + "/stat")
	require.NoError(t, err)
	_, _, _, ok = parseStat(own)
	assert.True(t, ok)
}
