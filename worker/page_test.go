package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store"
)

// openPage serves the page of the jobs of db.
func openPage(t *testing.T, db *store.DB) *httptest.Server {
	t.Helper()
	page, err := NewPage(jobs(db), quiet())
	require.NoError(t, err)
	require.NoError(t, page.Start(t.Context()))
	server := httptest.NewServer(page)
	t.Cleanup(server.Close)
	return server
}

// answer is the page's.
type answer struct {
	status       int
	policy, body string
}

// visit asks for a path below the page as a browser would whose headers are given in pairs.
func visit(t *testing.T, server *httptest.Server, method, path, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+PagePath+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Accept", "text/html, application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	req.Host = req.Header.Get("Host")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	data, err := io.ReadAll(res.Body)
	require.NoError(t, errors.Join(err, res.Body.Close()))
	return answer{res.StatusCode, res.Header.Get("Content-Security-Policy"), string(data)}
}

// shownJob is a job as the page's scripts see it.
type shownJob struct {
	Kind   string
	State  string
	Args   string // in JSON
	Errors []struct{ Error, Trace string }
}

func showJob(t *testing.T, server *httptest.Server, id int64) shownJob {
	t.Helper()
	got := visit(t, server, http.MethodGet, fmt.Sprintf("api/jobs/%d", id), "")
	require.Equal(t, http.StatusOK, got.status, got.body)
	var job shownJob
	require.NoError(t, json.Unmarshal([]byte(got.body), &job))
	return job
}

func TestThePageShowsJobsAndActsOnThem(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		server := openPage(t, db)
		id := enqueue(t, db, 3, "a")
		assert.Equal(t, "available", showJob(t, server, id).State)
		assert.JSONEq(t, `{"invoice_id": "a"}`, showJob(t, server, id).Args, "an id and nothing else")
		for _, path := range []string{"api/jobs?state=available", "api/queues", "api/states", "api/features", "api/health-checks/complete"} {
			got := visit(t, server, http.MethodGet, path, "")
			assert.Equal(t, http.StatusOK, got.status, "%s: %s", path, got.body)
		}
		ids := fmt.Sprintf(`{"ids":["%d"]}`, id)
		for _, step := range []struct{ action, state string }{{"cancel", "cancelled"}, {"retry", "available"}} {
			got := visit(t, server, http.MethodPost, "api/jobs/"+step.action, ids, "Sec-Fetch-Site", "same-origin")
			require.Equal(t, http.StatusOK, got.status, got.body)
			assert.Equal(t, step.state, showJob(t, server, id).State)
		}
	})
}

// TestThePageLoadsNothingOfOthers follows what the page itself names, which is what a browser would fetch.
func TestThePageLoadsNothingOfOthers(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		server := openPage(t, db)
		got := visit(t, server, http.MethodGet, "", "")
		require.Equal(t, http.StatusOK, got.status)
		assert.Contains(t, got.policy, "default-src 'none'; script-src 'self'")
		links := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(got.body, -1)
		require.NotEmpty(t, links)
		for _, link := range links {
			path, ours := strings.CutPrefix(link[1], PagePath)
			require.True(t, ours, link[1])
			got := visit(t, server, http.MethodGet, path, "")
			assert.Equal(t, http.StatusOK, got.status, path)
		}
	})
}

func TestOtherSitesPagesCannotActThroughTheOperatorsBrowser(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		server := openPage(t, db)
		id := enqueue(t, db, 3, "a")
		ids := fmt.Sprintf(`{"ids":["%d"]}`, id)
		for name, headers := range map[string][]string{
			"another site, by a browser of today":     {"Sec-Fetch-Site", "cross-site"},
			"another service of the same machine":     {"Sec-Fetch-Site", "same-site"},
			"another site, by a browser of yesterday": {"Origin", "https://example.com"},
		} {
			got := visit(t, server, http.MethodPost, "api/jobs/cancel", ids, append(headers, "Content-Type", "text/plain")...)
			assert.Equal(t, http.StatusForbidden, got.status, name)
		}
		got := visit(t, server, http.MethodGet, "api/jobs?state=available", "", "Host", "rebound.example.com:9090")
		assert.Equal(t, http.StatusMisdirectedRequest, got.status, "a name that leads to this address is a stranger's")
		assert.NotContains(t, got.body, "extract_invoice")
		assert.Equal(t, "available", showJob(t, server, id).State)
	})
}

func TestHostsOfNobody(t *testing.T) {
	t.Parallel()
	for host, private := range map[string]bool{
		"127.0.0.1:9090": true, "[::1]:9090": true, "::1": true, "10.0.0.7": true, "localhost:9090": true, "worker": true,
		"example.com": false, "example.com:9090": false, "127.0.0.1.example.com": false, "localhost.": false, "": false, ":80": false,
	} {
		assert.Equal(t, private, privateName(host), host)
	}
}

func TestWhatFailedIsShownScrubbed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.DB) {
		r := newRecorder(func(_ context.Context, n int) error {
			if n == 1 {
				panic("Ana Secreta")
			}
			return &invoice.RetryError{Cause: errors.New("the purchase of Ana Secreta")}
		})
		tries := newWatcher()
		w := newWorkerWith(t, Config{
			Database: jobs(db), Extractions: r, Analyses: neverExtract(), Sweeps: noSweeps{}, Heartbeats: store.NewHeartbeats(db),
			Observer: tries, Scrub: func(text string) string { return strings.ReplaceAll(text, "Ana Secreta", "[name]") }, Log: quiet(),
		})
		id := enqueue(t, db, 2, "a")
		require.NoError(t, w.Start(t.Context()))
		assert.Equal(t, OutcomeRetried, <-tries.ended)
		assert.Equal(t, OutcomeFailed, <-tries.ended)
		require.NoError(t, w.Stop(context.WithoutCancel(t.Context())))
		job := showJob(t, openPage(t, db), id)
		assert.Equal(t, "discarded", job.State)
		require.Len(t, job.Errors, 2)
		assert.Equal(t, "panic: [name]", job.Errors[0].Error)
		assert.Equal(t, "try again: the purchase of [name]", job.Errors[1].Error)
		assert.Empty(t, job.Errors[0].Trace+job.Errors[1].Trace)
	})
}
