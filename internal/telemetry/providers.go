package telemetry

import (
	"context"
	"errors"
	"time"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/usage"
	"github.com/mercadoesperto/smarket/providers"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// microUSDs are in a dollar.
const microUSDs = 1e6

// Settled counts a call that has ended. It is usage.Config's hook.
func (m *Metrics) Settled(call usage.Call, end usage.Settlement) {
	provider, model := m.providers.of(call.Provider), m.models.of(end.Model)
	m.calls.WithLabelValues(provider, model, m.outcomeNames.of(call.Task), m.outcomeNames.of(end.Outcome)).Inc()
	m.callDuration.WithLabelValues(provider, model).Observe(end.Latency.Seconds())
	for kind, n := range map[string]int64{
		"input": end.Tokens.Input, "cached_input": end.Tokens.CachedInput, "cache_write": end.Tokens.CacheWrite,
		"output": end.Tokens.Output, "thinking": end.Tokens.Thinking,
	} {
		m.tokens.WithLabelValues(provider, model, kind).Add(float64(n))
	}
	if end.Cost == nil {
		m.unpriced.WithLabelValues(provider).Inc()
		return
	}
	m.cost.WithLabelValues(provider, model).Add(float64(max(end.Cost.Micros(), 0)) / microUSDs)
}

// Answered counts how a request to the chain was answered. It is providers.ChainConfig's hook.
func (m *Metrics) Answered(task sdk.Task, origin string) {
	m.answers.WithLabelValues(m.outcomeNames.of(string(task)), m.outcomeNames.of(origin)).Inc()
}

// Ledger counts what next refuses.
func (m *Metrics) Ledger(next providers.Ledger) providers.Ledger { return ledger{next, m} }

type ledger struct {
	providers.Ledger

	metrics *Metrics
}

// Reserve implements providers.Ledger.
func (l ledger) Reserve(ctx context.Context, call providers.Call) (providers.Booking, error) {
	booking, err := l.Ledger.Reserve(ctx, call)
	if refused, ok := errors.AsType[*invoice.Error](err); ok {
		if spent, ok := errors.AsType[*usage.SpentError](refused.Cause); ok {
			budget, reason := "user", "spent"
			if spent.Installation {
				budget = "installation"
			}
			if spent.Busy {
				reason = "busy"
			}
			l.metrics.refusals.WithLabelValues(budget, reason).Inc()
		}
	}
	return booking, err
}

// Replies counts hits and misses of next.
func (m *Metrics) Replies(next providers.Replies) providers.Replies { return replies{next, m} }

type replies struct {
	providers.Replies

	metrics *Metrics
}

// Get implements providers.Replies.
func (r replies) Get(ctx context.Context, key string) ([]byte, error) {
	value, err := r.Replies.Get(ctx, key)
	result := "hit"
	switch {
	case err != nil:
		result = "error"
	case value == nil:
		result = "miss"
	}
	r.metrics.cacheLookups.WithLabelValues(result).Inc()
	return value, err
}

// Flights counts who leads and who joins.
func (m *Metrics) Flights(next providers.Flights) providers.Flights { return flights{next, m} }

type flights struct {
	next    providers.Flights
	metrics *Metrics
}

// Lead implements providers.Flights.
func (f flights) Lead(ctx context.Context, key string) (providers.End, []byte, error) {
	end, outcome, err := f.next.Lead(ctx, key)
	part := "led"
	switch {
	case err != nil:
		part = "error"
	case end == nil:
		part = "joined"
	}
	f.metrics.flights.WithLabelValues(part).Inc()
	return end, outcome, err
}

// Provider traces the calls to next; without tracing it is next itself.
func (t *Telemetry) Provider(name string, next sdk.Provider) sdk.Provider {
	if t == nil || t.tracing == nil {
		return next
	}
	return provider{next, t, name}
}

type provider struct {
	sdk.Provider

	t    *Telemetry
	name string
}

// Generate implements sdk.Provider.
func (p provider) Generate(ctx context.Context, req sdk.Request, emit func(text string) error) (sdk.Result, error) {
	ctx, span := p.t.begin(ctx, "provider "+p.name, stringAttr("smarket.provider", p.name), stringAttr("smarket.task", string(req.Task)))
	result, err := p.Provider.Generate(ctx, req, emit)
	outcome := "ok"
	if err != nil {
		outcome = string(sdk.AsError(err).Kind)
	}
	span.set(stringAttr("smarket.outcome", p.t.Metrics.outcomeNames.of(outcome)),
		stringAttr("smarket.model", p.t.Metrics.models.of(result.Model)))
	span.finish(err != nil)
	return result, err
}

// PluginStatus is what is known of a plugin at a scrape.
type PluginStatus struct {
	Name     string
	State    string
	PID      int // 0 when it does not run
	Restarts int
	Swaps    int
	InFlight int
}

// Sources are asked at each scrape, or, what costs a query, every few seconds. A nil one is left out.
type Sources struct {
	// Queue counts the jobs that are not finished.
	Queue    func(ctx context.Context) ([]QueueDepth, error)
	Plugins  func() []PluginStatus
	Breakers func() map[string]string // the state by provider
	// Pools are connections to databases, by the pool's name.
	Databases func() map[string]DatabasePool
	Redis     func() RedisPool
	Pools     func() map[string]WorkPool
}

// QueueDepth is the jobs of one kind in one state.
type QueueDepth struct {
	Kind   string
	State  string
	Jobs   int
	Oldest time.Duration // since the oldest might have begun, or has
}

// DatabasePool is connections to a database.
type DatabasePool struct {
	Idle, InUse, Most int
	Waits             int64
	Waited            time.Duration
}

// RedisPool is connections to Redis.
type RedisPool struct {
	Idle, Total            int
	Hits, Misses, Timeouts int64
}

// WorkPool is places for work of one kind.
type WorkPool struct{ Running, Waiting, Most int }
