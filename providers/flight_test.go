package providers

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/cache"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/redistest"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// gated replies when the gate is opened. started has a signal for every call.
type gated struct {
	*stub

	gate    chan struct{}
	started chan struct{}
	ended   chan error // the context's, for a call that ended before the gate was opened
}

func newGated(name, reply string) *gated {
	g := &gated{stub: &stub{name: name}, gate: make(chan struct{}), started: make(chan struct{}, 100), ended: make(chan error, 100)}
	g.generate = func(ctx context.Context, _ sdk.Request, emit func(string) error) (sdk.Result, error) {
		g.started <- struct{}{}
		select {
		case <-g.gate:
			return sdk.Result{FinishReason: sdk.FinishStop, Usage: sdk.Usage{InputTokens: 7}}, emit(reply)
		case <-ctx.Done():
			g.ended <- ctx.Err()
			return sdk.Result{}, &sdk.Error{Kind: sdk.KindCancelled}
		}
	}
	return g
}

// seats is how many wait in a chain for the one flight that is open.
func seats(c *Chain) int {
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	n := 0
	for _, f := range c.flights.open {
		n += len(f.seats)
	}
	return n
}

func awaitSeats(t *testing.T, n int, chains ...*Chain) {
	t.Helper()
	require.Eventually(t, func() bool {
		sum := 0
		for _, c := range chains {
			sum += seats(c)
		}
		return sum == n
	}, 30*time.Second, time.Millisecond)
}

// answered is what one of many requests got.
type answered struct {
	extraction invoice.Extraction
	err        error
}

// ask starts n requests and returns where their answers come in.
func ask(ctx context.Context, chain *Chain, n int, answers chan answered) {
	for range n {
		go func() {
			got, err := chain.Extract(ctx, onePicture(), ignore)
			answers <- answered{got, err}
		}()
	}
}

// sharedRedis connects two processes to one server.
func sharedRedis(t *testing.T, url string) [2]*redis.Client {
	t.Helper()
	var clients [2]*redis.Client
	for i := range clients {
		client, err := cache.Connect(t.Context(), url, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		t.Cleanup(func() { _ = client.Close() })
		clients[i] = client
	}
	return clients
}

func servers(t *testing.T) map[string]func(t *testing.T) string {
	t.Helper()
	return map[string]func(t *testing.T) string{
		"redis": func(t *testing.T) string { t.Helper(); return redistest.Start(t).URL() },
		"embedded": func(t *testing.T) string {
			t.Helper()
			e := cache.NewEmbedded()
			require.NoError(t, e.Start(t.Context()))
			t.Cleanup(func() { require.NoError(t, e.Stop(context.WithoutCancel(t.Context()))) })
			return e.URL()
		},
	}
}

func TestTwentyEqualRequestsOnTwoProcessesAreOneCall(t *testing.T) {
	t.Parallel()
	for name, start := range servers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newGated("a", receiptOf(t, "10.00", 3))
			ledger := &till{}
			var chains []*Chain
			for _, client := range sharedRedis(t, start(t)) {
				config := ChainConfig{
					Checks: checksByDue, Ledger: ledger, CacheTTL: time.Hour,
					Replies: cache.NewReplies(client, slog.New(slog.DiscardHandler)), Flights: cache.NewFlights(client, slog.New(slog.DiscardHandler)),
				}
				config.Order = []Named{{Name: "a", Provider: a}}
				chains = append(chains, chainOf(t, config))
			}
			answers := make(chan answered, 20)
			ask(t.Context(), chains[0], 10, answers)
			ask(t.Context(), chains[1], 10, answers)
			awaitSeats(t, 20, chains...)
			close(a.gate)
			how := map[string]int{}
			for range 20 {
				got := <-answers
				require.NoError(t, got.err)
				assert.Len(t, got.extraction.Draft.Items, 3)
				require.Len(t, got.extraction.Attempts, 1)
				how[got.extraction.Attempts[0].Outcome]++
			}
			assert.Equal(t, int32(1), a.calls.Load())
			assert.Equal(t, 1, how["ok"])
			assert.Equal(t, 19, how["shared"]+how["cached"])
			assert.Len(t, ledger.reserved, 1)
			assert.Len(t, ledger.saved, 19)

			got, err := chains[1].Extract(t.Context(), onePicture(), ignore)
			require.NoError(t, err)
			assert.Equal(t, []string{"a cached"}, outcomes(got))
		})
	}
}

// afterScripts signals every script that Redis has run for a client.
type afterScripts chan struct{}

func (h afterScripts) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (h afterScripts) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h afterScripts) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if strings.HasPrefix(cmd.Name(), "eval") && err == nil {
			select {
			case h <- struct{}{}:
			default:
			}
		}
		return err
	}
}

// twoProcesses are two chains that share a Redis, and a signal for every time that the second one has looked there.
func twoProcesses(t *testing.T, config ChainConfig, p sdk.Provider) (first, second *Chain, looked afterScripts) {
	t.Helper()
	clients := sharedRedis(t, redistest.Start(t).URL())
	looked = make(afterScripts, 100)
	clients[1].AddHook(looked)
	config.Order = []Named{{Name: "a", Provider: p}}
	var chains [2]*Chain
	for i, client := range clients {
		config.Flights = cache.NewFlights(client, slog.New(slog.DiscardHandler))
		chains[i] = chainOf(t, config)
	}
	return chains[0], chains[1], looked
}

func TestOutcomesThatAreNotCachedAreSharedBetweenProcesses(t *testing.T) {
	t.Parallel()
	t.Run("a reading that needs review", func(t *testing.T) {
		t.Parallel()
		a := newGated("a", receiptOf(t, "9.00", 1))
		first, second, looked := twoProcesses(t, ChainConfig{Checks: checksByDue}, a)
		answers := make(chan answered, 2)
		ask(t.Context(), first, 1, answers)
		<-a.started
		ask(t.Context(), second, 1, answers)
		<-looked
		close(a.gate)
		var how []string
		for range 2 {
			got := <-answers
			require.NoError(t, got.err)
			assert.Equal(t, 9_00, int(*got.extraction.Draft.Totals.Due))
			how = append(how, got.extraction.Attempts[0].Outcome)
		}
		assert.ElementsMatch(t, []string{"ok", "shared"}, how)
		assert.Equal(t, int32(2), a.calls.Load(), "the second is the look again")
	})
	t.Run("a failure", func(t *testing.T) {
		t.Parallel()
		a := newGated("a", "{}")
		a.local = true
		first, second, looked := twoProcesses(t, ChainConfig{}, a)
		answers := make(chan answered, 2)
		ask(t.Context(), first, 1, answers)
		<-a.started
		ask(t.Context(), second, 1, answers)
		<-looked
		close(a.gate)
		for range 2 {
			e, ok := errors.AsType[*invoice.ExtractionError]((<-answers).err)
			require.True(t, ok)
			assert.Equal(t, invoice.CodeBadUserInput, e.Code)
			assert.Equal(t, sentenceUnreadable, e.Message)
			assert.True(t, e.Permanent)
			assert.Contains(t, e.Error(), "a: invalid reply")
		}
		assert.Equal(t, int32(1), a.calls.Load())
	})
	t.Run("but not one that was given up", func(t *testing.T) {
		t.Parallel()
		a := newGated("a", receiptOf(t, "10.00", 1))
		first, second, looked := twoProcesses(t, ChainConfig{}, a)
		ctx, leave := context.WithCancel(t.Context())
		left, answers := make(chan answered, 1), make(chan answered, 1)
		ask(ctx, first, 1, left)
		<-a.started
		ask(t.Context(), second, 1, answers)
		<-looked
		leave()
		require.ErrorIs(t, (<-left).err, context.Canceled)
		require.ErrorIs(t, <-a.ended, context.Canceled)
		<-a.started // by the other process
		close(a.gate)
		got := <-answers
		require.NoError(t, got.err)
		assert.Equal(t, []string{"a ok"}, outcomes(got.extraction))
	})
}

func TestWorkGoesOnForThoseWhoStay(t *testing.T) {
	t.Parallel()
	a := newGated("a", receiptOf(t, "10.00", 1))
	config := ChainConfig{Order: []Named{{Name: "a", Provider: a}}}
	chain := chainOf(t, config)
	ctx, leave := context.WithCancel(t.Context())
	leader, follower, stays := make(chan answered, 1), make(chan answered, 1), make(chan answered, 1)
	ask(ctx, chain, 1, leader)
	<-a.started
	ask(ctx, chain, 1, follower)
	ask(t.Context(), chain, 1, stays)
	awaitSeats(t, 3, chain)
	leave()
	require.ErrorIs(t, (<-leader).err, context.Canceled, "at once, though the provider has not replied")
	require.ErrorIs(t, (<-follower).err, context.Canceled)
	close(a.gate)
	got := <-stays
	require.NoError(t, got.err)
	assert.Equal(t, []string{"a shared"}, outcomes(got.extraction))
	assert.Equal(t, int32(1), a.calls.Load())
	assert.Zero(t, seats(chain))
}

func TestWorkEndsWhenAllHaveLeft(t *testing.T) {
	t.Parallel()
	a := newGated("a", "")
	ledger := &till{}
	chain := chainOf(t, ChainConfig{Order: []Named{{Name: "a", Provider: a}}, Ledger: ledger})
	ctx, leave := context.WithCancel(t.Context())
	answers := make(chan answered, 3)
	ask(ctx, chain, 3, answers)
	<-a.started
	awaitSeats(t, 3, chain)
	leave()
	for range 3 {
		require.ErrorIs(t, (<-answers).err, context.Canceled)
	}
	require.ErrorIs(t, <-a.ended, context.Canceled)
	assert.Equal(t, []string{"a cancelled"}, ledger.outcomes(), "settled before the last one returned")
	assert.Zero(t, seats(chain))
}

func TestFailuresAreSharedUnlessTheyArePrivate(t *testing.T) {
	t.Parallel()
	t.Run("nobody answers", func(t *testing.T) {
		t.Parallel()
		a := newGated("a", "no JSON")
		chain := chainOf(t, ChainConfig{Order: []Named{{Name: "a", Provider: a}}})
		answers := make(chan answered, 5)
		ask(t.Context(), chain, 5, answers)
		<-a.started
		awaitSeats(t, 5, chain)
		close(a.gate)
		for range 5 {
			require.Error(t, (<-answers).err)
		}
		assert.Equal(t, int32(1), a.calls.Load())
	})
	t.Run("a spent budget", func(t *testing.T) {
		t.Parallel()
		a := newGated("a", receiptOf(t, "10.00", 1))
		refused, goOn := make(chan struct{}), make(chan struct{})
		ledger := &till{refuse: func(call Call) error {
			if call.UserID == "poor" {
				close(refused)
				<-goOn
				return quotaSpent(call)
			}
			return nil
		}}
		chain := chainOf(t, ChainConfig{Order: []Named{{Name: "a", Provider: a}}, Ledger: ledger})
		poor, rich := make(chan answered, 1), make(chan answered, 2)
		go func() {
			req := onePicture()
			req.UserID = "poor"
			got, err := chain.Extract(t.Context(), req, ignore)
			poor <- answered{got, err}
		}()
		<-refused
		ask(t.Context(), chain, 2, rich)
		awaitSeats(t, 3, chain)
		close(goOn)
		e, ok := errors.AsType[*invoice.ExtractionError]((<-poor).err)
		require.True(t, ok)
		assert.Equal(t, invoice.CodeQuotaExceeded, e.Code)
		awaitSeats(t, 2, chain)
		close(a.gate)
		for range 2 {
			require.NoError(t, (<-rich).err)
		}
		assert.Equal(t, int32(1), a.calls.Load())
	})
}

func TestUsersOfDifferentConsentsDoNotShare(t *testing.T) {
	t.Parallel()
	a, b := newGated("a", receiptOf(t, "10.00", 1)), newGated("b", receiptOf(t, "10.00", 1))
	chain := chainOf(t, ChainConfig{
		Order: []Named{{Name: "a", Provider: a}, {Name: "b", Provider: b}}, Consents: consents{"ann": {"a", "b"}, "bob": {"b"}},
	})
	answers := make(chan []string, 2)
	for _, user := range []string{"ann", "bob"} {
		go func() {
			req := onePicture()
			req.UserID = user
			got, err := chain.Extract(t.Context(), req, ignore)
			assert.NoError(t, err)
			answers <- outcomes(got)
		}()
	}
	<-a.started
	<-b.started
	close(a.gate)
	close(b.gate)
	both := slices.Concat(<-answers, <-answers)
	assert.ElementsMatch(t, []string{"a ok", "b ok"}, both)
}

func TestPanicOfAProviderIsAnError(t *testing.T) {
	t.Parallel()
	ledger := &till{}
	a := &stub{name: "a", generate: func(context.Context, sdk.Request, func(string) error) (sdk.Result, error) { panic("529.982.247-25") }}
	chain := chainOf(t, ChainConfig{Ledger: ledger, Breaker: Breaker{Failures: 1, Of: 1}}, a)
	_, err := chain.Extract(t.Context(), onePicture(), ignore)
	e, ok := errors.AsType[*invoice.ExtractionError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, invoice.CodeInternal, e.Code)
	assert.NotContains(t, err.Error(), "529")
	assert.Equal(t, []string{"a internal"}, ledger.outcomes())
	assert.Zero(t, seats(chain))
}

func TestSlowListenerHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	a := &stub{name: "a", reply: receiptOf(t, "10.00", 20)}
	chain := chainOf(t, ChainConfig{}, a)
	stuck, leave := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	var once sync.Once
	var last atomic.Int64
	go func() {
		_, err := chain.Extract(t.Context(), onePicture(), func(p invoice.Progress) {
			once.Do(func() { close(stuck); <-leave })
			last.Store(int64(p.ItemsFound))
		})
		done <- err
	}()
	<-stuck
	_, err := chain.Extract(t.Context(), onePicture(), ignore)
	require.NoError(t, err)
	close(leave)
	require.NoError(t, <-done)
	assert.Equal(t, int64(20), last.Load(), "the latest is shown all the same")
}

func TestWithoutRedisOneProcessStillMakesOneCall(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	a := newGated("a", receiptOf(t, "10.00", 1))
	client := sharedRedis(t, server.URL())[0]
	log := slog.New(slog.DiscardHandler)
	config := ChainConfig{
		Order: []Named{{Name: "a", Provider: a}}, Replies: cache.NewReplies(client, log), CacheTTL: time.Hour,
		Flights: cache.NewFlights(client, log),
	}
	chain := chainOf(t, config)
	server.Stop(t)
	// The outage is known from here on: ten requests that dial at once would set go-redis dialling in the background.
	_, err := config.Replies.Get(t.Context(), "k")
	require.Error(t, err)
	_, _, err = config.Flights.Lead(t.Context(), "k")
	require.Error(t, err)
	answers := make(chan answered, 10)
	ask(t.Context(), chain, 10, answers)
	<-a.started
	awaitSeats(t, 10, chain)
	close(a.gate)
	for range 10 {
		require.NoError(t, (<-answers).err)
	}
	assert.Equal(t, int32(1), a.calls.Load())
}
