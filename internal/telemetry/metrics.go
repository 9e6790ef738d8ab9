package telemetry

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// How many values labels may have whose values the code does not list.
const (
	maxModels    = 50
	maxOutcomes  = 40
	maxCodes     = 60
	maxFields    = 150
	maxProviders = 40
)

// Metrics are the service's own, in a registry of their own.
type Metrics struct {
	catalogue catalogue

	httpRequests *prometheus.CounterVec
	httpDuration *prometheus.HistogramVec
	httpInFlight prometheus.Gauge

	operations         *prometheus.CounterVec
	operationDuration  *prometheus.HistogramVec
	streams            *prometheus.GaugeVec
	subscriptions      *prometheus.GaugeVec
	rateLimit          *prometheus.CounterVec
	jobs               *prometheus.CounterVec
	jobsRunning        *prometheus.GaugeVec
	jobDuration        *prometheus.HistogramVec
	jobWait            *prometheus.HistogramVec
	stages             *prometheus.HistogramVec
	outcomes           *prometheus.CounterVec
	turnaround         prometheus.Observer
	analyses           *prometheus.CounterVec
	calls              *prometheus.CounterVec
	callDuration       *prometheus.HistogramVec
	tokens             *prometheus.CounterVec
	cost               *prometheus.CounterVec
	unpriced           *prometheus.CounterVec
	answers            *prometheus.CounterVec
	refusals           *prometheus.CounterVec
	cacheLookups       *prometheus.CounterVec
	flights            *prometheus.CounterVec
	official           *prometheus.HistogramVec
	logRecords         *prometheus.CounterVec
	retention, budgets *prometheus.GaugeVec

	models, outcomeNames, codes, fields, providers *bounded
}

// Build is what the metrics say of the program itself.
type Build struct{ Version, Role string }

// NewMetrics makes all metrics. Nothing is asked of anybody before Watch.
func NewMetrics(build Build) *Metrics {
	m := &Metrics{
		catalogue: catalogue{registry: prometheus.NewRegistry()},
		models:    newBounded(maxModels), outcomeNames: newBounded(maxOutcomes), codes: newBounded(maxCodes),
		fields: newBounded(maxFields), providers: newBounded(maxProviders),
	}
	c := &m.catalogue
	c.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	c.gauge("smarket_build_info", "Always 1; the labels say what runs.", "version", "go_version", "role").
		WithLabelValues(build.Version, runtime.Version(), build.Role).Set(1)
	m.makeRequests(c)
	m.makeWork(c)
	m.makeProviders(c)
	m.logRecords = c.counter("smarket_log_records_total", "Log records of level WARN and ERROR, whether or not LOG_LEVEL shows them.", "level")
	m.retention = c.gauge("smarket_retention_seconds", "How long things are kept, by the settings; 0 is for ever.", "what")
	m.budgets = c.gauge("smarket_budget_limit_dollars", "What may be spent in a day, by the settings; 0 is no limit.", "budget")
	m.zero()
	return m
}

func (m *Metrics) makeRequests(c *catalogue) {
	m.httpRequests = c.counter("smarket_http_requests_total", "Requests answered. The route is the server's pattern, never the path.",
		"method", "route", "code")
	m.httpDuration = c.histogram("smarket_http_request_duration_seconds",
		"From the headers of a request to the end of its answer. Websockets and event streams are left out.", requestBuckets(), "method", "route")
	m.httpInFlight = c.gauge("smarket_http_requests_in_flight", "Requests being served now, streams too.").WithLabelValues()
	m.operations = c.counter("smarket_graphql_operations_total",
		"Operations, refused ones too. The field is the schema's, at the root; the code that of the first error, OK without.",
		"type", "field", "code")
	m.operationDuration = c.histogram("smarket_graphql_operation_duration_seconds", "Of queries and mutations that were executed.",
		requestBuckets(), "type", "field")
	m.streams = c.gauge("smarket_graphql_streams_open", "Websockets and event streams open now.", "transport")
	m.subscriptions = c.gauge("smarket_graphql_subscriptions_open", "Subscriptions being delivered now; a websocket may carry several.", "field")
	m.rateLimit = c.counter("smarket_ratelimit_decisions_total", "Operations held against the rate limits.", "class", "decision")
}

func (m *Metrics) makeWork(c *catalogue) {
	m.jobs = c.counter("smarket_jobs_total", "Tries of jobs that ended in this process, by what comes next.", "kind", "outcome")
	m.jobsRunning = c.gauge("smarket_jobs_running", "Jobs that this process works on now.", "kind")
	m.jobDuration = c.histogram("smarket_job_duration_seconds", "Of one try of a job.", workBuckets(), "kind")
	m.jobWait = c.histogram("smarket_job_wait_seconds", "From when a job might have begun to when it did.", workBuckets(), "kind")
	m.stages = c.histogram("smarket_extraction_stage_duration_seconds",
		"Of the stages of a purchase: inspecting (at upload), reading, extracting (providers), checking (ledger and storing), writing (words of an analysis).",
		workBuckets(), "stage")
	m.outcomes = c.counter("smarket_extraction_outcomes_total", "Ends of extractions, and tries that are repeated, by where the figures came from.",
		"status", "source")
	m.analyses = c.counter("smarket_analysis_outcomes_total", "Ends of analyses of purchases.", "status")
	m.turnaround = c.histogram("smarket_extraction_turnaround_seconds", "From the submission of a purchase to its end.", workBuckets()).WithLabelValues()
}

func (m *Metrics) makeProviders(c *catalogue) {
	m.calls = c.counter("smarket_provider_calls_total", "Calls to providers that have ended, by their outcome.", "provider", "model", "task", "outcome")
	m.callDuration = c.histogram("smarket_provider_call_duration_seconds", "Of calls to providers, failed ones too.", workBuckets(), "provider", "model")
	m.tokens = c.counter("smarket_provider_tokens_total", "Tokens that providers counted.", "provider", "model", "kind")
	m.cost = c.counter("smarket_provider_cost_dollars_total", "What calls cost, where that is known.", "provider", "model")
	m.unpriced = c.counter("smarket_provider_unpriced_calls_total", "Calls whose cost is not known: budgets count a guess.", "provider")
	m.answers = c.counter("smarket_provider_answers_total",
		"Requests to the chain of providers by what answered: ok (a provider), cached, shared (an equal request under way), failed.", "task", "origin")
	m.refusals = c.counter("smarket_budget_refusals_total", "Calls that were not made because a budget was spent, or busy with calls under way.",
		"budget", "reason")
	m.cacheLookups = c.counter("smarket_cache_lookups_total",
		"Looks into the cache of replies. A request that asks a provider looks twice: before it waits for its turn and after.", "result")
	m.flights = c.counter("smarket_flights_total",
		"Requests by their part among equal ones of all processes: led (does the work), joined (waits for another's), error.", "part")
	m.official = c.histogram("smarket_official_lookup_duration_seconds",
		"Of look-ups of a state's own record of a purchase, by the state and how they ended.", workBuckets(), "state", "outcome")
}

// zero makes series appear before they count: a rate over one that is not there yet shows nothing, not even the first event.
func (m *Metrics) zero() {
	for _, status := range []string{"analyzed", "analysis_failed"} {
		m.analyses.WithLabelValues(status)
	}
	for _, level := range []string{"WARN", "ERROR"} {
		m.logRecords.WithLabelValues(level)
	}
	for _, transport := range []string{"websocket", "sse"} {
		m.streams.WithLabelValues(transport)
	}
	for _, budget := range []string{"user", "installation"} {
		m.refusals.WithLabelValues(budget, "spent")
		m.refusals.WithLabelValues(budget, "busy")
	}
	for _, result := range []string{"hit", "miss", "error"} {
		m.cacheLookups.WithLabelValues(result)
	}
	for _, outcome := range []string{"found", "not_yet", "captcha", "unknown_layout", "unavailable", "refused", "cancelled"} {
		m.official.WithLabelValues("SP", outcome) // other states' appear with their first look-up
	}
	for _, part := range []string{"led", "joined", "error"} {
		m.flights.WithLabelValues(part)
	}
	for _, task := range []string{"extract", "analyze"} {
		for _, origin := range []string{"ok", "cached", "shared", "failed"} {
			m.answers.WithLabelValues(task, origin)
		}
	}
	for _, class := range []string{"sign_in", "submit", "subscribe", "query"} {
		m.rateLimit.WithLabelValues(class, "allowed")
		m.rateLimit.WithLabelValues(class, "refused")
	}
}

// ShowRetention says how long things are kept.
func (m *Metrics) ShowRetention(kept map[string]time.Duration) {
	for what, d := range kept {
		m.retention.WithLabelValues(what).Set(d.Seconds())
	}
}

// ShowBudgets says what may be spent in a day, in dollars.
func (m *Metrics) ShowBudgets(user, installation float64) {
	m.budgets.WithLabelValues("user").Set(user)
	m.budgets.WithLabelValues("installation").Set(installation)
}

// ExpectProviders makes the series of providers that have not been called yet.
func (m *Metrics) ExpectProviders(names []string) {
	for _, name := range names {
		m.unpriced.WithLabelValues(m.providers.of(name))
	}
}

// Handler serves the metrics. A source that fails costs its own metrics alone.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.catalogue.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// Gatherer is for tests.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.catalogue.registry }
