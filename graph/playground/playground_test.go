package playground_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/graph/playground"
)

func get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	h, err := playground.Handler("/playground/")
	require.NoError(t, err)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

func TestEverythingThePageLoadsIsServedHere(t *testing.T) {
	t.Parallel()
	page := get(t, "/playground/")
	require.Equal(t, http.StatusOK, page.Code)
	assert.Contains(t, page.Header().Get("Content-Security-Policy"), "script-src 'self';")
	html := page.Body.String()
	assert.NotRegexp(t, `<script[^>]*>[^<]`, html, "no script in the page itself")
	assert.NotRegexp(t, `(src|href)="(https?:)?//`, html, "nothing from elsewhere")
	parts := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(html, -1)
	require.Len(t, parts, 6)
	size := 0
	for _, part := range parts {
		file := get(t, "/playground/"+part[1])
		require.Equal(t, http.StatusOK, file.Code, part[1])
		assert.Equal(t, "nosniff", file.Header().Get("X-Content-Type-Options"))
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, err := io.Copy(z, file.Body)
		require.NoError(t, err)
		require.NoError(t, z.Close())
		size += packed.Len()
	}
	assert.Less(t, size, 1_500_000, "bytes, compressed")
}

func TestLicencesComeWithTheParts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"graphiql", "react", "react-dom"} {
		assert.Contains(t, get(t, "/playground/"+name+".LICENSE").Body.String(), "Permission is hereby granted")
	}
}
