package telemetry

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/felixge/httpsnoop"

	"github.com/mercadoesperto/smarket/internal/ratelimit"
)

// requestIDHeader names a request; whoever serves it has put it into the answer by its end.
const requestIDHeader = "X-Request-Id"

// HTTP counts, times and traces the requests that next serves.
func (t *Telemetry) HTTP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, started, status := t.Metrics, time.Now(), 0
		m.httpInFlight.Inc()
		defer m.httpInFlight.Dec()
		r, span := t.traceRequest(r)
		w = httpsnoop.Wrap(w, httpsnoop.Hooks{WriteHeader: func(write httpsnoop.WriteHeaderFunc) httpsnoop.WriteHeaderFunc {
			return func(code int) {
				if status == 0 && (code >= http.StatusOK || code == http.StatusSwitchingProtocols) {
					status = code
				}
				write(code)
			}
		}})
		defer func() { // after a panic too
			if status == 0 {
				status = http.StatusOK
			}
			method, route := methodOf(r.Method), routeOf(r)
			m.httpRequests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
			if !isStream(w, status) {
				m.httpDuration.WithLabelValues(method, route).Observe(time.Since(started).Seconds())
			}
			span.end(method, route, status, w.Header().Get(requestIDHeader))
		}()
		next.ServeHTTP(w, r)
	})
}

// routeOf is the pattern that the server has found for the request, without its method.
func routeOf(r *http.Request) string {
	_, path, found := strings.Cut(r.Pattern, " ")
	if !found {
		path = r.Pattern
	}
	if path == "" {
		return none
	}
	return path
}

func isStream(w http.ResponseWriter, status int) bool {
	return status == http.StatusSwitchingProtocols || strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream")
}

// Operations is graph.Observer.
type Operations struct{ t *Telemetry }

// Operations observes what clients ask for.
func (t *Telemetry) Operations() *Operations { return &Operations{t} }

// codeOK is the code of an operation without errors.
const codeOK = "OK"

const kindSubscription = "subscription"

// Operation implements graph.Observer.
func (o *Operations) Operation(ctx context.Context, kind, field string) (context.Context, func(code string)) {
	m, started := o.t.Metrics, time.Now()
	field = m.fields.of(field)
	if kind == kindSubscription {
		open := m.subscriptions.WithLabelValues(field)
		open.Inc()
		return ctx, func(code string) {
			open.Dec()
			m.operations.WithLabelValues(kind, field, m.code(code)).Inc()
		}
	}
	ctx, span := o.t.begin(ctx, "graphql."+kind+" "+field, stringAttr("graphql.operation.type", kind), stringAttr("graphql.field", field))
	return ctx, func(code string) {
		m.operations.WithLabelValues(kind, field, m.code(code)).Inc()
		m.operationDuration.WithLabelValues(kind, field).Observe(time.Since(started).Seconds())
		span.set(stringAttr("graphql.code", m.code(code)))
		span.finish(code == "INTERNAL")
	}
}

// Refused implements graph.Observer.
func (o *Operations) Refused(_ context.Context, kind, field, code string) {
	if kind == "" {
		kind = none
	}
	m := o.t.Metrics
	m.operations.WithLabelValues(kind, m.fields.of(field), m.code(code)).Inc()
}

// Stream implements graph.Observer.
func (o *Operations) Stream(transport string) (closed func()) {
	open := o.t.Metrics.streams.WithLabelValues(transport)
	open.Inc()
	return open.Dec
}

func (m *Metrics) code(code string) string {
	if code == "" {
		return codeOK
	}
	return m.codes.of(code)
}

// Limiter is graph.Limiter.
type Limiter interface {
	Take(ctx context.Context, units int, buckets ...ratelimit.Bucket) ratelimit.Verdict
}

// Limiter counts the decisions of next.
func (m *Metrics) Limiter(next Limiter) Limiter { return limiter{m, next} }

type limiter struct {
	metrics *Metrics
	next    Limiter
}

// Take implements Limiter. A bucket's key begins with its class.
func (l limiter) Take(ctx context.Context, units int, buckets ...ratelimit.Bucket) ratelimit.Verdict {
	verdict := l.next.Take(ctx, units, buckets...)
	if len(buckets) > 0 {
		class, _, _ := strings.Cut(buckets[0].Key, ":")
		decision := "allowed"
		if !verdict.Allowed {
			decision = "refused"
		}
		l.metrics.rateLimit.WithLabelValues(l.metrics.codes.of(class), decision).Inc()
	}
	return verdict
}
