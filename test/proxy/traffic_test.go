package proxy_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// aReceipt is an XML, which is read without a provider.
func aReceipt(t *testing.T) []byte {
	t.Helper()
	for _, s := range receipts.Bundled() {
		if strings.HasSuffix(s.Name, ".xml") {
			return s.Data
		}
	}
	require.Fail(t, "no XML among the samples")
	return nil
}

func (e *edge) submit(t *testing.T, c *apitest.Client) string {
	t.Helper()
	submission, res := c.Submit(t, aReceipt(t))
	require.Empty(t, res.Errors)
	return submission.SubmitInvoice.Invoice.ID
}

func TestAReceiptIsUploadedAndReadThroughTLS(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{})
	for name, client := range map[string]*http.Client{"HTTP/2.0": e.browser(t, stranger(t)), "HTTP/1.1": e.oldBrowser(t, stranger(t))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ana := e.member(t)
			ana.HTTP = client
			assert.Equal(t, name, request(t, client, http.MethodGet, "https://"+site+"/", nil).protocol)
			events := ana.Watch(t, e.submit(t, ana), 0)
			require.NotEmpty(t, events)
			assert.Equal(t, "COMPLETED", events[len(events)-1].Invoice.Status)
		})
	}
}

func TestAWebsocketFollowsAnInvoiceToItsEnd(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{})
	ana := e.member(t)
	conn, resp, err := websocket.Dial(t.Context(), "wss://"+site+"/graphql", &websocket.DialOptions{ //nolint:bodyclose // the connection's
		HTTPClient: e.oldBrowser(t, stranger(t)), Subprotocols: []string{"graphql-transport-ws"},
		HTTPHeader: http.Header{"Origin": {"https://" + site}}, // the page's own: the api compares it with Host
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"max-age=63072000; includeSubDomains"}, resp.Header.Values("Strict-Transport-Security"))
	t.Cleanup(func() { _ = conn.CloseNow() })
	send := func(message map[string]any) {
		text, err := json.Marshal(message)
		require.NoError(t, err)
		require.NoError(t, conn.Write(t.Context(), websocket.MessageText, text))
	}
	send(map[string]any{"type": "connection_init", "payload": map[string]any{"Authorization": "Bearer " + ana.Token}})
	send(map[string]any{"id": "a", "type": "subscribe", "payload": map[string]any{
		"query":     `subscription($id: ID!) { extractionProgress(invoiceId: $id) { stage } }`,
		"variables": map[string]any{"id": e.submit(t, ana)},
	}})
	var kinds []string
	var last string
	for len(kinds) == 0 || kinds[len(kinds)-1] != "complete" {
		_, text, err := conn.Read(t.Context())
		require.NoError(t, err)
		var message struct {
			Type    string
			Payload struct {
				Data struct{ ExtractionProgress struct{ Stage string } }
			}
		}
		require.NoError(t, json.Unmarshal(text, &message))
		if message.Type == "next" {
			last = message.Payload.Data.ExtractionProgress.Stage
		}
		kinds = append(kinds, message.Type)
	}
	assert.Equal(t, "connection_ack", kinds[0])
	assert.Contains(t, []string{"COMPLETED", "ANALYZED", "ANALYSIS_FAILED"}, last)
}

// Each event is only sent when the one before it was seen at the other end: one that is kept back is waited for without end.
func TestEventsArriveWhileTheirStreamIsOpen(t *testing.T) {
	t.Parallel()
	const events = 20
	seen := make(chan struct{})
	api := stub(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range events {
			if _, err := w.Write([]byte(": ping\n\n")); err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
			select {
			case <-seen:
			case <-r.Context().Done():
				return
			}
		}
	})
	e := startEdge(t, settings{api: api})
	for _, client := range []*http.Client{e.browser(t, stranger(t)), e.oldBrowser(t, stranger(t))} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+site+"/graphql", strings.NewReader("{}"))
		require.NoError(t, err)
		req.Header.Set("Accept", "text/event-stream")
		resp, err := client.Do(req)
		require.NoError(t, err)
		lines := bufio.NewScanner(resp.Body)
		count := 0
		for lines.Scan() {
			if lines.Text() == ": ping" {
				count++
				seen <- struct{}{}
			}
		}
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, events, count)
	}
}

// The same with the service: what happens while the stream is open is told while it is open.
func TestAnOpenStreamTellsOfWhatComesLater(t *testing.T) {
	t.Parallel()
	e := startEdge(t, settings{})
	ana := e.member(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, ana.URL+"/graphql", strings.NewReader(`{"query":"subscription { extractions { stage } }"}`))
	require.NoError(t, err)
	for name, value := range map[string]string{
		"Accept": "text/event-stream", "Content-Type": "application/json", "Authorization": "Bearer " + ana.Token,
	} {
		req.Header.Set(name, value)
	}
	resp, err := ana.HTTP.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewScanner(resp.Body)
	require.True(t, lines.Scan(), "the stream begins at once")
	assert.Equal(t, ":", lines.Text())
	e.submit(t, ana)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "event: next") {
			return
		}
	}
	require.Fail(t, "the stream ended", lines.Err())
}
