package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
)

// tracesPath is where the standard has collectors take traces, below the endpoint.
const tracesPath = "/v1/traces"

// tracing sends spans to a collector. A nil *tracing makes none.
type tracing struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// newTracing sends part ratio of all traces, from 0 to 1, to the collector at endpoint, in the background.
func newTracing(ctx context.Context, endpoint string, ratio float64, build Build, log *slog.Logger) (*tracing, error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(strings.TrimSuffix(endpoint, "/")+tracesPath))
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	// The library has one handler for the whole process; without ours it writes to standard error.
	background := context.WithoutCancel(ctx)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.WarnContext(background, "traces were not delivered", "error", Scrub(err.Error()))
	}))
	return tracingTo(sdktrace.NewBatchSpanProcessor(exporter), ratio, build), nil
}

func tracingTo(processor sdktrace.SpanProcessor, ratio float64, build Build) *tracing {
	p := sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(processor),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(ratio))),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "smarket"), attribute.String("service.version", build.Version),
			attribute.String("smarket.role", build.Role),
		)),
	)
	return &tracing{provider: p, tracer: p.Tracer("github.com/mercadoesperto/smarket")}
}

// span is one that may not be there: without tracing all its methods do nothing.
type span struct{ trace.Span }

func stringAttr(key, value string) attribute.KeyValue { return attribute.String(key, value) }

// begin opens a span below that of ctx.
func (t *Telemetry) begin(ctx context.Context, name string, attrs ...attribute.KeyValue) (context.Context, span) {
	return t.beginWith(ctx, name, trace.WithAttributes(attrs...))
}

func (t *Telemetry) beginWith(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, span) {
	if t.tracing == nil {
		return ctx, span{}
	}
	ctx, s := t.tracing.tracer.Start(ctx, name, options...)
	return ctx, span{s}
}

func (s span) set(attrs ...attribute.KeyValue) {
	if s.Span != nil {
		s.SetAttributes(attrs...)
	}
}

// finish ends the span. What went wrong is told by attributes: an error's text may say more than a trace should.
func (s span) finish(failed bool) {
	if s.Span == nil {
		return
	}
	if failed {
		s.SetStatus(codes.Error, "")
	}
	s.End()
}

// end finishes the span of a request.
func (s span) end(method, route string, status int, requestID string) {
	if s.Span == nil {
		return
	}
	s.SetName(method + " " + route)
	s.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route),
		attribute.Int("http.response.status_code", status), attribute.String("smarket.request_id", scrubID(requestID)))
	s.finish(status >= http.StatusInternalServerError)
}

// tracedPath is what is worth a trace: pages and probes are not.
const tracedPath = "/graphql"

// traceRequest begins a trace. One that the client claims to continue is not taken up: it would let anybody have requests traced.
func (t *Telemetry) traceRequest(r *http.Request) (*http.Request, span) {
	if t.tracing == nil || r.URL.Path != tracedPath {
		return r, span{}
	}
	ctx, s := t.beginWith(r.Context(), "http", trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer))
	return r.WithContext(ctx), s
}

// Keys of what jobs carry.
const (
	carriedTrace   = "traceparent"
	carriedRequest = "request_id"
)

// carryTrace puts the trace of ctx into carried.
func (t *Telemetry) carryTrace(ctx context.Context, carried map[string]string) {
	if t.tracing != nil && trace.SpanContextFromContext(ctx).IsValid() {
		propagation.TraceContext{}.Inject(ctx, propagation.MapCarrier(carried))
	}
}

// withTrace is ctx in the trace that was carried.
func (t *Telemetry) withTrace(ctx context.Context, carried map[string]string) context.Context {
	if t.tracing == nil || carried[carriedTrace] == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier(carried))
}

func traceID(ctx context.Context) string {
	if c := trace.SpanContextFromContext(ctx); c.IsValid() {
		return c.TraceID().String()
	}
	return ""
}

// Dial has calls to plugins carry their trace along, in gRPC's metadata; nothing without tracing. Health checks belong to no
// trace and make none.
func (t *Telemetry) Dial() []grpc.DialOption {
	if t.tracing == nil {
		return nil
	}
	return []grpc.DialOption{grpc.WithStatsHandler(parented{otelgrpc.NewClientHandler(
		otelgrpc.WithTracerProvider(t.tracing.provider), otelgrpc.WithPropagators(propagation.TraceContext{}),
	)})}
}

// parented leaves out calls that are part of no trace.
type parented struct{ stats.Handler }

type untraced struct{}

// TagRPC implements stats.Handler.
func (p parented) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return context.WithValue(ctx, untraced{}, true)
	}
	return p.Handler.TagRPC(ctx, info)
}

// HandleRPC implements stats.Handler.
func (p parented) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if ctx.Value(untraced{}) == nil {
		p.Handler.HandleRPC(ctx, s)
	}
}
