package graph

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
)

// subprotocol is https://github.com/graphql/graphql-over-http's websocket sibling, graphql-ws's PROTOCOL.md.
const subprotocol = "graphql-transport-ws"

// The close codes of the subprotocol. After 4403, 4408, 1012 and 1013 graphql-ws's client connects again, with a fresh token;
// after the others it gives up.
const (
	closeBadRequest   websocket.StatusCode = 4400
	closeUnauthorized websocket.StatusCode = 4401 // subscribe before connection_ack
	closeForbidden    websocket.StatusCode = 4403 // a token that is not good, or no longer
	closeBadProtocol  websocket.StatusCode = 4406
	closeInitTimeout  websocket.StatusCode = 4408
	closeDuplicateID  websocket.StatusCode = 4409
	closeTooMany      websocket.StatusCode = 4429
)

// What one socket may do.
const (
	maxSocketOperations = 50
	maxOperationID      = 128 // bytes
)

func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// serveSocket serves a websocket until it is closed.
func (h *Handler) serveSocket(w http.ResponseWriter, r *http.Request) {
	if !h.originAllowed(r) {
		h.refuse(w, r, http.StatusForbidden, &requestError{code: "FORBIDDEN", message: "The origin is not allowed."})
		return
	}
	ctx, err := h.authenticate(r.Context(), r.Header.Get("Authorization"))
	if err != nil {
		h.refuse(w, r, http.StatusServiceUnavailable, err)
		return
	}
	if !h.openStream() {
		h.refuse(w, r, http.StatusServiceUnavailable, errNoStream())
		return
	}
	defer h.closeStream()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // the origin was checked above
	})
	if err != nil {
		return // Accept has answered
	}
	conn.SetReadLimit(maxJSON)
	ctx, cancel := context.WithCancel(ctx)
	defer h.Observer.Stream("websocket")()
	s := &socket{h: h, conn: conn, cancel: cancel, headers: r.Header, active: map[string]*operation{}}
	s.serve(ctx)
}

// socket is one client's websocket.
type socket struct {
	h       *Handler
	conn    *websocket.Conn
	cancel  context.CancelFunc // of everything that runs for the socket
	headers http.Header
	tasks   sync.WaitGroup

	closing sync.Once

	mu     sync.Mutex
	active map[string]*operation // by the client's id
}

// operation is one that runs. Its address tells it from a later one with the same id.
type operation struct{ cancel context.CancelFunc }

// message of either direction.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// serve reads until the socket is closed, and returns when nothing runs for it any more.
func (s *socket) serve(ctx context.Context) {
	defer s.tasks.Wait()
	defer s.cancel()
	defer func() { _ = s.conn.CloseNow() }() // after the handshake, if there was one
	if s.conn.Subprotocol() != subprotocol {
		s.close(closeBadProtocol, "Subprotocol not acceptable")
		return
	}
	s.tasks.Go(func() { s.closeOnDrain(ctx) })
	session, ok := s.init(ctx)
	if !ok {
		return
	}
	s.tasks.Go(func() { s.ping(session) })
	s.tasks.Go(func() { s.closeOnSessionEnd(session) })
	for {
		m, ok := s.read(session)
		if !ok || !s.handle(session, m) {
			return
		}
	}
}

// init waits for connection_init and answers it. The returned context has the viewer.
func (s *socket) init(ctx context.Context) (context.Context, bool) {
	late := time.AfterFunc(s.h.Timing.Init, func() { s.close(closeInitTimeout, "Connection initialisation timeout") })
	defer late.Stop()
	for {
		m, ok := s.read(ctx)
		if !ok {
			return nil, false
		}
		switch m.Type {
		case "connection_init":
			session, ok := s.authenticate(ctx, m.Payload)
			return session, ok && late.Stop() && s.send(ctx, message{Type: "connection_ack"})
		case "ping":
			s.send(ctx, message{Type: "pong", Payload: m.Payload})
		case "pong":
		case "subscribe", "complete":
			s.close(closeUnauthorized, "Unauthorized")
			return nil, false
		default:
			s.close(closeBadRequest, "Invalid message type")
			return nil, false
		}
	}
}

// authenticate takes the token of connection_init, {"Authorization": "Bearer ..."}; without one that of the upgrade request
// holds, if it had one.
func (s *socket) authenticate(ctx context.Context, payload json.RawMessage) (context.Context, bool) {
	var init map[string]any
	if len(payload) > 0 && json.Unmarshal(payload, &init) != nil {
		s.close(closeBadRequest, "Invalid payload")
		return nil, false
	}
	for key, value := range init {
		header, isText := value.(string)
		if !strings.EqualFold(key, "Authorization") || !isText || header == "" {
			continue
		}
		session, err := s.h.authenticate(ctx, header)
		if err != nil {
			_ = s.h.presentError(ctx, err) // it logs; the answer is the close code
			s.close(websocket.StatusTryAgainLater, "Try again later")
			return nil, false
		}
		if session == ctx { // no viewer was added
			s.close(closeForbidden, "Forbidden")
			return nil, false
		}
		return session, true
	}
	return ctx, true
}

// read is the next message; false when there is none, and the socket is or will be closed.
func (s *socket) read(ctx context.Context) (message, bool) {
	kind, data, err := s.conn.Read(ctx)
	if err != nil {
		return message{}, false
	}
	var m message
	if kind != websocket.MessageText || json.Unmarshal(data, &m) != nil {
		s.close(closeBadRequest, "Invalid message")
		return message{}, false
	}
	return m, true
}

// handle does what a message says; false when the socket was closed for it.
func (s *socket) handle(ctx context.Context, m message) bool {
	switch m.Type {
	case "subscribe":
		return s.subscribe(ctx, m)
	case "complete":
		if m.ID == "" {
			break
		}
		s.forget(m.ID, nil)
		return true
	case "ping":
		return s.send(ctx, message{Type: "pong", Payload: m.Payload})
	case "pong":
		return true
	case "connection_init":
		s.close(closeTooMany, "Too many initialisation requests")
	}
	s.close(closeBadRequest, "Invalid message") // what was closed above stays so
	return false
}

// subscribe starts an operation of any kind.
func (s *socket) subscribe(ctx context.Context, m message) bool {
	params, err := decodeParams(m.Payload)
	if err != nil || m.ID == "" || len(m.ID) > maxOperationID {
		s.close(closeBadRequest, "Invalid subscribe message")
		return false
	}
	params.Headers = s.headers
	ctx, cancel := context.WithCancel(ctx)
	op := &operation{cancel: cancel}
	if code, reason := s.remember(m.ID, op); code != 0 {
		cancel()
		s.close(code, reason)
		return false
	}
	s.tasks.Go(func() {
		last := s.run(ctx, m.ID, params)
		ended := ctx.Err() == nil // by itself, and not because the client wanted it or is gone
		s.forget(m.ID, op)        // first: who reads the last message may use the id again
		if ended && last.Type != "" {
			s.send(context.WithoutCancel(ctx), last)
		}
	})
	return true
}

// run executes an operation. It returns the message that tells the client that it ended.
func (s *socket) run(ctx context.Context, id string, params *graphql.RawParams) message {
	opCtx, op, failed := s.h.prepare(ctx, params)
	if failed != nil {
		errs, err := json.Marshal(failed.Errors)
		if err != nil {
			return message{}
		}
		return message{ID: id, Type: "error", Payload: errs}
	}
	s.h.execute(opCtx, op, func(resp *graphql.Response) bool {
		return s.send(ctx, message{ID: id, Type: "next", Payload: encode(resp)})
	})
	return message{ID: id, Type: "complete"}
}

// remember takes the id for op; a close code when it is taken or there are too many.
func (s *socket) remember(id string, op *operation) (websocket.StatusCode, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.active[id]; taken {
		return closeDuplicateID, "Subscriber for this id already exists"
	}
	if len(s.active) >= maxSocketOperations {
		return closeTooMany, "Too many operations"
	}
	s.active[id] = op
	return 0, ""
}

// forget ends the operation that has the id, if it is op; any when op is nil. The id is free then.
func (s *socket) forget(id string, op *operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if running, ok := s.active[id]; ok && (op == nil || running == op) {
		delete(s.active, id)
		running.cancel()
	}
	if op != nil {
		op.cancel()
	}
}

// send writes a message within the deadline; false when the client did not take it, which ends the socket. A message of an
// operation that has ended is not sent.
func (s *socket) send(ctx context.Context, m message) bool {
	if ctx.Err() != nil {
		return false
	}
	data, err := json.Marshal(m)
	if err != nil {
		return false
	}
	// Not ctx itself: the library closes the connection when a write is cancelled, and ctx may be one operation's.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.h.Timing.Write)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, data); err != nil {
		s.cancel()
		return false
	}
	return true
}

// ping drops a client that does not answer, be it gone or not reading.
func (s *socket) ping(ctx context.Context) {
	tick := time.NewTicker(s.h.Timing.Ping)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		pong, cancel := context.WithTimeout(ctx, s.h.Timing.Write)
		err := s.conn.Ping(pong)
		cancel()
		if err != nil {
			s.cancel()
			return
		}
	}
}

// closeOnSessionEnd says UNAUTHENTICATED to what runs and closes the socket: it takes no second connection_init.
func (s *socket) closeOnSessionEnd(ctx context.Context) {
	if !s.h.sessionOver(ctx) {
		return
	}
	errs, err := json.Marshal(s.h.failure(ctx, errSessionOver()).Errors)
	if err != nil {
		errs = nil
	}
	s.mu.Lock()
	ids := make([]string, 0, len(s.active))
	for id := range s.active {
		ids = append(ids, id)
	}
	s.mu.Unlock()
	for _, id := range ids {
		s.forget(id, nil)
		s.send(ctx, message{ID: id, Type: "error", Payload: errs})
	}
	s.close(closeForbidden, "Forbidden")
}

// closeOnDrain closes with 1012, after which clients wait a moment before they come back.
func (s *socket) closeOnDrain(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-s.h.draining:
		s.close(websocket.StatusServiceRestart, "Service restart")
	}
}

// close says why, waits for the client to agree, and ends the socket. Only the first call counts.
func (s *socket) close(code websocket.StatusCode, reason string) {
	s.closing.Do(func() {
		// The library gives a client some seconds; one that is gone by then needs no reason.
		if err := s.conn.Close(code, reason); err != nil && !errors.Is(err, context.Canceled) {
			_ = s.conn.CloseNow() // it is closed already, or broken
		}
		s.cancel()
	})
}
