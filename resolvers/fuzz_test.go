package resolvers_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/graph"
	"github.com/mercadoesperto/smarket/resolvers"
)

// FuzzMultipart sends whole bodies through the handler: whatever comes, it is no fault of the service, nothing panics, and no file
// stays behind.
func FuzzMultipart(f *testing.F) {
	fake := newFake(f, filepath.Join("testdata", "seed.json"))
	invoices, log, dir := fakeInvoices{fake}, &syncBuffer{}, f.TempDir()
	handler := graph.NewHandler(graph.Config{
		Resolvers: &resolvers.Resolver{
			Accounts: fake, Invoices: invoices, Products: fakeProducts{fake}, Spending: fakeSpending{fake}, Insights: fakeInsights{fake}, Usage: fake,
		},
		Accounts: fake,
		Log:      slog.New(slog.NewTextHandler(log, nil)), TempDir: dir,
	})
	const (
		operations = "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n" +
			`{"query":"mutation($input: SubmitInvoiceInput!) { submitInvoice(input: $input) { invoice { id } } }","variables":{"input":{"files":[null]}}}`
		placement = "\r\n--x\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n" + `{"0":["variables.input.files.0"]}`
		file      = "\r\n--x\r\nContent-Disposition: form-data; name=\"0\"; filename=\"../../x\"\r\nContent-Type: image/jpeg\r\n\r\n<xml/>"
		end       = "\r\n--x--\r\n"
	)
	for _, body := range []string{
		operations + placement + file + end, operations + placement + end, operations + file + placement + end, placement + end, end, "--x", "",
		operations + placement + file + file + end, strings.ReplaceAll(operations, "null", "null,null") + placement + file + end,
		operations + strings.ReplaceAll(placement, "files.0", "files.-1") + file + end,
		operations + strings.ReplaceAll(placement, "variables", "query") + file + end,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		r.Header.Set("Authorization", "Bearer token-ana")
		r.Header.Set("X-Requested-With", "fuzz")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		assert.Less(t, w.Code, http.StatusInternalServerError, w.Body.String())
		assert.NotContains(t, log.String(), "panic: runtime error")
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, left, "no upload stays behind")
	})
}
