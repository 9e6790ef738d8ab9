package progress

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// send hands queued events to Redis, in their order, until Stop. One goroutine does it, so that Publish never waits.
func (h *Hub) send(ctx context.Context) {
	defer close(h.sender)
	outage := false
	for {
		select {
		case first := <-h.queue:
			outage = h.sendBatch(ctx, first, outage)
		case <-h.quit:
			if !outage {
				h.flush(ctx)
			}
			return
		}
	}
}

// flush sends what was queued when Stop came.
func (h *Hub) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	for outage := false; !outage; {
		select {
		case first := <-h.queue:
			outage = h.sendBatch(ctx, first, outage)
		default:
			return
		}
	}
}

// sendBatch sends one event and what waits behind it. It says whether there is an outage, and logs its beginning and its
// end alone.
func (h *Hub) sendBatch(ctx context.Context, first outgoing, outage bool) bool {
	ctx, cancel := context.WithTimeout(ctx, h.sendTimeout)
	defer cancel()
	sent := int64(0)
	_, err := h.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for next, more := first, true; more; {
			p.Publish(ctx, next.channel, next.payload)
			if sent++; sent == batchSize {
				break
			}
			select {
			case next = <-h.queue:
			default:
				more = false
			}
		}
		return nil
	})
	if err != nil {
		h.lost.Add(sent)
		if !outage {
			h.log.WarnContext(ctx, "live events are being lost: Redis does not take them", "error", err)
		}
		return true
	}
	h.published.Add(sent)
	if outage {
		h.log.InfoContext(ctx, "live events flow again", "lost_since_start", h.lost.Load())
	}
	return false
}
