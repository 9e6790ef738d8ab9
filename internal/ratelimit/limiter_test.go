package ratelimit

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/cache"
	"github.com/mercadoesperto/smarket/internal/redistest"
)

// start is the beginning of a window of a minute.
var start = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

type take func(at time.Duration, units int, buckets ...Bucket) Verdict

// both runs a test on the two counters, which must agree, each with a clock that the test moves.
func both(t *testing.T, test func(t *testing.T, take take)) {
	t.Helper()
	for name, take := range counters(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, take)
		})
	}
}

func counters(t *testing.T) map[string]take {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	shared := New(client, slog.New(slog.DiscardHandler))
	now := start
	alone := newLocal(func() time.Time { return now })
	return map[string]take{
		"redis": func(at time.Duration, units int, buckets ...Bucket) Verdict {
			server.SetTime(start.Add(at))
			v, err := shared.takeShared(context.WithoutCancel(t.Context()), units, buckets)
			require.NoError(t, err)
			return v
		},
		"process": func(at time.Duration, units int, buckets ...Bucket) Verdict {
			now = start.Add(at)
			return alone.take(units, buckets)
		},
	}
}

func TestWindowSlides(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, take take) {
		b := Bucket{Key: "u", Units: 10, Window: time.Minute}
		for i := range 10 {
			v := take(30*time.Second, 1, b)
			require.True(t, v.Allowed)
			assert.Equal(t, 9-i, v.Remaining)
			assert.Equal(t, 10, v.Limit)
		}
		v := take(30*time.Second, 1, b)
		assert.False(t, v.Allowed)
		assert.Equal(t, 37*time.Second, v.RetryAfter, "a tenth of the next window, and a second for rounding")
		assert.False(t, take(65*time.Second, 1, b).Allowed, "ten of the window before still weigh more than nine")
		assert.True(t, take(66*time.Second, 1, b).Allowed)
		assert.False(t, take(66*time.Second, 1, b).Allowed)
		assert.True(t, take(3*time.Minute, 10, b).Allowed, "all of it is free again")
	})
}

func TestWhoWaitsAsToldIsLetIn(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, take take) {
		b := Bucket{Key: "w", Units: 7, Window: time.Minute}
		at := 11 * time.Second
		for range 40 {
			v := take(at, 3, b)
			if !v.Allowed {
				require.Positive(t, v.RetryAfter)
				at += v.RetryAfter
				require.True(t, take(at, 3, b).Allowed, "at %s", at)
			}
			at += 5 * time.Second
		}
	})
}

func TestAllBucketsOrNone(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, take take) {
		user, address := Bucket{"user", 10, time.Minute}, Bucket{"address", 3, time.Minute}
		for range 3 {
			require.True(t, take(0, 1, user, address).Allowed)
		}
		v := take(0, 1, user, address)
		assert.False(t, v.Allowed)
		assert.Equal(t, 3, v.Limit, "the tightest one speaks")
		assert.Equal(t, 6, take(0, 1, user).Remaining, "the refused request took nothing")
	})
}

func TestMoreThanALimitNeverFits(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, take take) {
		v := take(0, 11, Bucket{"k", 10, time.Minute})
		assert.False(t, v.Allowed)
		assert.Positive(t, v.RetryAfter)
	})
}

func TestOneStepForAllProcesses(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	allowed := 0
	for range 4 {
		client, err := cache.Connect(t.Context(), server.URL(), slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, client.Close()) })
		limiter := New(client, slog.New(slog.DiscardHandler))
		for range 50 {
			wg.Go(func() {
				if limiter.Take(t.Context(), 1, Bucket{"k", 20, time.Hour}).Allowed {
					mu.Lock()
					allowed++
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	assert.Equal(t, 20, allowed)
}

func TestTheProcessCountsWhileRedisIsDown(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client, err := cache.Connect(t.Context(), server.URL(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	limiter := New(client, slog.New(slog.DiscardHandler))
	server.Stop(t)
	b := Bucket{"k", 5, time.Hour}
	allowed := 0
	for range 20 {
		if limiter.Take(t.Context(), 1, b).Allowed {
			allowed++
		}
	}
	assert.Equal(t, 5, allowed)
}

func TestTheProcessForgetsWhatExpired(t *testing.T) {
	t.Parallel()
	now := start
	l := newLocal(func() time.Time { return now })
	for i := range maxLocal {
		l.take(1, []Bucket{{strconv.Itoa(i), 5, time.Minute}})
	}
	now = now.Add(time.Hour)
	l.take(1, []Bucket{{"new", 5, time.Minute}})
	assert.Len(t, l.windows, 1)
}

func BenchmarkTake(b *testing.B) {
	server := redistest.Start(b)
	client, err := cache.Connect(b.Context(), server.URL(), slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, client.Close()) })
	limiter := New(client, slog.New(slog.DiscardHandler))
	for b.Loop() {
		limiter.Take(b.Context(), 1, Bucket{"user", 1 << 30, time.Minute}, Bucket{"address", 1 << 30, time.Minute})
	}
}
