package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/mercadoesperto/smarket/internal/config"
)

// healthCheckTimeout is more than the server gives its own look at the database.
const healthCheckTimeout = 4 * time.Second

// healthcheckCommand is for containers whose image has no other program that could ask.
func healthcheckCommand(load func() (config.Config, error)) *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the server at HTTP_ADDR whether it is ready; exit code 0 if it is",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), healthCheckTimeout)
			defer cancel()
			return askReady(ctx, cfg.HTTP.Addr)
		},
	}
}

func askReady(ctx context.Context, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("read HTTP_ADDR: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	if err := resp.Body.Close(); err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New("the server answers, and is not ready: " + resp.Status)
	}
	return nil
}
