package app_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/pgtest"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/internal/redistest"
)

var (
	pg      pgtest.Server
	plugins string // the folder of the real plugins
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "smarket-plugins-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	plugins = dir
	build := exec.Command("go", "build", "-tags", "nodynamic", "-o", dir, "../../cmd/smarket-provider-offline",
		"../../cmd/smarket-provider-gemini", "../../cmd/smarket-provider-openrouter", "../../cmd/smarket-provider-openai",
		"../../cmd/smarket-provider-anthropic")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the plugins: %v\n%s", err, out)
		return 1
	}
	return pg.Run(m)
}

// installation is where a service keeps its things.
type installation struct {
	name string
	env  []string
}

// both are the two ways to run: the embedded default, and PostgreSQL with Redis.
func both(t *testing.T, test func(t *testing.T, at installation)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(t, installation{"embedded", environ(t)})
	})
	t.Run("production", func(t *testing.T) {
		t.Parallel()
		test(t, production(t))
	})
}

func environ(t *testing.T) []string {
	t.Helper()
	return []string{
		"PATH=" + os.Getenv("PATH"), "DATA_DIR=" + t.TempDir(), "HTTP_ADDR=127.0.0.1:0", "PLUGIN_DIR=" + plugins,
		"WORKER_JOBS=2", "SHUTDOWN_TIMEOUT=20s",
	}
}

func production(t *testing.T) installation {
	t.Helper()
	at := installation{"production", append(environ(t),
		"DATABASE_URL="+pg.NewDatabase(t), "REDIS_URL="+redistest.Start(t).URL(), "JWT_SECRET="+strings.Repeat("s", 40))}
	m, stop, err := app.OpenMigrator(t.Context(), at.config(t), quiet())
	require.NoError(t, err)
	require.NoError(t, errors.Join(m.Up(t.Context()), stop()))
	return at
}

func (at installation) config(t *testing.T) config.Config {
	t.Helper()
	cfg, err := config.Load(at.env)
	require.NoError(t, err)
	return cfg
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// start runs the service until the test ends.
func (at installation) start(t *testing.T, role app.Role) *app.App {
	t.Helper()
	a, err := app.New(t.Context(), at.config(t), app.Options{Role: role, Log: quiet()})
	require.NoError(t, err)
	t.Cleanup(func() { stop(t, a) })
	require.NoError(t, a.Start(t.Context()))
	return a
}

func stop(t *testing.T, a *app.App) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
	defer cancel()
	assert.NoError(t, a.Stop(ctx))
}

// TestFromSignUpToACheckedPurchase is the whole path: an account, documents of each kind, progress to the end, and figures
// that equal the truth. XML, a PDF with text, and a photo that only character recognition can read.
func TestFromSignUpToACheckedPurchase(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		c := apitest.Client{URL: at.start(t, app.RoleAll).URL()}
		c.SignUp(t, "ana@example.com")
		for _, sample := range receipts.Bundled() {
			if sample.Name != "compra-01.xml" && sample.Name != "compra-04.pdf" && sample.Name != "compra-05.png" {
				continue // the others are read by the demo's test
			}
			sub, res := c.Submit(t, sample.Data)
			require.Empty(t, res.Errors)
			assert.Nil(t, sub.SubmitInvoice.Duplicate)
			events := c.Watch(t, sub.SubmitInvoice.Invoice.ID, 0)
			require.NotEmpty(t, events)
			for i, e := range events {
				assert.Equal(t, i+1, e.Seq)
			}
			assert.Equal(t, "COMPLETED", events[len(events)-1].Stage, sample.Name)
			assert.Equal(t, "COMPLETED", events[len(events)-1].Invoice.Status, sample.Name)
			equalsTruth(t, &c, sub.SubmitInvoice.Invoice.ID, sample)

			again, res := c.Submit(t, sample.Data)
			require.Empty(t, res.Errors)
			require.NotNil(t, again.SubmitInvoice.Duplicate)
			assert.Equal(t, sub.SubmitInvoice.Invoice.ID, again.SubmitInvoice.Invoice.ID)
		}
	})
}

// equalsTruth compares a stored invoice with its sample.
func equalsTruth(t *testing.T, c *apitest.Client, id string, sample receipts.Sample) {
	t.Helper()
	type money struct{ Centavos int64 }
	var out struct {
		Invoice struct {
			AccessKey string
			Issuer    struct{ CNPJ string }
			Items     []struct {
				Quantity, UnitPrice string
				Total, Discount     money
			}
			Totals struct{ Due money }
			Checks []struct {
				Name   string
				Passed bool
			}
		}
	}
	c.Query(t, `query($id: ID!) { invoice(id: $id) { accessKey issuer { cnpj }
		items { quantity unitPrice total { centavos } discount { centavos } }
		totals { due { centavos } } checks { name passed } } }`, map[string]any{"id": id}, &out)
	inv, truth := out.Invoice, sample.Truth
	assert.Equal(t, truth.AccessKey, inv.AccessKey, sample.Name)
	assert.Equal(t, truth.Issuer.CNPJ, inv.Issuer.CNPJ, sample.Name)
	require.Len(t, inv.Items, len(truth.Items), sample.Name)
	for i, it := range truth.Items {
		assert.Equal(t, int64(it.Total), inv.Items[i].Total.Centavos, "%s line %d", sample.Name, i+1)
		assert.Equal(t, int64(it.Discount), inv.Items[i].Discount.Centavos, "%s line %d", sample.Name, i+1)
	}
	assert.Equal(t, int64(truth.Totals.Due), inv.Totals.Due.Centavos, sample.Name)
	require.NotEmpty(t, inv.Checks)
	for _, check := range inv.Checks {
		assert.True(t, check.Passed, "%s: %s", sample.Name, check.Name)
	}
}

func TestAnotherUsersInvoiceIsNotThere(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		url := at.start(t, app.RoleAll).URL()
		ana, rui := apitest.Client{URL: url}, apitest.Client{URL: url}
		ana.SignUp(t, "ana@example.com")
		rui.SignUp(t, "rui@example.com")
		sub, res := ana.Submit(t, receipts.Bundled()[0].Data)
		require.Empty(t, res.Errors)
		id := map[string]any{"id": sub.SubmitInvoice.Invoice.ID}
		assert.Equal(t, "NOT_FOUND", rui.Query(t, `mutation($id: ID!) { deleteInvoice(input: {invoiceId: $id}) { __typename } }`, id, nil).Code())
		assert.Equal(t, "NOT_FOUND", rui.Query(t, `mutation($id: ID!) { cancelExtraction(input: {invoiceId: $id}) { __typename } }`, id, nil).Code())
		assert.Equal(t, "NOT_FOUND", rui.Query(t, `mutation($id: ID!) { retryExtraction(input: {invoiceId: $id}) { __typename } }`, id, nil).Code())
		assert.Equal(t, "NOT_FOUND", rui.Query(t, `query($id: ID!) { invoice(id: $id) { id } }`, id, nil).Code())
		assert.Equal(t, "NOT_FOUND", rui.Query(t, `query($id: ID!) { node(id: $id) { id } }`, id, nil).Code())
		assert.Equal(t, "NOT_FOUND", rui.Query(t, `query { node(id: "bm9uZQ") { id } }`, nil, nil).Code(), "as if it had never been")
	})
}

func TestBadFilesAreRefusedByTheirContentAndLeaveNothing(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		c := apitest.Client{URL: at.start(t, app.RoleAll).URL()}
		c.SignUp(t, "ana@example.com")
		photo := receipts.Bundled()[4].Data
		for name, bad := range map[string]struct {
			files [][]byte
			code  string
		}{
			"empty":        {[][]byte{{}}, "BAD_USER_INPUT"},
			"a page":       {[][]byte{[]byte("<!doctype html><p>não é nota</p>")}, "UNSUPPORTED_MEDIA"},
			"a program":    {[][]byte{[]byte("\x7fELF\x02\x01\x01\x00")}, "UNSUPPORTED_MEDIA"},
			"entities":     {[][]byte{[]byte(`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><nfeProc>&b;</nfeProc>`)}, "BAD_USER_INPUT"},
			"another XML":  {[][]byte{[]byte(`<?xml version="1.0"?><rss></rss>`)}, "BAD_USER_INPUT"},
			"eleven files": {[][]byte{photo, photo, photo, photo, photo, photo, photo, photo, photo, photo, photo}, "BAD_USER_INPUT"},
			"too large":    {[][]byte{append(slices.Clip(photo), make([]byte, 21<<20)...)}, "TOO_LARGE"},
		} {
			_, res := c.Submit(t, bad.files...)
			assert.Equal(t, bad.code, res.Code(), name)
		}
		var out struct{ Invoices struct{ TotalCount int } }
		c.Query(t, `{ invoices { totalCount } }`, nil, &out)
		assert.Zero(t, out.Invoices.TotalCount)

		// What only decoding shows is accepted, and ends as FAILED with its files kept.
		sub, res := c.Submit(t, photo[:len(photo)/2])
		require.Empty(t, res.Errors)
		events := c.Watch(t, sub.SubmitInvoice.Invoice.ID, 0)
		assert.Equal(t, "FAILED", events[len(events)-1].Stage)
	})
}

func TestAnAPIProcessAndAWorkerProcessShareTheWork(t *testing.T) {
	t.Parallel()
	at := production(t)
	c := apitest.Client{URL: at.start(t, app.RoleAPI).URL()}
	worker := at
	worker.env = append(slices.Clip(worker.env), "WORKER_NAME=worker-1")
	worker.start(t, app.RoleWorker)
	c.SignUp(t, "ana@example.com")
	sub, res := c.Submit(t, receipts.Bundled()[0].Data)
	require.Empty(t, res.Errors)
	events := c.Watch(t, sub.SubmitInvoice.Invoice.ID, 0)
	assert.Equal(t, "COMPLETED", events[len(events)-1].Stage)
}

func TestProductionRefusesAnOldSchemaAndNamesTheCommand(t *testing.T) {
	t.Parallel()
	at := installation{"old", append(environ(t),
		"DATABASE_URL="+pg.NewDatabase(t), "REDIS_URL="+redistest.Start(t).URL(), "JWT_SECRET="+strings.Repeat("s", 40))}
	_, err := app.New(t.Context(), at.config(t), app.Options{Role: app.RoleAll, Log: quiet()})
	assert.ErrorContains(t, err, "smarket migrate up")
}

func TestTwoServersDoNotShareASQLiteFile(t *testing.T) {
	t.Parallel()
	at := installation{"embedded", environ(t)}
	at.start(t, app.RoleAll)
	_, err := app.New(t.Context(), at.config(t), app.Options{Role: app.RoleAll, Log: quiet()})
	assert.ErrorContains(t, err, "DATA_DIR")
}

func TestASecondStartKeepsAccountsAndInvoices(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		first := at.start(t, app.RoleAll)
		c := apitest.Client{URL: first.URL()}
		c.SignUp(t, "ana@example.com")
		sub, res := c.Submit(t, receipts.Bundled()[0].Data)
		require.Empty(t, res.Errors)
		before := c.Watch(t, sub.SubmitInvoice.Invoice.ID, 0)
		stop(t, first)

		c.URL = at.start(t, app.RoleAll).URL() // the token is still good: its secret was kept
		after := c.Watch(t, sub.SubmitInvoice.Invoice.ID, 0)
		require.Len(t, after, len(before))
		assert.Equal(t, "COMPLETED", after[len(after)-1].Stage)
	})
}

func TestProbesTellTheTruth(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	at := production(t)
	at.env = append(at.env, "REDIS_URL="+redis.URL())
	url := at.start(t, app.RoleAll).URL()
	assert.Equal(t, http.StatusOK, probe(t, url+"/healthz"))
	assert.Equal(t, http.StatusOK, probe(t, url+"/readyz"))
	redis.Stop(t)
	assert.Equal(t, http.StatusOK, probe(t, url+"/readyz"), "without Redis the work goes on")
}

func probe(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(t, errors.Join(err, res.Body.Close()))
	return res.StatusCode
}

func TestOnlyProvidersWithAKeyAreStarted(t *testing.T) {
	t.Parallel()
	cfg := installation{"x", environ(t)}.config(t)
	host, err := app.NewHost(cfg, quiet())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, host.Stop(context.WithoutCancel(t.Context()))) })
	require.NoError(t, host.Start(t.Context()))
	for _, p := range host.List() {
		if p.Name == "offline" {
			assert.Equal(t, filepath.Join(plugins, "smarket-provider-offline"), p.Path)
			assert.Equal(t, "running", fmt.Sprint(p.State))
			continue
		}
		assert.NotEqual(t, "running", fmt.Sprint(p.State), "%s has no key", p.Name)
	}
}
