package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// How long Redis gets. It is a cache: waiting for it longer than for the work it saves makes no sense.
const (
	dialTimeout    = 2 * time.Second
	commandTimeout = 2 * time.Second
	pingTimeout    = time.Second
	maxRetries     = 1
)

// Connect makes the client of a redis://, rediss:// or unix:// address. A server that does not answer yet is no error: the
// client connects as soon as it is there, and its commands fail until then; it is logged. The error of a malformed address
// does not repeat it, for it holds the password. Whoever connects closes the client.
func Connect(ctx context.Context, redisURL string, log *slog.Logger) (*redis.Client, error) {
	opts, err := redis.ParseURL(redisURL)
	if err != nil {
		return nil, errors.New("the address of Redis must look like redis://:password@host:6379/0")
	}
	opts.DialTimeout = dialTimeout
	opts.DialerRetries = 1 // the default of 5 makes each command wait half a second while Redis is down
	opts.ReadTimeout = commandTimeout
	opts.WriteTimeout = commandTimeout
	opts.MaxRetries = maxRetries
	opts.ContextTimeoutEnabled = true // without it, a context's deadline is ignored once connected
	// For servers of one vendor; elsewhere it costs a failed command per connection.
	opts.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	client := redis.NewClient(opts)
	if err := Ping(ctx, client); err != nil {
		log.WarnContext(ctx, "Redis does not answer yet", "addr", opts.Addr, "error", err)
	}
	return client, nil
}

// Ping says within a second whether Redis answers: for readiness.
func Ping(ctx context.Context, client *redis.Client) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if err := client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ping Redis: %w", err)
	}
	return nil
}
