package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
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
		{"list", "Say what the workers run and how it fares; where there are none, start each plugin and say what it is", listPlugins},
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

// withHost starts the plugins for as long as fn runs.
func withHost(cmd *cobra.Command, cfg config.Config, fn func(*providers.Host) error) error {
	host, err := app.NewHost(cfg, commandLogger(cmd, cfg))
	if err != nil {
		return err
	}
	defer host.Stop(context.WithoutCancel(cmd.Context())) //nolint:errcheck // they are stopped because the command ends
	if err := host.Start(cmd.Context()); err != nil {
		return err
	}
	return fn(host)
}

// verifyPlugins proves that each provider can be reached and sees pictures. It ends with an error when one does not.
func verifyPlugins(cmd *cobra.Command, cfg config.Config) error {
	return withHost(cmd, cfg, func(host *providers.Host) error {
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
	})
}

// listPlugins asks the workers where they can be reached through Redis.
func listPlugins(cmd *cobra.Command, cfg config.Config) error {
	if cfg.Storage.RedisURL.Reveal() != "" {
		told, err := listFleet(cmd, cfg)
		if told || err != nil {
			return err
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "no worker tells of its plugins: these are the ones of this machine, started for a moment")
	}
	return withHost(cmd, cfg, func(host *providers.Host) error {
		tw := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, "NAME\tVERSION\tPROTOCOL\tMODEL\tSTATE\tSHA-256\tLAST ERROR")
		for _, p := range host.List() {
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%.12s\t%s\n",
				p.Name, p.Version, protocol(p.Protocol), p.Model, p.State, p.Checksum, p.LastError)
		}
		return tw.Flush()
	})
}

// listFleet says how the providers fare in the workers. told is false while no worker shows a status.
func listFleet(cmd *cobra.Command, cfg config.Config) (told bool, err error) {
	service, stop, err := app.OpenFleet(cmd.Context(), cfg, commandLogger(cmd, cfg))
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	list, err := service.Providers(cmd.Context(), true)
	if err != nil {
		return false, err
	}
	tw := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "#\tNAME\tENABLED\tVERSION\tPROTOCOL\tMODEL\tWORKERS\tSTATE\tBREAKER\tIN FLIGHT\tP50\tP95\tFAILED\tTODAY\tSHA-256\tLAST ERROR")
	for _, p := range list {
		o := p.Operations
		told = told || o.Workers > 0
		fmt.Fprintf(tw, "%d\t%s\t%t\t%s\t%s\t%s\t%d\t%s\t%s\t%d\t%d ms\t%d ms\t%d of %d\tUS$ %s\t%.12s\t%s\n",
			p.Position, p.Name, p.Enabled, o.Version, protocol(o.Protocol), o.Model, o.Workers,
			strings.ToLower(string(o.State)), strings.ToLower(string(o.Breaker)), o.InFlight,
			o.P50.Milliseconds(), o.P95.Milliseconds(), o.Failed, o.Calls, o.CostToday.USD(), o.Checksum, o.LastError)
	}
	if !told {
		return false, nil
	}
	return true, tw.Flush()
}

// protocol is a version of the protocol as the lists write it; nothing before one was agreed on.
func protocol(version int) string {
	if version == 0 {
		return ""
	}
	return strconv.Itoa(version)
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
