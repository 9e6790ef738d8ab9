package app

import (
	"io"
	"log/slog"

	"github.com/mercadoesperto/smarket/internal/config"
)

// NewLogger makes the logger that the settings ask for.
func NewLogger(cfg config.Config, w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: cfg.Log.Level}
	if cfg.Log.Format == config.FormatJSON {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
