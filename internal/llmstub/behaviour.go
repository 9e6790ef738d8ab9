package llmstub

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Behaviour is how calls are answered. The zero value answers well, as the vendor's options say.
type Behaviour struct {
	Fault Fault `json:"fault,omitempty"` // "" answers
	// Task is the only task that the behaviour is for, so that a probe does not use up what was meant for an extraction; "" is
	// for every task.
	Task sdk.Task `json:"task,omitempty"`
	// Reply is the text of the reply; nil takes it from the truth.
	Reply *string `json:"reply,omitempty"`
	// RetryAfter is the hint of 429, 500, 503 and 529 in the vendor's own form. 0 is one second for 429 and none for the others;
	// less gives none.
	RetryAfter time.Duration `json:"retry_after,omitempty"`
	// RetryAt gives the hint as an HTTP date. Gemini has no such form.
	RetryAt bool `json:"retry_at,omitempty"`
	// Location of FaultRedirect. Defaults to another name of the stub's own host, whose ledger then shows what has followed.
	Location string `json:"location,omitempty"`
	// Drip is how long FaultSlowDrip waits between pieces. Defaults to 1 s.
	Drip time.Duration `json:"drip,omitempty"`
	// Latency instead of the vendor's.
	Latency *Latency `json:"latency,omitempty"`
}

// Latency is how long a model takes. Replies in one piece take as long as streamed ones.
type Latency struct {
	FirstToken Delay `json:"first_token"`
	PerChunk   Delay `json:"per_chunk"`
}

// Delay is a span of time: fixed, or drawn from the lognormal distribution with the given median and 95th percentile, which is
// how services behave. The zero value is none.
type Delay struct {
	Fixed time.Duration `json:"fixed,omitempty"`
	P50   time.Duration `json:"p50,omitempty"`
	P95   time.Duration `json:"p95,omitempty"` // at least P50
}

// draw is one span.
func (d Delay) draw(rng *rand.Rand) time.Duration {
	if d.P50 <= 0 {
		return d.Fixed
	}
	const normal95 = 1.6448536269514722 // 95th percentile of the standard normal distribution
	sigma := 0.0
	if d.P95 > d.P50 {
		sigma = math.Log(float64(d.P95)/float64(d.P50)) / normal95
	}
	return d.Fixed + time.Duration(float64(d.P50)*math.Exp(sigma*rng.NormFloat64()))
}

// Chance is a fault that befalls a part of the calls.
type Chance struct {
	Fault Fault
	P     float64 // 0 to 1, of the calls that no earlier chance befell
}

// wait returns false when the client left or the stub closes before d has passed.
func (s *Stub) wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-s.closing:
	}
	return false
}
