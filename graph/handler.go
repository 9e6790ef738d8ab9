package graph

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/mercadoesperto/smarket/graph/generated"
	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/clientaddr"
)

// Authenticator says who an access token speaks for. Implemented by account.Service.
type Authenticator interface {
	// Authenticate fails with an UNAUTHENTICATED *account.Error when the token is not, or no longer, good.
	Authenticate(ctx context.Context, accessToken string) (account.Viewer, error)
}

// Resolvers answer the fields. Implemented by resolvers.Resolver.
type Resolvers interface {
	generated.ResolverRoot
	// Loaders is how fields of many objects are answered at once; the executor uses it.
	Loaders() graphql.HandlerExtension
}

// Config is what a Handler needs. Resolvers, Accounts and Log are required.
type Config struct {
	Resolvers Resolvers
	Accounts  Authenticator
	Log       *slog.Logger
	// Introspection lets clients read the schema, as the playground does. Defaults to false, which is right for production.
	Introspection bool
	// AllowedOrigins are the origins ("https://app.example.com") of pages on other hosts that may use the API and its
	// websocket. Pages of the host itself always may. Defaults to none.
	AllowedOrigins []string
	// TempDir is where uploads wait while their request is read. Defaults to the system's.
	TempDir string
	// Limiter counts requests per user and address; nil counts none.
	Limiter Limiter
	// Proxies are those whose X-Forwarded-For is believed. Defaults to none.
	Proxies clientaddr.Trusted
	// AddressSecret keys the digests that stand for addresses and users in the Limiter.
	AddressSecret []byte
	// MaxUploads is how many uploads come in at once. Defaults to 64.
	MaxUploads int
	// MaxStreams is how many websockets and event streams are open at once. Defaults to 5,000.
	MaxStreams int
	// PersistedQueries lets clients send a hash in place of a query's text; nil lets them not.
	PersistedQueries PersistedQueries
	// Observer is told what is asked for; nil is nobody.
	Observer Observer
	Timing   Timing
}

// Timing is how long things may take; tests shorten it. A zero field gets its default.
type Timing struct {
	// Request is the longest a query or mutation runs, and the longest a JSON body may take to come in. Defaults to 60 s.
	Request time.Duration
	// Upload is the longest a multipart body may take to come in. Defaults to 5 min.
	Upload time.Duration
	// Init is how long a websocket may stay without connection_init. Defaults to 10 s.
	Init time.Duration
	// Ping is how often a stream is shown to be alive. Defaults to 4 s: together with Write a client that does not read is
	// dropped within 10 s.
	Ping time.Duration
	// Write is how long a client may take to accept a message, or to answer a websocket ping. Defaults to 5 s.
	Write time.Duration
	// Recheck is how often a stream's token is checked again, besides its expiry. Defaults to 30 s.
	Recheck time.Duration
}

func (t Timing) withDefaults() Timing {
	for _, d := range []struct {
		field    *time.Duration
		standard time.Duration
	}{
		{&t.Request, time.Minute},
		{&t.Upload, 5 * time.Minute},
		{&t.Init, 10 * time.Second},
		{&t.Ping, 4 * time.Second},
		{&t.Write, 5 * time.Second},
		{&t.Recheck, 30 * time.Second},
	} {
		if *d.field <= 0 {
			*d.field = d.standard
		}
	}
	return t
}

const (
	defaultMaxStreams = 5000
	// maxTaking is how many uploads that have come in whole are stored at once: each holds one file of up to 20 MB in memory.
	maxTaking = 8
	// cachedQueries is how many parsed queries are kept; with maxQueryBytes it bounds the memory they take.
	cachedQueries = 500
)

// Handler serves the API: POST, GET for queries, multipart, server-sent events, and graphql-transport-ws, all on one path.
type Handler struct {
	Config
	schema graphql.ExecutableSchema
	exec   *executor.Executor

	draining chan struct{} // closed by Stop
	stop     sync.Once

	mu      sync.Mutex
	streams int           // open now
	idle    chan struct{} // closed when draining and streams is 0

	uploads uploadSlots
	// taking bounds the uploads that are being looked at and stored, each of which holds a file in memory.
	taking chan struct{}
}

// NewHandler makes the handler. Stop ends its streams: http.Server.Shutdown does not know of websockets.
func NewHandler(cfg Config) *Handler {
	cfg.Timing = cfg.Timing.withDefaults()
	if cfg.MaxStreams <= 0 {
		cfg.MaxStreams = defaultMaxStreams
	}
	if cfg.MaxUploads <= 0 {
		cfg.MaxUploads = defaultMaxUploads
	}
	if cfg.Observer == nil {
		cfg.Observer = unobserved{}
	}
	schema := generated.NewExecutableSchema(generated.Config{
		Schema:     servedSchema(),
		Resolvers:  cfg.Resolvers,
		Directives: directives(),
		Complexity: complexityRoot(),
	})
	h := &Handler{
		Config: cfg, schema: schema, exec: executor.New(schema),
		draining: make(chan struct{}), idle: make(chan struct{}), taking: make(chan struct{}, maxTaking),
	}
	h.exec.Use(cfg.Resolvers.Loaders())
	h.exec.SetQueryCache(lru.New[*ast.QueryDocument](cachedQueries))
	h.exec.SetParserTokenLimit(maxTokens)
	h.exec.SetDisableSuggestion(true)
	h.exec.SetErrorPresenter(h.presentError)
	h.exec.SetRecoverFunc(recoverPanic)
	return h
}

// servedSchema is the schema without @defer, which the parser adds by itself: no transport sends what would come later.
func servedSchema() *ast.Schema {
	schema := *generated.NewExecutableSchema(generated.Config{}).Schema()
	schema.Directives = maps.Clone(schema.Directives)
	delete(schema.Directives, "defer")
	return &schema
}

// Stop turns new streams away, ends the open ones in a way that makes their clients come back, to another replica, and waits
// until they are gone or ctx ends. It may be called twice.
func (h *Handler) Stop(ctx context.Context) error {
	h.stop.Do(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		close(h.draining)
		if h.streams == 0 {
			close(h.idle)
		}
	})
	select {
	case <-h.idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// openStream counts a stream in; false when there are too many or none are taken any more. closeStream counts it out.
func (h *Handler) openStream() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isDraining() || h.streams >= h.MaxStreams {
		return false
	}
	h.streams++
	return true
}

func (h *Handler) closeStream() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streams--
	if h.isDraining() && h.streams == 0 {
		close(h.idle)
	}
}

func (h *Handler) isDraining() bool {
	select {
	case <-h.draining:
		return true
	default:
		return false
	}
}

// ServeHTTP picks the transport.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = h.withCaller(w, withRequestID(w, r))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	// An answer opened as a page does nothing, and its address, which a GET's query is in, goes nowhere.
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	w.Header().Set("Referrer-Policy", "no-referrer")
	defer h.recoverRequest(w, r)
	if isUpgrade(r) {
		h.serveSocket(w, r)
		return
	}
	if h.serveCORS(w, r) {
		return
	}
	ctx, err := h.authenticate(r.Context(), r.Header.Get("Authorization"))
	if err != nil {
		h.refuse(w, r, http.StatusServiceUnavailable, err)
		return
	}
	h.serveHTTP(w, r.WithContext(ctx)) //nolint:contextcheck // authenticate derives it from the request's
}

// recoverRequest is deferred: it answers a request whose serving panicked.
func (h *Handler) recoverRequest(w http.ResponseWriter, r *http.Request) {
	switch p := recover(); p {
	case nil:
	case http.ErrAbortHandler:
		panic(p) // net/http's own way of ending a request
	default:
		h.refuse(w, r, http.StatusInternalServerError, recoverPanic(r.Context(), p))
	}
}

// serveHTTP is ServeHTTP without websockets, when it is known who asks.
func (h *Handler) serveHTTP(w http.ResponseWriter, r *http.Request) {
	events := wantsEvents(r)
	var params *graphql.RawParams
	var err error
	switch mediaType := contentType(r); {
	case r.Method == http.MethodGet:
		params, err = paramsFromURL(r)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", "GET, POST")
		err = &requestError{status: http.StatusMethodNotAllowed, message: "Use POST, or GET for queries."}
	case mediaType == "application/json":
		params, err = h.paramsFromBody(w, r)
	case mediaType == "multipart/form-data" && !events:
		h.serveMultipart(w, r)
		return
	default:
		err = &requestError{
			status:  http.StatusUnsupportedMediaType,
			message: "Send application/json in UTF-8, or multipart/form-data with files.",
		}
	}
	switch {
	case err != nil:
		h.refuse(w, r, http.StatusBadRequest, err)
	case events:
		h.serveEvents(w, r, params)
	default:
		h.serveParams(w, r, params)
	}
}
