package proxy_test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// scarce makes every zone one of a request a minute, and two more in a rush.
func scarce() []string {
	var pairs []string
	for _, rate := range []string{"rate=100r/s", "rate=20r/s", "rate=5r/s"} {
		pairs = append(pairs, rate, "rate=1r/m")
	}
	for _, burst := range []string{"burst=400", "burst=200", "burst=100", "burst=50", "burst=30"} {
		pairs = append(pairs, burst, "burst=2")
	}
	return pairs
}

// want is an answer in the contract's form.
func assertContract(t *testing.T, a answer, status int, code string) {
	t.Helper()
	assert.Equal(t, status, a.status, a.text)
	assert.Equal(t, []string{"application/json; charset=utf-8"}, a.header.Values("Content-Type"))
	var r apitest.Response
	require.NoError(t, json.Unmarshal([]byte(a.text), &r), a.text)
	assert.Equal(t, code, r.Code())
	require.Len(t, r.Errors, 1)
	assert.NotEmpty(t, r.Errors[0].Message)
	assert.Nil(t, r.Data)
	if status == http.StatusTooManyRequests || status >= http.StatusInternalServerError {
		seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
		require.NoError(t, err)
		assert.InDelta(t, seconds, r.Errors[0].Extensions["retryAfterSeconds"], 0)
		assert.Equal(t, "no-store", a.header.Get("Cache-Control"))
	}
}

func TestEachZoneRefusesWhoAsksTooMuch(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{replace: scarce()})
	const url = "https://" + site
	for name, c := range map[string]struct {
		old    bool // HTTP/1.1
		ask    func(t *testing.T, client *http.Client) answer
		refuse func(t *testing.T, a answer)
	}{
		"graphql": {ask: func(t *testing.T, client *http.Client) answer {
			return request(t, client, http.MethodPost, url+"/graphql", strings.NewReader(`{"query":"{ __typename }"}`), "Content-Type", "application/json")
		}},
		"graphql by GET": {ask: func(t *testing.T, client *http.Client) answer {
			return request(t, client, http.MethodGet, url+"/graphql?query=%7B__typename%7D", nil)
		}},
		"uploads": {ask: func(t *testing.T, client *http.Client) answer {
			return request(t, client, http.MethodPost, url+"/graphql", strings.NewReader("--x--"), "Content-Type", "multipart/form-data; boundary=x")
		}},
		"sockets": {old: true, ask: func(t *testing.T, client *http.Client) answer {
			return request(t, client, http.MethodGet, url+"/graphql", nil, "Connection", "Upgrade", "Upgrade", "websocket",
				"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol", "graphql-transport-ws")
		}},
		"downloads": {ask: func(t *testing.T, client *http.Client) answer {
			return request(t, client, http.MethodGet, url+"/file?ticket=none", nil)
		}, refuse: func(t *testing.T, a answer) {
			assert.Equal(t, "São pedidos demais. Espere um pouco e tente de novo.\n", a.text)
			assert.Equal(t, "text/plain; charset=utf-8", a.header.Get("Content-Type"))
		}},
		"pages": {ask: func(t *testing.T, client *http.Client) answer {
			return request(t, client, http.MethodGet, url+"/entrar", nil)
		}, refuse: func(t *testing.T, a answer) {
			assert.Contains(t, a.text, "<p>São pedidos demais.")
			assert.Equal(t, "text/html; charset=utf-8", a.header.Get("Content-Type"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := e.browser(t, stranger(t))
			if c.old {
				client = e.oldBrowser(t, stranger(t))
			}
			for i := range 3 {
				assert.NotEqual(t, http.StatusTooManyRequests, c.ask(t, client).status, "request %d", i)
			}
			a := c.ask(t, client)
			require.Equal(t, http.StatusTooManyRequests, a.status)
			assert.Equal(t, "5", a.header.Get("Retry-After"))
			if c.refuse == nil {
				assertContract(t, a, http.StatusTooManyRequests, "RATE_LIMITED")
			} else {
				c.refuse(t, a)
			}
			// Somebody else is not.
			assert.NotEqual(t, http.StatusTooManyRequests, c.ask(t, e.oldBrowser(t, stranger(t))).status)
		})
	}
}

func TestARefusalHasTheMediaTypeThatTheClientTakes(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{replace: scarce()})
	client := e.browser(t, stranger(t))
	var a answer
	for range 4 {
		a = request(t, client, http.MethodPost, "https://"+site+"/graphql", strings.NewReader("{}"), "Accept", "application/graphql-response+json, */*")
	}
	assert.Equal(t, http.StatusTooManyRequests, a.status)
	assert.Equal(t, "application/graphql-response+json; charset=utf-8", a.header.Get("Content-Type"))
	assert.Contains(t, a.text, `"code":"RATE_LIMITED"`)
}

func TestAnAddressHasSoManyStreamsOpenAtOnce(t *testing.T) {
	t.Parallel()
	const most = 2
	e := startEdge(t, settings{replace: []string{"limit_conn open 300", fmt.Sprintf("limit_conn open %d", most)}})
	ana := e.member(t)
	for range most {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, ana.URL+"/graphql",
			strings.NewReader(`{"query":"subscription { extractions { stage } }"}`))
		require.NoError(t, err)
		for name, value := range map[string]string{
			"Accept": "text/event-stream", "Content-Type": "application/json", "Authorization": "Bearer " + ana.Token,
		} {
			req.Header.Set(name, value)
		}
		resp, err := ana.HTTP.Do(req)
		require.NoError(t, err)
		t.Cleanup(func() { _ = resp.Body.Close() })
		require.Equal(t, http.StatusOK, resp.StatusCode)
	}
	a := request(t, ana.HTTP, http.MethodPost, ana.URL+"/graphql", strings.NewReader(`{"query":"{ __typename }"}`), "Content-Type", "application/json")
	assertContract(t, a, http.StatusTooManyRequests, "RATE_LIMITED")
	assert.Equal(t, http.StatusOK, request(t, ana.HTTP, http.MethodGet, ana.URL+"/", nil).status, "the page is counted apart")
}

// Spoofers change what they say of their address with each request; the limiter does not.
func TestOnlyCloudflareSaysWhoTheClientIs(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{replace: scarce()})
	ask := func(client *http.Client, claimed string) int {
		return request(t, client, http.MethodGet, "https://"+site+"/graphql?query=%7B__typename%7D", nil, "CF-Connecting-IP", claimed,
			"X-Forwarded-For", claimed, "X-Real-IP", claimed, "True-Client-IP", claimed, "Forwarded", "for="+claimed).status
	}
	verdicts := func(from string, claimed func(i int) string) (refused int) {
		client := e.browser(t, from)
		for i := range 6 {
			if ask(client, claimed(i)) == http.StatusTooManyRequests {
				refused++
			}
		}
		return refused
	}
	different := func(i int) string { return fmt.Sprintf("203.0.113.%d", i) }
	assert.Equal(t, 3, verdicts(stranger(t), different), "a direct client is itself, whatever it says")
	assert.Equal(t, 0, verdicts(cloudflare, different), "Cloudflare's clients are themselves")
	assert.Equal(t, 3, verdicts(cloudflare, func(int) string { return "198.51.100.7" }), "one of them is one")
	assert.Equal(t, 3, verdicts(cloudflare, func(i int) string { return fmt.Sprintf("2001:db8:1:2:%x::1", i+1) }), "a /64 is one client")
	assert.Equal(t, 3, verdicts(cloudflare, func(i int) string { return fmt.Sprintf("2001:db8::%x:1:1:1", i+1) }), "however zeros are written")
	assert.Equal(t, 0, verdicts(cloudflare, func(i int) string { return fmt.Sprintf("2001:db8:7:%x::1", i+1) }), "and another /64 another")
}

// The api counts by the address that the edge tells it.
func TestTheServiceBelievesTheEdgeAlone(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{})
	remaining := func(from, claimed string) string {
		a := request(t, e.browser(t, from), http.MethodPost, "https://"+site+"/graphql", strings.NewReader(`{"query":"{ viewer { id } }"}`),
			"Content-Type", "application/json", "CF-Connecting-IP", claimed, "X-Forwarded-For", claimed)
		require.Equal(t, http.StatusOK, a.status, a.text)
		return a.header.Get("RateLimit-Remaining")
	}
	mallory, first, second := stranger(t), stranger(t), stranger(t)
	full := remaining(mallory, first)
	assert.NotEmpty(t, full)
	assert.NotEqual(t, full, remaining(mallory, second), "the same client")
	assert.Equal(t, full, remaining(cloudflare, first), "who was named by somebody else has not asked yet")
	assert.Equal(t, full, remaining(cloudflare, second))
	assert.NotEqual(t, full, remaining(cloudflare, second))
}

// What a client says of where it comes from does not reach the api, nor does any upgrade but a websocket's.
func TestTheServiceIsToldByTheEdgeWhoAsks(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 1)
	api := stub(t, func(_ http.ResponseWriter, r *http.Request) {
		r.Header.Set("Host", r.Host)
		got <- r.Header
	})
	e := startEdge(t, settings{api: api})
	from := stranger(t)
	request(t, e.oldBrowser(t, from), http.MethodPost, "https://"+site+"/graphql?a=b", strings.NewReader("{}"),
		"X-Forwarded-For", "1.2.3.4", "CF-Connecting-IP", "1.2.3.4", "X-Real-IP", "1.2.3.4", "Forwarded", "for=1.2.3.4", "True-Client-IP", "1.2.3.4",
		"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http", "Connection", "Upgrade", "Upgrade", "h2c", "X-Request-Id", "not an id!")
	h := <-got
	assert.Equal(t, []string{from}, h.Values("X-Forwarded-For"))
	assert.Equal(t, []string{"https"}, h.Values("X-Forwarded-Proto"))
	assert.Equal(t, site, h.Get("Host"))
	assert.Regexp(t, "^[0-9a-f]{32}$", h.Get("X-Request-Id"))
	for _, name := range []string{"CF-Connecting-IP", "X-Real-IP", "Forwarded", "True-Client-IP", "X-Forwarded-Host", "Upgrade"} {
		assert.Empty(t, h.Values(name), name)
	}
}

func TestBodiesAreBoundedAsTheServiceBoundsThem(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{})
	const mebibyte = 1 << 20
	most := invoice.MaxFiles*invoice.MaxFileBytes + 2*mebibyte // graph's maxUpload
	conf := read(t, root+"/nginx.conf")
	assert.Equal(t, 2, strings.Count(conf, fmt.Sprintf("client_max_body_size %dm;", most/mebibyte)), "for uploads")
	client := e.oldBrowser(t, stranger(t))
	const url = "https://" + site + "/graphql"
	spaces := strings.Repeat(" ", mebibyte+1)
	form := []string{"Content-Type", "multipart/form-data; boundary=x"}
	t.Run("JSON", func(t *testing.T) {
		t.Parallel()
		assertContract(t, request(t, client, http.MethodPost, url, strings.NewReader(spaces), "Content-Type", "application/json"), 413, "TOO_LARGE")
	})
	t.Run("JSON of unknown length", func(t *testing.T) {
		t.Parallel()
		a := request(t, client, http.MethodPost, url, io.MultiReader(strings.NewReader(spaces)), "Content-Type", "application/json")
		assertContract(t, a, 413, "TOO_LARGE")
	})
	t.Run("files of a declared length", func(t *testing.T) {
		t.Parallel()
		conn := e.tlsConn(t)
		_, err := fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: %s\r\n%s: %s\r\nContent-Length: %d\r\n\r\n", site, form[0], form[1], most+1)
		require.NoError(t, err)
		head := make([]byte, len("HTTP/1.1 413"))
		_, err = io.ReadFull(conn, head)
		require.NoError(t, err)
		assert.Equal(t, "HTTP/1.1 413", string(head))
	})
	t.Run("a file that the service refuses", func(t *testing.T) {
		t.Parallel()
		ana := e.member(t)
		_, res := ana.Submit(t, make([]byte, invoice.MaxFileBytes+1))
		assert.Equal(t, "TOO_LARGE", res.Code())
	})
	t.Run("a stranger's file, which is not read", func(t *testing.T) {
		t.Parallel()
		eve := &apitest.Client{URL: "https://" + site, HTTP: e.browser(t, stranger(t))}
		_, res := eve.Submit(t, make([]byte, invoice.MaxFileBytes))
		// The service closes half a second after it has refused; on a machine that is too busy to pass its words on by then, the
		// edge has its own. Both are in the contract's form.
		assert.Contains(t, []string{"UNAUTHENTICATED", "UNAVAILABLE"}, res.Code())
	})
	t.Run("a page takes none", func(t *testing.T) {
		t.Parallel()
		assert.Equal(t, http.StatusRequestEntityTooLarge, request(t, client, http.MethodPost, "https://"+site+"/", strings.NewReader(spaces)).status)
	})
}

func TestOnlyCloudflareIsAnsweredWhereThatIsChosen(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{replace: []string{"# if ($from_cloudflare = 0)", "if ($from_cloudflare = 0)"}})
	_, err := try(t.Context(), e.oldBrowser(t, stranger(t)), http.MethodGet, "https://"+site+"/", nil, "CF-Connecting-IP", cloudflare)
	require.Error(t, err)
	assert.Equal(t, http.StatusOK, request(t, e.browser(t, cloudflare), http.MethodGet, "https://"+site+"/", nil).status)
}

func TestTLSIsOfToday(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{})
	offer := func(version uint16, ciphers ...uint16) error {
		raw, err := e.dial("127.0.0.1")(t.Context(), "tcp", site+":443")
		require.NoError(t, err)
		defer func() { _ = raw.Close() }()
		return tls.Client(raw, &tls.Config{
			RootCAs: e.pool, ServerName: site, MinVersion: version, MaxVersion: version, CipherSuites: ciphers,
		}).HandshakeContext(t.Context())
	}
	require.NoError(t, offer(tls.VersionTLS13))
	require.NoError(t, offer(tls.VersionTLS12))
	require.Error(t, offer(tls.VersionTLS11))
	require.Error(t, offer(tls.VersionTLS10))
	require.NoError(t, offer(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256))
	require.Error(t, offer(tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_128_GCM_SHA256))
}
