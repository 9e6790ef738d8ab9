// Package proxy_test drives the edge as it is shipped: a real nginx with the files of nginx.conf and deploy/nginx, in front of the
// real service and of a second nginx with the page. What a test changes in the files is where they listen, where they write, and,
// where it says so, a time or a limit.
package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/config"
)

// service is the api of all tests. Those that stop one have their own.
var service *app.App

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "smarket-proxy-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx := context.Background()
	if service, err = launch(ctx, dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := service.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return m.Run()
}

// launch starts a service that keeps its things in dir and believes the edge, which comes from 127.0.0.1.
func launch(ctx context.Context, dir string) (*app.App, error) {
	cfg, err := config.Load([]string{
		"PATH=" + os.Getenv("PATH"), "DATA_DIR=" + dir, "PLUGIN_DIR=" + dir, "HTTP_ADDR=127.0.0.1:0", "WORKER_JOBS=2",
		"TRUSTED_PROXIES=127.0.0.1", "SHUTDOWN_TIMEOUT=20s", "JWT_SECRET=the-secret-that-signs-tokens-in-these-tests",
	})
	if err != nil {
		return nil, err
	}
	a, err := app.New(ctx, cfg, app.Options{Role: app.RoleAll, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if err := a.Start(ctx); err != nil {
		return nil, errors.Join(err, a.Stop(ctx))
	}
	return a, nil
}
