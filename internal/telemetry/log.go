package telemetry

import (
	"context"
	"log/slog"
	"slices"
)

// Logger is base with what the service adds to each record that it writes: the names of the request, the job and the trace
// that the record belongs to. It counts warnings and errors, and hands faults on to Sentry where that is set up.
func (t *Telemetry) Logger(base *slog.Logger) *slog.Logger {
	return slog.New(&handler{Handler: base.Handler(), t: t})
}

// handler decorates another one. It keeps the attributes of With, which faults are told with too.
type handler struct {
	slog.Handler

	t     *Telemetry
	attrs []slog.Attr
}

// Enabled implements slog.Handler: what is counted has to come here, also when nobody reads it.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn || h.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		h.t.Metrics.logRecords.WithLabelValues("ERROR").Inc()
	} else if r.Level >= slog.LevelWarn {
		h.t.Metrics.logRecords.WithLabelValues("WARN").Inc()
	}
	ids := h.ids(ctx, r)
	if h.t.faults != nil {
		h.t.faults.look(r, slices.Concat(h.attrs, attrsOf(r), ids))
	}
	if !h.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	if len(ids) > 0 {
		r = r.Clone()
		r.AddAttrs(ids...)
	}
	return h.Handler.Handle(ctx, r)
}

// ids names what ctx belongs to, but for what the record names itself.
func (h *handler) ids(ctx context.Context, r slog.Record) (ids []slog.Attr) {
	known := slices.Concat(h.attrs, attrsOf(r))
	add := func(a slog.Attr) {
		if !slices.ContainsFunc(known, func(k slog.Attr) bool { return k.Key == a.Key }) {
			ids = append(ids, a)
		}
	}
	if id := h.t.requestOf(ctx); id != "" {
		add(slog.String("request_id", id))
	}
	if notes := jobOf(ctx); notes != nil {
		add(slog.Int64("job_id", notes.id))
		add(slog.String("job_kind", notes.kind))
	}
	if id := traceID(ctx); id != "" {
		add(slog.String("trace_id", id))
	}
	return ids
}

func attrsOf(r slog.Record) (list []slog.Attr) {
	r.Attrs(func(a slog.Attr) bool {
		list = append(list, a)
		return true
	})
	return list
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{Handler: h.Handler.WithAttrs(attrs), t: h.t, attrs: slices.Concat(h.attrs, attrs)}
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{Handler: h.Handler.WithGroup(name), t: h.t, attrs: h.attrs}
}
