package app_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/internal/telemetry"
)

// scrape is what Prometheus is given.
func scrape(t *testing.T, a *app.App) string {
	t.Helper()
	return get(t, a.MetricsURL())
}

func get(t *testing.T, address string) string {
	t.Helper()
	res, err := http.Get(address)
	require.NoError(t, err)
	defer func() { assert.NoError(t, res.Body.Close()) }()
	require.Equal(t, http.StatusOK, res.StatusCode)
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(data)
}

// series are the lines of a scrape that are not comments, without their values.
func series(text string) (list []string) {
	for line := range strings.Lines(text) {
		if i := strings.LastIndexByte(line, ' '); i > 0 && !strings.HasPrefix(line, "#") {
			list = append(list, line[:i])
		}
	}
	return list
}

// families are the names of the metrics in a scrape.
func families(text string) map[string]bool {
	names := map[string]bool{}
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, _, _ := strings.Cut(rest, " ")
			names[name] = true
		}
	}
	return names
}

// withMetrics has the service serve its metrics on a free port.
func withMetrics(at installation) installation {
	at.env = append(slices.Clip(at.env), "METRICS_ADDR=127.0.0.1:0")
	return at
}

const (
	buyersCPF      = "529.982.247-25"
	buyersPlainCPF = "52998224725"
)

// personal is a receipt with its buyer's CPF, as an XML and as a photo that the stub knows.
func personal(t *testing.T, stub *llmstub.Stub, seed uint64) (xml, photo []byte, marks []string) {
	t.Helper()
	r := receipts.Generate(receipts.NewRand(seed), receipts.Options{Items: 3, Plain: true, Issue: receipts.IssueOnline})
	r.ConsumerCPF = buyersPlainCPF
	r.Items[0].Product.Description = "CONSUMIDOR CPF " + buyersCPF
	xml, err := r.XML(receipts.XMLOptions{})
	require.NoError(t, err)
	other := receipts.Generate(receipts.NewRand(seed+1), receipts.Options{Items: 3, Plain: true, Issue: receipts.IssueOnline})
	other.ConsumerCPF = buyersPlainCPF
	style := receipts.Styles()[0]
	stub.KnowPaper(style, other)
	picture, err := other.Picture(style, 1)
	require.NoError(t, err)
	photo, err = receipts.JPEG(picture, 85)
	require.NoError(t, err)
	return xml, photo, []string{
		buyersCPF, buyersPlainCPF, string(r.Key), string(other.Key), r.Store.Name, other.Store.Name,
		r.Items[0].Product.Description, other.Items[0].Product.Description,
	}
}

// TestTheMetricsOfARunningServiceAreWhatIsDocumentedAndNameNobody reads documents end to end, and looks at what is scraped.
func TestTheMetricsOfARunningServiceAreWhatIsDocumentedAndNameNobody(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, at installation) {
		stub := llmstub.Start(t)
		a := withMetrics(withVendors(at, stub)).start(t, app.RoleAll)
		c := apitest.Client{URL: a.URL()}
		c.SignUp(t, "ana.secreta@example.com")
		consentAll(t, &c)
		xml, photo, marks := personal(t, stub, 900)
		marks = append(marks, "ana.secreta", "Ana", c.Token, geminiKey, "127.0.0.1")
		id, stage := submitted(t, &c, xml)
		assert.Equal(t, "COMPLETED", stage)
		_, stage = submitted(t, &c, photo)
		assert.Equal(t, "COMPLETED", stage)
		marks = append(marks, id)

		text := scrape(t, a)
		served := families(text)
		for _, m := range telemetry.NewMetrics(telemetry.Build{}).Catalogue() {
			assert.Contains(t, served, m.Name, "documented and not served")
		}
		for name := range served {
			assert.Regexp(t, `^(smarket|go|process)_`, name)
		}
		for _, mark := range marks {
			assert.NotContains(t, text, mark)
		}
		for _, want := range []string{
			`smarket_graphql_operations_total{code="OK",field="submitInvoice",type="mutation"} 2`,
			`smarket_graphql_operations_total{code="OK",field="extractionProgress",type="subscription"} 2`,
			`smarket_extraction_outcomes_total{source="xml",status="completed"} 1`,
			`smarket_extraction_outcomes_total{source="model",status="completed"} 1`,
			`smarket_jobs_total{kind="extract_invoice",outcome="done"} 2`,
			`smarket_provider_breaker_state{provider="gemini",state="closed"} 1`,
			`smarket_plugin_state{plugin="gemini",state="running"} 1`,
			`smarket_queue_up 1`,
			`smarket_retention_seconds{what="audit"} 6.3072e+07`,
			`smarket_budget_limit_dollars{budget="user"} 50`,
			`smarket_extraction_turnaround_seconds_count 2`,
			`smarket_http_requests_total{code="200",method="POST",route="/graphql"}`,
			`smarket_plugin_processes{plugin="gemini"} 1`,
		} {
			assert.Contains(t, text, want)
		}
		assert.Regexp(t, `smarket_provider_calls_total\{model="gemini[^"]*",outcome="ok",provider="gemini",task="extract"\} 1`, text)
		assert.Regexp(t, `smarket_provider_cost_dollars_total\{model="gemini[^"]*",provider="gemini"\} [0-9.e-]*[1-9]`, text)
		assert.Regexp(t, `smarket_plugin_resident_memory_bytes\{plugin="gemini"\} [0-9.]+e\+0[67]`, text)
		lint := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
		lint.Stdin = strings.NewReader(text)
		out, err := lint.CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Regexp(t, `smarket_build_info\{go_version="go1[^"]+",role="all",version=""\} 1`, text)
	})
}

// TestGarbageMakesNoSeries asks a thousand times for what nobody knows.
func TestGarbageMakesNoSeries(t *testing.T) {
	t.Parallel()
	at := withMetrics(installation{"embedded", append(environ(t), "RATE_LIMIT_ENABLED=false")})
	a := at.start(t, app.RoleAPI) // which makes no series of jobs meanwhile
	c := apitest.Client{URL: a.URL()}
	garbage := func(from, to int) {
		var all sync.WaitGroup
		for part := range 4 {
			all.Go(func() {
				for n := from + part; n < to; n += 4 {
					c.Query(t, fmt.Sprintf("query Garbage%d { alias%d: viewer { id } }", n, n), nil, nil)
					c.Query(t, fmt.Sprintf("query Garbage%d { noSuchField%d }", n, n), nil, nil)
					c.Query(t, fmt.Sprintf("garbage %d {", n), nil, nil)
					request(t, fmt.Sprintf("METHOD%d", n), fmt.Sprintf("%s/path-%d/%d?q=%d", a.URL(), n, n, n))
					request(t, http.MethodGet, fmt.Sprintf("%s/downloads/%d", a.URL(), n))
				}
			})
		}
		all.Wait()
	}
	garbage(0, 8)
	before := service(series(scrape(t, a)))
	garbage(8, 1008)
	after := service(series(scrape(t, a)))
	assert.Equal(t, before, after)
	assert.NotContains(t, strings.Join(after, "\n"), "arbage")
}

// service leaves the client library's own metrics out.
func service(list []string) []string {
	return slices.Sorted(maps.Keys(set(slices.DeleteFunc(list, func(s string) bool { return !strings.HasPrefix(s, "smarket_") }))))
}

func set(list []string) map[string]bool {
	all := map[string]bool{}
	for _, s := range list {
		all[s] = true
	}
	return all
}

func request(t *testing.T, method, address string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err == nil {
		var res *http.Response
		if res, err = http.DefaultClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			err = res.Body.Close()
		}
	}
	assert.NoError(t, err) // and not require: it is no goroutine of the test's own
}

func TestMetricsAreNotServedToThePublic(t *testing.T) {
	t.Parallel()
	a := withMetrics(installation{"embedded", environ(t)}).start(t, app.RoleAll)
	res, err := http.Get(a.URL() + "/metrics")
	require.NoError(t, err)
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.NotContains(t, string(data), "smarket_")
	for _, path := range []string{"/graphql", "/healthz", "/"} {
		address := strings.TrimSuffix(a.MetricsURL(), "/metrics") + path
		res, err := http.Get(address)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		assert.Equal(t, http.StatusNotFound, res.StatusCode, path)
	}
}

func TestAServiceWhoseMetricsPortIsTakenDoesNotStart(t *testing.T) {
	t.Parallel()
	first := withMetrics(installation{"embedded", environ(t)}).start(t, app.RoleAll)
	taken := strings.TrimSuffix(strings.TrimPrefix(first.MetricsURL(), "http://"), "/metrics")
	at := installation{"embedded", append(environ(t), "METRICS_ADDR="+taken)}
	a, err := app.New(t.Context(), at.config(t), app.Options{Role: app.RoleAll, Log: quiet()})
	require.NoError(t, err)
	t.Cleanup(func() { stop(t, a) })
	err = a.Start(t.Context())
	require.ErrorContains(t, err, "METRICS_ADDR")
	require.ErrorContains(t, err, "address already in use")
}

// TestAnOpenWebsocketIsSeen goes through the server as it is put together, whose measuring must not hide what a websocket needs.
func TestAnOpenWebsocketIsSeen(t *testing.T) {
	t.Parallel()
	a := withMetrics(installation{"embedded", environ(t)}).start(t, app.RoleAPI)
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(a.URL(), "http", "ws", 1)+"/graphql", //nolint:bodyclose // the library has read it whole
		&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	require.NoError(t, err)
	require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte(`{"type":"connection_init"}`)))
	_, ack, err := conn.Read(t.Context())
	require.NoError(t, err)
	assert.Contains(t, string(ack), "connection_ack")
	assert.Contains(t, scrape(t, a), `smarket_graphql_streams_open{transport="websocket"} 1`)
	require.NoError(t, conn.Close(websocket.StatusNormalClosure, ""))
	require.Eventually(t, func() bool {
		text := scrape(t, a)
		return strings.Contains(text, `smarket_graphql_streams_open{transport="websocket"} 0`) &&
			strings.Contains(text, `smarket_http_requests_total{code="101",method="GET",route="/graphql"} 1`)
	}, time.Minute, 10*time.Millisecond)
	assert.NotContains(t, scrape(t, a), `smarket_http_request_duration_seconds_count{method="GET",route="/graphql"}`)
}
