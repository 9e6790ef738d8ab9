package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// Where Replies has its keys: the replies, and for each owner the set of those that were made for them.
const (
	repliesPrefix = "reply:"
	ownedPrefix   = "replies-of:"
)

// Replies keeps what providers have answered, as bytes, for a time. While Redis is down there is nothing to be had and nothing
// is kept: each call then fails at once or within a second, and the outage is logged once.
type Replies struct {
	client *redis.Client
	redis  *Outage
}

// NewReplies keeps replies in the Redis of client, which stays the caller's to close.
func NewReplies(client *redis.Client, log *slog.Logger) *Replies {
	return &Replies{client: client, redis: NewOutage(log, "replies kept")}
}

// Get answers nil, nil when there is nothing under key.
func (r *Replies) Get(ctx context.Context, key string) ([]byte, error) {
	var value []byte
	err := r.redis.Try(ctx, func(ctx context.Context) (err error) {
		value, err = r.client.Get(ctx, repliesPrefix+key).Bytes()
		return err
	})
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get a reply: %w", err)
	}
	return value, nil
}

// Put keeps value under key for ttl, and that it was made for owner, so that Forget finds it; "" is nobody.
func (r *Replies) Put(ctx context.Context, owner, key string, value []byte, ttl time.Duration) error {
	err := r.redis.Try(ctx, func(ctx context.Context) error {
		pipe := r.client.Pipeline()
		if owner != "" { // first: what is kept can be forgotten
			pipe.SAdd(ctx, ownedPrefix+owner, key)
			pipe.Expire(ctx, ownedPrefix+owner, ttl)
		}
		pipe.Set(ctx, repliesPrefix+key, value, ttl)
		_, err := pipe.Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep a reply: %w", err)
	}
	return nil
}

// Forget removes what was made for owner.
func (r *Replies) Forget(ctx context.Context, owner string) error {
	err := r.redis.Try(ctx, func(ctx context.Context) error {
		keys, err := r.client.SMembers(ctx, ownedPrefix+owner).Result()
		if err != nil {
			return err
		}
		doomed := []string{ownedPrefix + owner}
		for _, key := range keys {
			doomed = append(doomed, repliesPrefix+key)
		}
		return r.client.Del(ctx, doomed...).Err()
	})
	if err != nil {
		return fmt.Errorf("forget replies: %w", err)
	}
	return nil
}
