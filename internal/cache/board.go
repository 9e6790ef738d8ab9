package cache

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	boardIndex = "board"  // the set of the names
	boardEntry = "board:" // and the name: the entry
	// boardTTL is the life of an entry that is not renewed.
	boardTTL = 15 * time.Second
)

// Board is where processes show something to each other. An entry that its process does not renew for 15 s goes away.
type Board struct {
	client *redis.Client
	redis  *Outage
}

// NewBoard keeps entries in the Redis of client, which stays the caller's to close.
func NewBoard(client *redis.Client, log *slog.Logger) *Board {
	return &Board{client: client, redis: NewOutage(log, "what processes show to each other")}
}

// Put shows a value under a name.
func (b *Board) Put(ctx context.Context, name string, value []byte) error {
	err := b.redis.Try(ctx, func(ctx context.Context) error {
		pipe := b.client.Pipeline()
		pipe.SAdd(ctx, boardIndex, name)
		pipe.Set(ctx, boardEntry+name, value, boardTTL)
		_, err := pipe.Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("show %s: %w", name, err)
	}
	return nil
}

// Remove takes an entry away.
func (b *Board) Remove(ctx context.Context, name string) error {
	err := b.redis.Try(ctx, func(ctx context.Context) error {
		pipe := b.client.Pipeline()
		pipe.SRem(ctx, boardIndex, name)
		pipe.Del(ctx, boardEntry+name)
		_, err := pipe.Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("take %s away: %w", name, err)
	}
	return nil
}

// All is the entries by their names.
func (b *Board) All(ctx context.Context) (map[string][]byte, error) {
	all := map[string][]byte{}
	err := b.redis.Try(ctx, func(ctx context.Context) error {
		names, err := b.client.SMembers(ctx, boardIndex).Result()
		if err != nil || len(names) == 0 {
			return err
		}
		keys := make([]string, len(names))
		for i, name := range names {
			keys[i] = boardEntry + name
		}
		values, err := b.client.MGet(ctx, keys...).Result()
		if err != nil {
			return err
		}
		var gone []any
		for i, v := range values {
			if text, ok := v.(string); ok {
				all[names[i]] = []byte(text)
			} else {
				gone = append(gone, names[i])
			}
		}
		if len(gone) > 0 { // one that is shown again this moment is back with its next Put
			return b.client.SRem(ctx, boardIndex, gone...).Err()
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look at what processes show: %w", err)
	}
	return all, nil
}
