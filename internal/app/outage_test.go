package app_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/pgtest"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/internal/redistest"
)

// readiness is what /readyz says.
func readiness(t *testing.T, address string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/readyz", nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	data, err := io.ReadAll(res.Body)
	require.NoError(t, errors.Join(err, res.Body.Close()))
	return res.StatusCode, string(data)
}

// eventually waits as long as a loaded machine may need.
func eventually(t *testing.T, what string, met func() bool) {
	t.Helper()
	require.Eventually(t, met, 3*time.Minute, 100*time.Millisecond, what)
}

// xml is a purchase that needs no model.
func xml(t *testing.T, seed uint64) []byte {
	t.Helper()
	data, err := receipts.Generate(receipts.NewRand(seed), receipts.Options{Items: 2, Plain: true}).XML(receipts.XMLOptions{})
	require.NoError(t, err)
	return data
}

// completes hands in a purchase and follows it to its end.
func completes(t *testing.T, c *apitest.Client, seed uint64) {
	t.Helper()
	sub, res := c.Submit(t, xml(t, seed))
	require.Empty(t, res.Errors)
	events := c.Watch(t, sub.SubmitInvoice.Invoice.ID, 0)
	assert.Equal(t, "COMPLETED", events[len(events)-1].Stage)
}

func TestAServiceOutlivesItsDatabasesCrash(t *testing.T) {
	t.Parallel()
	own := pgtest.Start(t)
	at := installation{"production", append(environ(t),
		"DATABASE_URL="+own.URL, "REDIS_URL="+redistest.Start(t).URL(), "JWT_SECRET="+strings.Repeat("s", 40))}
	m, closeMigrator, err := app.OpenMigrator(t.Context(), at.config(t), quiet())
	require.NoError(t, err)
	require.NoError(t, errors.Join(m.Up(t.Context()), closeMigrator()))
	address := at.start(t, app.RoleAll).URL()
	c := apitest.Client{URL: address}
	c.SignUp(t, "ana@example.com")
	completes(t, &c, 1)

	own.Crash()
	status, body := readiness(t, address)
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, body, `"database":"unavailable"`)
	_, res := c.Submit(t, xml(t, 2))
	assert.NotEmpty(t, res.Errors, "nothing is accepted that could be lost")
	assert.Equal(t, http.StatusOK, probe(t, address+"/healthz"), "it is not the process that has to be replaced")

	own.Restart(t)
	eventually(t, "it is ready again by itself", func() bool {
		status, _ := readiness(t, address)
		return status == http.StatusOK
	})
	completes(t, &c, 2)
}

func TestAnEmptiedRedisLosesNothing(t *testing.T) {
	t.Parallel()
	at := production(t)
	a := at.start(t, app.RoleAll)
	c := apitest.Client{URL: a.URL()}
	c.SignUp(t, "ana@example.com")
	sub, res := c.Submit(t, xml(t, 1))
	require.Empty(t, res.Errors)
	require.NoError(t, a.Redis().FlushAll(t.Context()).Err())
	events := c.Watch(t, sub.SubmitInvoice.Invoice.ID, 0)
	assert.Equal(t, "COMPLETED", events[len(events)-1].Stage)
	completes(t, &c, 2)
}

// TestWithoutItsFileStoreAServiceAcceptsNothingAndGoesOn takes the folder away, as an unmounted disk does, and brings it back.
func TestWithoutItsFileStoreAServiceAcceptsNothingAndGoesOn(t *testing.T) {
	t.Parallel()
	at := production(t)
	files := t.TempDir() + "/files"
	at.env = append(slices.Clip(at.env), "BLOB_URL=file://"+files)
	address := at.start(t, app.RoleAll).URL()
	c := apitest.Client{URL: address}
	c.SignUp(t, "ana@example.com")
	completes(t, &c, 1)

	require.NoError(t, os.Rename(files, files+"-away"))
	require.NoError(t, os.WriteFile(files, nil, 0o600)) // nothing can be made below a file
	_, res := c.Submit(t, xml(t, 2))
	assert.NotEmpty(t, res.Errors)
	var list struct{ Invoices struct{ TotalCount int } }
	c.Query(t, `{ invoices { totalCount } }`, nil, &list)
	assert.Equal(t, 1, list.Invoices.TotalCount, "what is there can be looked at, and nothing half was stored")

	require.NoError(t, os.Remove(files))
	status, body := readiness(t, address)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, body, `"files":"unavailable"`)
	require.NoError(t, os.Rename(files+"-away", files))
	_, body = readiness(t, address)
	assert.Contains(t, body, `"files":"ok"`)
	completes(t, &c, 2)
}

func TestAServiceThatEndsSaysSoWhileItStillServes(t *testing.T) {
	t.Parallel()
	at := production(t)
	at.env = append(slices.Clip(at.env), "SHUTDOWN_DELAY=10m", "SHUTDOWN_TIMEOUT=20m")
	a := at.start(t, app.RoleAPI)
	c := apitest.Client{URL: a.URL()}
	c.SignUp(t, "ana@example.com")
	ctx, enough := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = a.Stop(ctx) // it is cut short below
	}()
	eventually(t, "it is not ready any more", func() bool {
		status, _ := readiness(t, a.URL())
		return status == http.StatusServiceUnavailable
	})
	var out struct{ Invoices struct{ TotalCount int } }
	c.Query(t, `{ invoices { totalCount } }`, nil, &out)
	enough()
	<-ended
}

func TestARequestUnderWayAtTheEndIsAnswered(t *testing.T) {
	t.Parallel()
	a := production(t).start(t, app.RoleAPI)
	u, err := url.Parse(a.URL())
	require.NoError(t, err)
	reader, writer := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.URL()+"/graphql", reader)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Expect", "100-continue") // the body is sent once the server reads it
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Hour}}
	answered := make(chan string, 1)
	go func() {
		res, err := client.Do(req)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer func() { _ = res.Body.Close() }()
		var body bytes.Buffer
		_, _ = body.ReadFrom(res.Body) // what is missing fails the comparison
		answered <- body.String()
	}()
	_, err = writer.Write([]byte(`{"query": "{ __ty`)) // taken once the server has asked for it: the request is under way
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- a.Stop(context.WithoutCancel(t.Context())) }()
	eventually(t, "nothing new is taken", func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", u.Host)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	_, err = writer.Write([]byte(`pename }"}`))
	require.NoError(t, errors.Join(err, writer.Close()))
	assert.JSONEq(t, `{"data":{"__typename":"Query"}}`, <-answered)
	require.NoError(t, <-ended)
}

// TestWithoutPluginsWhatNeedsNoneIsRead has a folder of plugins that is empty, and later is not.
func TestWithoutPluginsWhatNeedsNoneIsRead(t *testing.T) {
	t.Parallel()
	at := production(t)
	with := at
	at.env = append(slices.Clip(at.env), "PLUGIN_DIR="+t.TempDir(), "EXTRACTION_MAX_ATTEMPTS=1")
	a := at.start(t, app.RoleAll)
	c := apitest.Client{URL: a.URL()}
	c.SignUp(t, "ana@example.com")
	completes(t, &c, 1)
	status, _ := readiness(t, a.URL())
	assert.Equal(t, http.StatusOK, status)
	id, stage := submitted(t, &c, receipts.Bundled()[4].Data)
	assert.Equal(t, "FAILED", stage, "after its only try; by default there are five")
	stop(t, a)

	c.URL = with.start(t, app.RoleAll).URL()
	res := c.Query(t, `mutation($id: ID!) { retryExtraction(input: {invoiceId: $id}) { __typename } }`, map[string]any{"id": id}, nil)
	require.Empty(t, res.Errors, "its files were kept")
	events := c.Watch(t, id, 0)
	assert.Equal(t, "COMPLETED", events[len(events)-1].Stage)
}
