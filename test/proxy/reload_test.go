package proxy_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/app"
)

// replacement starts a service that takes the place of another, or is replaced.
func replacement(t *testing.T) (a *app.App, address string) {
	t.Helper()
	a, err := launch(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, a.Stop(context.WithoutCancel(t.Context()))) })
	return a, strings.TrimPrefix(a.URL(), "http://")
}

// ask writes what upstreams/api.conf says into a file that is moved over the old one, as its users do, and has nginx read it.
func (e *edge) ask(t *testing.T, api string) {
	t.Helper()
	file := filepath.Join(e.dir, "deploy/nginx/upstreams/api.conf")
	require.NoError(t, os.WriteFile(file+".new", []byte("map $server_port $api { default "+api+"; }\n"), 0o644))
	require.NoError(t, os.Rename(file+".new", file))
	out, err := e.reload(t)
	require.NoError(t, err, out)
}

// reload runs the script that operators run.
func (e *edge) reload(t *testing.T) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", filepath.Join(root, "deploy/nginx/reload.sh"), "-c", filepath.Join(e.dir, "nginx.conf"), "-e", "stderr")
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin", "NGINX_PID="+filepath.Join(e.dir, "cache/nginx.pid"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// load is requests without a pause until it is stopped.
type load struct {
	done     sync.WaitGroup
	end      chan struct{}
	answered atomic.Int64
	mu       sync.Mutex
	failed   []string
}

// begin has each client ask on and on. POST with a body, which nobody may send twice.
func begin(t *testing.T, clients ...*http.Client) *load {
	t.Helper()
	l := &load{end: make(chan struct{})}
	for _, client := range clients {
		l.done.Go(func() {
			for {
				select {
				case <-l.end:
					return
				case <-t.Context().Done(): // the test has failed
					return
				default:
				}
				a, err := try(t.Context(), client, http.MethodPost, "https://"+site+"/graphql", strings.NewReader(`{"query":"{ viewer { id } }"}`),
					"Content-Type", "application/json")
				switch {
				case err != nil:
					l.fault(err.Error())
				case a.status != http.StatusOK || strings.TrimSpace(a.text) != `{"data":{"viewer":null}}`:
					l.fault(a.text)
				default:
					l.answered.Add(1)
				}
			}
		})
	}
	return l
}

func (l *load) fault(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = append(l.failed, text)
}

// more returns when so many more requests have been answered.
func (l *load) more(t *testing.T, n int64) {
	t.Helper()
	from := l.answered.Load()
	require.Eventually(t, func() bool { return l.answered.Load() >= from+n }, eventually, tick)
}

func (l *load) stop() []string {
	close(l.end)
	l.done.Wait()
	return l.failed
}

func TestAnUpstreamIsReplacedUnderLoadWithoutAFailedRequest(t *testing.T) {
	t.Parallel()
	old, address := replacement(t)
	// The load is not what the limits are for.
	e := startEdge(t, settings{api: address, replace: []string{"rate=100r/s", "rate=100000r/s", "burst=200", "burst=100000"}})
	apart := func() *http.Client { // a connection for each request: an idle one is closed by a reload, which HTTP/1.1 clients must bear
		return e.client(t, &http.Transport{DialContext: e.dial(stranger(t)), TLSClientConfig: &tls.Config{RootCAs: e.pool}, DisableKeepAlives: true})
	}
	l := begin(t, e.browser(t, stranger(t)), e.browser(t, stranger(t)), apart(), apart())
	for range 2 {
		l.more(t, 50)
		fresh, to := replacement(t)
		e.ask(t, to)
		require.NoError(t, old.Stop(t.Context()), "what was asked of it, it has answered")
		l.more(t, 50)
		old = fresh
	}
	failed := l.stop()
	assert.Empty(t, failed)
	t.Logf("%d requests answered, %d failed", l.answered.Load(), len(failed))
}

// A configuration that is broken is not taken: the one in force stays.
func TestAnUpstreamThatCannotBeReadChangesNothing(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{})
	file := filepath.Join(e.dir, "deploy/nginx/upstreams/api.conf")
	require.NoError(t, os.WriteFile(file, []byte("map $server_port $api { default "), 0o644))
	out, err := e.reload(t)
	require.Error(t, err)
	assert.Contains(t, out, "[emerg]")
	assert.Equal(t, http.StatusOK, request(t, e.browser(t, stranger(t)), http.MethodGet, "https://"+site+"/healthz", nil).status)
}
