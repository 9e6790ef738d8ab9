package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/internal/cache"
	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/fleet"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/worker"
)

// seenWithin is how long ago a worker that is alive has beaten at most; it beats every five seconds.
const seenWithin = 20 * time.Second

// Health is how a part of the installation fares.
type Health string

// The states, the worse the later. Without what is degraded people are still served, in part.
const (
	Healthy  Health = "ok"
	Degraded Health = "degraded"
	Down     Health = "down"
)

// HealthCheck is one part. Detail is for the operator and has no secret.
type HealthCheck struct {
	Name   string
	State  Health
	Detail string
}

// CheckHealth looks at what all processes of the installation share, without a server: the database, Redis, the workers, the
// queue and the plugins. A job that has been due for longer than maxWait means that the queue is stuck. Parts that cannot be
// looked at, because what they are seen through is down, are degraded.
func CheckHealth(ctx context.Context, cfg config.Config, maxWait time.Duration, log *slog.Logger) []HealthCheck {
	cache.LogLibrary(log)
	checks := checkStored(ctx, cfg, maxWait, log)
	return append(checks, checkRedis(ctx, cfg, log)...)
}

// unsure is a part that answers with an error, on one line.
func unsure(name string, err error) HealthCheck {
	return HealthCheck{name, Degraded, strings.Join(strings.Fields(err.Error()), " ")}
}

// checkStored looks at the database and what is seen through it.
func checkStored(ctx context.Context, cfg config.Config, maxWait time.Duration, log *slog.Logger) []HealthCheck {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	db, err := openStore(ctx, cfg, nil)
	if err == nil {
		defer db.Close() //nolint:errcheck // nothing was written
		err = db.Ping(ctx)
	}
	if err != nil {
		log.DebugContext(ctx, "database", "error", err)
		const unseen = "not seen: the database is down"
		return []HealthCheck{{"database", Down, "does not answer"}, {"workers", Degraded, unseen}, {"queue", Degraded, unseen}}
	}
	return []HealthCheck{checkSchema(ctx, db, log), checkWorkers(ctx, db), checkQueue(ctx, db, maxWait)}
}

func checkSchema(ctx context.Context, db *store.DB, log *slog.Logger) HealthCheck {
	m, err := newMigrator(db, log)
	if err != nil {
		return unsure("database", err)
	}
	pending, err := m.Pending(ctx)
	switch {
	case err != nil:
		return unsure("database", err)
	case len(pending) > 0:
		return HealthCheck{"database", Degraded, fmt.Sprintf("%d migrations are pending", len(pending))}
	}
	return HealthCheck{"database", Healthy, "answers, no migration is pending"}
}

func checkWorkers(ctx context.Context, db *store.DB) HealthCheck {
	alive, err := store.NewHeartbeats(db).Alive(ctx, seenWithin)
	switch {
	case err != nil:
		return unsure("workers", err)
	case len(alive) == 0:
		return HealthCheck{"workers", Degraded, "none is alive"}
	}
	return HealthCheck{"workers", Healthy, fmt.Sprintf("%d alive", len(alive))}
}

func checkQueue(ctx context.Context, db *store.DB, maxWait time.Duration) HealthCheck {
	depths, err := worker.Depths(ctx, db.SQL(), db.PGXPool() != nil)
	if err != nil {
		return unsure("queue", err)
	}
	var waiting int
	var oldest time.Duration
	for _, d := range depths {
		switch d.State {
		case "available":
			waiting += d.Jobs
			oldest = max(oldest, d.Oldest)
		case "retryable", "scheduled": // due, and nobody has noticed
			oldest = max(oldest, d.Oldest)
		}
	}
	check := HealthCheck{"queue", Healthy, fmt.Sprintf("%d waiting, the oldest for %s", waiting, oldest.Round(time.Second))}
	if oldest > maxWait {
		check.State = Degraded
	}
	return check
}

// checkRedis looks at Redis and at the plugins, whose states the workers show there.
func checkRedis(ctx context.Context, cfg config.Config, log *slog.Logger) []HealthCheck {
	address := cfg.Storage.RedisURL.Reveal()
	if address == "" {
		return []HealthCheck{{"redis", Healthy, "embedded in the server"}, {"plugins", Healthy, "seen by the server alone"}}
	}
	quiet := slog.New(slog.DiscardHandler) // what it would log is the answer
	client, err := cache.Connect(ctx, address, quiet)
	if err == nil {
		defer client.Close() //nolint:errcheck // nothing was written
		err = cache.Ping(ctx, client)
	}
	if err != nil {
		log.DebugContext(ctx, "redis", "error", err)
		return []HealthCheck{{"redis", Degraded, "does not answer"}, {"plugins", Degraded, "not seen: Redis is down"}}
	}
	board, err := cache.NewBoard(client, quiet).All(ctx)
	if err != nil {
		return []HealthCheck{unsure("redis", err), {"plugins", Degraded, "not seen"}}
	}
	return []HealthCheck{{"redis", Healthy, "answers"}, checkPlugins(board)}
}

// checkPlugins wants every plugin that is in use to run in every worker, and one at least to be there.
func checkPlugins(board map[string][]byte) HealthCheck {
	running, broken := map[string]bool{}, map[string]bool{}
	for _, entry := range board {
		var status fleet.Status
		if err := json.Unmarshal(entry, &status); err != nil {
			return HealthCheck{"plugins", Degraded, "a worker of another release tells of them"}
		}
		for _, p := range status.Providers {
			switch p.State {
			case fleet.StateRunning:
				running[p.Name] = true
			case fleet.StateDisabled:
			default:
				broken[p.Name+" "+strings.ToLower(string(p.State))] = true
			}
		}
	}
	detail := "running: " + strings.Join(slices.Sorted(maps.Keys(running)), ", ")
	switch {
	case len(broken) > 0:
		return HealthCheck{"plugins", Degraded, strings.Join(slices.Sorted(maps.Keys(broken)), ", ") + "; " + detail}
	case len(running) == 0:
		return HealthCheck{"plugins", Degraded, "none runs"}
	}
	return HealthCheck{"plugins", Healthy, detail}
}
