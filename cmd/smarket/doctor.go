package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/doctor"
)

// leftBehind is how old a thing is that no request or job of a running server can still be about.
const leftBehind = time.Hour

// exitUnrepaired says that something is wrong and was left so.
const exitUnrepaired = 2

func doctorCommand(load func() (config.Config, error)) *cobra.Command {
	var opts doctor.Options
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find what failures have left behind, and with --repair mend it",
		Long: `Compares files, rows, jobs and events with each other. It may be run beside running servers: what is younger than --min-age is
left alone. Exit code 0: all is in order, or was repaired; 2: something is wrong and was left so; 1: it could not look.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			return examine(cmd, cfg, opts, asJSON)
		},
	}
	cmd.Flags().BoolVar(&opts.Repair, "repair", false, "mend what is found")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line for each finding")
	cmd.Flags().DurationVar(&opts.MinAge, "min-age", leftBehind, "how long a thing must have been left alone")
	return cmd
}

func examine(cmd *cobra.Command, cfg config.Config, opts doctor.Options, asJSON bool) error {
	d, stop, err := app.OpenDoctor(cmd.Context(), cfg, commandLogger(cmd, cfg))
	if err != nil {
		return err
	}
	found, left := 0, 0
	out := json.NewEncoder(cmd.OutOrStdout())
	var written error
	err = d.Examine(cmd.Context(), opts, func(f doctor.Finding) {
		found++
		state := "repaired"
		if !f.Repaired {
			left++
			state = "left"
		}
		if asJSON {
			written = errors.Join(written, out.Encode(f))
			return
		}
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%-16s  %-8s  %s\n", f.Kind, state, f.ID)
		written = errors.Join(written, err)
	})
	if err = errors.Join(err, written, stop()); err != nil {
		return err
	}
	if !asJSON {
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%d found, %d repaired\n", found, found-left); err != nil {
			return err
		}
	}
	if left > 0 {
		return &exitError{exitUnrepaired}
	}
	return nil
}
