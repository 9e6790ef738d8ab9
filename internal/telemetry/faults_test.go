package telemetry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ingest is Sentry's, on this machine.
func ingest(t *testing.T) (dsn string, events chan string) {
	t.Helper()
	events = make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		events <- r.URL.Path + "\n" + string(data)
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http://", "http://0123456789abcdef0123456789abcdef@", 1) + "/42", events
}

func newTold(t *testing.T, dsn string) *Telemetry {
	t.Helper()
	told, err := New(t.Context(), Config{
		SentryDSN: dsn, Environment: "production", Build: Build{Version: "v1.2.3", Role: "api"},
		RequestID: func(context.Context) string { return "REQUEST-0001" }, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, told.Stop(context.WithoutCancel(t.Context()))) })
	return told
}

// secrets are what must not leave, in the forms in which errors have it.
func secrets() []string {
	return []string{
		"529.982.247-25", "52998224725", "ana.secreta@example.com", "Ana Secreta", "sk-proj-abcdefghij0123456789abcdefghij", "AIzaSyA-0123456789abcdefghijklmnopqrstu",
		"35250312345678000195650010000012341000012345", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "201.17.88.4", "2804:14c:1:2::5",
		"hunter2", "4111 1111 1111 1111", "+55 (11) 98765-4321",
	}
}

func panicStack() (stack string) {
	defer func() {
		_ = recover()
		stack = string(debug.Stack())
	}()
	var none []string
	return none[len(none)]
}

func TestAPanicArrivesWithItsPlaceAndItsRequestAndNothingElse(t *testing.T) {
	t.Parallel()
	dsn, events := ingest(t)
	told := newTold(t, dsn)
	log := told.Logger(slog.New(slog.DiscardHandler)).With("user_email", "ana.secreta@example.com")
	log.ErrorContext(t.Context(), "request failed", "error", "panic: runtime error: index out of range", "stack", panicStack(),
		"operation", "Ana Secreta 52998224725", "path", "Ana Secreta")
	event := <-events
	assert.True(t, strings.HasPrefix(event, "/api/42/envelope/"), event)
	for _, want := range []string{"REQUEST-0001", "panicStack", "faults_test.go", "index out of range", "v1.2.3", "production"} {
		assert.Contains(t, event, want)
	}
	for _, s := range secrets() {
		assert.NotContains(t, event, s)
	}
}

func TestWhatSomebodyPanickedWithStaysHere(t *testing.T) {
	t.Parallel()
	dsn, events := ingest(t)
	newTold(t, dsn).Logger(slog.New(slog.DiscardHandler)).
		ErrorContext(t.Context(), "request failed", "error", "panic: {Ana Secreta hunter2}", "stack", panicStack())
	event := <-events
	assert.NotContains(t, event, "Secreta")
	assert.NotContains(t, event, "hunter2")
}

func TestErrorsAreScrubbed(t *testing.T) {
	t.Parallel()
	dsn, events := ingest(t)
	log := newTold(t, dsn).Logger(slog.New(slog.DiscardHandler))
	cause := errors.New(`store user: duplicate key: Key (email)=(ana.secreta@example.com) already exists: cpf 529.982.247-25 52998224725, ` +
		`name "Ana Secreta", key sk-proj-abcdefghij0123456789abcdefghij, AIzaSyA-0123456789abcdefghijklmnopqrstu, ` +
		`nota 35250312345678000195650010000012341000012345, Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N, ` +
		`from 201.17.88.4:5511 and [2804:14c:1:2::5]:443, password=hunter2, card 4111 1111 1111 1111, +55 (11) 98765-4321`)
	log.ErrorContext(t.Context(), "request failed", "error", cause, "request_id", "REQUEST-0002", "invoice_id", "0199-not/an id 529.982.247-25")
	event := <-events
	assert.Contains(t, event, "REQUEST-0002")
	assert.Contains(t, event, "duplicate key")
	for _, s := range secrets() {
		assert.NotContains(t, event, s)
	}
}

func TestFaultsAreErrorsAndInternalFailuresAndNoMoreThanSoMany(t *testing.T) {
	t.Parallel()
	dsn, events := ingest(t)
	told := newTold(t, dsn)
	log := told.Logger(slog.New(slog.DiscardHandler))
	log.WarnContext(t.Context(), "a warning", "code", "UNAVAILABLE")
	log.InfoContext(t.Context(), "news")
	log.WarnContext(t.Context(), "extraction failed", "code", "INTERNAL")
	assert.Contains(t, <-events, "extraction failed")
	for range 10 * faultsPerWindow {
		told.faults.admit(time.Now())
	}
	assert.False(t, told.faults.admit(time.Now()))
	assert.True(t, told.faults.admit(time.Now().Add(faultWindow)))
	assert.Empty(t, events)
}

func TestIDsPassAndNumbersOfPeopleDoNot(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"JBSWY3DPEHPK3PXPABCDEFGH22", "0193b1d2-7c1e-7aaa-8bbb-0123456789ab", "gemini", "12345", "extract_invoice"} {
		assert.Equal(t, id, scrubID(id))
	}
	for _, number := range []string{"52998224725", "529.982.247-25", "cpf-52998224725", "x_52998224725", "ana@example.com"} {
		assert.NotEqual(t, number, scrubID(number))
	}
}
