package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// What the queries of one installation may take in Redis: 32 MB, whoever sends what.
const (
	maxQueries    = 1000
	maxQueryBytes = 32 << 10
	queryTTL      = 24 * time.Hour
)

// Queries keeps the texts of GraphQL queries under their hashes for a day: at most maxQueries of them, of which the oldest make
// room. While Redis is down there is nothing to be had and nothing is kept, as with Replies.
type Queries struct {
	client *redis.Client
	redis  *Outage
	prefix string // of all keys
	now    func() time.Time
}

// NewQueries keeps queries in the Redis of client, which stays the caller's to close, beside those of other installations.
func NewQueries(client *redis.Client, installation string, log *slog.Logger) *Queries {
	return &Queries{
		client: client, redis: NewOutage(log, "persisted queries"), prefix: "query:" + installation + ":", now: time.Now,
	}
}

// ages is the key of the sorted set of hashes, by when they were kept.
func (q *Queries) ages() string { return q.prefix + "ages" }

// Get answers "" when there is nothing under hash.
func (q *Queries) Get(ctx context.Context, hash string) (query string, err error) {
	err = q.redis.Try(ctx, func(ctx context.Context) (err error) {
		query, err = q.client.Get(ctx, q.prefix+hash).Result()
		return err
	})
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("get a query: %w", err)
	}
	return query, nil
}

// Put keeps query under hash. One of more than maxQueryBytes is not kept.
func (q *Queries) Put(ctx context.Context, hash, query string) error {
	if len(query) > maxQueryBytes {
		return nil
	}
	err := q.redis.Try(ctx, func(ctx context.Context) error {
		var surplus *redis.StringSliceCmd
		_, err := q.client.TxPipelined(ctx, func(tx redis.Pipeliner) error {
			tx.ZAdd(ctx, q.ages(), redis.Z{Score: float64(q.now().UnixMilli()), Member: hash})
			tx.Expire(ctx, q.ages(), queryTTL)
			tx.Set(ctx, q.prefix+hash, query, queryTTL)
			expired := q.now().Add(-queryTTL).UnixMilli()
			tx.ZRemRangeByScore(ctx, q.ages(), "-inf", strconv.FormatInt(expired, 10))
			surplus = tx.ZRange(ctx, q.ages(), 0, -maxQueries-1)
			return nil
		})
		if err != nil || len(surplus.Val()) == 0 {
			return err
		}
		return q.remove(ctx, surplus.Val())
	})
	if err != nil {
		return fmt.Errorf("keep a query: %w", err)
	}
	return nil
}

func (q *Queries) remove(ctx context.Context, hashes []string) error {
	_, err := q.client.TxPipelined(ctx, func(tx redis.Pipeliner) error {
		for _, hash := range hashes {
			tx.Del(ctx, q.prefix+hash)
			tx.ZRem(ctx, q.ages(), hash)
		}
		return nil
	})
	return err
}
