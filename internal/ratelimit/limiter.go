package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mercadoesperto/smarket/internal/cache"
)

// Bucket is one thing that is limited: at most Units in any Window for Key. A key is text without personal data: the
// digest of a user or an address.
type Bucket struct {
	Key    string
	Units  int
	Window time.Duration
}

// Verdict says whether a request fits, by the bucket that has the least room.
type Verdict struct {
	Allowed bool
	Limit   int // units of that bucket
	// Remaining is what is left of it now; 0 when the request was refused.
	Remaining int
	// Reset is when the bucket is empty again if nothing more comes.
	Reset time.Duration
	// RetryAfter is when a refused request would fit; 0 for one that was allowed.
	RetryAfter time.Duration
}

// Limiter counts in Redis, and in the process while Redis does not answer.
type Limiter struct {
	client *redis.Client
	redis  *cache.Outage
	take   *redis.Script
	local  *local
}

// New counts in the Redis of client, which stays the caller's to close.
func New(client *redis.Client, log *slog.Logger) *Limiter {
	return &Limiter{
		client: client, redis: cache.NewOutage(log, "rate limits shared between processes"), take: redis.NewScript(takeScript),
		local: newLocal(time.Now),
	}
}

// Take asks for units of every bucket: of all of them, or of none when one has no room. A cost above a bucket's Units never
// fits. It does not fail: without Redis the process counts alone.
func (l *Limiter) Take(ctx context.Context, units int, buckets ...Bucket) Verdict {
	if len(buckets) == 0 || units <= 0 {
		return Verdict{Allowed: true}
	}
	var v Verdict
	err := l.redis.Try(ctx, func(ctx context.Context) (err error) {
		v, err = l.takeShared(ctx, units, buckets)
		return err
	})
	if err != nil {
		return l.local.take(units, buckets)
	}
	return v
}

// takeScript is the sliding window. Each key is a hash of the number of its window (w), the units taken in it (c) and in the
// window before (p); the past window counts for the part of it that still lies within a window's length from now.
//
// KEYS: the buckets. ARGV: the cost, then for each bucket its units and its window in ms. Answers 1 or 0 for taken, then for
// the tightest bucket its number, what was used of it before, the age of its window in ms, p and c.
const takeScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local cost = tonumber(ARGV[1])
local states, tightest, least = {}, 1, nil
for i, key in ipairs(KEYS) do
  local units, window = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local number, age = math.floor(now / window), now % window
  local s = redis.call('HMGET', key, 'w', 'c', 'p')
  local w, c, p = tonumber(s[1] or -2), tonumber(s[2] or 0), tonumber(s[3] or 0)
  if w == number - 1 then p = c; c = 0 elseif w ~= number then p = 0; c = 0 end
  local used = math.ceil(p * (window - age) / window) + c
  states[i] = {number, c, p, age, used}
  local room = units - used - cost
  if least == nil or room < least then least = room; tightest = i end
end
local s = states[tightest]
if least < 0 then return {0, tightest, s[5], s[4], s[3], s[2]} end
for i, key in ipairs(KEYS) do
  redis.call('HSET', key, 'w', states[i][1], 'c', states[i][2] + cost, 'p', states[i][3])
  redis.call('PEXPIRE', key, 2 * tonumber(ARGV[2 * i + 1]))
end
return {1, tightest, s[5], s[4], s[3], s[2]}`

func (l *Limiter) takeShared(ctx context.Context, units int, buckets []Bucket) (Verdict, error) {
	keys, args := make([]string, len(buckets)), []any{units}
	for i, b := range buckets {
		keys[i] = "limit:" + b.Key
		args = append(args, b.Units, b.Window.Milliseconds())
	}
	answer, err := l.take.Run(ctx, l.client, keys, args...).Int64Slice()
	if err != nil {
		return Verdict{}, fmt.Errorf("count against limits: %w", err)
	}
	if len(answer) != 6 || answer[1] < 1 || int(answer[1]) > len(buckets) {
		return Verdict{}, errors.New("count against limits: an answer of another form")
	}
	s := state{used: int(answer[2]), age: time.Duration(answer[3]) * time.Millisecond, before: int(answer[4]), current: int(answer[5])}
	return s.verdict(answer[0] == 1, units, buckets[answer[1]-1]), nil
}

// state is a bucket at the moment of a request, before it.
type state struct {
	used    int           // of the sliding window
	age     time.Duration // of the current fixed window
	before  int           // taken in the fixed window before
	current int           // taken in the current one
}

func (s state) verdict(allowed bool, cost int, b Bucket) Verdict {
	v := Verdict{Allowed: allowed, Limit: b.Units}
	if !allowed {
		v.RetryAfter = s.retryAfter(cost, b)
		v.Reset = v.RetryAfter
		return v
	}
	v.Remaining = max(b.Units-s.used-cost, 0)
	v.Reset = 2*b.Window - s.age // what is taken now is gone when the next window has passed
	return v
}

// retryAfter solves for the moment at which the sliding window has room for cost, rounded up to a second.
func (s state) retryAfter(cost int, b Bucket) time.Duration {
	room := b.Units - cost
	var wait time.Duration
	switch {
	case room < 0:
		wait = b.Window // never: any answer is as good
	case s.current <= room:
		// Within this window: before * (window - age') / window <= room - current.
		wait = b.Window - s.age - share(b.Window, room-s.current, s.before)
	default:
		// In the next one, in which current is what came before.
		wait = b.Window - s.age + b.Window - share(b.Window, room, s.current)
	}
	return max(wait.Truncate(time.Second)+time.Second, time.Second)
}

// share is window * part / whole.
func share(window time.Duration, part, whole int) time.Duration {
	if whole <= 0 {
		return 0
	}
	return time.Duration(int64(window) / int64(whole) * int64(part))
}
