package cache

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/redistest"
)

// process is one of several that share a server.
func process(t *testing.T, url string) *Flights {
	t.Helper()
	f := NewFlights(connect(t, url), discard())
	f.poll = time.Millisecond
	return f
}

// dead is a process that takes leads and never renews them.
func dead(t *testing.T, url string) *Flights {
	t.Helper()
	f := process(t, url)
	f.renewal = time.Hour
	return f
}

// led is what Lead answered for "k".
type led struct {
	end     func(context.Context, []byte)
	outcome []byte
	err     error
}

func lead(ctx context.Context, f *Flights) <-chan led {
	answer := make(chan led, 1)
	go func() {
		end, outcome, err := f.Lead(ctx, "k")
		answer <- led{end, outcome, err}
	}()
	return answer
}

// mustLead takes a lead that nobody holds.
func mustLead(t *testing.T, f *Flights, key string) func(context.Context, []byte) {
	t.Helper()
	end, _, err := f.Lead(t.Context(), key)
	require.NoError(t, err)
	require.NotNil(t, end)
	return end
}

// afterCommands signals that Redis has answered a client.
type afterCommands chan struct{}

func (h afterCommands) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h afterCommands) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h afterCommands) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if err == nil {
			select {
			case h <- struct{}{}:
			default:
			}
		}
		return err
	}
}

// awaitPoll returns when a process that waits has looked at the server once more.
func awaitPoll(t *testing.T, server *miniredis.Miniredis) {
	t.Helper()
	before := server.CommandCount()
	require.Eventually(t, func() bool { return server.CommandCount() > before+4 }, 30*time.Second, time.Millisecond)
}

func TestOneLeadsAndTheOthersGetItsOutcome(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"real": redistest.Start(t).URL(), "embedded": started(t, NewEmbedded()).URL()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			end := mustLead(t, process(t, url), "k")
			other := mustLead(t, process(t, url), "another key")
			other(t.Context(), nil)
			var waiting []<-chan led
			for range 3 {
				f, looked := process(t, url), make(afterCommands, 1)
				f.client.AddHook(looked)
				waiting = append(waiting, lead(t.Context(), f))
				<-looked
			}
			end(t.Context(), []byte("outcome\x00\xff"))
			for _, w := range waiting {
				got := <-w
				require.NoError(t, got.err)
				assert.Nil(t, got.end)
				assert.Equal(t, []byte("outcome\x00\xff"), got.outcome)
			}
			mustLead(t, process(t, url), "k")(t.Context(), nil) // an outcome is for those who waited, not for later ones
		})
	}
}

func TestLeaderWithoutAnOutcomeIsFollowedByOneWhoWaits(t *testing.T) {
	t.Parallel()
	server, url := manual(t)
	end := mustLead(t, process(t, url), "k")
	a, b := lead(t.Context(), process(t, url)), lead(t.Context(), process(t, url))
	awaitPoll(t, server)
	end(t.Context(), nil)
	var next led
	rest := b
	select {
	case next = <-a:
	case next = <-b:
		rest = a
	}
	require.NoError(t, next.err)
	require.NotNil(t, next.end)
	awaitPoll(t, server)
	next.end(t.Context(), []byte("second"))
	assert.Equal(t, []byte("second"), (<-rest).outcome)
}

func TestCrashedLeaderIsSucceededWhenItsLeadExpires(t *testing.T) {
	t.Parallel()
	server, url := manual(t)
	end := mustLead(t, dead(t, url), "k")
	waiting := lead(t.Context(), process(t, url))
	server.FastForward(leadExpiry - time.Millisecond)
	awaitPoll(t, server)
	assert.Empty(t, waiting)
	server.FastForward(time.Millisecond)
	next := <-waiting
	require.NoError(t, next.err)
	require.NotNil(t, next.end)
	assert.LessOrEqual(t, leadExpiry, 10*time.Second)

	// The dead one was only asleep. It can neither hand over its outcome nor take the lead away.
	third := lead(t.Context(), process(t, url))
	awaitPoll(t, server)
	end(t.Context(), []byte("stale"))
	awaitPoll(t, server)
	assert.Empty(t, third)
	next.end(t.Context(), []byte("fresh"))
	assert.Equal(t, []byte("fresh"), (<-third).outcome)
}

func TestLeadIsRenewedWhileTheWorkLasts(t *testing.T) {
	t.Parallel()
	server, url := manual(t)
	f := process(t, url)
	f.renewal = time.Millisecond
	end := mustLead(t, f, "k")
	waiting := lead(t.Context(), process(t, url))
	for range 5 {
		server.FastForward(leadExpiry - time.Second)
		require.Eventually(t, func() bool { return server.TTL(leadKey("k")) == leadExpiry }, 30*time.Second, time.Millisecond)
	}
	assert.Empty(t, waiting)
	end(t.Context(), []byte("x"))
	assert.Equal(t, []byte("x"), (<-waiting).outcome)
	assert.False(t, server.Exists(leadKey("k")))
	assert.Greater(t, leadExpiry, 2*leadRenewal, "two renewals may fail")
}

func TestLeadLostToAnotherIsNotTakenBack(t *testing.T) {
	t.Parallel()
	server, url := manual(t)
	f := dead(t, url)
	end := mustLead(t, f, "k")
	server.FastForward(leadExpiry)
	successor := mustLead(t, dead(t, url), "k")
	holder, err := server.Get(leadKey("k"))
	require.NoError(t, err)
	assert.False(t, f.renew(t.Context(), "k", "the former leader's"))
	end(t.Context(), nil)
	now, err := server.Get(leadKey("k"))
	require.NoError(t, err)
	assert.Equal(t, holder, now)
	successor(t.Context(), nil)
	assert.Empty(t, server.Keys())
}

func TestWhoeverWaitsLeavesWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	_, url := manual(t)
	end := mustLead(t, process(t, url), "k")
	ctx, cancel := context.WithCancel(t.Context())
	f := process(t, url)
	f.poll = time.Hour
	waiting := lead(ctx, f)
	cancel()
	require.ErrorIs(t, (<-waiting).err, context.Canceled)
	end(t.Context(), nil)
}

func TestAnAnswerThatWasLostIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	_, url := manual(t)
	f := process(t, url)
	for range 2 { // the client sends a command again when the connection breaks
		turn, _, err := f.turn(t.Context(), "k", "token", "")
		require.NoError(t, err)
		assert.Equal(t, turnLead, turn)
	}
}

func TestRestartOfRedisInTheMiddleOfAFlight(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	leader, other := process(t, server.URL()), process(t, server.URL())
	leader.renewal = time.Hour
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	leader.redis.now = func() time.Time { return now }
	end := mustLead(t, leader, "k")
	waiting := lead(t.Context(), other)
	server.Stop(t)
	// Who waits goes on alone, or did not get to wait before the server was gone.
	require.Error(t, (<-waiting).err)
	assert.True(t, leader.renew(t.Context(), "k", "token"), "nobody says that the lead is lost")
	server.Restart(t)
	now = now.Add(outagePause)
	end(t.Context(), []byte("late")) // nobody waits for it: no harm done
	mustLead(t, process(t, server.URL()), "k")(t.Context(), nil)
}

func TestLeadIsTakenAgainAfterARestart(t *testing.T) {
	t.Parallel()
	server, url := manual(t)
	f := process(t, url)
	f.renewal = time.Millisecond
	end := mustLead(t, f, "k")
	holder, err := server.Get(leadKey("k"))
	require.NoError(t, err)
	server.FlushAll()
	require.Eventually(t, func() bool { now, err := server.Get(leadKey("k")); return err == nil && now == holder },
		30*time.Second, time.Millisecond)
	end(t.Context(), nil)
	assert.False(t, server.Exists(leadKey("k")))
}
