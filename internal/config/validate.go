package config

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/internal/clientaddr"
)

const (
	minTokenSecret = 32 // bytes: the length of HS256's own output
	maxAccessTTL   = 15 * time.Minute
	maxProviders   = 32
	maxConcurrency = 10_000
	maxCacheHours  = 24 * 365
	maxRuns        = 100
	minKept        = time.Hour // less is a slip, and costs files
)

// fault is one wrong setting: the variable's name, and a sentence without its subject.
type fault struct{ variable, problem string }

func joined(faults []fault) error {
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = errors.New(f.variable + " " + f.problem + ".")
	}
	return errors.Join(errs...)
}

// Validate reports every setting that cannot work, one sentence each, joined. No sentence repeats a value.
func (c Config) Validate() error { return joined(c.faults()) }

func (c Config) faults() []fault {
	var v verdict
	v.check(c.Mode == Development || c.Mode == Production, "SMARKET_ENV", "must be development or production")
	c.HTTP.validate(&v)
	c.Storage.validate(&v)
	c.Accounts.validate(&v)
	c.Providers.validate(&v)
	v.check(c.Extraction.ExtractionTimeout > 0, "EXTRACTION_TIMEOUT", "must be above zero")
	v.check(c.Extraction.ExtractionTimeout <= 0 || c.Providers.ProviderTimeout < c.Extraction.ExtractionTimeout,
		"PROVIDER_TIMEOUT", "must be below EXTRACTION_TIMEOUT")
	v.between("EXTRACTION_MAX_ATTEMPTS", c.Extraction.MaxAttempts, 1, maxRuns)
	v.check(c.Extraction.SefazLookup == On || c.Extraction.SefazLookup == Off, "SEFAZ_LOOKUP", "must be on or off")
	v.check(c.Extraction.MinValueForAnalysis >= 0, "MIN_INVOICE_VALUE_FOR_ANALYSIS", "must not be below zero")
	v.check(strings.TrimSpace(c.Worker.Name) != "", "WORKER_NAME", "is needed: this machine has no host name")
	v.between("WORKER_JOBS", c.Worker.Jobs, 1, maxConcurrency)
	v.between("WORKER_PAGES", c.Worker.Pages, 1, maxConcurrency)
	c.Retention.validate(&v)
	c.Monitoring.validate(&v, c.HTTP)
	v.check(c.Log.Format == FormatText || c.Log.Format == FormatJSON, "LOG_FORMAT", "must be text or json")
	if c.IsProduction() {
		const required = "is required when SMARKET_ENV is production"
		v.check(c.Storage.DatabaseURL != "", "DATABASE_URL", required)
		v.check(c.Storage.RedisURL != "", "REDIS_URL", required)
		v.check(c.Accounts.TokenSecret != "", "JWT_SECRET", required)
	}
	return v.faults
}

func (h HTTP) validate(v *verdict) {
	const address = "must be a host and a port, such as 127.0.0.1:8080 or :8080"
	v.check(isAddress(h.Addr), "HTTP_ADDR", address)
	v.check(!slices.ContainsFunc(h.AllowedOrigins, func(o string) bool { return !isOrigin(o) }), "ALLOWED_ORIGINS",
		"must be origins separated by commas, such as https://app.example.com, without a path and without *")
	_, err := clientaddr.Parse(h.TrustedProxies)
	v.check(err == nil, "TRUSTED_PROXIES", "must be addresses or networks separated by commas, such as 127.0.0.1 or 172.16.0.0/12")
	v.check(h.ShutdownTimeout > 0, "SHUTDOWN_TIMEOUT", "must be above zero")
}

func (s Storage) validate(v *verdict) {
	v.check(strings.TrimSpace(s.DataDir) != "", "DATA_DIR", "must name a folder")
	v.check(s.DatabaseURL == "" || hasScheme(s.DatabaseURL, "postgres", "postgresql"), "DATABASE_URL",
		"must look like postgres://user:password@host:5432/name")
	v.between("DB_MAX_IDLE_CONNS", s.DBMaxIdle, 1, maxConcurrency)
	v.between("DB_MAX_OVERFLOW", s.DBMaxOverflow, 0, maxConcurrency)
	v.check(s.RedisURL == "" || hasScheme(s.RedisURL, "redis", "rediss", "unix"), "REDIS_URL",
		"must look like redis://:password@host:6379/0")
	v.check(s.BlobURL == "" || hasScheme(s.BlobURL, "file", "s3"), "BLOB_URL",
		"must look like file:///folder or s3://bucket?region=sa-east-1")
}

func (a Accounts) validate(v *verdict) {
	v.check(a.TokenSecret == "" || len(a.TokenSecret) >= minTokenSecret, "JWT_SECRET",
		"must have at least "+strconv.Itoa(minTokenSecret)+" bytes")
	v.check(a.AccessTTL > 0 && a.AccessTTL <= maxAccessTTL, "ACCESS_TOKEN_TTL", "must be above zero and at most 15m")
	v.check(a.RefreshTTL > a.AccessTTL, "REFRESH_TOKEN_TTL", "must be above ACCESS_TOKEN_TTL")
}

func (p Providers) validate(v *verdict) {
	v.check(len(p.Order) > 0 && len(p.Order) <= maxProviders, "PROVIDER_ORDER",
		"must name between 1 and "+strconv.Itoa(maxProviders)+" providers")
	v.check(!slices.ContainsFunc(p.Order, func(n string) bool { return !isProviderName(n) }), "PROVIDER_ORDER",
		"must be names of lower case letters, digits and dashes, separated by commas")
	v.between("PROVIDER_CONCURRENCY", p.ProviderConcurrency, 1, maxConcurrency)
	v.check(p.ProviderTimeout > 0, "PROVIDER_TIMEOUT", "must be above zero")
	v.between("CACHE_TTL_HOURS", p.CacheTTLHours, 0, maxCacheHours)
	for _, name := range p.Order {
		one, prefix := p.Named[name], providerPrefix(name)
		v.check(one.BaseURL == "" || hasScheme(one.BaseURL, "http", "https"), prefix+"BASE_URL", "must look like https://host/path")
		// A provider that follows a wrong PROVIDER_CONCURRENCY has no fault of its own.
		if one.Concurrency != p.ProviderConcurrency {
			v.between(prefix+"CONCURRENCY", one.Concurrency, 1, maxConcurrency)
		}
	}
}

func (r Retention) validate(v *verdict) {
	for _, kept := range []struct {
		variable string
		time     time.Duration
	}{
		{"FAILED_FILES_KEPT", r.FailedFiles},
		{"READ_FILES_KEPT", r.ReadFiles},
		{"EVENTS_KEPT", r.Events},
		{"ENDED_SESSIONS_KEPT", r.Sessions},
		{"AUDIT_KEPT", r.Audit},
	} {
		v.check(kept.time == 0 || kept.time >= minKept, kept.variable, "must be 0 (for ever) or at least 1h")
	}
}

func (m Monitoring) validate(v *verdict, public HTTP) {
	v.check(m.MetricsAddr == "" || isAddress(m.MetricsAddr), "METRICS_ADDR", "must be a host and a port, such as 127.0.0.1:9090")
	v.check(m.MetricsAddr != "" || !m.JobsPage, "JOBS_PAGE_ENABLED", "needs METRICS_ADDR, where the page is served")
	v.check(m.MetricsAddr == "" || !samePort(m.MetricsAddr, public.Addr), "METRICS_ADDR", "must have another port than HTTP_ADDR")
	v.check(m.OTLPEndpoint == "" || hasScheme(m.OTLPEndpoint, "http", "https"), "OTEL_EXPORTER_OTLP_ENDPOINT",
		"must look like http://127.0.0.1:4318")
	v.check(m.TraceRatio >= 0 && m.TraceRatio <= 1, "OTEL_TRACES_SAMPLER_ARG", "must be between 0 and 1")
	v.check(m.SentryDSN == "" || hasScheme(m.SentryDSN, "http", "https"), "SENTRY_DSN", "must look like https://key@host/project")
}

// samePort says that two addresses have one port, whatever their hosts; port 0 is a free one each.
func samePort(a, b string) bool {
	_, portA, errA := net.SplitHostPort(a)
	_, portB, errB := net.SplitHostPort(b)
	return errA == nil && errB == nil && portA == portB && portA != "0"
}

// verdict collects faults.
type verdict struct{ faults []fault }

func (v *verdict) check(ok bool, variable, problem string) {
	if !ok {
		v.faults = append(v.faults, fault{variable, problem})
	}
}

func (v *verdict) between(variable string, n, least, most int) {
	v.check(n >= least && n <= most, variable, "must be between "+strconv.Itoa(least)+" and "+strconv.Itoa(most))
}

func isAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// isOrigin accepts what a browser sends as Origin: scheme and host, nothing else.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !strings.Contains(u.Host, "*") &&
		s == u.Scheme+"://"+u.Host
}

func hasScheme(s SecretURL, schemes ...string) bool {
	u, err := url.Parse(s.Reveal())
	return err == nil && u.Opaque == "" && (u.Host != "" || u.Path != "") && slices.Contains(schemes, u.Scheme)
}

func isProviderName(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && s[0] != '-'
}
