package graph

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// serveEvents answers any operation as server-sent events, in the distinct connections mode of graphql-sse: a "next" event per
// response and a "complete" one at the end.
func (h *Handler) serveEvents(w http.ResponseWriter, r *http.Request, params *graphql.RawParams) {
	ctx, op, failed := h.prepare(r.Context(), params)
	if failed == nil {
		if err := methodError(w, r, op); err != nil {
			h.refuse(w, r, 0, err)
			return
		}
	}
	h.streamEvents(ctx, w, r, op, failed)
}

// streamEvents executes what prepare has prepared, ctx is the operation's, or tells why that failed.
func (h *Handler) streamEvents(
	ctx context.Context, w http.ResponseWriter, r *http.Request, op *graphql.OperationContext, failed *graphql.Response,
) {
	if !h.openStream() {
		h.refuse(w, r, http.StatusServiceUnavailable, errNoStream())
		return
	}
	defer h.closeStream()
	defer h.Observer.Stream("sse")()
	ctx, cancel := context.WithCancel(ctx)
	// Encoded where they are made: the executor uses a response's memory again for the next one.
	responses, finished := make(chan []byte), make(chan struct{})
	go func() {
		defer close(finished)
		defer close(responses)
		send := func(resp *graphql.Response) bool {
			select {
			case responses <- encode(resp):
				return true
			case <-ctx.Done():
				return false
			}
		}
		if failed != nil {
			send(failed)
			return
		}
		h.execute(ctx, op, send)
	}()
	over := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if h.sessionOver(ctx) {
			close(over)
		}
	}()
	// Nothing may use w or the request after this returns, so both goroutines are waited for.
	defer func() {
		cancel()
		<-finished
		<-watched
	}()
	h.writeEvents(ctx, newEventWriter(w, h.Timing.Write), responses, over)
}

// writeEvents writes until the responses end, the client or its session is gone, or the service stops. It is the only writer.
func (h *Handler) writeEvents(
	ctx context.Context, out *eventWriter, responses <-chan []byte, over <-chan struct{},
) {
	ping := time.NewTicker(h.Timing.Ping)
	defer ping.Stop()
	err := out.write(":\n\n") // the headers, at once
	for err == nil {
		select {
		case <-ctx.Done():
			return
		case <-h.draining:
			_ = out.write(comeBack) // without "complete" the client comes back; when this is lost, after its own time
			return
		case <-over:
			if out.next(encode(h.failure(ctx, errSessionOver()))) == nil {
				_ = out.complete() // the last word: there is nothing to do when it is lost
			}
			return
		case <-ping.C:
			err = out.write(": ping\n\n")
		case resp, more := <-responses:
			if !more {
				_ = out.complete() // as above
				return
			}
			err = out.next(resp)
		}
	}
}

// comeBack tells clients that follow the standard of server-sent events when to connect again after the service has ended: once
// another has taken over, in milliseconds.
const comeBack = "retry: 1500\n\n"

func errNoStream() error {
	return &requestError{code: invoice.CodeUnavailable, message: "No more streams are taken at the moment."}
}

// eventWriter writes server-sent events, each within a deadline, so that a client that does not read cannot hold it.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
}

func newEventWriter(w http.ResponseWriter, timeout time.Duration) *eventWriter {
	w.Header().Set("Content-Type", typeEvents+"; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache, no-transform")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep events back
	w.WriteHeader(http.StatusOK)
	return &eventWriter{w: w, control: http.NewResponseController(w), timeout: timeout}
}

func (e *eventWriter) next(resp []byte) error {
	return e.write("event: next\ndata: " + string(resp) + "\n\n")
}

// complete has a data line, empty as it is: without one browsers drop the event.
func (e *eventWriter) complete() error {
	return e.write("event: complete\ndata:\n\n")
}

func (e *eventWriter) write(text string) error {
	// A server in tests may not know deadlines; one that cannot flush cannot stream.
	if err := e.control.SetWriteDeadline(time.Now().Add(e.timeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := e.w.Write([]byte(text)); err != nil {
		return err
	}
	return e.control.Flush()
}
