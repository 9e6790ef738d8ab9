package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/config"
)

// commandLogger is the logger of a command whose output is for people: what goes well is not mentioned, unless LOG_LEVEL=debug.
func commandLogger(cmd *cobra.Command, cfg config.Config) *slog.Logger {
	if cfg.Log.Level == slog.LevelInfo {
		cfg.Log.Level = slog.LevelWarn
	}
	return app.NewLogger(cfg, cmd.ErrOrStderr())
}
