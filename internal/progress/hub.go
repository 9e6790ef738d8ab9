package progress

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

const (
	// channelPrefix and the user's id make the Redis channel of a user's events.
	channelPrefix = "smarket:events:"

	queueSize      = 1024 // events that wait for Redis; beyond it they are dropped
	batchSize      = 64   // events sent in one round trip at most
	listenerBuffer = 64   // events a listener may be behind; beyond it it is dropped

	sendTimeout    = 2 * time.Second        // of one batch
	connectTimeout = 2 * time.Second        // of the subscribers' connection
	confirmTimeout = 2 * time.Second        // what Subscribe waits for Redis to confirm
	flushTimeout   = time.Second            // what Stop gives the events still queued
	idleCheck      = 10 * time.Second       // silence after which the connection is asked whether it lives
	minBackoff     = 100 * time.Millisecond // between two tries to connect
	maxBackoff     = 2 * time.Second
)

// Hub publishes events to Redis and delivers those of others to its subscribers, all over one connection of its own beside
// the client's pool. While Redis is away it loses events and fails nobody.
type Hub struct {
	client *redis.Client
	log    *slog.Logger
	queue  chan outgoing

	// What tests shorten.
	idle, confirm, sendTimeout, connectTimeout, backoffMost time.Duration

	wake chan struct{} // of capacity 1: the wanted channels have changed

	published, lost, delivered, dropped, malformed atomic.Int64

	life     sync.Mutex // guards Start and Stop against each other, and the fields below
	started  bool
	finished bool
	cancel   context.CancelFunc
	quit     chan struct{} // closed by Stop: the sender sends what is queued and ends
	sender   chan struct{} // closed when the sender has ended
	receiver chan struct{} // closed when the receiver has ended

	mu     sync.Mutex // guards what follows; nothing blocks while it is held
	open   bool       // between Start and Stop
	down   bool       // the connection was lost and has not come back
	topics map[string]*topic
	link   *link // the connection now; nil when there is none
}

var (
	_ invoice.Publisher  = (*Hub)(nil)
	_ invoice.Subscriber = (*Hub)(nil)
)

// topic is one user with listeners in this process.
type topic struct {
	listeners map[*listener]struct{}
	// ready is closed when Redis has confirmed the subscription, or the connection on which it was to is lost.
	ready chan struct{}
	live  bool // confirmed on the connection that is open now
	// asked is the position of this topic's SUBSCRIBE among all that its link has sent; 0 when none was.
	asked int
}

type listener struct {
	userID string
	ch     chan invoice.Event // closed under Hub.mu, by whoever takes the listener out of its topic
}

// outgoing is an event on its way to Redis.
type outgoing struct {
	channel string
	payload []byte
}

// Stats counts since the hub was made.
type Stats struct {
	Published int64 // handed to Redis
	Lost      int64 // not handed to Redis: it was away, or the queue was full
	Delivered int64 // handed to listeners
	Dropped   int64 // listeners that fell too far behind
	Malformed int64 // messages that were no events
	Listeners int   // now
	Users     int   // now: those with listeners, each one subscription in Redis
}

// NewHub makes a hub that does not run yet. The client stays the caller's, who closes it after Stop.
func NewHub(client *redis.Client, log *slog.Logger) *Hub {
	return &Hub{
		client: client, log: log,
		queue: make(chan outgoing, queueSize),
		idle:  idleCheck, confirm: confirmTimeout, sendTimeout: sendTimeout, connectTimeout: connectTimeout, backoffMost: maxBackoff,
		wake: make(chan struct{}, 1), quit: make(chan struct{}), sender: make(chan struct{}), receiver: make(chan struct{}),
		topics: map[string]*topic{},
	}
}

// Start returns at once; the connection is made behind it and made again whenever it breaks. Starting twice does nothing,
// and a hub that was stopped does not start again.
func (h *Hub) Start(ctx context.Context) error {
	h.life.Lock()
	defer h.life.Unlock()
	if h.finished {
		return errors.New("start the progress hub: it was stopped")
	}
	if h.started {
		return nil
	}
	h.started = true
	h.mu.Lock()
	h.open = true
	h.mu.Unlock()
	// It runs until Stop, not until whoever starts it is done.
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	h.cancel = cancel
	go h.send(run)
	go h.receive(run)
	return nil
}

// Stop sends what is queued, for a second at most, closes every listener's channel and returns when nothing of the hub runs
// any more, or with ctx's error. Stopping twice, or before Start, does no harm.
func (h *Hub) Stop(ctx context.Context) error {
	h.life.Lock()
	defer h.life.Unlock()
	first := !h.finished
	h.finished = true
	if !h.started {
		return nil
	}
	if first {
		h.closeListeners()
		close(h.quit)
	}
	for _, ended := range []<-chan struct{}{h.sender, h.receiver} {
		select {
		case <-ended:
		case <-ctx.Done():
			h.cancel()
			return errors.Join(errors.New("stop the progress hub"), ctx.Err())
		}
		h.cancel() // the sender has had its time; the receiver only waits for this
	}
	return nil
}

func (h *Hub) closeListeners() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open = false
	for _, t := range h.topics {
		for l := range t.listeners {
			h.remove(l)
		}
	}
}

// Stats is what the hub has done so far.
func (h *Hub) Stats() Stats {
	s := Stats{
		Published: h.published.Load(), Lost: h.lost.Load(), Delivered: h.delivered.Load(),
		Dropped: h.dropped.Load(), Malformed: h.malformed.Load(),
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s.Users = len(h.topics)
	for _, t := range h.topics {
		s.Listeners += len(t.listeners)
	}
	return s
}

// Publish queues the event and returns at once. It is lost when the queue is full, when Redis is away and outside of Start
// and Stop. The context is not used: the event was stored, whatever becomes of the request.
func (h *Hub) Publish(_ context.Context, e invoice.Event) {
	payload, err := json.Marshal(e)
	if err != nil { // nothing in an Event fails to encode but a year beyond 9999
		h.lost.Add(1)
		return
	}
	select {
	case h.queue <- outgoing{channelPrefix + e.UserID, payload}:
	default:
		h.lost.Add(1)
	}
}
