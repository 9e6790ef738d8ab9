package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// repliesPrefix is where Replies has its keys.
const repliesPrefix = "reply:"

// Replies keeps what providers have answered, as bytes, for a time. While Redis is down there is nothing to be had and nothing
// is kept: each call then fails at once or within a second, and the outage is logged once.
type Replies struct {
	client *redis.Client
	redis  *outage
}

// NewReplies keeps replies in the Redis of client, which stays the caller's to close.
func NewReplies(client *redis.Client, log *slog.Logger) *Replies {
	return &Replies{client: client, redis: newOutage(log, "replies kept")}
}

// Get answers nil, nil when there is nothing under key.
func (r *Replies) Get(ctx context.Context, key string) ([]byte, error) {
	var value []byte
	err := r.redis.try(ctx, func(ctx context.Context) (err error) {
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

// Put keeps value under key for ttl.
func (r *Replies) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	err := r.redis.try(ctx, func(ctx context.Context) error {
		return r.client.Set(ctx, repliesPrefix+key, value, ttl).Err()
	})
	if err != nil {
		return fmt.Errorf("keep a reply: %w", err)
	}
	return nil
}
