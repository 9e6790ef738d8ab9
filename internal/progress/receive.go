package progress

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// link is one connection in subscriber mode, and what was said over it. go-redis reconnects by itself, but what it confirms
// then cannot be told from what was asked before; a link never outlives its connection, and Redis answers in order, so
// counting is enough.
type link struct {
	pubsub *redis.PubSub
	heard  atomic.Int64 // answers and messages

	// Guarded by Hub.mu.
	subscribed map[string]struct{} // users asked for and not given up
	asked      int                 // channels named in SUBSCRIBE so far
	confirmed  int                 // confirmations of them so far
}

// receive keeps a link open until the hub stops.
func (h *Hub) receive(ctx context.Context) {
	defer close(h.receiver)
	backoff := minBackoff
	for ctx.Err() == nil {
		worked, err := h.runLink(ctx)
		if ctx.Err() != nil {
			return
		}
		h.lose(ctx, err)
		if worked {
			backoff = minBackoff
		}
		timer := time.NewTimer(backoff)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
		backoff = min(2*backoff, h.backoffMost)
	}
}

// lose marks every topic as unconfirmed, and logs the first failure of a row.
func (h *Hub) lose(ctx context.Context, err error) {
	h.mu.Lock()
	wasDown := h.down
	h.down, h.link = true, nil
	for _, t := range h.topics {
		if !t.live {
			close(t.ready) // whoever waits for a confirmation is let go
		}
		t.live, t.asked, t.ready = false, 0, make(chan struct{})
	}
	h.mu.Unlock()
	if !wasDown {
		h.log.WarnContext(ctx, "live events are not received: the connection to Redis is lost", "error", err)
	}
}

// runLink connects, subscribes to what is wanted and delivers until the connection breaks or ctx ends. worked says whether
// Redis ever answered.
func (h *Hub) runLink(ctx context.Context) (worked bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	l := &link{pubsub: h.client.Subscribe(ctx), subscribed: map[string]struct{}{}}
	var asking sync.WaitGroup
	defer func() {
		cancel()
		asking.Wait()
	}()
	// Closing is what ends a read; the library's own Close waits for nothing but a dial, which ends with ctx.
	context.AfterFunc(ctx, func() { _ = l.pubsub.Close() })

	// Answered at once also when nobody listens: proves that the connection stands.
	if err := h.connect(ctx, l); err != nil {
		return false, err
	}
	for {
		// Without a deadline, which could strike in the middle of a message; ask watches over a connection gone silent.
		message, err := l.pubsub.Receive(ctx)
		if err != nil {
			return worked, err
		}
		l.heard.Add(1)
		if !worked {
			worked = true
			h.gain(ctx, l)
			asking.Go(func() { h.ask(ctx, cancel, l) })
		}
		switch m := message.(type) {
		case *redis.Subscription:
			h.confirmOne(l, m)
		case *redis.Message:
			h.deliver(ctx, m.Channel, m.Payload)
		}
	}
}

// connect opens the connection within a deadline of its own: a cancelled context alone does not end a handshake.
func (h *Hub) connect(ctx context.Context, l *link) error {
	ctx, cancel := context.WithTimeout(ctx, h.connectTimeout)
	defer cancel()
	return l.pubsub.Ping(ctx)
}

// gain makes l the link of the hub.
func (h *Hub) gain(ctx context.Context, l *link) {
	h.mu.Lock()
	wasDown := h.down
	h.down, h.link = false, l
	h.mu.Unlock()
	h.signal()
	if wasDown {
		h.log.InfoContext(ctx, "live events are received again")
	}
}

// ask keeps the subscriptions of the link equal to what is wanted, and ends the link when Redis has not answered a ping
// by the time of the next. It is apart from the reading, which the answers need. When a write fails the read fails too.
func (h *Hub) ask(ctx context.Context, end context.CancelFunc, l *link) {
	check := time.NewTicker(h.idle)
	defer check.Stop()
	heard := int64(-1)
	for {
		select {
		case <-ctx.Done():
			return
		case <-check.C:
			now := l.heard.Load()
			if now == heard || l.pubsub.Ping(ctx) != nil {
				end()
				return
			}
			heard = now
		case <-h.wake:
			more, less := h.changes(l)
			if len(less) > 0 && l.pubsub.Unsubscribe(ctx, less...) != nil {
				return
			}
			// In the order in which changes counted them.
			if len(more) > 0 && l.pubsub.Subscribe(ctx, more...) != nil {
				return
			}
		}
	}
}

// changes is what the link has to subscribe to and to give up, marked as done.
func (h *Hub) changes(l *link) (more, less []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for userID := range l.subscribed {
		if _, ok := h.topics[userID]; !ok {
			delete(l.subscribed, userID)
			less = append(less, channelPrefix+userID)
		}
	}
	for userID, t := range h.topics {
		if t.asked > 0 {
			continue
		}
		// Also when it is subscribed already, its last listener having left and another come before the link was told: the
		// confirmation may still be on its way, and asking again gives one to wait for.
		l.subscribed[userID] = struct{}{}
		l.asked++
		t.asked = l.asked
		more = append(more, channelPrefix+userID)
	}
	return more, less
}

// confirmOne takes note of an answer to SUBSCRIBE.
func (h *Hub) confirmOne(l *link, m *redis.Subscription) {
	if m.Kind != "subscribe" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	l.confirmed++
	// An answer to an earlier SUBSCRIBE, given up since, counts for nothing.
	t, ok := h.topics[strings.TrimPrefix(m.Channel, channelPrefix)]
	if ok && !t.live && t.asked > 0 && t.asked <= l.confirmed && h.link == l {
		t.live = true
		close(t.ready)
	}
}
