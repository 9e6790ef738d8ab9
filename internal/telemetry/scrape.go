package telemetry

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What bounds the one query that a scrape makes.
const (
	queueKept    = 5 * time.Second // however often and by however many the metrics are scraped
	queueTimeout = 2 * time.Second
)

// watched collects what others know, when it is asked for.
type watched struct {
	sources Sources
	queue   queueCache

	queueUp, queueJobs, queueAge                          scraped
	pluginState, pluginRestarts, pluginSwaps, pluginCalls scraped
	pluginMemory, pluginCPU, pluginProcesses, breakers    scraped
	dbConns, dbMost, dbWaits, dbWaited                    scraped
	redisConns, redisHits, redisMisses, redisTimeouts     scraped
	poolRunning, poolWaiting, poolMost                    scraped
}

// Watch has the sources asked at each scrape.
func (m *Metrics) Watch(sources Sources) {
	const gauge, counter = prometheus.GaugeValue, prometheus.CounterValue
	c := &m.catalogue
	m.catalogue.registry.MustRegister(&watched{
		sources: sources, queue: queueCache{ask: sources.Queue, now: time.Now},

		queueUp: c.scraped(gauge, "smarket_queue_up", "1 when the queue could be counted, 0 when the database did not answer in time."),
		queueJobs: c.scraped(gauge, "smarket_queue_jobs",
			"Jobs of the whole installation, the same in every process: take the max.", "kind", "state"),
		queueAge: c.scraped(gauge, "smarket_queue_oldest_job_age_seconds",
			"Since the oldest job of the kind and state was due, or, where it is running, since it began; 0 without jobs and for what is not due yet.", "kind", "state"),
		pluginState:     c.scraped(gauge, "smarket_plugin_state", "1 for the state that the plugin is in, 0 for the others.", "plugin", "state"),
		pluginRestarts:  c.scraped(counter, "smarket_plugin_restarts_total", "Processes that crashed, froze or did not start.", "plugin"),
		pluginSwaps:     c.scraped(counter, "smarket_plugin_swaps_total", "Processes replaced by another version.", "plugin"),
		pluginCalls:     c.scraped(gauge, "smarket_plugin_calls_in_flight", "Calls under way, those of replaced processes too.", "plugin"),
		pluginMemory:    c.scraped(gauge, "smarket_plugin_resident_memory_bytes", "Of the plugin's process and those that it has started. Linux only.", "plugin"),
		pluginCPU:       c.scraped(counter, "smarket_plugin_cpu_seconds_total", "User and system time of the plugin's processes, ended ones too. Linux only.", "plugin"),
		pluginProcesses: c.scraped(gauge, "smarket_plugin_processes", "The plugin's process and those that it has started; 0 when it does not run. Linux only.", "plugin"),
		breakers:        c.scraped(gauge, "smarket_provider_breaker_state", "1 for the state that the provider's circuit breaker is in, 0 for the others.", "provider", "state"),
		dbConns:         c.scraped(gauge, "smarket_database_connections", "Open connections to the database.", "pool", "state"),
		dbMost:          c.scraped(gauge, "smarket_database_connections_max", "Connections that the pool may have; 0 is no limit.", "pool"),
		dbWaits:         c.scraped(counter, "smarket_database_waits_total", "Times that a connection had to be waited for.", "pool"),
		dbWaited:        c.scraped(counter, "smarket_database_wait_seconds_total", "Time spent waiting for connections.", "pool"),
		redisConns:      c.scraped(gauge, "smarket_redis_connections", "Open connections to Redis.", "state"),
		redisHits:       c.scraped(counter, "smarket_redis_pool_hits_total", "Times that a free connection was there."),
		redisMisses:     c.scraped(counter, "smarket_redis_pool_misses_total", "Times that a connection had to be opened."),
		redisTimeouts:   c.scraped(counter, "smarket_redis_pool_timeouts_total", "Times that no connection was to be had in time."),
		poolRunning:     c.scraped(gauge, "smarket_pool_running", "Pages being prepared, or calls to a provider under way.", "pool"),
		poolWaiting:     c.scraped(gauge, "smarket_pool_waiting", "Pages or calls that wait for room.", "pool"),
		poolMost:        c.scraped(gauge, "smarket_pool_size", "How many there may be at once, by the settings.", "pool"),
	})
}

// Describe implements prometheus.Collector: without descriptions the collector may send what it likes.
func (w *watched) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (w *watched) Collect(ch chan<- prometheus.Metric) {
	w.collectQueue(ch)
	w.collectPlugins(ch)
	w.collectPools(ch)
}

// queueKinds and queueStates have series also while there are no such jobs.
func queueKinds() []string {
	return []string{"extract_invoice", "analyze_invoice", "reconcile_invoice", "sweep"}
}

func queueStates() []string {
	return []string{"available", "running", "retryable", "scheduled", "discarded"}
}

func (w *watched) collectQueue(ch chan<- prometheus.Metric) {
	if w.sources.Queue == nil {
		return
	}
	depths, ok := w.queue.get()
	if !ok {
		w.queueUp.send(ch, 0)
		return
	}
	w.queueUp.send(ch, 1)
	type place struct{ kind, state string }
	all := map[place]QueueDepth{}
	for _, kind := range queueKinds() {
		for _, state := range queueStates() {
			all[place{kind, state}] = QueueDepth{}
		}
	}
	for _, d := range depths {
		all[place{d.Kind, d.State}] = d
	}
	for at, d := range all {
		w.queueJobs.send(ch, float64(d.Jobs), at.kind, at.state)
		w.queueAge.send(ch, max(d.Oldest, 0).Seconds(), at.kind, at.state)
	}
}

// queueCache asks the database at most once in queueKept.
type queueCache struct {
	ask func(ctx context.Context) ([]QueueDepth, error)
	now func() time.Time

	mu     sync.Mutex // guards what follows
	depths []QueueDepth
	ok     bool
	asked  time.Time
}

func (q *queueCache) get() ([]QueueDepth, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.now().Sub(q.asked) < queueKept {
		return q.depths, q.ok
	}
	ctx, cancel := context.WithTimeout(context.Background(), queueTimeout) // a scrape hands collectors no context
	defer cancel()
	depths, err := q.ask(ctx)
	q.depths, q.ok, q.asked = depths, err == nil, q.now()
	return q.depths, q.ok
}

func pluginStates() []string {
	return []string{"starting", "running", "restarting", "parked", "refused", "missing", "disabled", "stopped"}
}

func breakerStates() []string { return []string{"closed", "open", "half-open"} }

func (w *watched) collectPlugins(ch chan<- prometheus.Metric) {
	if w.sources.Plugins != nil {
		plugins := w.sources.Plugins()
		groups := processGroups()
		for _, p := range plugins {
			for _, state := range pluginStates() {
				w.pluginState.send(ch, truth(p.State == state), p.Name, state)
			}
			w.pluginRestarts.send(ch, float64(p.Restarts), p.Name)
			w.pluginSwaps.send(ch, float64(p.Swaps), p.Name)
			w.pluginCalls.send(ch, float64(p.InFlight), p.Name)
			if groups == nil {
				continue // not Linux
			}
			group := groups[p.PID] // of nobody when it does not run
			w.pluginMemory.send(ch, group.resident, p.Name)
			w.pluginCPU.send(ch, group.cpu, p.Name)
			w.pluginProcesses.send(ch, float64(group.processes), p.Name)
		}
	}
	if w.sources.Breakers != nil {
		for provider, now := range w.sources.Breakers() {
			for _, state := range breakerStates() {
				w.breakers.send(ch, truth(now == state), provider, state)
			}
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (w *watched) collectPools(ch chan<- prometheus.Metric) {
	if w.sources.Databases != nil {
		for name, p := range w.sources.Databases() {
			w.dbConns.send(ch, float64(p.Idle), name, "idle")
			w.dbConns.send(ch, float64(p.InUse), name, "in_use")
			w.dbMost.send(ch, float64(p.Most), name)
			w.dbWaits.send(ch, float64(p.Waits), name)
			w.dbWaited.send(ch, p.Waited.Seconds(), name)
		}
	}
	if w.sources.Redis != nil {
		p := w.sources.Redis()
		w.redisConns.send(ch, float64(p.Idle), "idle")
		w.redisConns.send(ch, float64(max(p.Total-p.Idle, 0)), "in_use")
		w.redisHits.send(ch, float64(p.Hits))
		w.redisMisses.send(ch, float64(p.Misses))
		w.redisTimeouts.send(ch, float64(p.Timeouts))
	}
	if w.sources.Pools != nil {
		pools := w.sources.Pools()
		for _, name := range slices.Sorted(maps.Keys(pools)) {
			p := pools[name]
			w.poolRunning.send(ch, float64(p.Running), name)
			w.poolWaiting.send(ch, float64(p.Waiting), name)
			w.poolMost.send(ch, float64(p.Most), name)
		}
	}
}
