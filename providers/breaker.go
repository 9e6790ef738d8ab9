package providers

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Breaker says when a provider is left alone, and for how long.
type Breaker struct {
	// Failures of the last Of calls open the breaker: calls then go to the next provider at once. A provider that fails three
	// times in ten is still worth asking, its failures being quick and free as a rule. Default to 8 of 10
	Failures, Of int
	// Delay is how long an open breaker stays so; then one call tries whether the provider answers again. Defaults to 30 s
	Delay time.Duration
}

func (b Breaker) withDefaults() Breaker {
	if b.Failures <= 0 || b.Of < b.Failures {
		b.Failures, b.Of = 8, 10
	}
	if b.Delay <= 0 {
		b.Delay = 30 * time.Second
	}
	return b
}

// breaker remembers whether a provider answers.
type breaker struct {
	circuit circuitbreaker.CircuitBreaker[any]
}

func newBreaker(config Breaker, provider string, log *slog.Logger) *breaker {
	log = log.With("provider", provider)
	return &breaker{circuit: circuitbreaker.NewBuilder[any]().
		WithFailureThresholdRatio(uint(config.Failures), uint(config.Of)).
		WithSuccessThreshold(1).
		WithDelay(config.Delay).
		OnStateChanged(func(e circuitbreaker.StateChangedEvent) {
			switch {
			case e.OldState == circuitbreaker.ClosedState:
				log.Warn("circuit breaker open: the provider is not asked", "failures", e.Metrics().Failures(), "calls", e.Metrics().Executions())
			case e.NewState == circuitbreaker.ClosedState:
				log.Info("circuit breaker closed: the provider answers again")
			}
		}).
		Build()}
}

func (b *breaker) state() string { return b.circuit.State().String() }

// refusal is why a provider is not even asked, or nil.
func (b *breaker) refusal() *sdk.Error {
	if !b.circuit.IsOpen() {
		return nil
	}
	left := b.circuit.RemainingDelay()
	if left <= 0 {
		return nil // the next call tries
	}
	return b.held(left)
}

func (b *breaker) held(left time.Duration) *sdk.Error {
	return &sdk.Error{
		Kind: sdk.KindUnavailable, Blame: sdk.BlameDownstream, Message: "the circuit breaker is open", RetryAfter: left,
	}
}

// errUnfinished stands for the outcome of a call that panicked.
var errUnfinished = errors.New("unfinished")

// guard lets calls through while the breaker is closed, one at a time while it is half-open, and learns from them.
func (b *breaker) guard(next call) call {
	return func(ctx context.Context, req sdk.Request, observe func(items int)) (res reply, err error) {
		if !b.circuit.TryAcquirePermit() {
			return reply{}, &notAskedError{b.held(max(b.circuit.RemainingDelay(), time.Second))}
		}
		err = errUnfinished
		defer func() { b.learn(ctx, err) }()
		res, err = next(ctx, req, observe)
		return res, err
	}
}

// learn takes note of how a call ended.
func (b *breaker) learn(ctx context.Context, err error) {
	switch healthOf(ctx, err) {
	case well:
		b.circuit.RecordSuccess()
	case unwell:
		b.circuit.RecordFailure()
	case unknown:
		if b.circuit.IsHalfOpen() {
			// The permit of the one call that may try is given back: failsafe-go has no way to do so but to enter the state anew.
			b.circuit.Open()
			b.circuit.HalfOpen()
		}
	}
}

// failed takes note of a failure outside of a call.
func (b *breaker) failed(ctx context.Context, err error) {
	if healthOf(ctx, err) == unwell {
		b.circuit.RecordFailure()
	}
}

// health is what a call says about its provider.
type health int

const (
	unknown health = iota
	well           // also where the answer is of no use: that is the document's or the model's fault
	unwell         // the next request would fare no better
)

// healthOf blames a provider for what its other requests would meet too. A client that left, or a request that ran out of
// time, says nothing.
func healthOf(ctx context.Context, err error) health {
	if err == nil {
		return well
	}
	if _, ok := errors.AsType[*replyError](err); ok {
		return well
	}
	if _, ok := errors.AsType[*notAskedError](err); ok || ctx.Err() != nil {
		return unknown
	}
	switch sdk.AsError(err).Kind {
	case sdk.KindOverloaded, sdk.KindTimeout, sdk.KindRateLimited, sdk.KindUnavailable, sdk.KindAuth, sdk.KindNoCredit, sdk.KindQuota:
		return unwell
	case sdk.KindInvalidRequest, sdk.KindTruncated, sdk.KindBlocked, sdk.KindEmpty, sdk.KindUnsupported:
		return well
	case sdk.KindCancelled, sdk.KindInternal:
	}
	return unknown
}
