// Command smarket is the whole service: the API server, the worker, and the operator's tools.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/mercadoesperto/smarket/internal/config"
)

// version is set by the build.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, config.FromEnvironment))
}

// exitError ends the process with a code of its own; what it means was printed already.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit %d", e.code) }

// run is main without the process: 0 when all went well, 1 on an error, and what a command says otherwise.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, load func() (config.Config, error)) int {
	cmd := rootCommand(load) //nolint:contextcheck // cobra hands ctx to the commands
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if exit, ok := errors.AsType[*exitError](err); ok {
		return exit.code
	}
	fmt.Fprintln(stderr, "smarket:", err)
	return 1
}
