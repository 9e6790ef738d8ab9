package app

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func builtApp(t *testing.T) *pages {
	t.Helper()
	p, err := readPages(fstest.MapFS{
		".keep":                {},
		".vite/manifest.json":  {Data: []byte("{}")},
		"index.html":           {Data: []byte("<!doctype html>the app")},
		"sw.js":                {Data: []byte("// worker")},
		"assets/index-abcd.js": {Data: []byte(strings.Repeat("let it = 'be small';\n", 100))},
	})
	require.NoError(t, err)
	return p
}

func ask(p *pages, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func TestPathsOfTheAppLeadToItsPage(t *testing.T) {
	t.Parallel()
	p := builtApp(t)
	for _, target := range []string{"/", "/index.html", "/entrar", "/notas/SW52b2ljZTox"} {
		w := ask(p, http.MethodGet, target)
		assert.Equal(t, http.StatusOK, w.Code, target)
		assert.Contains(t, w.Body.String(), "the app", target)
		assert.Equal(t, "no-cache", w.Header().Get("Cache-Control"), target)
		assert.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"), target)
	}
}

func TestFilesWithADigestAreKeptForGood(t *testing.T) {
	t.Parallel()
	p := builtApp(t)
	assert.Equal(t, "public, max-age=31536000, immutable", ask(p, http.MethodGet, "/assets/index-abcd.js").Header().Get("Cache-Control"))
	assert.Equal(t, "no-cache", ask(p, http.MethodGet, "/sw.js").Header().Get("Cache-Control"))
}

func TestFilesThatAreNotThereAreNotFound(t *testing.T) {
	t.Parallel()
	p := builtApp(t)
	for _, target := range []string{"/assets/index-old.js", "/.vite/manifest.json", "/missing.png", "/../../etc/passwd.txt"} {
		assert.Equal(t, http.StatusNotFound, ask(p, http.MethodGet, target).Code, target)
	}
}

func TestAFileThatTheClientHasIsNotSentAgain(t *testing.T) {
	t.Parallel()
	p := builtApp(t)
	tag := ask(p, http.MethodGet, "/").Header().Get("ETag")
	require.NotEmpty(t, tag)
	w := ask(p, http.MethodGet, "/", "If-None-Match", tag)
	assert.Equal(t, http.StatusNotModified, w.Code)
	assert.Empty(t, w.Body.String())
}

func TestFilesAreCompressedForClientsThatTakeIt(t *testing.T) {
	t.Parallel()
	p := builtApp(t)
	plain := ask(p, http.MethodGet, "/assets/index-abcd.js")
	packed := ask(p, http.MethodGet, "/assets/index-abcd.js", "Accept-Encoding", "br, gzip")
	assert.Empty(t, plain.Header().Get("Content-Encoding"))
	assert.Equal(t, "gzip", packed.Header().Get("Content-Encoding"))
	assert.Equal(t, "Accept-Encoding", packed.Header().Get("Vary"))
	assert.NotEqual(t, plain.Header().Get("ETag"), packed.Header().Get("ETag"))
	r, err := gzip.NewReader(packed.Body)
	require.NoError(t, err)
	unpacked, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, plain.Body.String(), string(unpacked))
}

func TestPagesLoadNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	for _, p := range []*pages{builtApp(t), {}} {
		h := ask(p, http.MethodGet, "/").Header()
		assert.Equal(t, pagePolicy, h.Get("Content-Security-Policy"))
		assert.NotContains(t, pagePolicy, "unsafe")
		assert.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		assert.Equal(t, "no-referrer", h.Get("Referrer-Policy"))
		assert.Contains(t, h.Get("Permissions-Policy"), "camera=(self)")
	}
}

func TestTheAppIsReadOnly(t *testing.T) {
	t.Parallel()
	w := ask(builtApp(t), http.MethodPost, "/entrar")
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
	assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
	assert.Empty(t, ask(builtApp(t), http.MethodHead, "/").Body.String())
}

func TestWithoutABuildThePageSaysHowToMakeOne(t *testing.T) {
	t.Parallel()
	w := ask(&pages{}, http.MethodGet, "/")
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Contains(t, w.Body.String(), "npm run build")
}
