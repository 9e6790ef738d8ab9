package proxy_test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/nginxtest"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

func TestTheConfigurationIsValidWithoutAWarning(t *testing.T) {
	t.Parallel()
	e := prepareEdge(t, settings{})
	out, err := exec.CommandContext(t.Context(), nginxtest.Program(t), "-t", "-c", filepath.Join(e.dir, "nginx.conf"), "-e", "stderr").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "test is successful")
	assert.NotContains(t, string(out), "[warn]")
}

func TestEveryAnswerHasItsSecurityHeadersOnce(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{})
	ana := e.member(t)
	client := e.browser(t, stranger(t))
	const (
		none    = "default-src 'none'; frame-ancestors 'none'"
		sandbox = "default-src 'none'; sandbox"
	)
	for name, c := range map[string]struct {
		path, policy string
		status       int
	}{
		"the page":              {"/", "", 200},
		"a path of the page":    {"/notas/1", "", 200},
		"a file of the page":    {"/assets/index-abcd.js", "", 200},
		"a file that is not":    {"/assets/old.js", "", 404},
		"an answer":             {"/graphql?query=%7B__typename%7D", none, 200},
		"a refusal":             {"/graphql", none, 400},
		"a download":            {"/file?ticket=none", sandbox, 403},
		"a probe":               {"/healthz", none, 200},
		"the other probe":       {"/readyz", none, 200},
		"what is for operators": {"/metrics", none, 404},
		"the page of the jobs":  {"/admin/jobs/", none, 404},
		"… and what it asks":    {"/admin/jobs/api/jobs", none, 404},
		"inside":                {"/graphql/request", none, 404},
		"the edge's own errors": {"/-/page", none, 404},
		"a path too long":       {"/" + strings.Repeat("a", 17<<10), none, 414},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			through := client
			if c.status == http.StatusRequestURITooLong {
				through = e.oldBrowser(t, stranger(t)) // HTTP/2 packs the path, so that it is not too long
			}
			a := request(t, through, http.MethodGet, "https://"+site+c.path, nil, "Authorization", "Bearer "+ana.Token)
			assert.Equal(t, c.status, a.status)
			for header, want := range map[string]string{
				"Strict-Transport-Security": "max-age=63072000; includeSubDomains", "X-Content-Type-Options": "nosniff",
				"Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Server": "nginx",
			} {
				assert.Equal(t, []string{want}, a.header.Values(header), header)
			}
			require.Len(t, a.header.Values("Content-Security-Policy"), 1)
			if c.policy != "" {
				assert.Equal(t, c.policy, a.header.Get("Content-Security-Policy"))
			} else {
				assert.Contains(t, a.header.Get("Content-Security-Policy"), "script-src 'self'")
			}
			assert.LessOrEqual(t, len(a.header.Values("Cache-Control")), 1)
		})
	}
}

func TestCachingIsAsThePageWantsIt(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{})
	client := e.browser(t, stranger(t))
	for path, want := range map[string]string{
		"/": "no-cache", "/sw.js": "no-cache", "/entrar": "no-cache", "/assets/index-abcd.js": "public, max-age=31536000, immutable",
		"/graphql?query=%7B__typename%7D": "no-store", "/file?ticket=none": "private, no-store", "/healthz": "no-store", "/metrics": "no-store",
	} {
		a := request(t, client, http.MethodGet, "https://"+site+path, nil)
		assert.Equal(t, []string{want}, a.header.Values("Cache-Control"), path)
	}
	a := request(t, client, http.MethodGet, "https://"+site+"/assets/index-abcd.js", nil, "Accept-Encoding", "gzip")
	assert.Equal(t, "gzip", a.header.Get("Content-Encoding"))
}

func TestOtherNamesLeadToTheFirstOrNowhere(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{})
	require.NoError(t, os.WriteFile(filepath.Join(e.dir, "acme/.well-known/acme-challenge/token"), []byte("answer"), 0o644))
	client := e.oldBrowser(t, stranger(t))
	for from, to := range map[string]string{
		"http://" + site + "/notas?a=b":         "https://" + site + "/notas?a=b",
		"http://www." + site + "/":              "https://" + site + "/",
		"https://www." + site + "/entrar?next=": "https://" + site + "/entrar?next=",
	} {
		a := request(t, client, http.MethodGet, from, nil)
		assert.Equal(t, http.StatusMovedPermanently, a.status, from)
		assert.Equal(t, to, a.header.Get("Location"), from)
	}
	for _, scheme := range []string{"http", "https"} {
		a := request(t, client, http.MethodGet, scheme+"://"+site+"/.well-known/acme-challenge/token", nil)
		assert.Equal(t, "answer", a.text, "for Certbot, by %s", scheme)
	}

	_, err := try(t.Context(), client, http.MethodGet, "http://"+e.addr+"/", nil)
	require.Error(t, err, "no name")
	_, err = try(t.Context(), client, http.MethodGet, "http://evil.example/", nil)
	require.Error(t, err, "another name")
	_, err = try(t.Context(), client, http.MethodGet, "https://"+site+"/", nil, "Host", "evil.example")
	require.Error(t, err, "another name behind ours")

	raw, err := e.dial("127.0.0.1")(t.Context(), "tcp", "evil.example:443")
	require.NoError(t, err)
	defer func() { _ = raw.Close() }()
	conn := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, ServerName: "evil.example"})
	require.Error(t, conn.HandshakeContext(t.Context()))
	assert.Empty(t, conn.ConnectionState().PeerCertificates, "no certificate is shown")
}

func TestHugeHeadersAreRefused(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{})
	conn := e.tlsConn(t)
	_, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n", site)
	require.NoError(t, err)
	// The edge may close before all is sent; what it said is read all the same.
	_, _ = fmt.Fprintf(conn, "X-Much: %s\r\n\r\n", strings.Repeat("x", 1<<20))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err == nil { // else the connection was reset with the answer on its way
		defer func() { _ = resp.Body.Close() }()
		assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, resp.StatusCode)
	}
	many := make([]string, 0, 128)
	for i := range 64 {
		many = append(many, fmt.Sprintf("X-Much-%d", i), strings.Repeat("x", 15<<10))
	}
	a, err := try(t.Context(), e.browser(t, stranger(t)), http.MethodGet, "https://"+site+"/", nil, many...)
	assert.True(t, err != nil || a.status == http.StatusRequestHeaderFieldsTooLarge || a.status == http.StatusBadRequest, "HTTP/2: %d", a.status)
}

func TestSlowClientsAreClosed(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{replace: []string{
		"client_header_timeout 10s", "client_header_timeout 500ms", "client_body_timeout 15s", "client_body_timeout 500ms",
		"lingering_timeout 5s", "lingering_timeout 100ms", "lingering_time 30s", "lingering_time 1s",
	}})
	for name, begun := range map[string]string{
		"headers":           "GET / HTTP/1.1\r\nHost: " + site + "\r\nX-Slow: ",
		"a body":            "POST /graphql HTTP/1.1\r\nHost: " + site + "\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
		"a file":            "POST /graphql HTTP/1.1\r\nHost: " + site + "\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 100\r\n\r\n--x",
		"a body in chunks":  "POST /graphql HTTP/1.1\r\nHost: " + site + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
		"nothing but a TLS": "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := e.tlsConn(t)
			_, err := io.WriteString(conn, begun)
			require.NoError(t, err)
			// Without a timeout this would not return. What may come is an answer that says no, and a reset in place of an end.
			text, _ := io.ReadAll(conn)
			if len(text) > 0 {
				assert.Regexp(t, `^HTTP/1.1 (408|4\d\d) `, string(text[:min(len(text), 40)]))
			}
		})
	}
}

func TestTheLogNamesNobody(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{replace: scarce()})
	const (
		address = "198.51.100.77"
		email   = "ana.log@example.com"
		ticket  = "a-ticket-that-opens-a-file"
		agent   = "A-Browser-Like-No-Other"
	)
	token := "eyJhbGciOiJIUzI1NiJ9.a-token.signature"
	client := e.browser(t, cloudflare)
	headers := []string{"CF-Connecting-IP", address, "Authorization", "Bearer " + token, "User-Agent", agent, "Referer", "https://" + site + "/" + email, "Cookie", "who=" + email}
	for range 5 { // the last ones are refused, which errors are logged about
		for _, path := range []string{"/file?ticket=" + ticket, "/graphql?query=" + email, "/" + email, "/metrics/" + email} {
			request(t, client, http.MethodGet, "https://"+site+path, nil, headers...)
		}
	}
	down := startEdge(t, settings{api: nobody(t)})
	request(t, down.browser(t, cloudflare), http.MethodGet, "https://"+site+"/file?ticket="+ticket, nil, headers...)
	_, err := try(t.Context(), client, "ANA-"+ticket, "https://"+site+"/", nil, headers...)
	require.NoError(t, err)

	log := entries(t, e, 21) + entries(t, down, 1)
	routes := map[string]int{}
	for line := range strings.Lines(log) {
		var entry map[string]string
		require.NoError(t, json.Unmarshal([]byte(line), &entry), line)
		if entry["status"] == "400" { // refused before its headers were looked at
			assert.Equal(t, "127.0.0.0", entry["client"])
			continue
		}
		assert.Equal(t, "198.51.100.0", entry["client"])
		assert.Equal(t, "1", entry["cloudflare"])
		routes[entry["route"]+" "+entry["status"]]++
	}
	assert.Equal(t, 3, routes["download 403"])
	assert.Equal(t, 2, routes["download 429"])
	assert.Equal(t, 1, routes["download 502"])
	for _, text := range []string{log, e.ErrorLog(), down.ErrorLog()} {
		for _, secret := range []string{address, email, "ana.log", ticket, token, agent} {
			assert.NotContains(t, text, secret)
		}
	}
}

// entries is the access log when it has so many lines: a line is written after its answer.
func entries(t *testing.T, e *edge, lines int) (log string) {
	t.Helper()
	require.Eventually(t, func() bool {
		log = e.Output(t)
		return strings.Count(log, "\n") >= lines
	}, eventually, tick)
	return log
}

// How long something is waited for that comes in milliseconds, and how often it is looked for.
const (
	eventually = 5 * time.Minute
	tick       = 5 * time.Millisecond
)

// nobody is an address where nothing listens.
func nobody(t *testing.T) string {
	t.Helper()
	return nginxtest.Address(t) + ":8080"
}

func TestWithoutTheServiceTheContractHolds(t *testing.T) {
	t.Parallel()
	for name, api := range map[string]string{"nothing listens": nobody(t), "the name is unknown": "api-that-is-not:8080"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := startEdge(t, settings{api: api, replace: []string{"resolver 127.0.0.11", "resolver " + nginxtest.Address(t)}})
			client := e.browser(t, stranger(t))
			body := func() io.Reader { return strings.NewReader("{}") }
			assertContract(t, request(t, client, http.MethodPost, "https://"+site+"/graphql", body()), 502, "UNAVAILABLE")
			assertContract(t, request(t, client, http.MethodPost, "https://"+site+"/graphql", body(), "Content-Type", "multipart/form-data; boundary=x"), 502, "UNAVAILABLE")
			assertContract(t, request(t, client, http.MethodGet, "https://"+site+"/readyz", nil), 502, "UNAVAILABLE")
			a := request(t, client, http.MethodGet, "https://"+site+"/export?ticket=none", nil)
			assert.Equal(t, 502, a.status)
			assert.Equal(t, "O Mercado Esperto está voltando. Tente de novo daqui a pouco.\n", a.text)
			assert.Equal(t, http.StatusOK, request(t, client, http.MethodGet, "https://"+site+"/", nil).status, "the page is there")
		})
	}
}

// The service's own errors are its own: what it says is passed on.
func TestTheServicesErrorsArePassedOn(t *testing.T) {
	t.Parallel()
	api := stub(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "17")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "the service's words")
	})
	e := startEdge(t, settings{api: api})
	a := request(t, e.browser(t, stranger(t)), http.MethodPost, "https://"+site+"/graphql", strings.NewReader("{}"))
	assert.Equal(t, "the service's words", a.text)
	assert.Equal(t, []string{"17"}, a.header.Values("Retry-After"))
}

func TestTheEdgeIsWellForThoseInItsContainer(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{api: nobody(t)})
	assert.Equal(t, "ok\n", request(t, http.DefaultClient, http.MethodGet, "http://"+e.addr+":8081/healthz", nil).text)
	assert.Contains(t, request(t, http.DefaultClient, http.MethodGet, "http://"+e.addr+":8081/status", nil).text, "Active connections")
	assert.Contains(t, read(t, root+"/nginx.conf"), "listen 127.0.0.1:8081;", "for nobody else")
}

func TestCloudflaresRangesAreWhatTheScriptMakes(t *testing.T) {
	t.Parallel()
	lists, err := filepath.Abs("testdata/cloudflare")
	require.NoError(t, err)
	out, err := ranges(t, "file://"+lists, "-")
	require.NoError(t, err, out)
	assert.Equal(t, read(t, root+"/deploy/nginx/cloudflare.conf"), out)
}

func TestListsThatAreNotOfNetworksChangeNothing(t *testing.T) {
	t.Parallel()
	for name, v4 := range map[string]string{
		"everybody": "0.0.0.0/0", "half of everybody": "128.0.0.0/1", "a page": "<html>", "an order to nginx": "1.2.3.0/24; include /etc/passwd",
		"nothing": "", "no network": "1.2.3.4",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/ips-v4" {
					_, _ = io.WriteString(w, v4)
					return
				}
				_, _ = io.WriteString(w, "2400:cb00::/32\n")
			}))
			t.Cleanup(server.Close)
			file := filepath.Join(t.TempDir(), "cloudflare.conf")
			require.NoError(t, os.WriteFile(file, []byte("as it was"), 0o600))
			out, err := ranges(t, server.URL, file)
			require.Error(t, err)
			assert.NotEmpty(t, out, "it says why")
			assert.Equal(t, "as it was", read(t, file))
			left, err := filepath.Glob(file + ".*")
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}
