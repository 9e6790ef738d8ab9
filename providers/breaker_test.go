package providers

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// fragile opens after two failures of two and stays open for an hour.
func fragile() Breaker { return Breaker{Failures: 2, Of: 2, Delay: time.Hour} }

func TestBreakerOpensForWhatEveryRequestWouldMeet(t *testing.T) {
	t.Parallel()
	for kind, state := range map[sdk.Kind]string{
		sdk.KindOverloaded: "open", sdk.KindTimeout: "open", sdk.KindRateLimited: "open", sdk.KindUnavailable: "open",
		sdk.KindAuth: "open", sdk.KindNoCredit: "open", sdk.KindQuota: "open",
		sdk.KindInvalidRequest: "closed", sdk.KindTruncated: "closed", sdk.KindBlocked: "closed", sdk.KindEmpty: "closed",
		sdk.KindUnsupported: "closed", sdk.KindCancelled: "closed", sdk.KindInternal: "closed",
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			a, b := fails("a", kind), &stub{name: "b", reply: receiptOf(t, "1.00", 1)}
			chain := chainOf(t, ChainConfig{Breaker: fragile()}, a, b)
			for range 4 {
				_, err := chain.Extract(t.Context(), onePicture(), ignore)
				require.NoError(t, err)
			}
			assert.Equal(t, map[string]string{"a": state, "b": "closed"}, chain.Breakers())
			if state == "open" {
				assert.Equal(t, int32(2), a.calls.Load(), "it is passed over at once")
			} else {
				assert.Equal(t, int32(4), a.calls.Load())
			}
		})
	}
	t.Run("a reply that cannot be used", func(t *testing.T) {
		t.Parallel()
		chain := chainOf(t, ChainConfig{Breaker: fragile()}, &stub{name: "a", reply: "no JSON"})
		for range 4 {
			_, err := chain.Extract(t.Context(), onePicture(), ignore)
			require.Error(t, err)
		}
		assert.Equal(t, "closed", chain.Breakers()["a"])
	})
	t.Run("a process that does not start", func(t *testing.T) {
		t.Parallel()
		chain := chainOf(t, ChainConfig{Breaker: fragile()}, &stub{name: "a", describeErr: unavailable("a", "parked")})
		for range 2 {
			_, err := chain.Extract(t.Context(), onePicture(), ignore)
			require.Error(t, err)
		}
		assert.Equal(t, "open", chain.Breakers()["a"])
	})
}

func TestClientsThatLeaveNeverOpenABreaker(t *testing.T) {
	t.Parallel()
	a := &stub{name: "a"}
	chain := chainOf(t, ChainConfig{Breaker: Breaker{Failures: 1, Of: 1, Delay: time.Hour}}, a)
	for _, kind := range []sdk.Kind{sdk.KindCancelled, sdk.KindOverloaded, sdk.KindTimeout, sdk.KindUnavailable} {
		ctx, cancel := context.WithCancel(t.Context())
		a.generate = func(ctx context.Context, _ sdk.Request, _ func(string) error) (sdk.Result, error) {
			cancel()
			<-ctx.Done()
			return sdk.Result{}, &sdk.Error{Kind: kind, Message: "whatever a vendor's library makes of it"}
		}
		_, err := chain.Extract(ctx, onePicture(), ignore)
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, "closed", chain.Breakers()["a"])
	}
}

func TestOneCallTriesWhetherAProviderAnswersAgain(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	a := fails("a", sdk.KindOverloaded)
	chain := chainOf(t, ChainConfig{
		Breaker: Breaker{Failures: 2, Of: 2, Delay: 1}, Log: slog.New(slog.NewTextHandler(&log, nil)),
	}, a)
	extract := func(ctx context.Context) error {
		_, err := chain.Extract(ctx, onePicture(), ignore)
		return err
	}
	require.Error(t, extract(t.Context()))
	require.Error(t, extract(t.Context()))
	assert.Equal(t, "open", chain.Breakers()["a"])

	// The one that tries leaves: nothing is learnt, and the next one may try.
	ctx, cancel := context.WithCancel(t.Context())
	a.generate = func(ctx context.Context, _ sdk.Request, _ func(string) error) (sdk.Result, error) {
		assert.Equal(t, "half-open", chain.Breakers()["a"])
		assert.False(t, chain.members[0].breaker.circuit.TryAcquirePermit(), "one at a time")
		cancel()
		<-ctx.Done()
		return sdk.Result{}, ctx.Err()
	}
	require.ErrorIs(t, extract(ctx), context.Canceled)
	assert.Equal(t, "half-open", chain.Breakers()["a"])

	a.generate = nil
	require.Error(t, extract(t.Context()))
	assert.Equal(t, "open", chain.Breakers()["a"])

	a.err, a.reply = nil, receiptOf(t, "1.00", 1)
	require.NoError(t, extract(t.Context()))
	assert.Equal(t, "closed", chain.Breakers()["a"])
	assert.Equal(t, 1, bytes.Count(log.Bytes(), []byte("circuit breaker open")))
	assert.Equal(t, 1, bytes.Count(log.Bytes(), []byte("circuit breaker closed")))
}

func TestAllBreakersOpenIsAMatterOfTime(t *testing.T) {
	t.Parallel()
	a, b := fails("a", sdk.KindOverloaded), fails("b", sdk.KindAuth)
	chain := chainOf(t, ChainConfig{Breaker: fragile()}, a, b)
	for range 2 {
		_, err := chain.Extract(t.Context(), onePicture(), ignore)
		require.Error(t, err)
	}
	got, err := chain.Extract(t.Context(), onePicture(), ignore)
	e, ok := errors.AsType[*invoice.ExtractionError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, invoice.CodeUnavailable, e.Code)
	assert.False(t, e.Permanent)
	assert.Greater(t, e.RetryAfter, 50*time.Minute)
	assert.LessOrEqual(t, e.RetryAfter, time.Hour)
	assert.Empty(t, got.Attempts, "nobody was asked")
	assert.Equal(t, int32(2), a.calls.Load())
}

func TestCallsThatWaitedForTheirTurnMeetTheBreakerToo(t *testing.T) {
	t.Parallel()
	a := &stub{name: "a", reply: receiptOf(t, "1.00", 1)}
	var chain *Chain
	run := func(ctx context.Context, _ string, fn func(context.Context) error) error {
		chain.members[0].breaker.circuit.Open() // by those that had their turn meanwhile
		return fn(ctx)
	}
	var p pauses
	chain = chainOf(t, ChainConfig{Breaker: fragile(), Run: run, Retry: p.retry()}, a)
	got, err := chain.Extract(t.Context(), onePicture(), ignore)
	require.Error(t, err)
	assert.Zero(t, a.calls.Load())
	assert.Empty(t, got.Attempts)
	assert.Empty(t, p.taken)
}

func TestAProviderThatFailsThreeTimesInTenIsKept(t *testing.T) {
	t.Parallel()
	var p pauses
	a := &stub{name: "a"}
	a.generate = func(_ context.Context, _ sdk.Request, emit func(string) error) (sdk.Result, error) {
		if a.calls.Load()%10 < 3 {
			return sdk.Result{}, &sdk.Error{Kind: sdk.KindOverloaded}
		}
		return sdk.Result{}, emit(receiptOf(t, "1.00", 1))
	}
	chain := chainOf(t, ChainConfig{Retry: p.retry()}, a)
	for range 50 {
		_, _ = chain.Extract(t.Context(), onePicture(), ignore)
	}
	assert.Equal(t, "closed", chain.Breakers()["a"])
}
