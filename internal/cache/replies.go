package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

// Where Replies has its keys: the replies, for each owner the set of those that were made for them, and for each owner who was
// forgotten a mark that says so.
const (
	repliesPrefix   = "reply:"
	ownedPrefix     = "replies-of:"
	forgottenPrefix = "forgotten:"
)

// forgottenFor is how long nothing is kept for an owner who was forgotten: a reply that was under way then comes within minutes.
const forgottenFor = 24 * time.Hour

// forgottenKey names nobody: an id has more randomness than can be tried.
func forgottenKey(owner string) string {
	sum := sha256.Sum256([]byte(owner))
	return forgottenPrefix + hex.EncodeToString(sum[:])
}

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

// Put keeps value under key for ttl, and that it was made for owner, so that Forget finds it; "" is nobody. Nothing is kept for an
// owner who was forgotten.
func (r *Replies) Put(ctx context.Context, owner, key string, value []byte, ttl time.Duration) error {
	err := r.redis.Try(ctx, func(ctx context.Context) error {
		if owner == "" {
			return r.client.Set(ctx, repliesPrefix+key, value, ttl).Err()
		}
		pipe := r.client.Pipeline()
		pipe.SAdd(ctx, ownedPrefix+owner, key) // first: what is kept can be forgotten
		pipe.Expire(ctx, ownedPrefix+owner, ttl)
		pipe.Set(ctx, repliesPrefix+key, value, ttl)
		forgotten := pipe.Exists(ctx, forgottenKey(owner)) // last: a Forget that came before this has not seen the key, a later one has
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		if forgotten.Val() > 0 {
			return r.client.Del(ctx, repliesPrefix+key, ownedPrefix+owner).Err()
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep a reply: %w", err)
	}
	return nil
}

// Forget removes what was made for owner, and sees to it that no more is kept.
func (r *Replies) Forget(ctx context.Context, owner string) error {
	err := r.redis.Try(ctx, func(ctx context.Context) error {
		if err := r.client.Set(ctx, forgottenKey(owner), 1, forgottenFor).Err(); err != nil {
			return err
		}
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
