// Package conformance runs the GraphQL clients that front ends use, on Node, against the whole service.
package conformance

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

const (
	installHint = "install them: make conformance-deps (Node 20 or newer and npm: make components)"
	leastNode   = 20 // File and FormData are global from there on
	longest     = 3 * time.Minute
)

// TestClients runs each file of suite. Those that restart the service have one of their own.
func TestClients(t *testing.T) {
	t.Parallel()
	node := needNode(t)
	plugins := buildPlugin(t)
	files, err := filepath.Glob("suite/*.test.mjs")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	shared := newService(t, plugins)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".test.mjs")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := shared
			if name == "restart" {
				service = newService(t, plugins)
			}
			service.run(t, node, file)
		})
	}
}

// needNode fails the test where Node or the packages are not: what was not tried must not look as if it had worked.
func needNode(t *testing.T) string {
	t.Helper()
	node, err := exec.LookPath("node")
	require.NoError(t, err, installHint)
	version, err := exec.CommandContext(t.Context(), node, "--version").Output()
	require.NoError(t, err)
	major, _, _ := strings.Cut(strings.TrimPrefix(string(version), "v"), ".")
	n, err := strconv.Atoi(major)
	require.NoError(t, err)
	require.GreaterOrEqual(t, n, leastNode, installHint)
	want, err := os.ReadFile("package-lock.json")
	require.NoError(t, err)
	_, err = os.Stat(filepath.Join("node_modules", ".package-lock.json"))
	require.NoError(t, err, installHint)
	installed, err := os.ReadFile(filepath.Join("node_modules", ".installed"))
	require.NoError(t, err, installHint)
	require.Equal(t, string(want), string(installed), "the packages are not those of package-lock.json; "+installHint)
	return node
}

func buildPlugin(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "nodynamic", "-o", dir, "../../cmd/smarket-provider-offline")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return dir
}

// service is the whole service on its embedded default, and the door by which a suite restarts it.
type service struct {
	dir     string // DATA_DIR
	plugins string
	control *httptest.Server

	mu  sync.Mutex
	app *app.App
	url string
}

func newService(t *testing.T, plugins string) *service {
	t.Helper()
	s := &service{dir: t.TempDir(), plugins: plugins}
	require.NoError(t, s.start(t.Context(), "127.0.0.1:0"))
	t.Cleanup(func() { assert.NoError(t, s.stop(context.WithoutCancel(t.Context()))) })
	s.control = httptest.NewServer(http.HandlerFunc(s.restart))
	t.Cleanup(s.control.Close)
	return s
}

func (s *service) start(ctx context.Context, addr string) error {
	cfg, err := config.Load([]string{
		"PATH=" + os.Getenv("PATH"), "DATA_DIR=" + s.dir, "HTTP_ADDR=" + addr, "PLUGIN_DIR=" + s.plugins,
		"WORKER_JOBS=2", "SHUTDOWN_TIMEOUT=20s", "INTROSPECTION_ENABLED=true",
	})
	if err != nil {
		return err
	}
	a, err := app.New(ctx, cfg, app.Options{Role: app.RoleAll, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	s.app = a
	if err := a.Start(ctx); err != nil {
		return err
	}
	s.url = a.URL()
	return nil
}

func (s *service) stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return s.app.Stop(ctx)
}

// restart ends the service as a deployment does, and starts it again at the same address.
func (s *service) restart(w http.ResponseWriter, r *http.Request) {
	ctx := context.WithoutCancel(r.Context())
	err := s.stop(ctx)
	if err == nil {
		s.mu.Lock()
		err = s.start(ctx, strings.TrimPrefix(s.url, "http://"))
		s.mu.Unlock()
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// run runs one file with two users who are signed in: ana, who has a purchase, and rui.
func (s *service) run(t *testing.T, node, file string) {
	t.Helper()
	ana, rui := apitest.Client{URL: s.url}, apitest.Client{URL: s.url}
	name := strings.TrimSuffix(filepath.Base(file), ".test.mjs")
	ana.SignUp(t, fmt.Sprintf("ana-%s@example.com", name))
	rui.SignUp(t, fmt.Sprintf("rui-%s@example.com", name))
	samples := t.TempDir()
	for _, sample := range receipts.Bundled() {
		require.NoError(t, os.WriteFile(filepath.Join(samples, sample.Name), sample.Data, 0o600))
	}
	sub, res := ana.Submit(t, receipts.Bundled()[0].Data)
	require.Empty(t, res.Errors)
	require.NotEmpty(t, ana.Watch(t, sub.SubmitInvoice.Invoice.ID, 0))

	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "--test", "--test-reporter=spec", file)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "NODE_ENV=production",
		"SMARKET_URL=" + s.url, "SMARKET_CONTROL=" + s.control.URL, "SMARKET_SAMPLES=" + samples,
		"ANA_TOKEN=" + ana.Token, "RUI_TOKEN=" + rui.Token, "ANA_INVOICE=" + sub.SubmitInvoice.Invoice.ID,
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	t.Log(out.String())
	require.NoError(t, err)
}
