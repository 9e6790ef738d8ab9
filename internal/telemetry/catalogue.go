package telemetry

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Metric is what documentation says of a metric.
type Metric struct {
	Name   string
	Type   string // counter, gauge or histogram
	Help   string
	Labels []string
}

// catalogue makes metrics and remembers what was made, so that documents, dashboards and alerts can be held against it.
type catalogue struct {
	registry *prometheus.Registry
	metrics  []Metric
}

func (c *catalogue) note(kind, name, help string, labels []string) {
	c.metrics = append(c.metrics, Metric{Name: name, Type: kind, Help: help, Labels: labels})
}

func (c *catalogue) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c.note("counter", name, help, labels)
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	c.registry.MustRegister(v)
	return v
}

func (c *catalogue) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	c.note("gauge", name, help, labels)
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	c.registry.MustRegister(v)
	return v
}

func (c *catalogue) histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	c.note("histogram", name, help, labels)
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	c.registry.MustRegister(v)
	return v
}

// scraped is a metric whose value is asked for at each scrape.
type scraped struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func (c *catalogue) scraped(kind prometheus.ValueType, name, help string, labels ...string) scraped {
	c.note(map[prometheus.ValueType]string{
		prometheus.CounterValue: "counter", prometheus.GaugeValue: "gauge",
	}[kind], name, help, labels)
	return scraped{prometheus.NewDesc(name, help, labels, nil), kind}
}

func (s scraped) send(ch chan<- prometheus.Metric, value float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(s.desc, s.kind, value, labels...)
}

// Catalogue lists the service's own metrics by name. Those of the Go runtime and of the process (go_*, process_*) are the
// client library's and are not in it.
func (m *Metrics) Catalogue() []Metric {
	list := slices.Clone(m.catalogue.metrics)
	slices.SortFunc(list, func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// The buckets of histograms, in seconds.
func requestBuckets() []float64 {
	return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
}

func workBuckets() []float64 {
	return []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 30, 60, 120, 240, 600}
}
