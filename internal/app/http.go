package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"github.com/mercadoesperto/smarket/graph"
	"github.com/mercadoesperto/smarket/graph/playground"
	"github.com/mercadoesperto/smarket/internal/cache"
	"github.com/mercadoesperto/smarket/internal/clientaddr"
	"github.com/mercadoesperto/smarket/internal/ratelimit"
	"github.com/mercadoesperto/smarket/resolvers"
)

// How patient the server is with clients. Bodies and streams have deadlines of their own, in package graph.
const (
	headerTimeout  = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 64 << 10
	probeTimeout   = 3 * time.Second
)

// serveHTTP makes the server: the API where this process serves clients, and health checks everywhere.
func (a *App) serveHTTP(clients bool) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /readyz", a.readyz)
	if clients {
		cfg := graph.Config{
			Resolvers: &resolvers.Resolver{
				Accounts: a.Accounts, Invoices: a.Invoices, Products: a.products, Spending: a.spending, Insights: a.insights, Usage: a.usage,
				Privacy: a.privacy, Links: links{a.Accounts},
				Providers: a.fleet,
			},
			Accounts: a.Accounts, Log: a.log,
			Introspection: a.cfg.HTTP.Introspection, AllowedOrigins: a.cfg.HTTP.AllowedOrigins,
			Observer: a.telemetry.Operations(),
		}
		if err := a.persistQueries(&cfg); err != nil {
			return err
		}
		if err := a.limitRequests(&cfg); err != nil {
			return err
		}
		a.graph = graph.NewHandler(cfg)
		mux.Handle("/graphql", a.graph)
		mux.HandleFunc("GET "+exportPath, a.serveExport)
		mux.HandleFunc("GET "+filePath, a.serveFile)
		if a.cfg.HTTP.Playground {
			page, err := playground.Handler("/playground/")
			if err != nil {
				return err
			}
			mux.Handle("GET /playground/", page)
		}
		app, err := newPages()
		if err != nil {
			return err
		}
		mux.Handle("/", app)
	}
	a.http = &http.Server{
		Handler: a.telemetry.HTTP(mux), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
	}
	return nil
}

// limitRequests bounds what users and addresses ask for. The digests of both are keyed by the installation's secret, so
// that they are the same in all processes and tell nothing to whoever reads Redis.
func (a *App) limitRequests(cfg *graph.Config) (err error) {
	if !a.cfg.HTTP.RateLimit {
		return nil
	}
	if cfg.AddressSecret, err = a.derive("digests of client addresses"); err != nil {
		return err
	}
	cfg.Limiter = a.telemetry.Metrics.Limiter(ratelimit.New(a.redis, a.log))
	cfg.Proxies, err = clientaddr.Parse(a.cfg.HTTP.TrustedProxies)
	return err
}

// persistQueries keeps queries in Redis under a prefix of the installation's own, the same in all its processes: installations
// that share a server may have different schemas.
func (a *App) persistQueries(cfg *graph.Config) error {
	const prefixBytes = 6
	name, err := a.derive("prefix of persisted queries")
	if err != nil {
		return err
	}
	cfg.PersistedQueries = cache.NewQueries(a.redis, hex.EncodeToString(name[:prefixBytes]), a.log)
	return nil
}

// derive makes a secret for one purpose from the installation's.
func (a *App) derive(purpose string) ([]byte, error) {
	secret, err := tokenSecret(a.cfg.Accounts.TokenSecret.Reveal(), a.cfg.Storage.DataDir)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(purpose))
	return mac.Sum(nil), nil
}

// healthz says that the process runs.
func (a *App) healthz(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, http.StatusOK, map[string]string{"status": "ok", "version": a.version})
}

// readyz says whether the process can do its work. Redis is reported but not required: without it progress is slower to
// arrive and nothing is lost. So is the file store: without it purchases can be looked at, and none can be handed in. While the
// service ends it is not ready.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), probeTimeout)
	defer cancel()
	report, status := map[string]string{"status": "ready", "database": "ok", "redis": "ok", "files": "ok"}, http.StatusOK
	if a.stopping.Load() {
		report["status"], status = "stopping", http.StatusServiceUnavailable
	}
	if err := a.db.Ping(ctx); err != nil {
		a.log.WarnContext(ctx, "not ready", "part", "database", "error", err)
		report["status"], report["database"], status = "unavailable", "unavailable", http.StatusServiceUnavailable
	}
	if err := cache.Ping(ctx, a.redis); err != nil {
		a.log.WarnContext(ctx, "degraded", "part", "redis", "error", err)
		report["redis"] = "unavailable"
	}
	if err := a.files.Ping(ctx); err != nil {
		a.log.WarnContext(ctx, "degraded", "part", "files", "error", err)
		report["files"] = "unavailable"
	}
	a.answer(w, r, status, report)
}

func (a *App) answer(w http.ResponseWriter, r *http.Request, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		a.log.DebugContext(r.Context(), "answer a probe", "error", err) // the client has gone
	}
}
