package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/config"
)

func serveCommand(load func() (config.Config, error)) *cobra.Command {
	var role string
	var demo bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Start the server",
		Long: `Starts the API, the worker, or both, with the settings of the environment (docs/configuration.md). SIGTERM and SIGINT
stop it: running extractions are finished or given back within SHUTDOWN_TIMEOUT. SIGHUP loads the plugins of this process
anew, without losing a call.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			return serve(cmd, cfg, app.Role(role), demo)
		},
	}
	cmd.Flags().StringVar(&role, "role", string(app.RoleAll), "what this process does: all, api or worker")
	cmd.Flags().BoolVar(&demo, "demo", false, "make a demo account at the first start and submit the bundled sample receipts")
	return cmd
}

func serve(cmd *cobra.Command, cfg config.Config, role app.Role, demo bool) error {
	ctx, log := cmd.Context(), app.NewLogger(cfg, cmd.ErrOrStderr())
	a, err := app.New(ctx, cfg, app.Options{Role: role, Version: version, Log: log})
	if err != nil {
		return err
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	stopped := func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.HTTP.ShutdownTimeout)
		defer cancel()
		return a.Stop(ctx)
	}
	if err := a.Start(ctx); err != nil {
		_ = stopped() // the reason it did not start matters more
		return err
	}
	if demo && ctx.Err() == nil {
		if err := runDemo(ctx, a, cfg, cmd.OutOrStdout()); err != nil && ctx.Err() == nil {
			_ = stopped()
			return fmt.Errorf("demo: %w", err)
		}
	}
	for {
		select {
		case <-hangups:
			if err := a.ReloadPlugins(ctx); err != nil {
				log.ErrorContext(ctx, "reload plugins", "error", err) // those that run go on
			}
		case <-ctx.Done():
			return stopped()
		case err := <-a.Failed():
			_ = stopped()
			return err
		}
	}
}
