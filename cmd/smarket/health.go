package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/config"
)

// The exit codes of `health`, which scripts/health_check.sh passes on.
const (
	exitDegraded = 1
	exitDown     = 2
)

func healthCommand(load func() (config.Config, error)) *cobra.Command {
	var maxWait time.Duration
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Say how the database, Redis, the workers, the queue and the plugins fare",
		Long: `Looks at what the processes of an installation share, without asking a server. Each line is a state, a part and what was
found, with tabs between them. scripts/health_check.sh adds what is seen from outside: HTTP, the disk, backups.

Exit code: 0 all is well, 1 degraded (people are served in part), 2 down.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			worst, exits := 0, map[app.Health]int{app.Degraded: exitDegraded, app.Down: exitDown}
			for _, c := range app.CheckHealth(cmd.Context(), cfg, maxWait, commandLogger(cmd, cfg)) {
				fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\t%s\n", c.State, c.Name, c.Detail)
				worst = max(worst, exits[c.State])
			}
			if worst > 0 {
				return &exitError{worst}
			}
			return nil
		},
	}
	cmd.Flags().DurationVar(&maxWait, "max-wait", 10*time.Minute, "how long a job may be due before the queue counts as stuck")
	return cmd
}
