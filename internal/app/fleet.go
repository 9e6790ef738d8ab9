package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/internal/cache"
	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/fleet"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/providers"
)

// plugins is the host and the chain as fleet.Agent wants them.
type plugins struct {
	host  *providers.Host
	chain *providers.Chain
}

var _ fleet.Plugins = plugins{}

// Arrange implements fleet.Plugins.
func (p plugins) Arrange(names []string) { p.chain.Arrange(names) }

// Reload implements fleet.Plugins.
func (p plugins) Reload(ctx context.Context) ([]fleet.Reloaded, error) {
	report, err := p.host.Reload(ctx)
	lines := make([]fleet.Reloaded, 0, len(report.Plugins))
	for _, r := range report.Plugins {
		lines = append(lines, fleet.Reloaded{
			Name: r.Name, Outcome: fleet.Outcome(upper(r.Outcome)), Code: upper(r.Code), Reason: r.Reason,
			Version: r.Version, Checksum: r.Checksum, PreviousVersion: r.OldVersion,
		})
	}
	return lines, err
}

// Status implements fleet.Plugins.
func (p plugins) Status() []fleet.ProviderStatus {
	breakers := p.chain.Breakers()
	var list []fleet.ProviderStatus
	for _, plugin := range p.host.List() {
		s := fleet.ProviderStatus{
			Name: plugin.Name, Version: plugin.Version, Checksum: plugin.Checksum, Model: plugin.Model, Protocol: plugin.Protocol,
			Local: plugin.Local, Described: plugin.Version != "", MediaTypes: plugin.MediaTypes,
			State: fleet.State(upper(plugin.State)), Breaker: fleet.Breaker(upper(breakers[plugin.Name])),
			InFlight: plugin.InFlight, Failed: plugin.Calls.Failed, LastError: plugin.LastError,
		}
		for _, task := range plugin.Tasks {
			s.Tasks = append(s.Tasks, string(task))
		}
		for _, took := range plugin.Calls.Latencies {
			s.LatenciesMS = append(s.LatenciesMS, int(took.Milliseconds()))
		}
		list = append(list, s)
	}
	return list
}

// upper is a name as the API writes its enums: "half-open" is HALF_OPEN.
func upper[S ~string](name S) string {
	return strings.ToUpper(strings.ReplaceAll(string(name), "-", "_"))
}

// makeFleet makes what steers providers: the service everywhere, and where this process works the agent that obeys.
func (a *App) makeFleet(chain *providers.Chain) {
	decisions, board := store.NewFleet(a.db), cache.NewBoard(a.redis, a.log)
	cfg := fleet.Config{
		Store: decisions, Board: board, Auditor: a.Accounts, Costs: a.usage,
		Configured: a.cfg.ActiveProviders(), Known: a.cfg.Providers.Order, Now: time.Now, Log: a.log,
	}
	if a.host != nil {
		a.agent = fleet.NewAgent(fleet.AgentConfig{
			Worker:  fmt.Sprintf("%s/%d", a.cfg.Worker.Name, os.Getpid()),
			Plugins: plugins{a.host, chain}, Store: decisions, Board: board, Configured: cfg.Configured, Log: a.log,
		})
		cfg.Nudge = a.agent.Nudge
	}
	a.fleet = fleet.NewService(cfg)
}

// OpenFleet is for the plugins command: what the workers of an installation with a REDIS_URL tell. stop closes what it opened.
func OpenFleet(ctx context.Context, cfg config.Config, log *slog.Logger) (f *fleet.Service, stop func() error, err error) {
	a := &App{cfg: cfg, log: log}
	stop = func() error { return a.Stop(context.WithoutCancel(ctx)) }
	if a.db, err = openStore(ctx, cfg, nil); err == nil {
		a.redis, err = cache.Connect(ctx, cfg.Storage.RedisURL.Reveal(), log)
	}
	if err == nil {
		a.Accounts, err = newAccounts(cfg, a.db, log)
	}
	if err == nil {
		a.usage, err = newUsage(cfg, a.db, nil, log)
	}
	if err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	a.makeFleet(nil)
	return a.fleet, stop, nil
}

// ReloadPlugins loads this process's plugins anew; where it has none it does nothing but say so.
func (a *App) ReloadPlugins(ctx context.Context) error {
	if a.agent == nil {
		a.log.WarnContext(ctx, "this process has no plugins to reload")
		return nil
	}
	return a.agent.Reload(ctx)
}
