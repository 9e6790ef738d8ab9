package llmstub

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// maxBody is more than any vendor takes, in bytes.
const maxBody = 64 << 20

// dripBytes is what FaultSlowDrip sends at a time.
const dripBytes = 8

// dialect is a vendor's wire format.
type dialect interface {
	// key is the API key that came; "" for none.
	key(r *http.Request) string
	// parse reads a request. The failure is what the vendor would answer; beside a request, it may be overlooked.
	parse(r *http.Request, body payload) (*Request, *failure)
	// fail is the vendor's answer for a fault that refuses.
	fail(f Fault, b Behaviour) failure
	// whole is the body of a reply in one piece.
	whole(req *Request, a *answer) any
	// stream is a reply in pieces.
	stream(req *Request, a *answer, texts []string) []event
	// breakOff is the event of an error within a stream.
	breakOff(a *answer) event
}

// failure is an error as the vendor serves it.
type failure struct {
	status int
	header http.Header
	body   any
	why    string // for the ledger
}

// event is one server-sent event.
type event struct {
	frame string // with its empty line
	text  bool   // carries a piece of the reply
}

// frame is an event in its wire form.
func frame(name string, data any) string {
	head := ""
	if name != "" {
		head = "event: " + name + "\n"
	}
	return head + "data: " + encode(data) + "\n\n"
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var body bytes.Buffer
	body.Grow(int(min(max(0, r.ContentLength), maxBody)) + bytes.MinRead)
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	return body.Bytes(), nil
}

func writeJSON(w http.ResponseWriter, status int, header http.Header, body any) {
	maps.Copy(w.Header(), header)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, encode(body)) // a client that left is seen elsewhere
}

// exchange is one call being served.
type exchange struct {
	stub  *Stub
	d     dialect
	w     http.ResponseWriter
	r     *http.Request
	req   *Request
	opts  VendorOptions
	b     Behaviour
	entry *Call
	begun time.Time
}

func (s *Stub) vendor(v Vendor) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{stub: s, d: s.dialects[v], w: w, r: r, opts: s.vendors[v], begun: s.opts.Now()}
		x.entry = &Call{
			Vendor: v, Path: r.URL.Path, At: x.begun, KeySHA256: keyHash(x.d.key(r)), Headers: headerNames(r.Header),
			Outcome: OutcomeOpen,
		}
		s.enter(x.entry)
		x.serve(r.Context(), v)
	}
}

// end closes the ledger's entry.
func (x *exchange) end(outcome Outcome, status int) {
	x.stub.amend(x.entry, func(c *Call) {
		c.Outcome, c.Status, c.Took = outcome, status, x.stub.opts.Now().Sub(x.begun)
	})
}

func (x *exchange) serve(ctx context.Context, v Vendor) {
	body, err := readBody(x.w, x.r)
	if err != nil {
		x.end(OutcomeLeft, 0)
		return
	}
	req, problem := x.d.parse(x.r, pack(body))
	x.note(v, req, body)
	key := x.d.key(x.r)
	if key == "" || x.opts.Key != "" && key != x.opts.Key {
		fault := FaultInvalidKey
		switch {
		case key == "" && v == Gemini:
			fault = FaultForbidden // it says 401 of wrong tokens only
		case key == "":
			fault = FaultUnauthorized
		}
		wrong := x.d.fail(fault, Behaviour{})
		wrong.why = "API key"
		problem, req = &wrong, nil
	}
	if problem != nil && (req == nil || !x.stub.opts.Lenient) {
		x.stub.amend(x.entry, func(c *Call) { c.Why = problem.why })
		writeJSON(x.w, problem.status, problem.header, problem.body)
		x.end(OutcomeRejected, problem.status)
		return
	}
	x.req = req
	x.b = x.stub.behaviour(req)
	x.stub.amend(x.entry, func(c *Call) { c.Fault = x.b.Fault })
	x.answer(ctx)
}

// note puts what came into the ledger.
func (x *exchange) note(v Vendor, req *Request, body []byte) {
	bodyHash := hash(body)
	var media []Seen
	if req != nil {
		req.Vendor = v
		req.infer()
		for _, m := range req.Media {
			media = append(media, seen(m))
		}
	}
	x.stub.amend(x.entry, func(c *Call) {
		c.BodyBytes, c.BodySHA256, c.Media = len(body), bodyHash, media
		if req == nil {
			return
		}
		c.Model, c.Task, c.Stream, c.Schema = req.Model, req.Task, req.Stream, len(req.Schema) > 0
		c.TextBytes = len(req.Instructions) + len(req.Text) + len(req.Schema)
		c.Instruction = hash([]byte(req.Instructions))
	})
}

// answer serves the fault or the reply.
func (x *exchange) answer(ctx context.Context) {
	latency := x.opts.Latency
	if x.b.Latency != nil {
		latency = *x.b.Latency
	}
	switch f := x.b.Fault; {
	case f == FaultHang:
		x.hang(ctx)
		x.end(OutcomeLeft, 0)
		return
	case f == FaultReset:
		x.reset()
		x.end(OutcomeBroken, 0)
		return
	case f == FaultErrorIn200 && x.req.Stream:
		x.stream(ctx, latency, []event{x.d.breakOff(x.compose(ctx))})
		return
	case f == FaultStreamError && !x.req.Stream && x.req.Vendor != OpenRouter:
		x.refuse(ctx, latency, FaultUnavailable)
		return
	case f == FaultRedirect:
		x.redirect()
		return
	case f.refuses():
		x.refuse(ctx, latency, f)
		return
	}
	a := x.compose(ctx)
	size := x.opts.ChunkBytes
	switch x.b.Fault {
	case FaultHuge:
		size = max(size, 64<<10)
	case FaultSlowDrip:
		size = dripBytes
		drip := x.b.Drip
		if drip <= 0 {
			drip = defaultDrip
		}
		latency.PerChunk = Delay{Fixed: drip}
	default:
	}
	texts := pieces(a.text, size)
	if x.req.Stream {
		x.stub.amend(x.entry, func(c *Call) { c.Usage = a.usage })
		x.stream(ctx, latency, x.d.stream(x.req, a, texts))
		return
	}
	x.whole(ctx, latency, a, len(texts))
}

// compose makes the reply, with the faults that are in what it says.
func (x *exchange) compose(ctx context.Context) *answer {
	now := x.stub.opts.Now()
	a := &answer{id: bodyID(x.entry), model: x.req.Model, created: now.Unix()}
	if x.opts.Model != "" {
		a.model = x.opts.Model
	}
	if x.b.Fault == FaultErrorIn200 {
		return a
	}
	if x.b.Reply != nil {
		a.text = *x.b.Reply
	} else {
		a.text = x.stub.truth(ctx, x.req)
	}
	thinking := x.req.think(x.opts.ThinkingTokens)
	x.stub.spoil(x.b.Fault, x.req, a)
	if x.b.Fault == FaultEmptyMaxTokens && thinking == 0 {
		thinking = max(1, x.req.MaxOutputTokens)
	}
	limit := x.req.MaxOutputTokens
	// FaultHuge is a vendor that does not keep to the limit.
	if limit > 0 && a.finish == finishStop && x.b.Fault != FaultHuge && thinking+textTokens(len(a.text)) > limit {
		thinking = min(thinking, limit)
		a.text, a.finish = a.text[:min(len(a.text), int(limit-thinking)*4)], finishLength
		a.text = validPrefix(a.text)
	}
	a.thought = thinking > 0
	a.usage = x.stub.count(x.req, x.opts, a.text, thinking)
	a.errored = x.b.Fault == FaultStreamError
	x.stub.amend(x.entry, func(c *Call) { c.AccessKey = x.req.AccessKey })
	return a
}

// hang waits until the client has left, or the stub ends.
func (x *exchange) hang(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-x.stub.closing:
	}
}

// reset breaks the connection so that the client sees a reset, and not an end.
func (x *exchange) reset() { x.hangUp(true) }

func (x *exchange) hangUp(reset bool) {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		return // HTTP/2, which the stub does not offer
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func (x *exchange) redirect() {
	location := x.b.Location
	if location == "" {
		location = elsewhereURL(x.r)
	}
	x.w.Header().Set("Location", location)
	x.w.WriteHeader(http.StatusTemporaryRedirect)
	x.end(OutcomeFailed, http.StatusTemporaryRedirect)
}

func (x *exchange) refuse(ctx context.Context, latency Latency, f Fault) {
	first, _ := x.stub.draw(latency, 0)
	if !x.stub.wait(ctx, first) {
		x.end(OutcomeLeft, 0)
		return
	}
	if f == FaultBadGateway {
		x.w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		x.w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(x.w, "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n")
		x.end(OutcomeFailed, http.StatusBadGateway)
		return
	}
	fail := x.d.fail(f, x.b)
	writeJSON(x.w, fail.status, fail.header, fail.body)
	x.end(OutcomeFailed, fail.status)
}

// whole serves a reply in one piece.
func (x *exchange) whole(ctx context.Context, latency Latency, a *answer, chunks int) {
	drip := x.b.Fault == FaultSlowDrip
	if drip {
		chunks = 0 // the waiting comes between bytes
	}
	first, between := x.stub.draw(latency, chunks)
	for _, d := range between {
		first += d
	}
	if !x.stub.wait(ctx, first) {
		x.end(OutcomeLeft, 0)
		return
	}
	x.stub.amend(x.entry, func(c *Call) { c.Usage = a.usage })
	body := encode(x.d.whole(x.req, a))
	x.w.Header().Set("Content-Type", "application/json")
	if id := x.requestID(); id != "" {
		x.w.Header().Set(id, a.id)
	}
	if x.b.Fault == FaultEndsEarly {
		body = firstHalf(body)
	}
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(http.StatusOK)
	switch x.b.Fault {
	case FaultHangMid, FaultResetMid, FaultCutMid:
		_ = x.send(firstHalf(body))
		x.breakAt(ctx)
		return
	case FaultSlowDrip:
		for _, piece := range pieces(body, dripBytes) {
			if x.send(piece) != nil || !x.stub.wait(ctx, latency.PerChunk.Fixed) {
				x.end(OutcomeLeft, http.StatusOK)
				return
			}
		}
	default:
		if x.send(body) != nil {
			x.end(OutcomeLeft, http.StatusOK)
			return
		}
	}
	x.end(x.outcome(), http.StatusOK)
}

// stream serves a reply as events.
func (x *exchange) stream(ctx context.Context, latency Latency, events []event) {
	first, between := x.stub.draw(latency, len(events))
	if !x.stub.wait(ctx, first) {
		x.stub.amend(x.entry, func(c *Call) { c.Usage = Usage{} })
		x.end(OutcomeLeft, 0)
		return
	}
	x.w.Header().Set("Content-Type", "text/event-stream")
	if id := x.requestID(); id != "" {
		x.w.Header().Set(id, bodyID(x.entry))
	}
	x.w.WriteHeader(http.StatusOK)
	texts := 0
	for _, e := range events {
		if e.text {
			texts++
		}
	}
	sent := 0
	for i, e := range events {
		if x.breaksStream() && sent >= (texts+1)/2 {
			x.breakStream(ctx)
			return
		}
		if e.text {
			if sent > 0 && !x.stub.wait(ctx, between[i]) {
				x.end(OutcomeLeft, http.StatusOK)
				return
			}
			sent++
		}
		if x.send(e.frame) != nil {
			x.end(OutcomeLeft, http.StatusOK)
			return
		}
	}
	x.end(x.outcome(), http.StatusOK)
}

// outcome of a reply that was sent whole.
func (x *exchange) outcome() Outcome {
	if x.b.Fault == FaultErrorIn200 || x.b.Fault == FaultStreamError {
		return OutcomeFailed
	}
	return OutcomeAnswered
}

func (x *exchange) breaksStream() bool {
	switch x.b.Fault {
	case FaultHangMid, FaultResetMid, FaultCutMid, FaultEndsEarly, FaultStreamError:
		return true
	default:
		return false
	}
}

func (x *exchange) breakStream(ctx context.Context) {
	switch x.b.Fault {
	case FaultEndsEarly:
		x.end(OutcomeBroken, http.StatusOK)
	case FaultStreamError:
		_ = x.send(x.d.breakOff(&answer{id: bodyID(x.entry), model: x.req.Model, created: x.begun.Unix()}).frame)
		x.end(OutcomeFailed, http.StatusOK)
	default:
		x.breakAt(ctx)
	}
}

// breakAt breaks a reply that has begun.
func (x *exchange) breakAt(ctx context.Context) {
	if x.b.Fault == FaultHangMid {
		x.hang(ctx)
		x.end(OutcomeLeft, http.StatusOK)
		return
	}
	x.hangUp(x.b.Fault == FaultResetMid)
	x.end(OutcomeBroken, http.StatusOK)
}

// send writes and flushes, so that the client has it.
func (x *exchange) send(text string) error {
	if _, err := io.WriteString(x.w, text); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if err := http.NewResponseController(x.w).Flush(); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return nil
}

// requestID is the header in which a vendor gives the number of a call.
func (x *exchange) requestID() string {
	switch x.req.Vendor {
	case OpenAI:
		return "X-Request-Id"
	case OpenRouter:
		return "X-Generation-Id"
	case Anthropic:
		return "Request-Id"
	case Gemini, Elsewhere:
	}
	return ""
}

func bodyID(c *Call) string { return "stub-" + strconv.Itoa(c.Seq) }

// validPrefix drops a character that was cut.
func validPrefix(s string) string {
	var b []byte
	for _, r := range s {
		if r == '\uFFFD' {
			break
		}
		b = append(b, string(r)...)
	}
	return string(b)
}

// retryHint is the header in which a vendor says how long to wait; nil for none.
func retryHint(v Vendor, f Fault, b Behaviour) http.Header {
	after := retryAfter(f, b)
	if after <= 0 {
		return nil
	}
	h := http.Header{}
	switch {
	case b.RetryAt:
		h.Set("Retry-After", time.Now().Add(after).UTC().Format(http.TimeFormat))
		return h
	case v == OpenAI:
		h.Set("Retry-After-Ms", strconv.FormatInt(after.Milliseconds(), 10))
	}
	h.Set("Retry-After", strconv.FormatInt(int64((after+time.Second-1)/time.Second), 10))
	return h
}

// retryAfter is the hint that a fault gives; 0 for none.
func retryAfter(f Fault, b Behaviour) time.Duration {
	switch f {
	case FaultRateLimited, FaultDailyQuota:
		if b.RetryAfter == 0 {
			return defaultRetryAfter
		}
	case FaultUnavailable, FaultOverloaded, FaultServerError, FaultErrorIn200:
	default:
		return 0
	}
	return max(0, b.RetryAfter)
}

// decode reads a body, or a part of one.
func decode(data []byte, into any) bool { return json.Unmarshal(data, into) == nil }
