package llmstub

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mercadoesperto/smarket/internal/document"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Elsewhere is whom the ledger names for requests that have followed a redirect away from their vendor.
const Elsewhere Vendor = "elsewhere"

// Stub is the four vendors. It may be used by several goroutines at once.
type Stub struct {
	opts     Options
	vendors  map[Vendor]VendorOptions
	dialects map[Vendor]dialect
	reader   *document.Reader
	mux      *http.ServeMux
	url      string
	closing  chan struct{}
	close    sync.Once

	mu           sync.Mutex
	rng          *rand.Rand
	calls        []*Call
	changed      chan struct{} // closed and replaced at each change of calls
	scripts      map[Vendor][]Behaviour
	always       map[Vendor]*Behaviour
	chances      map[Vendor][]Chance
	receipts     map[string]sdk.Receipt // by access key
	words        map[string]string      // by hash of the picture
	pictures     []pictured
	wordPictures []pictured
	sights       map[string]*sight // by hash of the picture
	prefixes     map[string]bool   // cached prompts
	wrong        map[string]string // pictures that were answered wrongly, and the words they were asked with
}

var _ http.Handler = (*Stub)(nil)

// New makes a Stub that is not listening. Close it when done.
func New(opts Options) *Stub {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Stub{
		opts: opts, vendors: make(map[Vendor]VendorOptions), closing: make(chan struct{}),
		reader: document.New(document.Config{}, slog.New(slog.DiscardHandler)),
		rng:    rand.New(rand.NewPCG(opts.Seed, 0)), //nolint:gosec // G404: chances of a fake
		dialects: map[Vendor]dialect{
			Gemini: gemini{}, OpenAI: openAI{vendor: OpenAI}, OpenRouter: openAI{vendor: OpenRouter}, Anthropic: anthropic{},
		},
		changed: make(chan struct{}), scripts: make(map[Vendor][]Behaviour), always: make(map[Vendor]*Behaviour),
		chances: make(map[Vendor][]Chance), receipts: make(map[string]sdk.Receipt), words: make(map[string]string),
		sights: make(map[string]*sight), prefixes: make(map[string]bool), wrong: make(map[string]string),
	}
	for _, v := range Vendors() {
		o := opts.Vendors[v]
		o.setDefaults()
		s.vendors[v], s.always[v], s.chances[v] = o, o.Always, o.Chances
	}
	s.mux = s.routes()
	return s
}

// Start serves a Stub on a free port of 127.0.0.1 until the test ends. More than one Options is an error.
func Start(tb testing.TB, opts ...Options) *Stub {
	tb.Helper()
	if len(opts) > 1 {
		tb.Fatal("llmstub: one Options at most")
	}
	s := New(append(opts, Options{})[0])
	server := httptest.NewServer(s)
	s.url = server.URL
	tb.Cleanup(func() {
		s.Close(context.Background()) // the test's own has ended
		server.CloseClientConnections()
		server.Close()
	})
	return s
}

// URL of a started Stub, without a slash at the end.
func (s *Stub) URL() string { return s.url }

// BaseURL is what a vendor's plugin has to be told: the URL and the vendor's part of the path.
func (s *Stub) BaseURL(v Vendor) string { return s.url + v.BasePath() }

// Close ends calls that hang. It may be called twice.
func (s *Stub) Close(ctx context.Context) {
	s.close.Do(func() {
		close(s.closing)
		_ = s.reader.Close(ctx) // nothing of it outlives the process
	})
}

// Script queues behaviours for a vendor's next calls, before all else. A behaviour for a task waits for a call of that task.
func (s *Stub) Script(v Vendor, behaviours ...Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts[v] = append(s.scripts[v], behaviours...)
}

// Fail queues faults for a vendor's next calls.
func (s *Stub) Fail(v Vendor, faults ...Fault) {
	for _, f := range faults {
		s.Script(v, Behaviour{Fault: f})
	}
}

// Always sets how a vendor answers when no script is for a call; nil goes back to answering well.
func (s *Stub) Always(v Vendor, b *Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always[v], s.chances[v] = b, nil
}

// behaviour is how a call is to be answered.
func (s *Stub) behaviour(req *Request) Behaviour {
	s.mu.Lock()
	defer s.mu.Unlock()
	forTask := func(b Behaviour) bool { return b.Task == "" || b.Task == req.Task }
	queue := s.scripts[req.Vendor]
	if i := slices.IndexFunc(queue, forTask); i >= 0 {
		b := queue[i]
		s.scripts[req.Vendor] = slices.Delete(queue, i, i+1)
		return b
	}
	if b := s.always[req.Vendor]; b != nil && forTask(*b) {
		return *b
	}
	for _, c := range s.chances[req.Vendor] {
		if s.rng.Float64() < c.P {
			return Behaviour{Fault: c.Fault}
		}
	}
	return Behaviour{}
}

// draw is the time to the first token, and one between pieces for each of n.
func (s *Stub) draw(l Latency, n int) (first time.Duration, between []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first = l.FirstToken.draw(s.rng)
	between = make([]time.Duration, n)
	for i := range between {
		between[i] = l.PerChunk.draw(s.rng)
	}
	return first, between
}

func (s *Stub) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1beta/models/{call}", s.vendor(Gemini))
	mux.HandleFunc("POST /v1/chat/completions", s.vendor(OpenAI))
	mux.HandleFunc("POST /api/v1/chat/completions", s.vendor(OpenRouter))
	mux.HandleFunc("POST /v1/messages", s.vendor(Anthropic))
	mux.HandleFunc("/elsewhere/", s.elsewhere)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /ledger", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, nil, map[string]any{"totals": s.Totals(), "calls": s.Calls()})
	})
	mux.HandleFunc("POST /ledger/reset", func(w http.ResponseWriter, _ *http.Request) {
		s.Reset()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /script", s.script)
	return mux
}

// ServeHTTP implements http.Handler: the vendors' paths, and
//
//	GET  /ledger        {"totals": {vendor: Totals}, "calls": [Call]}
//	POST /ledger/reset  Reset
//	POST /script        {"vendor": …, "behaviours": [Behaviour], "always": Behaviour}, durations in nanoseconds
//	GET  /healthz
func (s *Stub) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Stub) script(w http.ResponseWriter, r *http.Request) {
	var order struct {
		Vendor     Vendor      `json:"vendor"`
		Behaviours []Behaviour `json:"behaviours"`
		Always     *Behaviour  `json:"always"`
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&order)
	if err == nil && !order.Vendor.known() {
		err = fmt.Errorf("unknown vendor %q", order.Vendor)
	}
	all := order.Behaviours
	if order.Always != nil {
		all = append(slices.Clone(all), *order.Always)
	}
	for _, b := range all {
		if b.Fault != "" && err == nil {
			_, err = ParseFault(string(b.Fault))
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.Script(order.Vendor, order.Behaviours...)
	if order.Always != nil {
		s.Always(order.Vendor, order.Always)
	}
	w.WriteHeader(http.StatusNoContent)
}

// elsewhere is where redirects lead: it notes what came along.
func (s *Stub) elsewhere(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(w, r)
	if err != nil {
		return // the client left
	}
	key := r.Header.Get("X-Goog-Api-Key") + r.Header.Get("X-Api-Key") + r.Header.Get("Authorization")
	s.enter(&Call{
		Vendor: Elsewhere, Path: r.URL.Path, At: s.opts.Now(), KeySHA256: keyHash(key), Headers: headerNames(r.Header),
		BodyBytes: len(body), BodySHA256: hash(body), Status: http.StatusNotFound, Outcome: OutcomeRejected,
	})
	http.NotFound(w, r)
}

// elsewhereURL is the same path under another host name, which leads to the stub all the same.
func elsewhereURL(r *http.Request) string {
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		return "http://localhost/elsewhere" + r.URL.Path
	}
	other := "localhost"
	if host == other {
		other = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(other, port) + "/elsewhere" + r.URL.Path
}

// keyHash tells keys apart without keeping them.
func keyHash(key string) string {
	if key == "" {
		return ""
	}
	const enough = 16
	return hash([]byte(key))[:enough]
}

func headerNames(h http.Header) []string {
	names := slices.Collect(maps.Keys(h))
	for i, name := range names {
		names[i] = strings.ToLower(name)
	}
	slices.Sort(names)
	return names
}
