package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/document"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/sefaz"
	"github.com/mercadoesperto/smarket/internal/telemetry"
	"github.com/mercadoesperto/smarket/internal/usage/pricefile"
	"github.com/mercadoesperto/smarket/providers"
	"github.com/mercadoesperto/smarket/providers/offline/danfe"
	"github.com/mercadoesperto/smarket/worker"
)

// PluginDir is the folder of the plugins: by default the folder plugins beside the program.
func PluginDir(cfg config.Config) (string, error) {
	if cfg.Providers.PluginDir != "" {
		return cfg.Providers.PluginDir, nil
	}
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find PLUGIN_DIR: %w", err)
	}
	return filepath.Join(filepath.Dir(exe), "plugins"), nil
}

// NewHost makes the host of the plugins that the settings enable. Start starts them.
func NewHost(cfg config.Config, log *slog.Logger) (*providers.Host, error) {
	return newHost(cfg, nil, log)
}

func newHost(cfg config.Config, dial []grpc.DialOption, log *slog.Logger) (*providers.Host, error) {
	dir, err := PluginDir(cfg)
	if err != nil {
		return nil, err
	}
	active := append([]string{}, cfg.ActiveProviders()...) // never nil: that would run whatever is in the folder
	env := map[string]map[string]string{}
	for _, name := range active {
		env[name] = cfg.ProviderEnv(name)
	}
	return providers.NewHost(providers.HostConfig{
		Dir: dir, RequireSums: cfg.Providers.PluginSums, Enabled: active, Env: env, DrainTimeout: cfg.Providers.ProviderTimeout, Dial: dial,
		Log: log,
	}), nil
}

func newPool(cfg config.Config) *worker.Pool {
	slots := map[string]int{}
	for _, name := range cfg.ActiveProviders() {
		slots[name] = cfg.Providers.Named[name].Concurrency
	}
	return worker.NewPool(cfg.Worker.Pages, slots)
}

func newReader(cfg config.Config, pool *worker.Pool, log *slog.Logger) *document.Reader {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = cfg.Storage.DataDir // a service user without a home
	}
	return document.New(document.Config{
		CacheDir: filepath.Join(cache, "smarket"), Pages: pool.Pages, ParseText: parseText,
	}, log)
}

// parseText reads the text of a PDF with the rules for printed receipts. It is whole when the ledger has nothing against it.
func parseText(pages []string) (*invoice.Draft, bool) {
	draft, err := providers.DraftFromReceipt(danfe.Parse(pages))
	if err != nil {
		return nil, false
	}
	return &draft, invoice.AllPassed(invoice.RunChecks(invoice.CheckInput{Draft: &draft, Now: time.Now()}))
}

// newOfficial makes what asks the states for their records; nil where SEFAZ_LOOKUP is off.
func newOfficial(
	cfg config.Config, portals sefaz.Config, observe func(string, invoice.RecordOutcome, time.Duration), log *slog.Logger,
) (invoice.Official, error) {
	if cfg.Extraction.SefazLookup != config.On {
		return nil, nil //nolint:nilnil // nobody is asked
	}
	if portals.Observe == nil {
		portals.Observe = observe
	}
	return sefaz.New(portals, log)
}

// newChain makes the chain over the host's plugins. shared is what calls cost and what has been read before; its fields may be
// nil: from the shell there is neither a budget nor a cache.
func newChain(
	cfg config.Config, host *providers.Host, pool *worker.Pool, shared providers.ChainConfig, told *telemetry.Telemetry,
	log *slog.Logger,
) (*providers.Chain, error) {
	for _, name := range cfg.ActiveProviders() {
		shared.Order = append(shared.Order, providers.Named{Name: name, Provider: told.Provider(name, host.Provider(name))})
	}
	shared.ProviderTimeout, shared.TotalTimeout = cfg.Providers.ProviderTimeout, cfg.Extraction.ExtractionTimeout
	shared.CacheTTL = cfg.Providers.CacheTTL()
	shared.Run, shared.Redactor, shared.Log = pool.Provider, host.Redactor(), log
	return providers.NewChain(shared)
}

// newID is a UUIDv7: it sorts by time, so that new rows go to one end of an index.
func newID() string { return uuid.Must(uuid.NewV7()).String() } // it fails only where the system has no randomness

// Previewer is the pipeline without a server: nothing is stored.
type Previewer struct {
	*invoice.Service
	Meter *Meter

	host   *providers.Host
	pool   *worker.Pool
	reader *document.Reader
}

// NewPreviewer makes a Previewer and starts its plugins.
func NewPreviewer(ctx context.Context, cfg config.Config, log *slog.Logger) (*Previewer, error) {
	host, err := NewHost(cfg, log)
	if err != nil {
		return nil, err
	}
	prices, err := pricefile.Load(cfg.Costs.PricesFile)
	if err != nil {
		return nil, fmt.Errorf("PRICES_FILE: %w", err)
	}
	p := &Previewer{host: host, pool: newPool(cfg), Meter: &Meter{prices: prices}}
	p.reader = newReader(cfg, p.pool, log)
	chain, err := newChain(cfg, host, p.pool, providers.ChainConfig{Ledger: p.Meter}, nil, log)
	if err == nil {
		err = host.Start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	official, err := newOfficial(cfg, sefaz.Config{}, nil, log)
	if err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	p.Service = invoice.NewService(invoice.Deps{
		Reader: p.reader, Extractor: chain, Official: official, NewID: newID, Now: time.Now, Log: log,
	})
	return p, nil
}

// Close stops the plugins.
func (p *Previewer) Close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	p.pool.Stop()
	return errors.Join(p.host.Stop(ctx), p.reader.Close(ctx))
}
