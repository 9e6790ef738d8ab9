package resolvers_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mercadoesperto/smarket/graph"
	"github.com/mercadoesperto/smarket/graph/relay"
	"github.com/mercadoesperto/smarket/resolvers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Of the shared seed: Ana has invoices, Bia has one of her own.
const (
	anaCompleted  = "0193b000-0000-7000-8000-000000000101"
	anaProcessing = "0193b000-0000-7000-8000-000000000102"
	biaCompleted  = "0193b000-0000-7000-8000-000000000201"
	anaReview     = "0193b000-0000-7000-8000-000000000104"
	anaID         = "0193b000-0000-7000-8000-000000000001"
	anaMilk       = "0193b000-0000-7000-8000-000000000301"
	// brokenProduct is one that cannot be found because the services fail.
	brokenProduct = "0193b000-0000-7000-8000-0000000003ff"
)

func productID(uuid string) string { return relay.EncodeID(relay.TypeProduct, uuid) }

func invoiceID(uuid string) string { return relay.EncodeID(relay.TypeInvoice, uuid) }

// server is a real HTTP server over the fake services.
type server struct {
	*fake
	url     string
	client  *http.Client
	handler *graph.Handler
	log     *syncBuffer
	tempDir string
}

func setup(t *testing.T, change ...func(*graph.Config)) *server {
	t.Helper()
	return setupSeed(t, filepath.Join("testdata", "seed.json"), change...)
}

func setupSeed(t *testing.T, seedFile string, change ...func(*graph.Config)) *server {
	t.Helper()
	s := &server{fake: newFake(t, seedFile), log: &syncBuffer{}, tempDir: t.TempDir()}
	invoices := fakeInvoices{s.fake}
	cfg := graph.Config{
		Resolvers: &resolvers.Resolver{
			Accounts: s.fake, Invoices: invoices, Products: fakeProducts{s.fake}, Spending: fakeSpending{s.fake},
			Insights: fakeInsights{s.fake}, Usage: s.fake, Privacy: fakePrivacy{s.fake}, Links: fakeLinks{},
			Providers: fakeProviders{s.fake},
		},
		Accounts: s.fake,
		Log:      slog.New(slog.NewTextHandler(s.log, nil)),
		TempDir:  s.tempDir,
	}
	for _, c := range change {
		c(&cfg)
	}
	s.handler = graph.NewHandler(cfg)
	ts := httptest.NewServer(s.handler)
	s.url, s.client = ts.URL, ts.Client()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
		defer cancel()
		assert.NoError(t, s.handler.Stop(ctx), "streams end when the handler stops")
		ts.Close()
	})
	return s
}

// post sends a body with headers given as name, value, name, value.
func (s *server) post(t *testing.T, body io.Reader, headers ...string) (status int, header http.Header, answer string) {
	t.Helper()
	return s.do(t, http.MethodPost, s.url+"/graphql", body, headers...)
}

func (s *server) do(t *testing.T, method, url string, body io.Reader, headers ...string) (int, http.Header, string) {
	t.Helper()
	resp := s.open(t, method, url, body, headers...)
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, resp.Header, string(data)
}

func (s *server) open(t *testing.T, method, url string, body io.Reader, headers ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.client.Do(req)
	require.NoError(t, err)
	return resp
}

// json posts a JSON body as Ana.
func (s *server) json(t *testing.T, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	headers = append([]string{"Content-Type", "application/json", "Authorization", "Bearer token-ana"}, headers...)
	return s.post(t, bytes.NewReader([]byte(body)), headers...)
}

// syncBuffer is a log that tests read.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
