package cache

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// quickTimeout ends one command of those that only save work: waiting longer costs more than it saves.
	quickTimeout = time.Second
	// outagePause is how long Redis is left alone after it failed; everybody would wait for quickTimeout otherwise.
	outagePause = 2 * time.Second
)

// errOutage is the error of a command that was not sent because Redis has just failed.
var errOutage = errors.New("redis has just failed and is left alone for a moment")

// Outage knows whether Redis answers. It bounds commands in time, spares callers those that would fail, and logs the
// beginning and the end of an outage alone.
type Outage struct {
	log  *slog.Logger
	loss string // what is missing while Redis is down, for the log
	now  func() time.Time

	mu    sync.Mutex
	down  bool
	until time.Time
}

// NewOutage watches over commands whose loss is described, for the log, by loss.
func NewOutage(log *slog.Logger, loss string) *Outage {
	return &Outage{log: log, loss: loss, now: time.Now}
}

// Try runs commands. redis.Nil is an answer like any other; so is the end of the caller's own context, which says nothing
// about Redis.
func (o *Outage) Try(ctx context.Context, commands func(ctx context.Context) error) error {
	if o.paused() {
		return errOutage
	}
	inner, cancel := context.WithTimeout(ctx, quickTimeout)
	defer cancel()
	err := commands(inner)
	switch {
	case err == nil || errors.Is(err, redis.Nil):
		o.answered(ctx)
	case ctx.Err() == nil:
		o.failed(ctx, err)
	}
	return err
}

func (o *Outage) paused() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.down && o.now().Before(o.until)
}

func (o *Outage) answered(ctx context.Context) {
	o.mu.Lock()
	was := o.down
	o.down = false
	o.mu.Unlock()
	if was {
		o.log.InfoContext(ctx, "Redis answers again", "regained", o.loss)
	}
}

func (o *Outage) failed(ctx context.Context, err error) {
	o.mu.Lock()
	was := o.down
	o.down, o.until = true, o.now().Add(outagePause)
	o.mu.Unlock()
	if !was {
		o.log.WarnContext(ctx, "Redis does not answer", "lost", o.loss, "error", err)
	}
}
