package worker

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newPool(t *testing.T, pages int, providers map[string]int) *Pool {
	t.Helper()
	p := NewPool(pages, providers)
	t.Cleanup(p.Stop)
	return p
}

func TestPagesRunsEachPageOnceAndNoMoreThanTheLimitAtATime(t *testing.T) {
	t.Parallel()
	p := newPool(t, 3, nil)
	var running, most atomic.Int32
	var mu sync.Mutex
	seen := map[int]int{}
	err := p.Pages(t.Context(), 50, func(_ context.Context, i int) error {
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		mu.Lock()
		defer mu.Unlock()
		seen[i]++
		return nil
	})
	require.NoError(t, err)
	assert.Len(t, seen, 50)
	for i, n := range seen {
		assert.Equal(t, 1, n, "page %d", i)
	}
	assert.LessOrEqual(t, most.Load(), int32(3))
}

func TestPagesStopsTheOthersWhenOneFails(t *testing.T) {
	t.Parallel()
	p := newPool(t, 2, nil)
	broken := errors.New("page 0 is broken")
	err := p.Pages(t.Context(), 2, func(ctx context.Context, i int) error {
		if i == 0 {
			return broken
		}
		<-ctx.Done() // the other page waits to be told
		return ctx.Err()
	})
	assert.ErrorIs(t, err, broken)
}

func TestAPanicInPooledWorkIsAnError(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, map[string]int{"gemini": 1})
	require.ErrorContains(t, p.Provider(t.Context(), "gemini", func(context.Context) error { panic("boom") }), "boom")
	assert.NoError(t, p.Provider(t.Context(), "gemini", func(context.Context) error { return nil }), "the slot is free again")
}

func TestWhoWaitsForAProviderLeavesAtOnceWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, map[string]int{"gemini": 1})
	holding, release := make(chan struct{}), make(chan struct{})
	var held sync.WaitGroup
	held.Go(func() {
		assert.NoError(t, p.Provider(context.WithoutCancel(t.Context()), "gemini", func(context.Context) error {
			close(holding)
			<-release
			return nil
		}))
	})
	<-holding
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	called := false
	err := p.Provider(ctx, "gemini", func(context.Context) error { called = true; return nil })
	require.ErrorIs(t, err, context.Canceled)
	close(release)
	held.Wait()
	assert.False(t, called)
}

func TestProvidersDoNotShareTheirSlots(t *testing.T) {
	t.Parallel()
	p := newPool(t, 1, map[string]int{"gemini": 1, "openai": 1})
	err := p.Provider(t.Context(), "gemini", func(ctx context.Context) error {
		return p.Provider(ctx, "openai", func(context.Context) error { return nil }) // would wait for ever if they did
	})
	assert.NoError(t, err)
}

func TestAStoppedPoolRefusesWork(t *testing.T) {
	t.Parallel()
	p := NewPool(1, map[string]int{"gemini": 1})
	p.Stop()
	p.Stop()
	require.Error(t, p.Provider(t.Context(), "gemini", func(context.Context) error { return nil }))
	assert.Error(t, p.Pages(t.Context(), 3, func(context.Context, int) error { return nil }))
}
