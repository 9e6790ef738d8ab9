package telemetry

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/mercadoesperto/smarket/worker"
)

// Jobs is worker.Observer.
type Jobs struct{ t *Telemetry }

var _ worker.Observer = (*Jobs)(nil)

// Jobs observes the work.
func (t *Telemetry) Jobs() *Jobs { return &Jobs{t} }

// Carry implements worker.Observer: the names of the request and of the trace that a job comes from.
func (j *Jobs) Carry(ctx context.Context) map[string]string {
	carried := map[string]string{}
	if id := j.t.requestOf(ctx); id != "" {
		carried[carriedRequest] = id
	}
	j.t.carryTrace(ctx, carried)
	return carried
}

// Began implements worker.Observer.
func (j *Jobs) Began(ctx context.Context, job worker.Job) (context.Context, func(outcome string)) {
	m, started := j.t.Metrics, time.Now()
	running := m.jobsRunning.WithLabelValues(job.Kind)
	running.Inc()
	m.jobWait.WithLabelValues(job.Kind).Observe(max(started.Sub(job.ScheduledAt), 0).Seconds())
	ctx = context.WithValue(ctx, jobKey{}, &jobNotes{
		id: job.ID, kind: job.Kind, requestID: job.Carried[carriedRequest], created: job.CreatedAt,
	})
	ctx, span := j.t.beginWith(j.t.withTrace(ctx, job.Carried), "job."+job.Kind, trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(attribute.String("smarket.job.kind", job.Kind), attribute.Int64("smarket.job.id", job.ID),
			attribute.Int("smarket.job.attempt", job.Attempt), attribute.String("smarket.request_id", scrubID(job.Carried[carriedRequest]))))
	return ctx, func(outcome string) {
		running.Dec()
		m.jobs.WithLabelValues(job.Kind, outcome).Inc()
		m.jobDuration.WithLabelValues(job.Kind).Observe(time.Since(started).Seconds())
		span.set(stringAttr("smarket.job.outcome", outcome))
		span.finish(outcome == worker.OutcomeFailed || outcome == worker.OutcomeRetried)
	}
}

type jobKey struct{}

// jobNotes is what is known of the job that a context belongs to.
type jobNotes struct {
	id        int64
	kind      string
	requestID string
	created   time.Time

	mu     sync.Mutex // guards what follows
	source string     // where the figures came from
	since  time.Time  // of the stage that began last
}

func jobOf(ctx context.Context) *jobNotes {
	notes, _ := ctx.Value(jobKey{}).(*jobNotes)
	return notes
}

// read notes where the figures came from, and that the stage of checking begins.
func (n *jobNotes) read(source string) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.source, n.since = source, time.Now()
}

func (n *jobNotes) ended() (source string, since time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.source, n.since
}

// requestOf names the request that ctx belongs to, be it served now or the one that a job comes from.
func (t *Telemetry) requestOf(ctx context.Context) string {
	if notes := jobOf(ctx); notes != nil {
		return notes.requestID
	}
	return t.requestID(ctx)
}
