package providers

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// pauses notes the waits and does not wait. Random gives the longest.
type pauses struct{ taken []time.Duration }

func (p *pauses) retry() Retry {
	return Retry{
		Tries: 3, Wait: func(ctx context.Context, d time.Duration) error { p.taken = append(p.taken, d); return ctx.Err() },
		Random: func(d time.Duration) time.Duration { return d },
	}
}

// failing is the provider a: it fails n times and then replies.
func failing(n int32, err error, reply string) *stub {
	s := &stub{name: "a"}
	s.generate = func(_ context.Context, _ sdk.Request, emit func(string) error) (sdk.Result, error) {
		if s.calls.Load() <= n {
			return sdk.Result{}, err
		}
		return sdk.Result{FinishReason: sdk.FinishStop}, emit(reply)
	}
	return s
}

func TestOnlyWhatMayPassIsTriedAgain(t *testing.T) {
	t.Parallel()
	for kind, tries := range map[sdk.Kind]int32{
		sdk.KindRateLimited: 3, sdk.KindOverloaded: 3, sdk.KindEmpty: 3,
		sdk.KindTimeout:        1, // its time is gone
		sdk.KindInvalidRequest: 1, sdk.KindAuth: 1, sdk.KindNoCredit: 1, sdk.KindQuota: 1, sdk.KindTruncated: 1, sdk.KindBlocked: 1,
		sdk.KindUnsupported: 1, sdk.KindUnavailable: 1, sdk.KindCancelled: 1, sdk.KindInternal: 1,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			var p pauses
			a, b := fails("a", kind), &stub{name: "b", reply: receiptOf(t, "1.00", 1)}
			got, err := chainOf(t, ChainConfig{Retry: p.retry()}, a, b).Extract(t.Context(), onePicture(), ignore)
			require.NoError(t, err)
			assert.Equal(t, tries, a.calls.Load())
			assert.Len(t, p.taken, int(tries)-1)
			assert.Len(t, got.Attempts, int(tries)+1, "every call is an attempt")
		})
	}
	t.Run("a reply that cannot be used", func(t *testing.T) {
		t.Parallel()
		var p pauses
		a := &stub{name: "a", reply: "no JSON"}
		_, err := chainOf(t, ChainConfig{Retry: p.retry()}, a).Extract(t.Context(), onePicture(), ignore)
		require.Error(t, err)
		assert.Equal(t, int32(1), a.calls.Load())
	})
}

func TestWaitsGrowAndAreSpreadOverTheirWholeLength(t *testing.T) {
	t.Parallel()
	var p pauses
	r := p.retry()
	r.Tries, r.Delay, r.MaxDelay = 4, 100*time.Millisecond, 300*time.Millisecond
	var ceilings []time.Duration
	r.Random = func(d time.Duration) time.Duration { ceilings = append(ceilings, d); return d / 4 }
	_, err := chainOf(t, ChainConfig{Retry: r}, fails("a", sdk.KindOverloaded)).Extract(t.Context(), onePicture(), ignore)
	require.Error(t, err)
	assert.Equal(t, []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond}, ceilings)
	assert.Equal(t, []time.Duration{25 * time.Millisecond, 50 * time.Millisecond, 75 * time.Millisecond}, p.taken)
}

func TestDefaultsOfRetry(t *testing.T) {
	t.Parallel()
	r := Retry{}.withDefaults()
	for range 100 {
		assert.Less(t, r.Random(time.Second), time.Second)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.Wait(ctx, time.Hour), context.Canceled)
	require.NoError(t, r.Wait(t.Context(), time.Nanosecond))
}

func TestVendorsHintIsHonouredUpToACap(t *testing.T) {
	t.Parallel()
	hint := func(after time.Duration) error {
		return &sdk.Error{Kind: sdk.KindRateLimited, Blame: sdk.BlameDownstream, RetryAfter: after}
	}
	t.Run("short", func(t *testing.T) {
		t.Parallel()
		var p pauses
		a, b := failing(1, hint(5*time.Second), receiptOf(t, "1.00", 1)), &stub{name: "b"}
		_, err := chainOf(t, ChainConfig{Retry: p.retry()}, a, b).Extract(t.Context(), onePicture(), ignore)
		require.NoError(t, err)
		assert.Zero(t, b.calls.Load())
		require.Len(t, p.taken, 1)
		assert.GreaterOrEqual(t, p.taken[0], 5*time.Second)
	})
	t.Run("long", func(t *testing.T) {
		t.Parallel()
		var p pauses
		a, b := failing(1, hint(5*time.Second+1), ""), &stub{name: "b", reply: receiptOf(t, "1.00", 1)}
		_, err := chainOf(t, ChainConfig{Retry: p.retry()}, a, b).Extract(t.Context(), onePicture(), ignore)
		require.NoError(t, err)
		assert.Equal(t, int32(1), a.calls.Load())
		assert.Empty(t, p.taken)
	})
	t.Run("longer than what is left", func(t *testing.T) {
		t.Parallel()
		var p pauses
		r := p.retry()
		r.MaxRetryAfter = time.Hour
		a, b := failing(1, hint(30*time.Minute), ""), &stub{name: "b", reply: receiptOf(t, "1.00", 1)}
		_, err := chainOf(t, ChainConfig{Retry: r, TotalTimeout: time.Minute}, a, b).Extract(t.Context(), onePicture(), ignore)
		require.NoError(t, err)
		assert.Empty(t, p.taken)
	})
	t.Run("a malformed one", func(t *testing.T) {
		t.Parallel()
		var p pauses
		a := failing(1, hint(-time.Hour), receiptOf(t, "1.00", 1))
		_, err := chainOf(t, ChainConfig{Retry: p.retry()}, a).Extract(t.Context(), onePicture(), ignore)
		require.NoError(t, err)
		assert.Equal(t, []time.Duration{500 * time.Millisecond}, p.taken)
	})
}

func TestRetriesAreAShareOfTheCalls(t *testing.T) {
	t.Parallel()
	const requests = 100
	var p pauses
	a := fails("a", sdk.KindOverloaded)
	chain := chainOf(t, ChainConfig{Retry: p.retry(), Breaker: Breaker{Failures: 10_000, Of: 10_000}}, a)
	for range requests {
		_, err := chain.Extract(t.Context(), onePicture(), ignore)
		require.Error(t, err)
	}
	assert.Equal(t, int32(requests+requests/retryCost+retryFloor), a.calls.Load())
}

func TestRetriesThatWereSavedUpAreBounded(t *testing.T) {
	t.Parallel()
	var b retryBudget
	b.fill()
	for range 1000 {
		b.earn()
	}
	n := 0
	for b.spend() {
		n++
	}
	assert.Equal(t, retryCeiling, n)
}

func TestClientThatLeavesDuringAWaitIsNotTriedFor(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	waiting := Retry{Tries: 3, Wait: func(ctx context.Context, _ time.Duration) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}}
	a, b := fails("a", sdk.KindOverloaded), &stub{name: "b"}
	got, err := chainOf(t, ChainConfig{Retry: waiting}, a, b).Extract(ctx, onePicture(), ignore)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []string{"a overloaded"}, outcomes(got))
	assert.Zero(t, b.calls.Load())
}

func TestEachTryIsShown(t *testing.T) {
	t.Parallel()
	var p pauses
	shown := make(chan invoice.Progress, 10)
	a := &stub{name: "a"}
	a.generate = func(_ context.Context, _ sdk.Request, emit func(string) error) (sdk.Result, error) {
		assert.Equal(t, invoice.Progress{Provider: "a", Attempt: int(a.calls.Load())}, <-shown)
		if a.calls.Load() == 1 {
			return sdk.Result{}, &sdk.Error{Kind: sdk.KindOverloaded}
		}
		return sdk.Result{}, emit(receiptOf(t, "1.00", 0))
	}
	_, err := chainOf(t, ChainConfig{Retry: p.retry()}, a).Extract(t.Context(), onePicture(), func(p invoice.Progress) { shown <- p })
	require.NoError(t, err)
}
