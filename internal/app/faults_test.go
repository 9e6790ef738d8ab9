package app_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// sentry takes events on this machine.
type sentry struct {
	dsn string

	mu     sync.Mutex
	events []string
	came   chan struct{}
}

func startSentry(t *testing.T) *sentry {
	t.Helper()
	s := &sentry{came: make(chan struct{}, 100)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if assert.NoError(t, err) {
			s.mu.Lock()
			s.events = append(s.events, string(data))
			s.mu.Unlock()
			s.came <- struct{}{}
		}
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(server.Close)
	s.dsn = strings.Replace(server.URL, "http://", "http://0123456789abcdef0123456789abcdef@", 1) + "/42"
	return s
}

func (s *sentry) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.events, "\n")
}

// TestSentryIsToldOfAFaultAndNothingOfTheUser breaks the database beneath a request.
func TestSentryIsToldOfAFaultAndNothingOfTheUser(t *testing.T) {
	t.Parallel()
	s := startSentry(t)
	at := installation{"embedded", append(environ(t), "SENTRY_DSN="+s.dsn)}
	a := at.start(t, app.RoleAPI)
	c := apitest.Client{URL: a.URL()}
	c.SignUp(t, "ana.secreta@example.com")
	_, err := a.Database().SQL().ExecContext(t.Context(), `ALTER TABLE invoices RENAME TO elsewhere`)
	require.NoError(t, err)
	res := c.Query(t, `query Ana52998224725($s: String) { invoices(first: 3, filter: {search: $s}) { edges { node { id } } } }`,
		map[string]any{"s": "Ana Secreta " + buyersCPF}, nil)
	require.Equal(t, "INTERNAL", res.Code())
	<-s.came
	event := strings.ReplaceAll(s.all(), s.dsn, "[the project itself]")
	assert.Contains(t, event, res.Errors[0].Extensions["requestId"])
	assert.Contains(t, event, "request failed")
	assert.Contains(t, event, `"stacktrace"`)
	assert.Contains(t, event, "graph")
	for _, mark := range []string{"ana.secreta", "Ana", "Secreta", buyersCPF, buyersPlainCPF, c.Token, "127.0.0.1", "Go-http-client"} {
		assert.NotContains(t, event, mark)
	}
}

// TestTheLogOfAJobNamesItsRequest follows a file that nothing can be made of.
func TestTheLogOfAJobNamesItsRequest(t *testing.T) {
	t.Parallel()
	at := installation{"embedded", append(environ(t), "PROVIDER_ORDER=offline", "PLUGIN_DIR="+t.TempDir(), "EXTRACTION_MAX_ATTEMPTS=1")}
	var log lines
	a, err := app.New(t.Context(), at.config(t), app.Options{Role: app.RoleAll, Log: slog.New(slog.NewJSONHandler(&log, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { stop(t, a) })
	require.NoError(t, a.Start(t.Context()))
	c := apitest.Client{URL: a.URL()}
	c.SignUp(t, "ana@example.com")
	r := receipts.Generate(receipts.NewRand(912), receipts.Options{Items: 2})
	picture, err := r.Picture(receipts.Styles()[0], 1)
	require.NoError(t, err)
	photo, err := receipts.JPEG(picture, 85)
	require.NoError(t, err)
	_, stage := submitted(t, &c, photo)
	assert.Equal(t, "FAILED", stage)
	id := texts(t, a, `SELECT id FROM invoices`)
	require.Len(t, id, 1)
	request := texts(t, a, `SELECT json_extract(metadata, '$.carried.request_id') FROM river_job WHERE kind = 'extract_invoice'`)
	require.Len(t, request, 1)
	require.NotEmpty(t, request[0])
	record := log.with("extraction failed")
	assert.Contains(t, record, `"request_id":"`+request[0]+`"`)
	assert.Contains(t, record, `"invoice_id":"`+id[0]+`"`)
	assert.Contains(t, record, `"job_kind":"extract_invoice"`)
}

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) with(part string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, part) {
			return line
		}
	}
	return ""
}
