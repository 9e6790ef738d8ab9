package config

import (
	"log/slog"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/usage"
)

// Config is all settings. The embedded default needs none of them: without a single variable the service runs on SQLite and
// an embedded Redis, with its files under ./data.
type Config struct {
	// Mode is development or production. Production refuses to start without DATABASE_URL, REDIS_URL and JWT_SECRET, logs
	// JSON, and turns introspection and the playground off. Set it to production wherever others can reach the service.
	// Defaults to development.
	Mode Mode `env:"SMARKET_ENV" envDefault:"development"`

	HTTP       HTTP
	Storage    Storage
	Accounts   Accounts
	Providers  Providers
	Costs      Costs
	Extraction Extraction
	Worker     Worker
	Retention  Retention
	Log        Log
	Monitoring Monitoring

	// searchPath is PATH as found: plugins run local tools (tesseract, pdftotext) and scripts by it.
	searchPath string
}

// Mode is where the service runs.
type Mode string

// The modes.
const (
	Development Mode = "development"
	Production  Mode = "production"
)

// HTTP is what the service listens on and whom it answers.
type HTTP struct {
	// Addr is the host and port of the API and the web page. Change it to :8080 to listen on every interface, behind a
	// proxy that ends TLS. Port 0 picks a free one. Defaults to 127.0.0.1:8080.
	Addr string `env:"HTTP_ADDR" envDefault:"127.0.0.1:8080"`

	// AllowedOrigins are the web origins (https://app.example.com), separated by commas, that may call the API from a
	// browser: they get CORS headers and may open a websocket. Set it when a front end is served from elsewhere. Defaults
	// to nothing: only pages of the service's own origin.
	AllowedOrigins []string `env:"ALLOWED_ORIGINS"`

	// Introspection lets clients ask for the schema. Turn it on for a while to let a tool read the schema of a production
	// server. Defaults to true in development and false in production.
	Introspection bool `env:"INTROSPECTION_ENABLED"`

	// Playground serves a page to try queries on. It is of little use without INTROSPECTION_ENABLED. Defaults to true in
	// development and false in production.
	Playground bool `env:"PLAYGROUND_ENABLED"`

	// RateLimit bounds how often a user and an address may sign in, submit, subscribe and query; docs/api.md has the limits.
	// Turn it off for a load test, or where a gateway does it. Defaults to true.
	RateLimit bool `env:"RATE_LIMIT_ENABLED" envDefault:"true"`

	// TrustedProxies are the addresses and networks (127.0.0.1, 172.16.0.0/12), separated by commas, of proxies whose
	// X-Forwarded-For header is believed. Set it behind a proxy: else all clients share the proxy's rate limits. Never
	// name a network from which clients come directly. Defaults to nothing: the header is not read.
	TrustedProxies []string `env:"TRUSTED_PROXIES"`

	// ShutdownTimeout is how long requests and jobs under way may take to end after SIGTERM; what is left is cut and
	// redone by another process. Keep it below the orchestrator's own grace period. Defaults to 30s.
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"30s"`

	// ShutdownDelay is how long requests are still taken after SIGTERM, while /readyz says 503, so that a load balancer
	// has time to send them elsewhere. It is part of SHUTDOWN_TIMEOUT. Set it to a little more than the balancer's probe
	// interval. Defaults to 0s.
	ShutdownDelay time.Duration `env:"SHUTDOWN_DELAY" envDefault:"0s"`
}

// Storage is where things are kept.
type Storage struct {
	// DataDir is the folder of everything the embedded default keeps: the SQLite file, submitted files and the generated
	// JWT secret. It is created when absent. Move it to a volume that is backed up. Defaults to ./data.
	DataDir string `env:"DATA_DIR" envDefault:"./data"`

	// DatabaseURL is the PostgreSQL database, postgres://user:password@host:5432/name. Set it to run more than one
	// process; required in production. Defaults to nothing: SQLite under DATA_DIR.
	DatabaseURL SecretURL `env:"DATABASE_URL"`

	// DBMaxIdle is how many idle connections to PostgreSQL each process keeps. SQLite ignores it. Lower it when many
	// replicas share a small server: a process opens up to DB_MAX_IDLE_CONNS + DB_MAX_OVERFLOW. Defaults to 20.
	DBMaxIdle int `env:"DB_MAX_IDLE_CONNS" envDefault:"20"`

	// DBMaxOverflow is how many connections beyond DB_MAX_IDLE_CONNS a process may open in a rush and closes afterwards.
	// Defaults to 10.
	DBMaxOverflow int `env:"DB_MAX_OVERFLOW" envDefault:"10"`

	// RedisURL is the Redis of caches, rate limits and live progress, redis://:password@host:6379/0 (rediss:// for TLS).
	// Every process of one installation needs the same; required in production. Defaults to nothing: a Redis embedded in
	// the process, gone with it.
	RedisURL SecretURL `env:"REDIS_URL"`

	// BlobURL is where submitted files are kept: file:///srv/smarket/files, or s3://bucket?region=sa-east-1 with the
	// usual AWS credentials. Set it when processes run on more than one machine. Defaults to nothing: a folder under
	// DATA_DIR.
	BlobURL SecretURL `env:"BLOB_URL"`
}

// Accounts is how people sign in.
type Accounts struct {
	// SignUp lets anybody make an account. Turn it off for a private installation, whose users the operator creates with
	// smarket user create. Defaults to true.
	SignUp bool `env:"SIGN_UP_ENABLED" envDefault:"true"`

	// TokenSecret signs access tokens: at least 32 random bytes, the same for every process (openssl rand -base64 48).
	// Changing it ends every access token at once; sessions survive by their refresh tokens. Required in production.
	// Defaults to nothing: one is generated at the first start and kept under DATA_DIR.
	TokenSecret Secret `env:"JWT_SECRET"`

	// AccessTTL is how long an access token is good for, at most 15m. A shorter one limits what a stolen token is worth
	// and costs more refreshes. Defaults to 15m.
	AccessTTL time.Duration `env:"ACCESS_TOKEN_TTL" envDefault:"15m"`

	// RefreshTTL is how long somebody who does not come back stays signed in; each refresh starts it anew. Defaults to
	// 720h (30 days).
	RefreshTTL time.Duration `env:"REFRESH_TOKEN_TTL" envDefault:"720h"`
}

// Providers is which models read documents, and how they are reached. Each provider is a plugin, a program of its own.
type Providers struct {
	// PluginDir is the folder of the plugins, smarket-provider-NAME. Change it when plugins are installed apart from the
	// service. Defaults to the folder plugins beside the executable.
	PluginDir string `env:"PLUGIN_DIR"`

	// PluginSums refuses to start a plugin whose SHA-256 is not in the folder's plugins.sum file. Turn it on wherever the
	// folder is not as well guarded as the service itself. Defaults to false.
	PluginSums bool `env:"PLUGIN_SUMS_REQUIRED" envDefault:"false"`

	// Order is the providers to ask, the first one first, separated by commas. Those without a key are skipped; offline
	// needs none. Defaults to gemini,openrouter,openai,anthropic,offline.
	Order []string `env:"PROVIDER_ORDER" envDefault:"gemini,openrouter,openai,anthropic,offline"`

	// ProviderConcurrency is how many calls each provider gets at once from one process. Lower it to stay below a
	// vendor's rate limit. Defaults to 8.
	ProviderConcurrency int `env:"PROVIDER_CONCURRENCY" envDefault:"8"`

	// ProviderTimeout is how long one call to a provider may take. Raise it for slow models and long receipts; it must be
	// below EXTRACTION_TIMEOUT. Defaults to 60s.
	ProviderTimeout time.Duration `env:"PROVIDER_TIMEOUT" envDefault:"60s"`

	// CacheTTLHours is for how many hours a provider's accepted reply is reused for the same pages; 0 turns the cache
	// off. Defaults to 72.
	CacheTTLHours int `env:"CACHE_TTL_HOURS" envDefault:"72"`

	// Named is the settings of each provider in Order, by its name.
	Named map[string]Provider `env:"-"`
}

// CacheTTL is CacheTTLHours as a duration; 0 turns the cache off.
func (p Providers) CacheTTL() time.Duration { return time.Duration(p.CacheTTLHours) * time.Hour }

// Provider is the settings of one provider. NAME is its name in PROVIDER_ORDER in capitals, with _ for -: GEMINI_API_KEY,
// OPENROUTER_API_KEY, OPENAI_API_KEY, ANTHROPIC_API_KEY and so on, for other people's plugins too. A plugin is given its own
// and nobody else's.
type Provider struct {
	// APIKey is the vendor's key. A plugin other than offline that needs no key is given any value, so that it is not
	// skipped. Defaults to nothing: the provider is skipped.
	APIKey Secret `env:"API_KEY"`

	// BaseURL is where the vendor's API is. Change it to go through a gateway or to a server of your own that speaks the
	// same protocol. Defaults to nothing: the vendor's own address.
	BaseURL SecretURL `env:"BASE_URL"`

	// Model is the vendor's name of the model. Change it to trade accuracy against cost. Defaults to nothing: the
	// plugin's own choice.
	Model string `env:"MODEL"`

	// Concurrency is how many calls this provider gets at once from one process. Defaults to PROVIDER_CONCURRENCY, and
	// for offline, which works on this machine, to the number of CPUs.
	Concurrency int `env:"CONCURRENCY"`
}

// Costs is what calls to providers cost, and how much of it is allowed. Days begin at midnight in Brasília.
type Costs struct {
	// PricesFile is the YAML file of what each model costs; docs/costs.md says how it is written. Set it when prices change,
	// or to use a model that the built-in list does not have. Defaults to nothing: the list that is built in.
	PricesFile string `env:"PRICES_FILE"`

	// UserDailyBudget is how many US dollars the calls of one user may cost in a day; beyond it their documents are refused
	// with QUOTA_EXCEEDED until midnight. 0 is no limit. Raise it for dear models: a call is begun only when the most it may
	// cost still fits. Defaults to 0.50.
	UserDailyBudget usage.MicroUSD `env:"BUDGET_USER_DAILY_USD" envDefault:"0.50"`

	// DailyBudget is how many US dollars the calls of the whole installation may cost in a day. 0 is no limit. Defaults to 20.
	DailyBudget usage.MicroUSD `env:"BUDGET_DAILY_USD" envDefault:"20"`
}

// Extraction is how an invoice is read.
type Extraction struct {
	// ExtractionTimeout is how long one run over an invoice may take, all providers together. Reading and
	// storing get two minutes more. Defaults to 4m.
	ExtractionTimeout time.Duration `env:"EXTRACTION_TIMEOUT" envDefault:"4m"`

	// MaxAttempts is how many runs an invoice gets before it is FAILED; its files are kept and its owner can ask again.
	// Defaults to 5.
	MaxAttempts int `env:"EXTRACTION_MAX_ATTEMPTS" envDefault:"5"`

	// SefazLookup asks the state's public page for the record of a note whose QR code was read, before any provider: exact
	// figures without a model. The state sees the server's address and the note's key; docs/official-data.md says more. on or
	// off. Turn it on where the server may call the internet. Defaults to off: nobody is called.
	SefazLookup Switch `env:"SEFAZ_LOOKUP" envDefault:"off"`

	// MinValueForAnalysis is the least total, in reais (50 or 50.00), of an invoice that is analysed. An analysis is one call
	// to a model, which a small purchase is not worth. Lower it where models are cheap. Defaults to 50.
	MinValueForAnalysis fiscal.Money `env:"MIN_INVOICE_VALUE_FOR_ANALYSIS" envDefault:"50"`
}

// Switch is a setting that is on or off.
type Switch string

// The positions.
const (
	On  Switch = "on"
	Off Switch = "off"
)

// Worker is how much work a process takes on.
type Worker struct {
	// Enabled lets a process that serves the API work on jobs too. Turn it off where smarket serve --role=worker runs
	// beside it. Defaults to true.
	Enabled bool `env:"WORKER_ENABLED" envDefault:"true"`

	// Name is where this process's id means something: its host or container. The jobs of a process that died there are taken
	// up at once by one that starts under the same name; those of others after 20 s of silence. Processes on one host may
	// share it. Set it where the host name changes with every start, as in some containers. Defaults to the host name.
	Name string `env:"WORKER_NAME"`

	// Jobs is how many invoices are worked on at once. Most of a job is waiting for a provider, so it may well exceed the
	// number of CPUs. Defaults to 8.
	Jobs int `env:"WORKER_JOBS" envDefault:"8"`

	// Pages is how many pictures are prepared at once, over all jobs; each takes one CPU and up to 250 MB. Lower it on
	// machines with little memory. Defaults to the number of CPUs.
	Pages int `env:"WORKER_PAGES"`
}

// Retention is how long things are kept that are not needed for ever; 0 is for ever. What has expired is removed once a day.
// What people bought is kept until they delete it. docs/privacy.md says what is kept where.
type Retention struct {
	// FailedFiles is how long the files are kept of invoices that FAILED or were CANCELLED, since their last change. Their
	// owners can ask for another try until then. Defaults to 720h (30 days).
	FailedFiles time.Duration `env:"FAILED_FILES_KEPT" envDefault:"720h"`

	// ReadFiles is how long the files are kept of invoices that were read, since their last change. What was read stays; it
	// can no longer be compared with the paper, nor read anew. Defaults to 8760h (one year).
	ReadFiles time.Duration `env:"READ_FILES_KEPT" envDefault:"8760h"`

	// Events is how long the steps of an extraction are kept; the last one stays with its invoice. Defaults to 720h (30
	// days).
	Events time.Duration `env:"EVENTS_KEPT" envDefault:"720h"`

	// Sessions is how long sign-ins are kept after they expired, with the device they were on. Defaults to 720h (30 days).
	Sessions time.Duration `env:"ENDED_SESSIONS_KEPT" envDefault:"720h"`

	// Audit is how long the audit log keeps what admins did. Defaults to 17520h (two years).
	Audit time.Duration `env:"AUDIT_KEPT" envDefault:"17520h"`
}

// Log is what is logged, on standard error.
type Log struct {
	// Level is the least that is logged: debug, info, warn or error. Personal data and keys are logged at none. Defaults
	// to info.
	Level slog.Level `env:"LOG_LEVEL" envDefault:"info"`

	// Format is text, for people, or json, for collectors. Defaults to text in development and json in production.
	Format Format `env:"LOG_FORMAT"`
}

// Monitoring is what operators see of the service. docs/MONITORING.md says what there is and how to look at it.
type Monitoring struct {
	// MetricsAddr is the host and port of Prometheus' metrics, at /metrics, and of the page of the jobs; nothing else is served
	// there, and nothing of it at HTTP_ADDR. Set it to 127.0.0.1:9090 where a Prometheus runs on the same machine, or to 0.0.0.0:9090 in a container whose
	// port is not published. Each process needs a port of its own. Defaults to nothing: no metrics are served.
	MetricsAddr string `env:"METRICS_ADDR"`

	// JobsPage serves River's page of the queue at /admin/jobs/ of METRICS_ADDR: what waits, what failed and why, to be tried
	// again or cancelled. It asks nobody to sign in: set it to true only where nobody but operators reaches that port. Defaults
	// to false.
	JobsPage bool `env:"JOBS_PAGE_ENABLED" envDefault:"false"`

	// OTLPEndpoint is where traces are sent, by OpenTelemetry's protocol over HTTP: http://127.0.0.1:4318. Set it to follow a
	// purchase from its request through the queue to the provider. Defaults to nothing: no traces are made.
	OTLPEndpoint SecretURL `env:"OTEL_EXPORTER_OTLP_ENDPOINT"`

	// TraceRatio is which part of the traces is made, from 0 to 1. Lower it where there are too many. Defaults to 1.
	TraceRatio float64 `env:"OTEL_TRACES_SAMPLER_ARG" envDefault:"1"`

	// SentryDSN is the address of a Sentry project, as Sentry shows it, which is told of panics and internal faults: where they
	// happened and their request's id, nothing of requests or users. Defaults to nothing: nobody is told.
	SentryDSN SecretURL `env:"SENTRY_DSN"`
}

// Format is how log records look.
type Format string

// The formats.
const (
	FormatText Format = "text"
	FormatJSON Format = "json"
)

// IsProduction says whether SMARKET_ENV is production.
func (c Config) IsProduction() bool { return c.Mode == Production }

// offlineProvider works on this machine, so it needs no key and is bounded by its CPUs.
const offlineProvider = "offline"

// ActiveProviders are the providers to ask, in their order: those of PROVIDER_ORDER that have a key, and offline.
func (c Config) ActiveProviders() []string {
	var active []string
	for _, name := range c.Providers.Order {
		if name == offlineProvider || c.Providers.Named[name].APIKey != "" {
			active = append(active, name)
		}
	}
	return active
}

// ProviderEnv is the whole environment of one provider's plugin: its own settings that are set, under their names in
// the environment, and PATH, which plugins that are scripts or run local tools need. It holds clear secrets: hand it to the
// process and log nothing of it.
func (c Config) ProviderEnv(name string) map[string]string {
	env := map[string]string{}
	if c.searchPath != "" {
		env["PATH"] = c.searchPath
	}
	p, prefix := c.Providers.Named[name], providerPrefix(name)
	for key, value := range map[string]string{"API_KEY": p.APIKey.Reveal(), "BASE_URL": p.BaseURL.Reveal(), "MODEL": p.Model} {
		if value != "" {
			env[prefix+key] = value
		}
	}
	return env
}

// providerPrefix is what the variables of a provider begin with.
func providerPrefix(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + "_"
}
