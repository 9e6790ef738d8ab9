package main

import (
	"context"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/providers"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

func pluginsCommand(load func() (config.Config, error)) *cobra.Command {
	cmd := &cobra.Command{Use: "plugins", Short: "Look at the provider plugins"}
	for _, c := range []struct {
		use, short string
		run        func(*cobra.Command, config.Config) error
	}{
		{"list", "Start each plugin and say what it is", listPlugins},
		{"trust", "Write plugins.sum: the plugins that are in PLUGIN_DIR now may be run, and no others", trustPlugins},
		{"verify", "Have each plugin read a word from a small picture: a real call, with the real key", verifyPlugins},
	} {
		cmd.AddCommand(&cobra.Command{Use: c.use, Short: c.short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			return c.run(cmd, cfg)
		}})
	}
	return cmd
}

// verifyPlugins proves that each provider can be reached and sees pictures. It ends with an error when one does not.
func verifyPlugins(cmd *cobra.Command, cfg config.Config) error {
	host, err := app.NewHost(cfg, commandLogger(cmd, cfg))
	if err != nil {
		return err
	}
	defer host.Stop(context.WithoutCancel(cmd.Context())) //nolint:errcheck // they are stopped because the command ends
	if err := host.Start(cmd.Context()); err != nil {
		return err
	}
	failed := false
	for _, name := range cfg.ActiveProviders() {
		ctx, cancel := context.WithTimeout(cmd.Context(), cfg.Providers.ProviderTimeout)
		started := time.Now()
		result, err := providers.Probe(ctx, host.Provider(name))
		cancel()
		verdict := "ok"
		if err != nil {
			verdict, failed = host.Redactor().Error(sdk.AsError(err)).Error(), true
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%-12s %-28s %6d ms  %s\n", name, result.Model, time.Since(started).Milliseconds(), verdict)
	}
	if failed {
		return &exitError{1}
	}
	return nil
}

func listPlugins(cmd *cobra.Command, cfg config.Config) error {
	host, err := app.NewHost(cfg, commandLogger(cmd, cfg))
	if err != nil {
		return err
	}
	defer host.Stop(context.WithoutCancel(cmd.Context())) //nolint:errcheck // they are stopped because the command ends
	if err := host.Start(cmd.Context()); err != nil {
		return err
	}
	tw := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "NAME\tVERSION\tPROTOCOL\tMODEL\tSTATE\tSHA-256\tLAST ERROR")
	for _, p := range host.List() {
		protocol := ""
		if p.Protocol > 0 {
			protocol = strconv.Itoa(p.Protocol)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%.12s\t%s\n", p.Name, p.Version, protocol, p.Model, p.State, p.Checksum, p.LastError)
	}
	return tw.Flush()
}

// trustPlugins vouches for the binaries as they are, and says what that changes.
func trustPlugins(cmd *cobra.Command, cfg config.Config) error {
	dir, err := app.PluginDir(cfg)
	if err != nil {
		return err
	}
	changes, err := providers.Trust(dir)
	if err != nil {
		return err
	}
	for _, c := range changes {
		fmt.Fprintf(cmd.OutOrStdout(), "%-9s  %s  %s\n", c.What, c.Checksum, c.File)
	}
	return nil
}
