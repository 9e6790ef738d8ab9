package invoice

import (
	"context"
	"time"
)

// What a subscriber is served with.
const (
	// resync is how often a watcher looks into the store when nothing was published: it bounds how late an event can be when
	// the publisher lost it.
	resync = 3 * time.Second
	// replay is how many stored events are read at once.
	replay = 200
)

// Watch delivers the events of one invoice. Without afterSeq the newest event comes first, as a snapshot; with it, every
// stored event after that number. Then come the others as they happen, in order and without gaps. The channel is closed
// after an event that ends the extraction and the analysis that may follow it, when ctx ends, or when the listener is too slow; it can then resume with
// afterSeq. A NOT_FOUND *Error when the invoice is not userID's.
func (s *Service) Watch(ctx context.Context, userID, id string, afterSeq *int) (<-chan Event, error) {
	ctx, stop := context.WithCancel(ctx)
	live, err := s.Subscriber.Subscribe(ctx, userID) // before the first look, so that nothing falls between
	if err != nil {
		stop()
		return nil, err
	}
	last, err := s.Store.LastEvent(ctx, userID, id)
	if err != nil {
		stop()
		return nil, err
	}
	w := watcher{store: s.Store, id: id, out: make(chan Event), seq: last.Seq - 1}
	if afterSeq != nil {
		w.seq = max(0, min(*afterSeq, last.Seq))
	}
	go func() {
		defer stop()
		defer close(w.out)
		if err := w.run(ctx, live, last); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "watch invoice", "invoice_id", id, "error", err)
		}
	}()
	return w.out, nil
}

// WatchAll delivers the events of all the user's invoices from now on, as they are published.
func (s *Service) WatchAll(ctx context.Context, userID string) (<-chan Event, error) {
	return s.Subscriber.Subscribe(ctx, userID)
}

// watcher delivers one invoice's events to one listener.
type watcher struct {
	store Store
	id    string
	out   chan Event
	seq   int // of the last event delivered
}

func (w *watcher) run(ctx context.Context, live <-chan Event, last Event) error {
	done, err := w.catchUp(ctx)
	if err != nil || done || (last.Final() && w.seq >= last.Seq) {
		return err
	}
	tick := time.NewTicker(resync)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			done, err = w.catchUp(ctx)
		case e, ok := <-live:
			switch {
			case !ok:
				return nil // too slow, or the service stops
			case e.InvoiceID != w.id || e.Seq <= w.seq:
				continue
			case e.Seq == w.seq+1:
				done, err = w.deliver(ctx, e)
			default: // one was lost on the way
				done, err = w.catchUp(ctx)
			}
		}
		if err != nil || done {
			return err
		}
	}
}

// catchUp delivers what is stored beyond the last event delivered.
func (w *watcher) catchUp(ctx context.Context) (done bool, err error) {
	for {
		events, err := w.store.Events(ctx, w.id, w.seq, replay)
		if err != nil {
			return false, err
		}
		for i, e := range events {
			// An end that is not the newest event was followed by a retry: the listener is not done.
			if done, err = w.deliver(ctx, e); err != nil || (done && i == len(events)-1 && len(events) < replay) {
				return done, err
			}
		}
		if len(events) < replay {
			return false, nil
		}
	}
}

func (w *watcher) deliver(ctx context.Context, e Event) (done bool, err error) {
	select {
	case w.out <- e:
		w.seq = e.Seq
		return e.Final(), nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}
