package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mercadoesperto/smarket/internal/config"
)

func TestHealthcheckAsksWhetherTheServerIsReady(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status, code int
	}{
		"ready":     {http.StatusOK, 0},
		"not ready": {http.StatusServiceUnavailable, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, "/readyz", r.URL.Path)
				w.WriteHeader(c.status)
			}))
			t.Cleanup(server.Close)
			assert.Equal(t, c.code, healthcheckAt(t, server.URL))
		})
	}
}

func TestHealthcheckFailsWhereNobodyAnswers(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	assert.Equal(t, 1, healthcheckAt(t, server.URL))
}

// healthcheckAt gives the wildcard address that containers listen at.
func healthcheckAt(t *testing.T, url string) int {
	t.Helper()
	load := func() (config.Config, error) {
		return config.Load([]string{"HTTP_ADDR=" + strings.Replace(url, "http://127.0.0.1", "", 1)})
	}
	return run(t.Context(), []string{"healthcheck"}, io.Discard, io.Discard, load)
}
