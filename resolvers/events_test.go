package resolvers_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/graph"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

const allSubscription = `{"query":"subscription { extractions { invoiceId seq stage message } }"}`

func progressSubscription(uuid string) string {
	return `{"query":"subscription { extractionProgress(invoiceId: \"` + invoiceID(uuid) + `\") { seq stage } }"}`
}

// eventStream is an open stream of server-sent events.
type eventStream struct {
	resp  *http.Response
	lines *bufio.Reader
}

// subscribe opens a stream as Ana.
func (s *server) subscribe(t *testing.T, body string) *eventStream {
	t.Helper()
	resp := s.open(t, http.MethodPost, s.url+"/graphql", strings.NewReader(body),
		"Content-Type", "application/json", "Accept", "text/event-stream", "Authorization", "Bearer token-ana")
	t.Cleanup(func() { _ = resp.Body.Close() })
	require.Equal(t, http.StatusOK, resp.StatusCode)
	return &eventStream{resp: resp, lines: bufio.NewReader(resp.Body)}
}

// next is the next event's name and data; comments are ": ..." as a name. "" at the end.
func (e *eventStream) next(t *testing.T) (name, data string) {
	t.Helper()
	for {
		line, err := e.lines.ReadString('\n')
		if err != nil {
			return "", ""
		}
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, ":"):
			name = line
		case strings.HasPrefix(line, "event: "):
			name = line[len("event: "):]
		case strings.HasPrefix(line, "data: "):
			data = line[len("data: "):]
		case line == "" && name != "":
			return name, data
		}
	}
}

// skipTo reads up to an event of the name.
func (e *eventStream) skipTo(t *testing.T, want string) string {
	t.Helper()
	for {
		name, data := e.next(t)
		require.NotEmpty(t, name, "the stream ended before %q", want)
		if name == want {
			return data
		}
	}
}

// anaEvent is about the invoice of hers that is being read.
func anaEvent(seq int, stage invoice.Stage) invoice.Event {
	status := invoice.StatusProcessing
	switch stage {
	case invoice.StageCompleted:
		status = invoice.StatusCompleted
	case invoice.StageFailed:
		status = invoice.StatusFailed
	default:
	}
	return invoice.Event{InvoiceID: anaProcessing, UserID: anaID, Seq: seq, Stage: stage, Status: status, Message: "…"}
}

func TestEventStreamDeliversAndCompletes(t *testing.T) {
	t.Parallel()
	s := setup(t)
	stream := s.subscribe(t, progressSubscription(anaProcessing))
	assert.Equal(t, "text/event-stream; charset=utf-8", stream.resp.Header.Get("Content-Type"))
	assert.Equal(t, "no", stream.resp.Header.Get("X-Accel-Buffering"))
	assert.JSONEq(t, `{"data":{"extractionProgress":{"seq":1,"stage":"QUEUED"}}}`, stream.skipTo(t, "next"))
	require.True(t, s.publish(anaEvent(2, invoice.StageReading)))
	assert.JSONEq(t, `{"data":{"extractionProgress":{"seq":2,"stage":"READING"}}}`, stream.skipTo(t, "next"))
	require.True(t, s.publish(anaEvent(3, invoice.StageFailed)))
	assert.JSONEq(t, `{"data":{"extractionProgress":{"seq":3,"stage":"FAILED"}}}`, stream.skipTo(t, "next"))
	name, _ := stream.next(t)
	assert.Equal(t, "complete", name)
	name, _ = stream.next(t)
	assert.Empty(t, name, "nothing follows")
}

func TestEventStreamByGET(t *testing.T) {
	t.Parallel()
	s := setup(t)
	query := "subscription { extractionProgress(invoiceId: \"" + invoiceID(anaCompleted) + "\") { seq } }"
	status, header, answer := s.do(t, http.MethodGet, s.url+"/graphql?query="+url.QueryEscape(query), nil,
		"Accept", "text/event-stream", "Authorization", "Bearer token-ana")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, header.Get("Content-Type"), "text/event-stream")
	assert.Len(t, parseEvents(t, answer), 2)

	status, _, answer = s.do(t, http.MethodGet, s.url+"/graphql?query="+url.QueryEscape("mutation { signOut { signedOut } }"), nil,
		"Accept", "text/event-stream", "Authorization", "Bearer token-ana")
	assert.Equal(t, http.StatusMethodNotAllowed, status, answer)
}

func TestEventStreamAnswersQueriesAndFaults(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for body, want := range map[string]string{
		`{"query":"{ __typename }"}`:                           `"__typename":"Query"`,
		`{"query":"{ nope }"}`:                                 "BAD_USER_INPUT",
		`{"query":"mutation { signOut { signedOut } }"}`:       `"signedOut":true`,
		`{"query":"subscription { extractions { nope } }"}`:    "BAD_USER_INPUT",
		progressSubscription(biaCompleted):                     "NOT_FOUND",
		progressSubscription("0193b000-0000-7000-8000-00000f"): "NOT_FOUND",
	} {
		stream := s.subscribe(t, body)
		assert.Contains(t, stream.skipTo(t, "next"), want, body)
		stream.skipTo(t, "complete")
	}
	status, header, _ := s.json(t, `not json`, "Accept", "text/event-stream")
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Equal(t, olderType, header.Get("Content-Type"))
}

func TestEventStreamKeepsItsConnectionAlive(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *graph.Config) { c.Timing.Ping = time.Millisecond })
	stream := s.subscribe(t, allSubscription)
	stream.skipTo(t, ": ping")
	stream.skipTo(t, ": ping")
	require.True(t, s.publish(anaEvent(9, invoice.StageReading)))
	assert.Contains(t, stream.skipTo(t, "next"), `"seq":9`, "an event goes between pings")
}

func TestEventStreamOutlivesTheLimitsOfARequest(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *graph.Config) { c.Timing.Request, c.Timing.Ping = 50*time.Millisecond, 10*time.Millisecond })
	stream := s.subscribe(t, allSubscription)
	for range 20 {
		stream.skipTo(t, ": ping")
	}
	require.True(t, s.publish(anaEvent(9, invoice.StageReading)))
	assert.Contains(t, stream.skipTo(t, "next"), `"seq":9`)
}

func TestConnectionOfAStreamServesAnotherRequest(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *graph.Config) { c.Timing.Write = 50 * time.Millisecond })
	stream := s.subscribe(t, progressSubscription(anaCompleted))
	stream.skipTo(t, "complete")
	name, _ := stream.next(t)
	require.Empty(t, name, "read to its end, so that the client uses the connection again")
	_ = stream.resp.Body.Close()
	timer := time.NewTimer(100 * time.Millisecond) // past the write deadline that the stream had
	<-timer.C
	status, _, _ := s.json(t, `{"query":"{ __typename }"}`)
	assert.Equal(t, http.StatusOK, status)
}

func TestEventStreamEndsWithItsSession(t *testing.T) {
	t.Parallel()
	t.Run("when the token expires", func(t *testing.T) {
		t.Parallel()
		s := setup(t)
		s.expiresAt = time.Now().Add(200 * time.Millisecond)
		stream := s.subscribe(t, allSubscription)
		assert.Contains(t, stream.skipTo(t, "next"), "UNAUTHENTICATED")
		stream.skipTo(t, "complete")
	})
	t.Run("when the session is revoked", func(t *testing.T) {
		t.Parallel()
		s := setup(t, func(c *graph.Config) { c.Timing.Recheck = 5 * time.Millisecond })
		stream := s.subscribe(t, allSubscription)
		<-s.watching
		s.revoke("token-ana")
		assert.Contains(t, stream.skipTo(t, "next"), "UNAUTHENTICATED")
		stream.skipTo(t, "complete")
		<-s.ended
	})
}

func TestEventStreamEndsWithoutCompleteWhenTheServiceStops(t *testing.T) {
	t.Parallel()
	s := setup(t)
	stream := s.subscribe(t, allSubscription)
	<-s.watching
	require.NoError(t, s.handler.Stop(t.Context()))
	for name := "x"; name != ""; {
		name, _ = stream.next(t)
		assert.NotEqual(t, "complete", name, "the client should come back")
	}
	status, _, answer := s.json(t, allSubscription, "Accept", "text/event-stream")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, answer, "UNAVAILABLE")
	assert.NoError(t, s.handler.Stop(t.Context()), "twice is no harm")
}

func TestStreamsAreCapped(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *graph.Config) { c.MaxStreams = 1 })
	stream := s.subscribe(t, allSubscription)
	status, _, answer := s.json(t, allSubscription, "Accept", "text/event-stream")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, answer, "UNAVAILABLE")
	_ = stream.resp.Body.Close()
	<-s.ended
}

// TestClientsLeavingAtOnce is what killed the process with gqlgen's own transport: pings being written while clients vanish.
func TestClientsLeavingAtOnce(t *testing.T) {
	t.Parallel()
	const clients = 200
	s := setup(t, func(c *graph.Config) { c.Timing.Ping = time.Millisecond })
	ctx, leave := context.WithCancel(t.Context())
	var open sync.WaitGroup
	for range clients {
		open.Go(func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/graphql", strings.NewReader(allSubscription))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Accept", "text/event-stream")
			req.Header.Set("Authorization", "Bearer token-ana")
			resp, err := s.client.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { _ = resp.Body.Close() })
		})
	}
	open.Wait()
	for range clients {
		<-s.watching
	}
	leave()
	for range clients {
		<-s.ended
	}
	status, _, _ := s.json(t, `{"query":"{ __typename }"}`)
	assert.Equal(t, http.StatusOK, status, "the process is alive")
	// setup's cleanup then waits until every stream is counted out, and goleak looks for what they left.
}

func TestEventStreamDropsAClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *graph.Config) { c.Timing.Write = 100 * time.Millisecond })
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(4096))
	_, err = conn.Write([]byte("POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\n" +
		"Authorization: Bearer token-ana\r\nContent-Length: " + itoa(len(allSubscription)) + "\r\n\r\n" + allSubscription))
	require.NoError(t, err)
	<-s.watching
	s.flood(t)
}

// flood publishes large events until the watch that is open was given up.
func (s *server) flood(t *testing.T) {
	t.Helper()
	e := anaEvent(1, invoice.StageReading)
	e.Message = strings.Repeat("x", 256<<10)
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	retry := time.NewTicker(time.Millisecond)
	defer retry.Stop()
	for {
		s.publish(e)
		select {
		case <-s.ended:
			return
		case <-retry.C:
		case <-deadline.C:
			t.Fatal("a client that does not read was not dropped")
		}
	}
}
