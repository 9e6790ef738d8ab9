package sefaz

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
)

// Breaker says when a state's page is left alone, and for how long.
type Breaker struct {
	// Failures of the last Of look-ups open the breaker. A page that says something, whatever it is, is no failure. Defaults to 3
	// of 5.
	Failures, Of uint
	// Delay is how long the state is then not asked; after it one look-up tries. Defaults to 1 min.
	Delay time.Duration
}

func (b Breaker) withDefaults() Breaker {
	if b.Failures == 0 || b.Of < b.Failures {
		b.Failures, b.Of = 3, 5
	}
	if b.Delay <= 0 {
		b.Delay = time.Minute
	}
	return b
}

// gate lets look-ups of one state through one after the other, and none while its page is broken.
type gate struct {
	turns   ratelimiter.RateLimiter[any]
	circuit circuitbreaker.CircuitBreaker[any]
}

func newGate(interval time.Duration, b Breaker, log *slog.Logger) *gate {
	return &gate{
		turns: ratelimiter.NewSmoothWithMaxRate[any](interval),
		circuit: circuitbreaker.NewBuilder[any]().WithFailureThresholdRatio(b.Failures, b.Of).WithSuccessThreshold(1).WithDelay(b.Delay).
			OnStateChanged(func(e circuitbreaker.StateChangedEvent) {
				switch {
				case e.OldState == circuitbreaker.ClosedState:
					log.Warn("circuit breaker open: the state's page is not asked")
				case e.NewState == circuitbreaker.ClosedState:
					log.Info("circuit breaker closed: the state's page answers again")
				}
			}).Build(),
	}
}

// longestWait is how long a look-up waits for its turn: somebody waits for the invoice, and there are other ways to read it.
const longestWait = 3 * time.Second

var errOpen = errors.New("the circuit breaker is open")

// enter waits for a turn. leave must follow when it gives no error.
func (g *gate) enter(ctx context.Context) error {
	if g.circuit.IsOpen() && g.circuit.RemainingDelay() > 0 {
		return errOpen
	}
	if err := g.turns.AcquirePermitWithMaxWait(ctx, longestWait); err != nil {
		return fmt.Errorf("wait for a turn: %w", err)
	}
	if !g.circuit.TryAcquirePermit() {
		return errOpen
	}
	return nil
}

func (g *gate) leave(answered bool) {
	if answered {
		g.circuit.RecordSuccess()
	} else {
		g.circuit.RecordFailure()
	}
}
