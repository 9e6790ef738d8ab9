package proxy_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/nginxtest"
)

const (
	// site is the canonical name in deploy/nginx/names.conf.
	site = "mercadoesperto.com.br"
	root = "../.."
	// cloudflare is the address that the tests' edge takes for Cloudflare.
	cloudflare = "127.0.0.2"
)

// edge is a running nginx with the shipped configuration, and the page behind it.
type edge struct {
	*nginxtest.Server
	dir  string // of nginx.conf
	addr string // its address, where 8080 is its port 80 and 8443 its port 443
	pool *x509.CertPool
}

// settings are what a test wants of an edge.
type settings struct {
	api string // host:port; "" is the service
	// replace are pairs of words in any file of the configuration, each of which must be there.
	replace []string
}

// startEdge runs nginx until the test ends.
func startEdge(t *testing.T, s settings) *edge {
	t.Helper()
	e := prepareEdge(t, s)
	e.Server = nginxtest.Start(t, filepath.Join(e.dir, "nginx.conf"), e.addr+":8443")
	return e
}

// prepareEdge copies the configuration, with other addresses and folders in it.
func prepareEdge(t *testing.T, s settings) *edge {
	t.Helper()
	if s.api == "" {
		s.api = strings.TrimPrefix(service.URL(), "http://")
	}
	e := &edge{dir: t.TempDir(), addr: nginxtest.Address(t)}
	copyConf(t, filepath.Join(e.dir, "nginx.conf"), filepath.Join(root, "nginx.conf"))
	parts := filepath.Join(root, "deploy/nginx")
	require.NoError(t, filepath.WalkDir(parts, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".conf") {
			copyConf(t, filepath.Join(e.dir, "deploy/nginx", strings.TrimPrefix(path, parts)), path)
		}
		return err
	}))
	for _, dir := range []string{"certs", "cache", "acme/.well-known/acme-challenge"} {
		require.NoError(t, os.MkdirAll(filepath.Join(e.dir, dir), 0o755))
	}
	// With root's rights nginx gives its work to another user, who has to get at what it serves and writes.
	for dir := e.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755))
	}
	e.pool = certify(t, filepath.Join(e.dir, "certs"), site, "www."+site)
	e.trustCloudflare(t)
	e.replace(t, append([]string{
		"listen 80", "listen " + e.addr + ":8080", "listen 443", "listen " + e.addr + ":8443",
		"listen 127.0.0.1:8081", "listen " + e.addr + ":8081", "default api:8080;", "default " + s.api + ";",
		"default web:8080;", "default " + startPage(t) + ";", "worker_processes auto", "worker_processes 2",
		"/var/cache/nginx", filepath.Join(e.dir, "cache"), "/var/www/acme", filepath.Join(e.dir, "acme"),
	}, s.replace...)...)
	return e
}

// trustCloudflare has the script that makes cloudflare.conf write one for a Cloudflare with a single address.
func (e *edge) trustCloudflare(t *testing.T) {
	t.Helper()
	lists := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(lists, "ips-v4"), []byte(cloudflare+"/32"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(lists, "ips-v6"), []byte("2001:db8:ffff::/48"), 0o600))
	out, err := ranges(t, "file://"+lists, filepath.Join(e.dir, "deploy/nginx/cloudflare.conf"))
	require.NoError(t, err, out)
}

// ranges runs scripts/cloudflare-ranges.sh.
func ranges(t *testing.T, lists, file string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", filepath.Join(root, "scripts/cloudflare-ranges.sh"), file)
	cmd.Env = append(os.Environ(), "CLOUDFLARE_IPS="+lists)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// replace changes words in all files of the edge. A word that is nowhere fails the test: it no longer tests what it says.
func (e *edge) replace(t *testing.T, pairs ...string) {
	t.Helper()
	replaceIn(t, e.dir, pairs...)
}

func replaceIn(t *testing.T, dir string, pairs ...string) {
	t.Helper()
	texts := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".conf") {
			data, err := os.ReadFile(path)
			texts[path] = string(data)
			return err
		}
		return err
	}))
	for i := 0; i < len(pairs); i += 2 {
		found := false
		for path, text := range texts {
			texts[path] = strings.ReplaceAll(text, pairs[i], pairs[i+1])
			found = found || strings.Contains(text, pairs[i])
		}
		require.True(t, found, "%q is not in the configuration", pairs[i])
	}
	for path, text := range texts {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
}

func copyConf(t *testing.T, to, from string) {
	t.Helper()
	data, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
	require.NoError(t, os.WriteFile(to, data, 0o600))
}

// startPage runs the nginx of the `web` container with a small page, and says where.
func startPage(t *testing.T) string {
	t.Helper()
	dir, addr := t.TempDir(), nginxtest.Address(t)+":8080"
	for name, text := range map[string]string{
		"index.html": "<!doctype html>the page", "sw.js": "// worker", "assets/index-abcd.js": strings.Repeat("let it = 'be';\n", 100),
	} {
		path := filepath.Join(dir, "html", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		require.NoError(t, os.Chmod(d, 0o755))
	}
	conf := filepath.Join(dir, "web.conf")
	copyConf(t, conf, filepath.Join(root, "deploy/nginx/web.conf"))
	replaceIn(t, dir, "listen 8080", "listen "+addr, "/var/cache/nginx", dir, "/usr/share/nginx/html", filepath.Join(dir, "html"))
	nginxtest.Start(t, conf, addr)
	return addr
}

// certify writes a certificate for the names and its key, signed by itself, and returns who trusts it.
func certify(t *testing.T, dir string, names ...string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for file, block := range map[string]*pem.Block{
		"fullchain.pem": {Type: "CERTIFICATE", Bytes: der}, "privkey.pem": {Type: "PRIVATE KEY", Bytes: secret},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600))
	}
	pool := x509.NewCertPool()
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool.AddCert(cert)
	return pool
}

// dial connects to the edge from a loopback address: whatever the name, its ports 80 and 443 are the edge's.
func (e *edge) dial(from string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		to := map[string]string{"80": "8080", "443": "8443"}[port]
		return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(ctx, network, net.JoinHostPort(e.addr, to))
	}
}

// browser is a client at an address, with HTTP/2 where it is offered, that follows no redirect.
func (e *edge) browser(t *testing.T, from string) *http.Client {
	t.Helper()
	return e.client(t, &http.Transport{DialContext: e.dial(from), TLSClientConfig: &tls.Config{RootCAs: e.pool}, ForceAttemptHTTP2: true})
}

// oldBrowser is one that speaks HTTP/1.1 alone, as for websockets.
func (e *edge) oldBrowser(t *testing.T, from string) *http.Client {
	t.Helper()
	return e.client(t, &http.Transport{DialContext: e.dial(from), TLSClientConfig: &tls.Config{RootCAs: e.pool}})
}

func (e *edge) client(t *testing.T, transport *http.Transport) *http.Client {
	t.Helper()
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// tlsConn is a bare connection to port 443, for HTTP/1.1.
func (e *edge) tlsConn(t *testing.T) *tls.Conn {
	t.Helper()
	raw, err := e.dial("127.0.0.1")(t.Context(), "tcp", site+":443")
	require.NoError(t, err)
	conn := tls.Client(raw, &tls.Config{RootCAs: e.pool, ServerName: site})
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.HandshakeContext(t.Context()))
	return conn
}

// stranger is an address that nobody else has, so that no limit counts two tests together.
func stranger(t *testing.T) string {
	t.Helper()
	return nginxtest.Address(t)
}

// member is somebody with an account, at an address of her own.
func (e *edge) member(t *testing.T) *apitest.Client {
	t.Helper()
	c := &apitest.Client{URL: "https://" + site, HTTP: e.browser(t, stranger(t))}
	c.SignUp(t, strings.ToLower(rand.Text())+"@example.com")
	return c
}

// answer is what came back.
type answer struct {
	status   int
	protocol string
	header   http.Header
	text     string
}

// request sends one, with headers given as name, value.
func request(t *testing.T, client *http.Client, method, url string, body io.Reader, headers ...string) answer {
	t.Helper()
	a, err := try(t.Context(), client, method, url, body, headers...)
	require.NoError(t, err)
	return a
}

func try(ctx context.Context, client *http.Client, method, url string, body io.Reader, headers ...string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return answer{}, err
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return answer{resp.StatusCode, resp.Proto, resp.Header, ""}, nil
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, fmt.Errorf("answer %d: %w", resp.StatusCode, err)
	}
	return answer{resp.StatusCode, resp.Proto, resp.Header, string(text)}, nil
}

// stub is an upstream of the test's own.
func stub(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}
