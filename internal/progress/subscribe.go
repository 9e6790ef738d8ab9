package progress

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// Subscribe delivers the events of the user's invoices until ctx ends, the listener falls 64 events behind, or the hub
// stops; then the channel is closed. It returns when Redis has confirmed, so that no later event is missed; when Redis does
// not within two seconds, or is known to be away, it returns all the same and delivery begins as soon as Redis is back.
// The error is ctx's, when it ends meanwhile.
func (h *Hub) Subscribe(ctx context.Context, userID string) (<-chan invoice.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l := &listener{userID: userID, ch: make(chan invoice.Event, listenerBuffer)}
	ready, wait := h.add(l)
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.remove(l)
	})
	if !wait {
		return l.ch, nil
	}
	timer := time.NewTimer(h.confirm)
	defer timer.Stop()
	select {
	case <-ready:
	case <-timer.C:
	case <-h.quit:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return l.ch, nil
}

// add puts the listener into its topic. wait says whether there is a confirmation to wait for.
func (h *Hub) add(l *listener) (ready <-chan struct{}, wait bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.open {
		close(l.ch)
		return nil, false
	}
	t, ok := h.topics[l.userID]
	if !ok {
		t = &topic{listeners: map[*listener]struct{}{}, ready: make(chan struct{})}
		h.topics[l.userID] = t
		h.signal()
	}
	t.listeners[l] = struct{}{}
	return t.ready, !h.down
}

// remove takes the listener out and closes its channel, if it is still there. h.mu is held.
func (h *Hub) remove(l *listener) {
	t, ok := h.topics[l.userID]
	if !ok {
		return
	}
	if _, ok := t.listeners[l]; !ok {
		return
	}
	delete(t.listeners, l)
	close(l.ch)
	if len(t.listeners) == 0 {
		delete(h.topics, l.userID)
		h.signal()
	}
}

// signal says that the wanted channels have changed.
func (h *Hub) signal() {
	select {
	case h.wake <- struct{}{}:
	default: // somebody has said so already
	}
}

// deliver hands a message to the listeners of its channel's user. One that is full is dropped: a slow reader must not hold
// up the others.
func (h *Hub) deliver(ctx context.Context, channel, payload string) {
	userID := strings.TrimPrefix(channel, channelPrefix)
	var e invoice.Event
	if err := json.Unmarshal([]byte(payload), &e); err != nil || e.UserID != userID {
		// Never logged in full: it is not known what it is.
		if h.malformed.Add(1) == 1 {
			h.log.WarnContext(ctx, "a message on the events channel is not an event of its user; more are counted only")
		}
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t, ok := h.topics[userID]
	if !ok {
		return
	}
	for l := range t.listeners {
		select {
		case l.ch <- e:
			h.delivered.Add(1)
		default:
			h.dropped.Add(1)
			h.remove(l)
		}
	}
}
