package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mercadoesperto/smarket/internal/config"
)

func rootCommand(load func() (config.Config, error)) *cobra.Command {
	root := &cobra.Command{
		Use:           "smarket",
		Short:         "Reads supermarket invoices, checks every figure, and shows where the money goes",
		Version:       version,
		SilenceUsage:  true, // a failed extraction is no reason to explain the flags
		SilenceErrors: true, // main prints the error once
	}
	root.AddCommand(
		serveCommand(load), extractCommand(load), migrateCommand(load), pluginsCommand(load), userCommand(load),
		configCommand(load), evalCommand(load), healthCommand(load), healthcheckCommand(load), doctorCommand(load),
	)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w (see '%s --help')", err, cmd.CommandPath())
	})
	return root
}
