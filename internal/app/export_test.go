package app

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/mercadoesperto/smarket/internal/store"
)

// Redis is the service's own client, which knows the embedded Redis too.
func (a *App) Redis() *redis.Client { return a.redis }

// Database is the service's own.
func (a *App) Database() *store.DB { return a.db }

// StopWorker waits for the jobs that run.
func (a *App) StopWorker(ctx context.Context) error { return a.worker.Stop(ctx) }

// MetricsURL is where Prometheus would look.
func (a *App) MetricsURL() string {
	return "http://" + a.metrics.listener.Addr().String() + metricsPath
}
