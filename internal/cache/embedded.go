package cache

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// embeddedTick is how often keys of the embedded server may expire; a TTL is late by no more than this. Its own way to
// follow the clock, ClockTTL, goes through all keys with every command.
const embeddedTick = 250 * time.Millisecond

// Embedded is a Redis server inside the process, for where none is configured. It listens on loopback with a random
// password, keeps everything in memory, and forgets it when it stops.
type Embedded struct {
	clock func() time.Time
	ticks func() (<-chan time.Time, func())

	mu      sync.Mutex
	server  *miniredis.Miniredis
	url     string
	stop    chan struct{}
	stopped chan struct{} // closed when the clock has stopped
}

// NewEmbedded makes a server that does not run yet.
func NewEmbedded() *Embedded {
	return &Embedded{
		clock: time.Now,
		ticks: func() (<-chan time.Time, func()) {
			t := time.NewTicker(embeddedTick)
			return t.C, t.Stop
		},
	}
}

// Start returns when the server takes connections. Starting a running server does nothing; a stopped one starts empty, at
// another address.
func (e *Embedded) Start(_ context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.server != nil {
		return nil
	}
	password := rand.Text()
	server := miniredis.NewMiniRedis()
	server.RequireAuth(password) // before it listens
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return fmt.Errorf("start the embedded Redis: %w", err)
	}
	e.server = server
	e.url = "redis://:" + password + "@" + server.Addr() + "/0"
	e.stop, e.stopped = make(chan struct{}), make(chan struct{})
	go e.runClock(server, e.stop, e.stopped)
	return nil
}

// runClock moves the server's time, which would stand still: keys would never expire.
func (e *Embedded) runClock(server *miniredis.Miniredis, stop <-chan struct{}, stopped chan<- struct{}) {
	defer close(stopped)
	ticks, stopTicks := e.ticks()
	defer stopTicks()
	last := e.clock()
	for {
		select {
		case <-stop:
			return
		case <-ticks:
			now := e.clock()
			if passed := now.Sub(last); passed > 0 { // a late tick is made up for
				server.FastForward(passed)
			}
			last = now
		}
	}
}

// URL is what to Connect to, its password included; "" when the server does not run.
func (e *Embedded) URL() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.url
}

// Stop returns when the server is gone, or with ctx's error when clients still hold it; it ends all the same. Stopping a
// server that does not run does nothing.
func (e *Embedded) Stop(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.server == nil {
		return nil
	}
	server, stopped := e.server, e.stopped
	close(e.stop)
	e.server, e.url = nil, ""
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Close()
		<-stopped
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("stop the embedded Redis"), ctx.Err())
	}
}
