package worker

import (
	"context"
	"log/slog"
)

// fromWarning passes on what is at least a warning: River tells of its routine every few seconds.
type fromWarning struct{ slog.Handler }

func (h fromWarning) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

func (h fromWarning) WithAttrs(attrs []slog.Attr) slog.Handler {
	return fromWarning{h.Handler.WithAttrs(attrs)}
}

func (h fromWarning) WithGroup(name string) slog.Handler {
	return fromWarning{h.Handler.WithGroup(name)}
}

func forRiver(log *slog.Logger) *slog.Logger { return slog.New(fromWarning{log.Handler()}) }
