package app

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/mercadoesperto/smarket/graph"
	"github.com/mercadoesperto/smarket/graph/playground"
	"github.com/mercadoesperto/smarket/internal/cache"
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
		a.graph = graph.NewHandler(graph.Config{
			Resolvers: &resolvers.Resolver{Accounts: a.Accounts, Invoices: a.Invoices, Usage: a.usage}, Accounts: a.Accounts, Log: a.log,
			Introspection: a.cfg.HTTP.Introspection, AllowedOrigins: a.cfg.HTTP.AllowedOrigins,
		})
		mux.Handle("/graphql", a.graph)
		if a.cfg.HTTP.Playground {
			page, err := playground.Handler("/playground/")
			if err != nil {
				return err
			}
			mux.Handle("GET /playground/", page)
		}
	}
	a.http = &http.Server{
		Handler: mux, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
	}
	return nil
}

// healthz says that the process runs.
func (a *App) healthz(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, http.StatusOK, map[string]string{"status": "ok", "version": a.version})
}

// readyz says whether the process can do its work. Redis is reported but not required: without it progress is slower to
// arrive and nothing is lost.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), probeTimeout)
	defer cancel()
	report, status := map[string]string{"status": "ready", "database": "ok", "redis": "ok"}, http.StatusOK
	if err := a.db.Ping(ctx); err != nil {
		a.log.WarnContext(ctx, "not ready", "part", "database", "error", err)
		report["status"], report["database"], status = "unavailable", "unavailable", http.StatusServiceUnavailable
	}
	if err := cache.Ping(ctx, a.redis); err != nil {
		a.log.WarnContext(ctx, "degraded", "part", "redis", "error", err)
		report["redis"] = "unavailable"
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
