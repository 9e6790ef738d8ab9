package cache

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/redistest"
)

// manual is a Redis whose time passes by FastForward alone.
func manual(t *testing.T) (server *miniredis.Miniredis, url string) {
	t.Helper()
	server = miniredis.RunT(t)
	return server, "redis://" + server.Addr()
}

func TestRepliesAreKeptForTheirTime(t *testing.T) {
	t.Parallel()
	server, url := manual(t)
	replies := NewReplies(connect(t, url), discard())
	got, err := replies.Get(t.Context(), "k")
	require.NoError(t, err)
	assert.Nil(t, got)
	value := []byte{0, 0xff, '\n', 0x80}
	require.NoError(t, replies.Put(t.Context(), "ana", "k", value, 72*time.Hour))
	assert.Equal(t, 259_200*time.Second, server.TTL("reply:k"))
	got, err = replies.Get(t.Context(), "k")
	require.NoError(t, err)
	assert.Equal(t, value, got)
	server.FastForward(72 * time.Hour)
	got, err = replies.Get(t.Context(), "k")
	require.NoError(t, err)
	assert.Nil(t, got)
}

func TestOutageIsShortForCallersAndLoggedOnce(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	var log bytes.Buffer
	client := connect(t, server.URL())
	replies := NewReplies(client, slog.New(slog.NewTextHandler(&log, nil)))
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	replies.redis.now = func() time.Time { return now }
	require.NoError(t, replies.Put(t.Context(), "ana", "k", []byte("v"), time.Hour))

	server.Stop(t)
	_, err := replies.Get(t.Context(), "k")
	require.Error(t, err)
	for range 3 {
		_, err = replies.Get(t.Context(), "k")
		require.ErrorIs(t, err, errOutage, "nobody waits for it again")
		require.ErrorIs(t, replies.Put(t.Context(), "ana", "k", nil, time.Hour), errOutage)
	}
	now = now.Add(outagePause)
	_, err = replies.Get(t.Context(), "k")
	require.Error(t, err)
	require.NotErrorIs(t, err, errOutage, "one tries again")

	server.Restart(t)
	now = now.Add(outagePause)
	got, err := replies.Get(t.Context(), "k")
	require.NoError(t, err)
	assert.Nil(t, got, "what was kept is gone with the server")
	require.NoError(t, replies.Put(t.Context(), "ana", "k", []byte("v"), time.Hour))
	assert.Equal(t, 1, strings.Count(log.String(), "Redis does not answer"), log.String())
	assert.Equal(t, 1, strings.Count(log.String(), "Redis answers again"), log.String())
	assert.NotContains(t, log.String(), server.Password)
}

func TestCallerThatLeavesIsNoOutage(t *testing.T) {
	t.Parallel()
	_, url := manual(t)
	replies := NewReplies(connect(t, url), discard())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := replies.Get(ctx, "k")
	require.ErrorIs(t, err, context.Canceled)
	_, err = replies.Get(t.Context(), "k")
	require.NoError(t, err)
}

func TestSilentServerIsGivenUpSoon(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never says a word
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	client := redis.NewClient(&redis.Options{Addr: l.Addr().String(), ContextTimeoutEnabled: true, MaxRetries: maxRetries})
	t.Cleanup(func() { _ = client.Close() })
	replies, flights := NewReplies(client, discard()), NewFlights(client, discard())
	_, err = replies.Get(t.Context(), "k")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, _, err = flights.Lead(t.Context(), "k")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = replies.Get(t.Context(), "k")
	require.ErrorIs(t, err, errOutage)
}

func TestWhatWasMadeForSomebodyIsForgotten(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"real": redistest.Start(t).URL(), "embedded": started(t, NewEmbedded()).URL()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := Connect(t.Context(), url, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, client.Close()) })
			replies := NewReplies(client, slog.New(slog.DiscardHandler))
			for key, owner := range map[string]string{"a1": "ana", "a2": "ana", "b1": "bia", "n1": ""} {
				require.NoError(t, replies.Put(t.Context(), owner, key, []byte("v"), time.Hour))
			}
			require.NoError(t, replies.Forget(t.Context(), "ana"))
			require.NoError(t, replies.Forget(t.Context(), "nobody"))
			require.NoError(t, replies.Put(t.Context(), "ana", "a3", []byte("late"), time.Hour), "of a call that was under way")
			left, err := client.Keys(t.Context(), "*").Result()
			require.NoError(t, err)
			assert.NotContains(t, forgottenKey("ana"), "ana")
			assert.ElementsMatch(t, []string{"reply:b1", "replies-of:bia", "reply:n1", forgottenKey("ana"), forgottenKey("nobody")}, left)
		})
	}
}
