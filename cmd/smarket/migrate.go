package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/schema"
)

func migrateCommand(load func() (config.Config, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to the schema of this release, or back",
		Long: `Works on DATABASE_URL, or on the SQLite file under DATA_DIR. Versions and their record are Atlas': its command line tool
can be used on the same database (atlas.hcl). The job queue's tables go along.`,
	}
	var upTo, downTo string
	up := migration(load, "up", "Apply what is pending", func(ctx context.Context, m *schema.Migrator) error {
		return m.UpTo(ctx, upTo)
	})
	up.Flags().StringVar(&upTo, "to", "", "the last version to apply (default: the newest)")
	down := migration(load, "down", "Go back to an earlier version; the data of what is dropped is lost",
		func(ctx context.Context, m *schema.Migrator) error {
			if downTo == "" {
				return errors.New("say how far with --to VERSION, or --to 0 to remove everything")
			}
			return m.Down(ctx, downTo)
		})
	down.Flags().StringVar(&downTo, "to", "", "the version to go back to; 0 removes everything")
	status := migration(load, "status", "List the migrations, applied and pending", nil)
	cmd.AddCommand(up, down, status)
	return cmd
}

// migration is a command that does something to the schema and then says how it stands.
func migration(
	load func() (config.Config, error), use, short string, do func(context.Context, *schema.Migrator) error,
) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			migrator, stop, err := app.OpenMigrator(cmd.Context(), cfg, app.NewLogger(cfg, cmd.ErrOrStderr()))
			if err != nil {
				return err
			}
			if do != nil {
				err = do(cmd.Context(), migrator)
			}
			if err == nil {
				err = printStatus(cmd, migrator)
			}
			return errors.Join(err, stop())
		},
	}
}

func printStatus(cmd *cobra.Command, m *schema.Migrator) error {
	list, err := m.Status(cmd.Context())
	if err != nil {
		return err
	}
	tw := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "OWNER\tVERSION\tNAME\tSTATE")
	for _, v := range list {
		state := "pending"
		switch {
		case v.Applied: // at last, when a fault of an earlier try is still noted
			state = "applied"
		case v.Fault != "":
			state = "failed: " + v.Fault
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", v.Owner, v.Version, v.Name, state)
	}
	return tw.Flush()
}
