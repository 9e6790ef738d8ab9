package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mercadoesperto/smarket/graph"
	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/telemetry"
	"github.com/mercadoesperto/smarket/providers"
	"github.com/mercadoesperto/smarket/worker"
)

func newTelemetry(ctx context.Context, cfg config.Config, opts Options) (*telemetry.Telemetry, error) {
	t, err := telemetry.New(ctx, telemetry.Config{
		Build:        telemetry.Build{Version: opts.Version, Role: string(opts.Role)},
		OTLPEndpoint: cfg.Monitoring.OTLPEndpoint.Reveal(), SampleRatio: cfg.Monitoring.TraceRatio,
		SentryDSN: cfg.Monitoring.SentryDSN.Reveal(), Environment: string(cfg.Mode), RequestID: graph.RequestID, Log: opts.Log,
	})
	if err != nil {
		return nil, err
	}
	t.Metrics.ShowRetention(map[string]time.Duration{
		"failed_files": cfg.Retention.FailedFiles, "read_files": cfg.Retention.ReadFiles, "events": cfg.Retention.Events,
		"ended_sessions": cfg.Retention.Sessions, "audit": cfg.Retention.Audit,
	})
	const microUSDs = 1e6 // in a dollar
	t.Metrics.ShowBudgets(float64(cfg.Costs.UserDailyBudget.Micros())/microUSDs, float64(cfg.Costs.DailyBudget.Micros())/microUSDs)
	t.Metrics.ExpectProviders(cfg.ActiveProviders())
	return t, nil
}

// watch has the metrics ask the parts of this process how they fare.
func (a *App) watch(chain *providers.Chain) {
	db, client, pool := a.db, a.redis, a.pool // a scrape may outlive Stop, which forgets them
	sources := telemetry.Sources{
		Queue:     func(ctx context.Context) ([]telemetry.QueueDepth, error) { return queueDepths(ctx, db) },
		Databases: func() map[string]telemetry.DatabasePool { return databasePools(db) },
		Redis:     func() telemetry.RedisPool { return redisPool(client) },
		Pools:     func() map[string]telemetry.WorkPool { return workPools(pool) },
		Breakers:  chain.Breakers,
	}
	if host := a.host; host != nil {
		sources.Plugins = func() []telemetry.PluginStatus { return pluginStatus(host) }
	}
	a.telemetry.Metrics.Watch(sources)
}

func queueDepths(ctx context.Context, db *store.DB) ([]telemetry.QueueDepth, error) {
	depths, err := worker.Depths(ctx, db.Reader(), db.PGXPool() != nil)
	list := make([]telemetry.QueueDepth, 0, len(depths))
	for _, d := range depths {
		list = append(list, telemetry.QueueDepth(d))
	}
	return list, err
}

func databasePools(db *store.DB) map[string]telemetry.DatabasePool {
	pools := map[string]telemetry.DatabasePool{}
	for name, p := range db.Pools() {
		pools[name] = telemetry.DatabasePool(p)
	}
	return pools
}

func redisPool(client *redis.Client) telemetry.RedisPool {
	s := client.PoolStats()
	return telemetry.RedisPool{
		Idle: int(s.IdleConns), Total: int(s.TotalConns), Hits: int64(s.Hits), Misses: int64(s.Misses), Timeouts: int64(s.Timeouts),
	}
}

func workPools(pool *worker.Pool) map[string]telemetry.WorkPool {
	pools := map[string]telemetry.WorkPool{}
	for name, load := range pool.Loads() {
		pools[name] = telemetry.WorkPool(load)
	}
	return pools
}

func pluginStatus(host *providers.Host) []telemetry.PluginStatus {
	plugins := host.List()
	list := make([]telemetry.PluginStatus, 0, len(plugins))
	for _, p := range plugins {
		list = append(list, telemetry.PluginStatus{
			Name: p.Name, State: string(p.State), PID: p.PID, Restarts: p.Restarts, Swaps: p.Swaps, InFlight: p.InFlight,
		})
	}
	return list
}

// metricsPath is where Prometheus looks.
const metricsPath = "/metrics"

// metricsServer serves operators, on a port of its own: the metrics, and the page of the jobs where there is one. Its zero value
// serves nothing.
type metricsServer struct {
	server   *http.Server
	listener net.Listener
	pageEnds context.CancelFunc // nil without the page
}

// start listens where METRICS_ADDR says. It fails when the port is taken. jobs is nil where their page is not wanted.
func (m *metricsServer) start(
	ctx context.Context, cfg config.Monitoring, handler http.Handler, jobs *worker.Page, log *slog.Logger,
) (err error) {
	if cfg.MetricsAddr == "" {
		return nil
	}
	if m.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.MetricsAddr); err != nil {
		return fmt.Errorf("listen at METRICS_ADDR: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+metricsPath, handler)
	if jobs != nil {
		var background context.Context
		background, m.pageEnds = context.WithCancel(context.WithoutCancel(ctx))
		if err := jobs.Start(background); err != nil {
			return err
		}
		mux.Handle(worker.PagePath, jobs)
	}
	m.server = &http.Server{
		Handler: mux, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, WriteTimeout: scrapeTimeout,
	}
	go func() {
		if err := m.server.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
			log.ErrorContext(context.WithoutCancel(ctx), "metrics are not served any more", "error", err)
		}
	}()
	log.InfoContext(ctx, "metrics", "address", "http://"+m.listener.Addr().String()+metricsPath)
	return nil
}

// scrapeTimeout is how long a scrape may take, or a look at the jobs; Prometheus' own default is 10 s.
const scrapeTimeout = 15 * time.Second

// stop ends it; scrapes under way are cut.
func (m *metricsServer) stop() error {
	if m.pageEnds != nil {
		m.pageEnds()
	}
	if m.server == nil {
		return nil
	}
	return m.server.Close()
}
