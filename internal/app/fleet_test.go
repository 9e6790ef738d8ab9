package app_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/llmstub"
)

// copyPlugins makes a plugin folder of the test's own.
func copyPlugins(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		copyPlugin(t, dir, name, nil)
	}
	return dir
}

// copyPlugin puts a plugin into dir the way operators should; a tail makes it another binary that does the same.
func copyPlugin(t *testing.T, dir, name string, tail []byte) {
	t.Helper()
	from, err := os.Open(filepath.Join(plugins, "smarket-provider-"+name))
	require.NoError(t, err)
	defer func() { _ = from.Close() }()
	fresh := filepath.Join(dir, ".new")
	to, err := os.OpenFile(fresh, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(to, from)
	require.NoError(t, err)
	_, err = to.Write(tail)
	require.NoError(t, err)
	require.NoError(t, to.Close())
	require.NoError(t, os.Rename(fresh, filepath.Join(dir, "smarket-provider-"+name)))
}

// admin signs an admin up.
func admin(t *testing.T, a *app.App) apitest.Client {
	t.Helper()
	c := apitest.Client{URL: a.URL()}
	c.SignUp(t, "chefe@example.com")
	_, err := a.Accounts.SetRoleAndPlan(t.Context(), "chefe@example.com", account.RoleAdmin, account.PlanFree)
	require.NoError(t, err)
	return c
}

type providersAnswer struct {
	Providers []struct {
		Name, State, Checksum string
		Enabled               bool
		Workers               int
	}
}

const askProviders = `{ providers { name state checksum enabled workers } }`

// TestAdminsSteerTheWorkersOfAllProcessesFromAnAPIProcess has an API without plugins and two workers.
func TestAdminsSteerTheWorkersOfAllProcessesFromAnAPIProcess(t *testing.T) {
	t.Parallel()
	stub := llmstub.Start(t)
	dir := copyPlugins(t, "gemini", "openai")
	at := withVendors(production(t), stub, "PROVIDER_ORDER=gemini,openai", "PLUGIN_DIR="+dir, "BLOB_URL=file://"+t.TempDir())
	worker := func(name string) installation {
		w := at
		w.env = append(slices.Clip(w.env), "DATA_DIR="+t.TempDir(), "WORKER_NAME="+name)
		return w
	}
	worker("one").start(t, app.RoleWorker)
	worker("two").start(t, app.RoleWorker)
	api := at.start(t, app.RoleAPI)
	c := admin(t, api)
	consentAll(t, &c)
	var before providersAnswer
	c.Query(t, askProviders, nil, &before)
	require.Len(t, before.Providers, 2)
	for _, p := range before.Providers {
		assert.Equal(t, "RUNNING", p.State)
		assert.Equal(t, 2, p.Workers)
		assert.True(t, p.Enabled)
	}

	copyPlugin(t, dir, "gemini", []byte("a new version"))
	var out struct {
		ReloadProviders struct {
			Pending []string
			Workers []struct {
				Worker  string
				Plugins []struct{ Name, Outcome, Reason string }
			}
		}
	}
	res := c.Query(t, `mutation { reloadProviders { pending workers { worker plugins { name outcome reason } } } }`, nil, &out)
	require.Empty(t, res.Errors)
	assert.Empty(t, out.ReloadProviders.Pending)
	require.Len(t, out.ReloadProviders.Workers, 2)
	for _, w := range out.ReloadProviders.Workers {
		require.Len(t, w.Plugins, 2)
		assert.Equal(t, "SWAPPED", w.Plugins[0].Outcome, w.Plugins[0].Reason)
		assert.Equal(t, "UNCHANGED", w.Plugins[1].Outcome)
	}
	var after providersAnswer
	c.Query(t, askProviders, nil, &after)
	assert.NotEqual(t, before.Providers[0].Checksum, after.Providers[0].Checksum)
	assert.Equal(t, before.Providers[1].Checksum, after.Providers[1].Checksum)

	_, stage := submitted(t, &c, paper(t, stub, 21))
	assert.Equal(t, "COMPLETED", stage)
	res = c.Query(t, `mutation { setProviderEnabled(input: {name: "gemini", enabled: false}) { provider { name } } }`, nil, nil)
	require.Empty(t, res.Errors)
	seed := uint64(22)
	require.Eventually(t, func() bool { // the workers follow within seconds
		seed++
		_, stage := submitted(t, &c, paper(t, stub, seed))
		calls := stub.Calls()
		return stage == "COMPLETED" && calls[len(calls)-1].Vendor == llmstub.OpenAI
	}, time.Minute, 10*time.Millisecond)
}

// TestDecisionsSurviveARestart turns one provider off and starts again.
func TestDecisionsSurviveARestart(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		stub := llmstub.Start(t)
		at = withVendors(at, stub)
		first := at.start(t, app.RoleAll)
		c := admin(t, first)
		for i, name := range []string{"openai", "gemini"} {
			res := c.Query(t, fmt.Sprintf(`mutation { setProviderEnabled(input: {name: %q, position: 1, enabled: %t}) { provider { name } } }`, name, i == 0), nil, nil)
			require.Empty(t, res.Errors)
		}
		stop(t, first)

		c.URL = at.start(t, app.RoleAll).URL()
		consentAll(t, &c)
		var out providersAnswer
		c.Query(t, askProviders, nil, &out)
		require.Len(t, out.Providers, 4)
		assert.Equal(t, "gemini", out.Providers[0].Name)
		assert.False(t, out.Providers[0].Enabled)
		assert.Equal(t, "openai", out.Providers[1].Name)
		_, stage := submitted(t, &c, paper(t, stub, 31))
		assert.Equal(t, "COMPLETED", stage)
		require.NoError(t, stub.AwaitDone(t.Context()))
		require.Len(t, stub.Calls(), 1)
		assert.Equal(t, llmstub.OpenAI, stub.Calls()[0].Vendor)
	})
}
