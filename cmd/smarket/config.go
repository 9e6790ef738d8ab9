package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mercadoesperto/smarket/internal/config"
)

func configCommand(load func() (config.Config, error)) *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Look at the settings"}
	cmd.AddCommand(&cobra.Command{
		Use:   "check",
		Short: "Report every fault in the environment's settings at once",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "ok: %s, providers %v\n", cfg.Mode, cfg.ActiveProviders())
			return err
		},
	})
	return cmd
}
