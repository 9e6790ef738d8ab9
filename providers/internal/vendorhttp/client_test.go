package vendorhttp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newClient(t *testing.T, base string) *http.Client {
	t.Helper()
	c, err := NewClient(base)
	require.NoError(t, err)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func get(t *testing.T, c *http.Client, url string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	req.Header.Set("X-Api-Key", "secret")
	return c.Do(req)
}

func TestBaseURLThatCannotBeUsedIsRefusedWithoutBeingQuoted(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "api.example.com", "/v1", "ftp://example.com", "http://example.com/v1", "http://10.0.0.1/", "https://", "https://:443/",
		"https://user:secret@example.com/", "https://example.com/?key=secret", "https://example.com/#secret", "https://exa mple.com/secret",
		"http://localhost.evil.example/secret", "http://127.0.0.1.evil.example/secret",
	} {
		_, err := NewClient(url)
		require.Error(t, err, url)
		assert.NotContains(t, err.Error(), "secret")
	}
	for _, url := range []string{"https://example.com", "http://127.0.0.1:1/v1", "http://[::1]:1", "http://LocalHost:1/"} {
		_, err := NewClient(url)
		require.NoError(t, err, url)
	}
}

func TestAddressesAreJudgedWhenDialled(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]struct{ public, local bool }{
		"8.8.8.8:443":                     {true, false},
		"[2606:4700::1111]:443":           {true, false},
		"127.0.0.1:443":                   {false, true},
		"127.8.9.10:443":                  {false, true},
		"[::1]:443":                       {false, true},
		"[::ffff:127.0.0.1]:443":          {false, true},
		"169.254.169.254:80":              {false, false},
		"[::ffff:169.254.169.254]:80":     {false, false},
		"[64:ff9b::a9fe:a9fe]:80":         {false, false},
		"[64:ff9b::808:808]:443":          {true, false},
		"[2002:a9fe:a9fe::]:80":           {false, false},
		"[::a9fe:a9fe]:80":                {false, false},
		"[fd00:ec2::254]:80":              {false, false},
		"[fe80::1%lo]:80":                 {false, false},
		"100.100.100.200:80":              {false, false},
		"168.63.129.16:80":                {false, false},
		"10.1.2.3:443":                    {false, false},
		"172.16.0.1:443":                  {false, false},
		"192.168.1.1:443":                 {false, false},
		"0.0.0.0:443":                     {false, false},
		"[::]:443":                        {false, false},
		"224.0.0.1:443":                   {false, false},
		"255.255.255.255:443":             {false, false},
		"192.0.0.192:80":                  {false, false},
		"not an address":                  {false, false},
		"[2001:0:a9fe:a9fe::1]:443":       {false, false},
		"198.18.0.1:443":                  {false, false},
		"[2001:4860:4860::8888]:443":      {true, false},
		"172.32.0.1:443":                  {true, false},
		"[::ffff:0:169.254.169.254]:80":   {false, false},
		"[64:ff9b:1::169.254.169.254]:80": {false, false},
	} {
		for local, ok := range map[bool]bool{false: want.public, true: want.local} {
			err := guard(local)("tcp", address, nil)
			if ok {
				require.NoError(t, err, "%s local=%v", address, local)
				continue
			}
			_, refused := errors.AsType[*RefusedError](err)
			assert.True(t, refused, "%s local=%v: %v", address, local, err)
		}
	}
}

func TestForbiddenPlacesAreNotDialled(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"https://169.254.169.254/latest/meta-data/", "https://[fd00:ec2::254]/", "https://10.0.0.1/", "https://0.0.0.0/",
	} {
		res, err := get(t, newClient(t, url), url)
		if err == nil {
			_ = res.Body.Close()
		}
		_, refused := errors.AsType[*RefusedError](err)
		assert.True(t, refused, "%s: %v", url, err)
	}
}

func TestRedirectsStayAtHome(t *testing.T) {
	t.Parallel()
	var visits atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	t.Cleanup(other.Close)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	for path, to := range map[string]string{
		"/home": "/there", "/loop": "/loop", "/away": other.URL, "/name": "http://localhost:" + port + "/there",
		"/metadata": "http://169.254.169.254/latest/", "/scheme": "https://127.0.0.1:" + port + "/there",
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusTemporaryRedirect) })
	}
	mux.HandleFunc("/there", func(http.ResponseWriter, *http.Request) {})
	c := newClient(t, server.URL)
	for path, want := range map[string]bool{
		"/home": true, "/loop": false, "/away": false, "/name": false, "/metadata": false, "/scheme": false,
	} {
		res, err := get(t, c, server.URL+path)
		if res != nil {
			_ = res.Body.Close()
		}
		if want {
			require.NoError(t, err)
			continue
		}
		_, refused := errors.AsType[*RefusedError](err)
		assert.True(t, refused, "%s: %v", path, err)
	}
	assert.Zero(t, visits.Load())
}

func TestAnswerIsReadUpToItsLimit(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]error{MaxResponse: nil, MaxResponse + 1: ErrTooLarge} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, size))
		}))
		t.Cleanup(server.Close)
		res, err := get(t, newClient(t, server.URL), server.URL)
		require.NoError(t, err)
		n, err := io.Copy(io.Discard, res.Body)
		require.NoError(t, res.Body.Close())
		assert.EqualValues(t, MaxResponse, n)
		require.ErrorIs(t, err, want)
	}
}

func TestConnectionIsUsedAgainAfterAStreamThatSaidItsEnd(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
		_ = http.NewResponseController(w).Flush()
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c := newClient(t, server.URL)
	for range 10 {
		res, err := get(t, c, server.URL) //nolint:bodyclose // Drain closes it
		require.NoError(t, err)
		_, err = io.ReadFull(res.Body, make([]byte, 12))
		require.NoError(t, err)
		Drain(res.Body)
	}
	assert.EqualValues(t, 1, connections.Load())
}

func TestBodyThatDoesNotEndIsLeft(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-ctx.Done()
	}))
	t.Cleanup(func() { cancel(); server.Close() })
	res, err := get(t, newClient(t, server.URL), server.URL) //nolint:bodyclose // Drain closes it
	require.NoError(t, err)
	Drain(res.Body) // or the test never ends
}

func TestProxyOfTheEnvironmentIsNotAsked(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	c := newClient(t, "https://example.com")
	inner, ok := c.Transport.(capped)
	require.True(t, ok)
	assert.Nil(t, inner.Proxy)
}
