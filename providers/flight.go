package providers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Flights lets one of several processes lead where all want the same. Implemented by internal/cache.
type Flights interface {
	// Lead returns a function when the caller leads key: it does the work and calls end once, also when the work failed. The
	// lead is renewed until then, and lost soon after the process dies.
	//
	// While another leads, Lead waits. It returns that one's outcome, or takes the lead when it left none. An error that is
	// not ctx's means that nothing is known of others: the caller goes on alone.
	Lead(ctx context.Context, key string) (end End, outcome []byte, err error)
}

// End gives up a lead. outcome goes to those who wait; with nil one of them leads next. From a leader that lost the lead to
// another it changes nothing.
type End = func(ctx context.Context, outcome []byte)

// oneFlight has equal requests, those of one lane, answered by the work of one of them, in this process and, by Flights, in
// others.
//
// The work belongs to all who wait for it: a client that leaves goes at once, whoever began the work too, and the work ends
// when all have left. Failures are shared as answers are, for they say that the document cannot be read or that no provider
// answers now, and to ask the same providers for the same pages once more for each of twenty clients would not help; the
// queue tries again later. What is private (a spent budget) is not: one of the others then does the work.
func (c *Chain) oneFlight(lane string, next work) work {
	across := c.acrossProcesses(lane, next)
	return func(ctx context.Context, observe func(invoice.Progress)) result {
		for {
			res, own := c.flights.join(ctx, c.config.Log, lane, across, observe)
			switch {
			case own:
				return res
			case res.private && ctx.Err() == nil:
				continue
			}
			res.attempts = nil // they are listed where the work was begun
			if res.from == fromProvider {
				res.from = fromOther
			}
			return res
		}
	}
}

// acrossProcesses leads, or waits for another process that does.
func (c *Chain) acrossProcesses(lane string, next work) work {
	if c.config.Flights == nil {
		return next
	}
	return func(ctx context.Context, observe func(invoice.Progress)) result {
		end, packed, err := c.config.Flights.Lead(ctx, lane)
		switch {
		case err != nil && ctx.Err() != nil:
			return outOfTime(ctx)
		case err != nil: // logged where the outage is known
			return next(ctx, observe)
		case end == nil:
			if res, err := c.unpackOutcome(packed); err == nil {
				return res
			}
			return next(ctx, observe) // another version of the program, it seems
		}
		var outcome []byte
		defer func() { end(context.WithoutCancel(ctx), outcome) }() // after a panic too
		res := next(ctx, observe)
		// What was given up half way, because all clients have left, is nobody else's outcome.
		if res.from == fromCache || !res.private && (res.keep || !errors.Is(ctx.Err(), context.Canceled)) {
			outcome = c.packOutcome(res)
		}
		return res
	}
}

// outOfTime is the result of a request whose context ended while others did its work.
func outOfTime(ctx context.Context) result {
	return result{private: true, err: &invoice.ExtractionError{
		Code: invoice.CodeUnavailable, Cause: fmt.Errorf("waiting for an equal request: %w", ctx.Err()),
	}}
}

// outcome is a result on its way to another process.
type outcome struct {
	Value      []byte
	Code       invoice.Code // "" beside Value
	Message    string
	Permanent  bool
	RetryAfter time.Duration
	Cause      string
}

// packOutcome is nil for what cannot be told others.
func (c *Chain) packOutcome(res result) []byte {
	o := outcome{Value: res.value}
	if res.err != nil {
		e, ok := errors.AsType[*invoice.ExtractionError](res.err)
		if !ok {
			return nil
		}
		o = outcome{Code: e.Code, Message: e.Message, Permanent: e.Permanent, RetryAfter: e.RetryAfter}
		if e.Cause != nil {
			o.Cause = e.Cause.Error()
		}
	}
	b, err := json.Marshal(o)
	if err != nil {
		return nil
	}
	return c.codec.pack(b)
}

func (c *Chain) unpackOutcome(packed []byte) (result, error) {
	b, err := c.codec.unpack(packed)
	if err != nil {
		return result{}, err
	}
	var o outcome
	if err := json.Unmarshal(b, &o); err != nil {
		return result{}, fmt.Errorf("outcome: %w", err)
	}
	if o.Code == "" {
		return result{value: o.Value, from: fromOther}, nil
	}
	return result{err: &invoice.ExtractionError{
		Code: o.Code, Message: o.Message, Permanent: o.Permanent, RetryAfter: o.RetryAfter,
		Cause: fmt.Errorf("in another process: %s", o.Cause),
	}}, nil
}

// flights is the work under way in this process.
type flights struct {
	mu   sync.Mutex
	open map[string]*flight // by lane
}

// flight is one work and those who wait for it.
type flight struct {
	done     chan struct{} // closed when res is set
	res      result
	deadline time.Time
	cancel   context.CancelFunc

	// Guarded by flights.mu.
	progress *invoice.Progress // the latest
	seats    map[*seat]struct{}
}

// seat is one who waits.
type seat struct {
	news chan struct{} // holds one signal while there is progress to show

	progress invoice.Progress // guarded by flights.mu
}

// join waits for the work of the lane, which it begins when nobody has: own says so. observe is called by join alone, so that
// one slow listener holds up neither the work nor other listeners; it misses what came in between.
func (fs *flights) join(
	ctx context.Context, log *slog.Logger, lane string, do work, observe func(invoice.Progress),
) (res result, own bool) {
	s := &seat{news: make(chan struct{}, 1)}
	fs.mu.Lock()
	f := fs.open[lane]
	if f == nil {
		own = true
		f = fs.begin(ctx, log, lane, do)
	}
	f.seats[s] = struct{}{}
	if f.progress != nil {
		s.show(*f.progress)
	}
	fs.mu.Unlock()

	for {
		select {
		case <-s.news:
			observe(fs.shown(s))
		case <-f.done:
			select {
			case <-s.news:
				observe(fs.shown(s))
			default:
			}
			return f.res, own
		case <-ctx.Done():
			if !fs.leave(lane, f, s) {
				return outOfTime(ctx), own
			}
			<-f.done // the calls that were made are accounted for, and reported
			return f.res, own
		}
	}
}

// begin starts the work of a lane. It outlives ctx, but not its deadline. fs.mu is held.
func (fs *flights) begin(ctx context.Context, log *slog.Logger, lane string, do work) *flight {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(time.Hour) // every request has one
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	f := &flight{done: make(chan struct{}), deadline: deadline, cancel: cancel, seats: map[*seat]struct{}{}}
	if fs.open == nil {
		fs.open = map[string]*flight{}
	}
	fs.open[lane] = f
	go func() {
		defer cancel()
		f.res = guarded(ctx, log, do, func(p invoice.Progress) { fs.tell(f, p) })
		fs.mu.Lock()
		fs.close(lane, f)
		fs.mu.Unlock()
		close(f.done)
	}()
	return f
}

// close lets the next request of the lane begin anew. fs.mu is held.
func (fs *flights) close(lane string, f *flight) {
	if fs.open[lane] == f {
		delete(fs.open, lane)
	}
}

// guarded makes an error of a panic, which would end the process: it is no goroutine of the caller's that does the work.
func guarded(ctx context.Context, log *slog.Logger, do work, observe func(invoice.Progress)) (res result) {
	defer func() {
		if p := recover(); p != nil {
			log.ErrorContext(ctx, "panic while asking providers", "panic_type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			res = result{err: &invoice.ExtractionError{
				Code:  invoice.CodeInternal,
				Cause: &sdk.Error{Kind: sdk.KindInternal, Blame: sdk.BlameHost, Message: "panic while asking providers"},
			}}
		}
	}()
	return do(ctx, observe)
}

// leave gives up a seat and says whether it was the last: the work is then told to end.
func (fs *flights) leave(lane string, f *flight, s *seat) (last bool) {
	fs.mu.Lock()
	delete(f.seats, s)
	last = len(f.seats) == 0
	if last {
		fs.close(lane, f)
	}
	fs.mu.Unlock()
	if last && time.Now().Before(f.deadline) { // otherwise it ends by itself, and for what it is: out of time
		f.cancel()
	}
	return last
}

func (fs *flights) tell(f *flight, p invoice.Progress) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f.progress = &p
	for s := range f.seats {
		s.show(p)
	}
}

func (fs *flights) shown(s *seat) invoice.Progress {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return s.progress
}

// show never blocks. flights.mu is held.
func (s *seat) show(p invoice.Progress) {
	s.progress = p
	select {
	case s.news <- struct{}{}:
	default:
	}
}
