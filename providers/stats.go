package providers

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// recentCalls is how many calls of a provider its figures are about.
const recentCalls = 100

// CallStats is how the last calls to a provider went, at most recentCalls of them. Calls that their caller left are not
// counted: they say nothing about the provider.
type CallStats struct {
	Latencies []time.Duration // of each call, the shortest first
	Failed    int             // of them
}

// Quantile is the latency that a part q of the calls, from 0 to 1, did not exceed; 0 without calls.
func (c CallStats) Quantile(q float64) time.Duration {
	if len(c.Latencies) == 0 {
		return 0
	}
	return c.Latencies[min(int(q*float64(len(c.Latencies))), len(c.Latencies)-1)]
}

// callStats keeps the last calls in a ring.
type callStats struct {
	mu   sync.Mutex // guards what follows
	ring []calledOnce
	next int // the oldest, once the ring is full
}

type calledOnce struct {
	took   time.Duration
	failed bool
}

// add notes a call that has ended.
func (c *callStats) add(ctx context.Context, took time.Duration, err error) {
	if err != nil && (errors.Is(ctx.Err(), context.Canceled) || sdk.AsError(err).Kind == sdk.KindCancelled) {
		return
	}
	one := calledOnce{took, err != nil}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ring) < recentCalls {
		c.ring = append(c.ring, one)
		return
	}
	c.ring[c.next] = one
	c.next = (c.next + 1) % recentCalls
}

func (c *callStats) snapshot() CallStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	var s CallStats
	for _, one := range c.ring {
		s.Latencies = append(s.Latencies, one.took)
		if one.failed {
			s.Failed++
		}
	}
	slices.Sort(s.Latencies)
	return s
}
