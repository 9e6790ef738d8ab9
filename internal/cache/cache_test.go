package cache

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mercadoesperto/smarket/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func connect(t *testing.T, url string) *redis.Client {
	t.Helper()
	client, err := Connect(t.Context(), url, discard())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

func started(t *testing.T, e *Embedded) *Embedded {
	t.Helper()
	require.NoError(t, e.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, e.Stop(context.Background())) })
	return e
}

func TestBothServersSpeakTheSame(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) string{
		"embedded": func(t *testing.T) string { t.Helper(); return started(t, NewEmbedded()).URL() },
		"real":     func(t *testing.T) string { t.Helper(); return redistest.Start(t).URL() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := connect(t, open(t))
			ctx := t.Context()
			require.NoError(t, Ping(ctx, client))
			require.NoError(t, client.Set(ctx, "k", "v", time.Hour).Err())
			got, err := client.Get(ctx, "k").Result()
			require.NoError(t, err)
			assert.Equal(t, "v", got)
			ok, err := client.SetNX(ctx, "k", "w", time.Hour).Result()
			require.NoError(t, err)
			assert.False(t, ok)
			n, err := redis.NewScript(`return redis.call('INCRBY', KEYS[1], ARGV[1])`).Run(ctx, client, []string{"n"}, 2).Int()
			require.NoError(t, err)
			assert.Equal(t, 2, n)
			ttl, err := client.TTL(ctx, "k").Result()
			require.NoError(t, err)
			assert.InDelta(t, time.Hour, ttl, float64(time.Minute))
		})
	}
}

func TestEmbeddedListensOnLoopbackOnlyAndWantsItsPassword(t *testing.T) {
	t.Parallel()
	e := started(t, NewEmbedded())
	opts, err := redis.ParseURL(e.URL())
	require.NoError(t, err)
	host, _, err := net.SplitHostPort(opts.Addr)
	require.NoError(t, err)
	assert.True(t, net.ParseIP(host).IsLoopback())
	assert.GreaterOrEqual(t, len(opts.Password), 26)

	stranger := redis.NewClient(&redis.Options{Addr: opts.Addr})
	t.Cleanup(func() { _ = stranger.Close() })
	require.ErrorContains(t, stranger.Get(t.Context(), "k").Err(), "NOAUTH")

	other := started(t, NewEmbedded())
	assert.NotEqual(t, e.URL(), other.URL())
}

func TestEmbeddedKeysExpireWithTheClock(t *testing.T) {
	t.Parallel()
	ticks := make(chan time.Time)
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	nows := make(chan time.Time, 1)
	e := NewEmbedded()
	e.ticks = func() (<-chan time.Time, func()) { return ticks, func() {} }
	e.clock = func() time.Time { return <-nows }
	nows <- now
	started(t, e)
	client := connect(t, e.URL())
	require.NoError(t, client.Set(t.Context(), "k", "v", time.Minute).Err())

	tick := func(passed time.Duration) {
		now = now.Add(passed)
		ticks <- now
		nows <- now
		ticks <- now // taken once the one before has been dealt with
		nows <- now
	}
	tick(59 * time.Second)
	require.NoError(t, client.Get(t.Context(), "k").Err())
	tick(-time.Hour) // a clock that was set back
	require.NoError(t, client.Get(t.Context(), "k").Err())
	tick(time.Second)
	require.ErrorIs(t, client.Get(t.Context(), "k").Err(), redis.Nil)
}

func TestEmbeddedKeysExpireByThemselves(t *testing.T) {
	t.Parallel()
	client := connect(t, started(t, NewEmbedded()).URL())
	require.NoError(t, client.Set(t.Context(), "k", "v", time.Millisecond).Err())
	require.Eventually(t, func() bool { return client.Exists(t.Context(), "k").Val() == 0 }, 10*time.Second, 10*time.Millisecond)
}

func TestEmbeddedBearsBeingStartedAndStoppedTwice(t *testing.T) {
	t.Parallel()
	e := NewEmbedded()
	require.NoError(t, e.Stop(t.Context()), "before it started")
	assert.Empty(t, e.URL())
	require.NoError(t, e.Start(t.Context()))
	url := e.URL()
	require.NoError(t, e.Start(t.Context()))
	assert.Equal(t, url, e.URL())
	require.NoError(t, e.Stop(t.Context()))
	require.NoError(t, e.Stop(t.Context()))
	assert.Empty(t, e.URL())
	started(t, e)
	require.NoError(t, Ping(t.Context(), connect(t, e.URL())))
}

func TestEmbeddedStopsUnderItsClients(t *testing.T) {
	t.Parallel()
	e := NewEmbedded()
	require.NoError(t, e.Start(t.Context()))
	client := connect(t, e.URL())
	sub := client.Subscribe(t.Context(), "c")
	t.Cleanup(func() { _ = sub.Close() })
	_, err := sub.Receive(t.Context())
	require.NoError(t, err)
	require.NoError(t, e.Stop(t.Context()))
	require.Error(t, Ping(t.Context(), client))
}

func TestAMalformedAddressIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"redis://:leak\x7f@host", "http://:leak@host", "leak", "redis://:leak@host:99999999/x"} {
		_, err := Connect(t.Context(), url, discard())
		require.Error(t, err, url)
		assert.NotContains(t, err.Error(), "leak")
	}
}

func TestAnAbsentServerIsLoggedAndFoundWhenItComes(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Stop(t)
	var log bytes.Buffer
	client, err := Connect(t.Context(), server.URL(), slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	require.Error(t, Ping(t.Context(), client))
	assert.Contains(t, log.String(), "Redis does not answer yet")
	assert.NotContains(t, log.String(), server.Password)
	server.Restart(t)
	require.NoError(t, Ping(t.Context(), client))
}

func TestPingGivesUpOnAServerThatIsSilent(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			go func() { _, _ = io.Copy(io.Discard, conn) }()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-served })
	client := connect(t, "redis://"+strings.TrimPrefix(l.Addr().String(), "tcp://"))
	require.ErrorIs(t, Ping(t.Context(), client), context.DeadlineExceeded)
}
