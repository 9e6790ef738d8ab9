package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/graph"
	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/cache"
	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/document"
	"github.com/mercadoesperto/smarket/internal/filestore"
	"github.com/mercadoesperto/smarket/internal/fleet"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/privacy"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/progress"
	"github.com/mercadoesperto/smarket/internal/sefaz"
	"github.com/mercadoesperto/smarket/internal/spending"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/telemetry"
	"github.com/mercadoesperto/smarket/internal/usage"
	"github.com/mercadoesperto/smarket/providers"
	"github.com/mercadoesperto/smarket/worker"
)

// Role is what a process does.
type Role string

// The roles.
const (
	RoleAll    Role = "all"    // both, for one process alone
	RoleAPI    Role = "api"    // answers clients and accepts work
	RoleWorker Role = "worker" // does the work, with the plugins; answers health checks only
)

// Options are what the settings do not say.
type Options struct {
	Role    Role
	Version string
	Log     *slog.Logger
	// Statements sees every statement that is sent to the database; nil is none. It is for measuring.
	Statements bun.QueryHook
	// Sefaz is how the states' pages are reached where SEFAZ_LOOKUP is on; the zero value is the internet.
	Sefaz sefaz.Config
	// Reader and Writer are given what reads documents and what words findings, and say what is asked in its place; nil is
	// nothing else. They are for measuring.
	Reader func(invoice.Reader) invoice.Reader
	Writer func(insight.Writer) insight.Writer
}

// App is the running service.
type App struct {
	Accounts *account.Service
	Invoices *invoice.Service

	usage    *usage.Service
	products *product.Catalogue
	spending *spending.Service
	insights *insight.Service
	privacy  *privacy.Service
	fleet    *fleet.Service
	cfg      config.Config
	log      *slog.Logger
	version  string

	lock     *os.File // on DATA_DIR; nil with PostgreSQL
	db       *store.DB
	embedded *cache.Embedded // nil with a Redis elsewhere
	redis    *redis.Client
	hub      *progress.Hub
	files    *filestore.Store
	reader   *document.Reader
	host     *providers.Host // nil where no work is done
	agent    *fleet.Agent    // nil where no work is done
	pool     *worker.Pool
	worker   *worker.Worker // nil where no work is done
	graph    *graph.Handler // nil where no clients are served
	http     *http.Server
	listener net.Listener
	failed   chan error
	stopping atomic.Bool // not ready any more

	telemetry *telemetry.Telemetry
	metrics   metricsServer
}

// New makes the parts and connects to what is outside: the database, Redis, the file store. Nothing is served or worked on
// before Start. On an error everything that was opened is closed again.
func New(ctx context.Context, cfg config.Config, opts Options) (_ *App, err error) {
	switch opts.Role {
	case RoleAll, RoleAPI, RoleWorker:
	default:
		return nil, fmt.Errorf("there is no role %q: it is all, api or worker", opts.Role)
	}
	told, err := newTelemetry(ctx, cfg, opts)
	if err != nil {
		return nil, err
	}
	a := &App{cfg: cfg, log: told.Logger(opts.Log), version: opts.Version, failed: make(chan error, 1), telemetry: told}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Stop(context.WithoutCancel(ctx)))
		}
	}()
	if err := a.openStorage(ctx, opts.Statements); err != nil {
		return nil, err
	}
	a.pool = newPool(cfg)
	a.reader = newReader(cfg, a.pool, a.log)
	works := opts.Role == RoleWorker || (opts.Role == RoleAll && cfg.Worker.Enabled)
	if err := a.makeServices(works, opts); err != nil {
		return nil, err
	}
	if err := a.serveHTTP(opts.Role != RoleWorker); err != nil {
		return nil, err
	}
	return a, nil
}

// openStorage connects to the database, Redis and the file store.
func (a *App) openStorage(ctx context.Context, hook bun.QueryHook) (err error) {
	if err = openDataDir(a.cfg.Storage.DataDir); err != nil {
		return err
	}
	if a.cfg.Storage.DatabaseURL.Reveal() == "" {
		if a.lock, err = lockDataDir(a.cfg.Storage.DataDir); err != nil {
			return err
		}
	}
	if a.db, err = openStore(ctx, a.cfg, hook); err != nil {
		return err
	}
	if err = prepareSchema(ctx, a.cfg, a.db, a.log); err != nil {
		return err
	}
	cache.LogLibrary(a.log)
	address := a.cfg.Storage.RedisURL.Reveal()
	if address == "" {
		a.embedded = cache.NewEmbedded()
		if err = a.embedded.Start(ctx); err != nil {
			return err
		}
		address = a.embedded.URL()
	}
	if a.redis, err = cache.Connect(ctx, address, a.log); err != nil {
		return err
	}
	a.hub = progress.NewHub(a.redis, a.log)
	a.files, err = openFiles(ctx, a.cfg)
	return err
}

func openFiles(ctx context.Context, cfg config.Config) (*filestore.Store, error) {
	address := cfg.Storage.BlobURL.Reveal()
	if address == "" {
		return filestore.OpenDir(filepath.Join(cfg.Storage.DataDir, "files"))
	}
	if u, err := url.Parse(address); err == nil && u.Scheme == "file" {
		return filestore.OpenDir(u.Path)
	}
	return filestore.OpenURL(ctx, address)
}

// makeServices makes the use cases, and the worker where this process works.
func (a *App) makeServices(works bool, opts Options) (err error) {
	if a.Accounts, err = newAccounts(a.cfg, a.db, a.log); err != nil {
		return err
	}
	if a.usage, err = newUsage(a.cfg, a.db, a.telemetry.Metrics.Settled, a.log); err != nil {
		return err
	}
	replies := cache.NewReplies(a.redis, a.log)
	queue, err := worker.NewQueue(jobs(a.db), a.cfg.Extraction.MaxAttempts, a.log)
	if err != nil {
		return err
	}
	queue = queue.Carrying(a.telemetry.Jobs())
	if a.host, err = newHost(a.cfg, a.telemetry.Dial(), a.log); err != nil {
		return err
	}
	metrics := a.telemetry.Metrics
	chain, err := newChain(a.cfg, a.host, a.pool, providers.ChainConfig{
		Ledger: metrics.Ledger(ledger{a.usage}), Consents: consents{a.Accounts},
		Replies: metrics.Replies(replies), Flights: metrics.Flights(cache.NewFlights(a.redis, a.log)), Answered: metrics.Answered,
	}, a.telemetry, a.log)
	if err != nil {
		return err
	}
	reader, writer := a.telemetry.Reader(a.reader), a.telemetry.Writer(chain)
	if opts.Reader != nil {
		reader = opts.Reader(reader)
	}
	if opts.Writer != nil {
		writer = opts.Writer(writer)
	}
	if err = a.makeAnalyses(queue, writer); err != nil {
		return err
	}
	official, err := newOfficial(a.cfg, opts.Sefaz, a.telemetry.OfficialLookup, a.log)
	if err != nil {
		return err
	}
	a.Invoices = invoice.NewService(invoice.Deps{
		Store: store.NewInvoices(a.db), Files: a.files, Queue: queue, Publisher: a.telemetry.Publisher(a.hub), Subscriber: a.hub,
		Reader: reader, Extractor: a.telemetry.Extractor(chain), Catalogue: a.products, Analyses: a.insights,
		SamePicture: document.SamePicture, Official: official, NewID: newID, Now: time.Now,
		Log: a.log,
	})
	a.privacy = privacy.NewService(privacy.Deps{
		Store: store.NewPersonal(a.db), Blobs: a.files, Jobs: queue, Cache: replies, Accounts: a.Accounts, Purchases: a.spending, Log: a.log,
	})
	if !works {
		a.host = nil // its plugins are not started
	}
	a.makeFleet(chain)
	a.watch(chain)
	if !works {
		return nil
	}
	a.worker, err = worker.New(worker.Config{
		Database: jobs(a.db), Extractions: a.Invoices, Reconciliations: a.Invoices, Analyses: a.insights, Sweeps: a.newUpkeep(queue),
		Heartbeats: store.NewHeartbeats(a.db), Owners: store.Jobs{}, Name: a.cfg.Worker.Name,
		Jobs: a.cfg.Worker.Jobs, JobTimeout: a.cfg.Extraction.ExtractionTimeout + readingTime,
		StopTimeout: a.cfg.HTTP.ShutdownTimeout / 2, Observer: a.telemetry.Jobs(), Scrub: telemetry.Scrub, Log: a.log, Now: time.Now,
	})
	return err
}

// makeAnalyses makes what comes after reading: products and their ledger, reports, insights.
func (a *App) makeAnalyses(queue insight.Queue, writer insight.Writer) error {
	taxonomy, err := product.LoadTaxonomy()
	if err != nil {
		return err
	}
	a.products, err = product.NewCatalogue(product.Config{
		Store: store.NewProducts(a.db), Taxonomy: taxonomy, NewID: newID, Log: a.log,
	})
	if err != nil {
		return err
	}
	a.spending, err = spending.NewService(spending.Config{Store: store.NewSpending(a.db), Categories: a.products, Log: a.log})
	if err != nil {
		return err
	}
	figures := store.NewFigures(a.db)
	a.insights = insight.NewService(insight.Deps{
		Store: store.NewInsights(a.db), Invoices: store.NewInvoices(a.db), Rules: insight.Rules(figures, figures, taxonomy, taxonomy),
		People: people{a.Accounts, store.NewAccounts(a.db)}, Queue: queue, Writer: writer, Publisher: a.telemetry.Publisher(a.hub),
		MinValue: a.cfg.Extraction.MinValueForAnalysis,
		NewID:    newID, Now: time.Now, Log: a.log,
	})
	return nil
}

// readingTime is what a job is given beyond its providers: decoding pictures, checking, storing.
const readingTime = 2 * time.Minute

// Start begins to listen and to work. It returns when both do.
func (a *App) Start(ctx context.Context) (err error) {
	var page *worker.Page
	if a.cfg.Monitoring.JobsPage {
		if page, err = worker.NewPage(jobs(a.db), a.log); err != nil {
			return err
		}
	}
	if err = a.metrics.start(ctx, a.cfg.Monitoring, a.telemetry.Metrics.Handler(), page, a.log); err != nil {
		return err
	}
	if err = a.hub.Start(ctx); err != nil {
		return err
	}
	if a.host != nil {
		if err = a.host.Start(ctx); err != nil {
			return err
		}
		if err = a.agent.Start(ctx); err != nil {
			return err
		}
	}
	if a.worker != nil {
		if err = a.worker.Start(ctx); err != nil {
			return err
		}
	}
	if a.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", a.cfg.HTTP.Addr); err != nil {
		return fmt.Errorf("listen at HTTP_ADDR: %w", err)
	}
	go func() {
		if err := a.http.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			a.failed <- fmt.Errorf("serve: %w", err)
		}
	}()
	a.log.InfoContext(ctx, "ready", "address", a.URL(), "version", a.version)
	return nil
}

// Failed tells of an error that ends the service.
func (a *App) Failed() <-chan error { return a.failed }

// URL is where the service listens, for people on this machine: a wildcard address is shown as localhost.
func (a *App) URL() string {
	host, port, err := net.SplitHostPort(a.listener.Addr().String())
	if err != nil {
		return a.listener.Addr().String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(strings.Trim(host, "[]"), port)
}

// linger says at /readyz that the service ends, and goes on serving until whoever asks there has noticed.
func (a *App) linger(ctx context.Context) {
	if a.stopping.Swap(true) || a.listener == nil || a.cfg.HTTP.ShutdownDelay <= 0 {
		return
	}
	timer := time.NewTimer(a.cfg.HTTP.ShutdownDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Stop ends the service: no new requests, then running jobs, then what they use. It bears being called twice, and on an App
// that did not start. ctx bounds the wait; what is left then is cut, and redone by whoever comes next.
func (a *App) Stop(ctx context.Context) error {
	var errs []error
	stop := func(what string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", what, err))
		}
	}
	a.linger(ctx)
	if a.graph != nil {
		stop("streams", a.graph.Stop(ctx))
	}
	if a.http != nil {
		stop("http", a.http.Shutdown(ctx))
	}
	if a.worker != nil {
		stop("worker", a.worker.Stop(ctx))
	}
	if a.pool != nil {
		a.pool.Stop()
	}
	if a.agent != nil {
		a.agent.Stop(ctx)
	}
	if a.host != nil {
		stop("plugins", a.host.Stop(ctx))
	}
	if a.reader != nil {
		stop("document reader", a.reader.Close(ctx))
	}
	if a.hub != nil {
		stop("progress", a.hub.Stop(ctx))
	}
	if a.redis != nil {
		if err := a.redis.Close(); !errors.Is(err, redis.ErrClosed) {
			stop("redis", err)
		}
	}
	if a.embedded != nil {
		stop("embedded redis", a.embedded.Stop(ctx))
	}
	if a.files != nil {
		stop("files", a.files.Close())
		a.files = nil
	}
	stop("metrics", a.metrics.stop()) // before what they ask
	if a.db != nil {
		stop("database", a.db.Close())
		a.db = nil
	}
	if a.lock != nil {
		stop("lock", a.lock.Close())
		a.lock = nil
	}
	if a.telemetry != nil {
		stop("telemetry", a.telemetry.Stop(ctx))
	}
	return errors.Join(errs...)
}
