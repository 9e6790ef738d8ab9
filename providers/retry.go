package providers

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Retry says how one provider is asked again. Nothing below the chain asks again: delays of several layers multiply.
type Retry struct {
	// Tries is how often one request asks the same provider, the first time included. 1 does not retry. Defaults to 3
	Tries int
	// Delay is the longest wait before the second try; it doubles with each further one up to MaxDelay. The wait is any time
	// between nothing and that, so that clients that failed together do not come back together. Defaults to 500 ms
	Delay time.Duration
	// MaxDelay defaults to 5 s.
	MaxDelay time.Duration
	// MaxRetryAfter is the longest hint of a vendor that is waited for; after a longer one the next provider is asked. Defaults
	// to 5 s
	MaxRetryAfter time.Duration
	// Wait waits for d or until ctx ends, which is its error. Defaults to a timer
	Wait func(ctx context.Context, d time.Duration) error
	// Random is a duration from 0 up to but not including d, which is positive. Defaults to rand.N
	Random func(d time.Duration) time.Duration
}

func (r Retry) withDefaults() Retry {
	if r.Tries <= 0 {
		r.Tries = 3
	}
	if r.Delay <= 0 {
		r.Delay = 500 * time.Millisecond
	}
	if r.MaxDelay <= 0 {
		r.MaxDelay = 5 * time.Second
	}
	if r.MaxRetryAfter <= 0 {
		r.MaxRetryAfter = 5 * time.Second
	}
	if r.Wait == nil {
		r.Wait = wait
	}
	if r.Random == nil {
		r.Random = rand.N[time.Duration]
	}
	return r
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// retrying asks a provider again while that may help, there is time, and the provider's retry budget lasts.
func (r Retry) retrying(m *member, next call) call {
	return func(ctx context.Context, req sdk.Request, observe func(items int)) (reply, error) {
		m.retries.earn()
		for try := 1; ; try++ {
			res, err := next(ctx, req, observe)
			pause, again := r.after(try, err)
			if !again || ctx.Err() != nil || !fits(ctx, pause) || m.breaker.refusal() != nil || !m.retries.spend() {
				return res, err
			}
			if r.Wait(ctx, pause) != nil {
				return res, err
			}
		}
	}
}

// after says whether to ask again after try tries, and how long to wait before.
func (r Retry) after(try int, err error) (pause time.Duration, again bool) {
	if err == nil || try >= r.Tries {
		return 0, false
	}
	if _, ok := errors.AsType[*notAskedError](err); ok {
		return 0, false
	}
	e, ok := errors.AsType[*sdk.Error](err)
	// After a timeout all of a call's time is gone, and maybe its price: another provider is the better use of what is left.
	if !ok || !e.Kind.Retryable() || e.Kind == sdk.KindTimeout || e.RetryAfter > r.MaxRetryAfter {
		return 0, false
	}
	ceiling := r.Delay
	for range try - 1 {
		ceiling = min(2*ceiling, r.MaxDelay)
	}
	return max(e.RetryAfter, 0) + r.Random(ceiling), true
}

// fits says whether ctx has time left after a pause.
func fits(ctx context.Context, pause time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > pause
}

const (
	// retryCost is how many requests pay for one retry: one in five calls may be a retry.
	retryCost = 5
	// retryFloor is how many retries a provider has before the first request.
	retryFloor = 3
	// retryCeiling is how many retries can be saved up; more would be loosed all at once on a provider that fails after a long
	// time of peace.
	retryCeiling = 10
)

// retryBudget keeps retries from multiplying the load on a provider that is failing because of load.
type retryBudget struct {
	mu     sync.Mutex
	tokens int // retryCost of them are a retry
}

func (b *retryBudget) fill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = retryFloor * retryCost
}

// earn is called for every request.
func (b *retryBudget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.tokens+1, retryCeiling*retryCost)
}

// spend is called for every retry, and says whether it may be made.
func (b *retryBudget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens < retryCost {
		return false
	}
	b.tokens -= retryCost
	return true
}
