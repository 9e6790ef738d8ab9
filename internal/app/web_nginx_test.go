package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/nginxtest"
)

// startWebContainer runs the nginx of deploy/nginx/web.conf with the files of dir, and says where.
func startWebContainer(t *testing.T, dir string) string {
	t.Helper()
	data, err := os.ReadFile("../../deploy/nginx/web.conf")
	require.NoError(t, err)
	work, addr := t.TempDir(), nginxtest.Address(t)+":8080"
	conf := filepath.Join(work, "web.conf")
	text := strings.NewReplacer("listen 8080", "listen "+addr, "/var/cache/nginx", work, "/usr/share/nginx/html", dir).Replace(string(data))
	require.NoError(t, os.WriteFile(conf, []byte(text), 0o600))
	// With root's rights nginx gives its work to another user, who has to get at what it serves.
	for _, d := range []string{work, dir} {
		for ; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
			require.NoError(t, os.Chmod(d, 0o755))
		}
	}
	nginxtest.Start(t, conf, addr)
	return "http://" + addr
}

func TestTheWebContainerAnswersAsTheServiceDoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"index.html": "<!doctype html>the app" + strings.Repeat("<p>and more</p>", 100), "sw.js": strings.Repeat("// worker\n", 100),
		"manifest.webmanifest": strings.Repeat("{}\n", 200), "theme.js": strings.Repeat("1;\n", 200), ".vite/manifest.json": "{}", ".keep": "",
		"assets/index-abcd.js": strings.Repeat("let it = 'be small';\n", 100), "assets/index-abcd.css": strings.Repeat("a {}\n", 100),
		"icons/icon.svg": strings.Repeat("<svg/>", 100), "icons/icon.png": "\x89PNG\r\n\x1a\n",
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	p, err := readPages(os.DirFS(dir))
	require.NoError(t, err)
	embedded := httptest.NewServer(p)
	t.Cleanup(embedded.Close)
	container := startWebContainer(t, dir)

	type answer struct {
		status int
		header http.Header
		body   string
	}
	ask := func(method, url string, headers ...string) answer {
		req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
		require.NoError(t, err)
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return answer{resp.StatusCode, resp.Header, string(body)}
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete} {
		for _, path := range []string{
			"/", "/index.html", "/entrar", "/notas/SW52b2ljZTox", "/sw.js", "/theme.js", "/manifest.webmanifest", "/assets/index-abcd.js",
			"/assets/index-abcd.css", "/assets/", "/assets/index-old.js", "/icons/icon.svg", "/icons/icon.png", "/.vite/manifest.json", "/.keep",
			"/missing.png", "/missing.png/",
		} {
			for _, encoding := range []string{"gzip", "identity"} {
				name := method + " " + path + " " + encoding
				want := ask(method, embedded.URL+path, "Accept-Encoding", encoding)
				got := ask(method, container+path, "Accept-Encoding", encoding)
				assert.Equal(t, want.status, got.status, name)
				for _, header := range []string{
					"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy", "Cross-Origin-Opener-Policy",
					"Cache-Control", "Content-Type", "Content-Encoding", "Vary", "Allow",
				} {
					assert.Equal(t, want.header.Values(header), got.header.Values(header), "%s: %s", name, header)
				}
				if got.header.Get("Content-Encoding") == "" {
					assert.Equal(t, want.body, got.body, name)
				}
				assert.Equal(t, want.header.Get("Etag") == "", got.header.Get("Etag") == "", "%s: whether there is an ETag", name)
			}
		}
	}
	tag := ask(http.MethodGet, container+"/").header.Get("Etag")
	assert.Equal(t, http.StatusNotModified, ask(http.MethodGet, container+"/", "If-None-Match", tag).status)
}
