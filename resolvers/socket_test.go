package resolvers_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/graph"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

const initAna = `{"type":"connection_init","payload":{"Authorization":"Bearer token-ana"}}`

// socket is a client's websocket.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
}

func (s *server) dial(t *testing.T, options *websocket.DialOptions) *socket {
	t.Helper()
	if options == nil {
		options = &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}}
	}
	conn, _, err := s.dialRaw(t, options)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &socket{t: t, conn: conn}
}

// dialRaw also tells the status.
func (s *server) dialRaw(t *testing.T, options *websocket.DialOptions) (*websocket.Conn, int, error) {
	t.Helper()
	conn, resp, err := websocket.Dial(t.Context(), s.url+"/graphql", options) //nolint:bodyclose // the library has read it whole
	if resp == nil {
		return conn, 0, err
	}
	return conn, resp.StatusCode, err
}

// dialAna also does the handshake.
func (s *server) dialAna(t *testing.T) *socket {
	t.Helper()
	c := s.dial(t, nil)
	c.send(initAna)
	require.JSONEq(t, `{"type":"connection_ack"}`, c.read())
	return c
}

func (c *socket) send(text string) {
	c.t.Helper()
	require.NoError(c.t, c.conn.Write(c.t.Context(), websocket.MessageText, []byte(text)))
}

func (c *socket) read() string {
	c.t.Helper()
	_, data, err := c.conn.Read(c.t.Context())
	require.NoError(c.t, err)
	return string(data)
}

// closeCode reads until the server closes.
func (c *socket) closeCode() int {
	for {
		if _, _, err := c.conn.Read(c.t.Context()); err != nil {
			return int(websocket.CloseStatus(err))
		}
	}
}

func subscribeMessage(t *testing.T, id, payload string) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"id": id, "type": "subscribe", "payload": json.RawMessage(payload)})
	require.NoError(t, err)
	return string(b)
}

func TestSocketDeliversAndCompletes(t *testing.T) {
	t.Parallel()
	s := setup(t)
	c := s.dialAna(t)
	c.send(subscribeMessage(t, "a", progressSubscription(anaProcessing)))
	assert.JSONEq(t, `{"id":"a","type":"next","payload":{"data":{"extractionProgress":{"seq":1,"stage":"QUEUED"}}}}`, c.read())
	require.True(t, s.publish(anaEvent(2, invoice.StageCompleted)))
	assert.JSONEq(t, `{"id":"a","type":"next","payload":{"data":{"extractionProgress":{"seq":2,"stage":"COMPLETED"}}}}`, c.read())
	assert.JSONEq(t, `{"id":"a","type":"complete"}`, c.read())

	c.send(subscribeMessage(t, "a", `{"query":"{ viewer { name } }"}`))
	assert.JSONEq(t, `{"id":"a","type":"next","payload":{"data":{"viewer":{"name":"Ana"}}}}`, c.read(), "a query, under an id used before")
	assert.JSONEq(t, `{"id":"a","type":"complete"}`, c.read())

	c.send(subscribeMessage(t, "b", `{"query":"{ nope }"}`))
	assert.Contains(t, c.read(), `"type":"error"`)
	c.send(subscribeMessage(t, "c", progressSubscription(biaCompleted)))
	assert.Contains(t, c.read(), "NOT_FOUND")
	assert.JSONEq(t, `{"id":"c","type":"complete"}`, c.read())

	c.send(`{"type":"ping","payload":{"n":1}}`)
	assert.JSONEq(t, `{"type":"pong","payload":{"n":1}}`, c.read())
}

func TestSocketStopsWhatTheClientCompletes(t *testing.T) {
	t.Parallel()
	s := setup(t)
	c := s.dialAna(t)
	c.send(subscribeMessage(t, "a", allSubscription))
	<-s.watching
	c.send(`{"id":"a","type":"complete"}`)
	<-s.ended
	c.send(`{"type":"ping"}`)
	assert.JSONEq(t, `{"type":"pong"}`, c.read(), "complete is not sent back")
	c.send(subscribeMessage(t, "a", `{"query":"{ __typename }"}`))
	assert.Contains(t, c.read(), `"Query"`, "the id is free")
}

func TestSocketCloseCodes(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *graph.Config) { c.Timing.Init = 2 * time.Second })
	subscribe := subscribeMessage(t, "a", allSubscription)
	many := func() (messages []string) {
		messages = append(messages, initAna)
		for i := range 51 {
			messages = append(messages, subscribeMessage(t, itoa(i), allSubscription))
		}
		return messages
	}
	for _, c := range []struct {
		name     string
		messages []string
		want     int
	}{
		{"no connection_init", nil, 4408},
		{"subscribe before connection_ack", []string{subscribe}, 4401},
		{"a bad token", []string{`{"type":"connection_init","payload":{"Authorization":"Bearer nobody"}}`}, 4403},
		{"authentication is broken", []string{`{"type":"connection_init","payload":{"Authorization":"Bearer token-broken"}}`}, 1013},
		{"a payload that is no object", []string{`{"type":"connection_init","payload":7}`}, 4400},
		{"not JSON", []string{`nonsense`}, 4400},
		{"not JSON later", []string{initAna, `{`}, 4400},
		{"an unknown type", []string{initAna, `{"type":"start"}`}, 4400},
		{"an unknown type first", []string{`{"type":"start"}`}, 4400},
		{"a server's type", []string{initAna, `{"id":"a","type":"next","payload":{}}`}, 4400},
		{"no id", []string{initAna, `{"type":"subscribe","payload":{"query":"{ __typename }"}}`}, 4400},
		{"a long id", []string{initAna, subscribeMessage(t, strings.Repeat("x", 129), allSubscription)}, 4400},
		{"no payload", []string{initAna, `{"id":"a","type":"subscribe"}`}, 4400},
		{"complete without an id", []string{initAna, `{"type":"complete"}`}, 4400},
		{"connection_init twice", []string{initAna, initAna}, 4429},
		{"an id in use", []string{initAna, subscribe, subscribe}, 4409},
		{"51 subscriptions", many(), 4429},
		{"2 MB", []string{initAna, `{"type":"ping","payload":"` + strings.Repeat("x", 2<<20) + `"}`}, 1009},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client := s.dial(t, nil)
			for _, m := range c.messages {
				// The server may have closed already, which the next line sees.
				_ = client.conn.Write(t.Context(), websocket.MessageText, []byte(m))
			}
			assert.Equal(t, c.want, client.closeCode())
		})
	}
	t.Run("another subprotocol", func(t *testing.T) {
		t.Parallel()
		client := s.dial(t, &websocket.DialOptions{Subprotocols: []string{"graphql-ws"}})
		assert.Equal(t, 4406, client.closeCode())
	})
}

func TestSocketOfNobody(t *testing.T) {
	t.Parallel()
	s := setup(t)
	c := s.dial(t, nil)
	c.send(`{"type":"connection_init"}`)
	require.JSONEq(t, `{"type":"connection_ack"}`, c.read())
	c.send(subscribeMessage(t, "a", allSubscription))
	assert.Contains(t, c.read(), "UNAUTHENTICATED")
}

func TestSocketTakesTheTokenOfItsRequest(t *testing.T) {
	t.Parallel()
	s := setup(t)
	c := s.dial(t, &websocket.DialOptions{
		Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: http.Header{"Authorization": {"Bearer token-ana"}},
	})
	c.send(`{"type":"connection_init"}`)
	require.JSONEq(t, `{"type":"connection_ack"}`, c.read())
	c.send(subscribeMessage(t, "a", `{"query":"{ viewer { name } }"}`))
	assert.Contains(t, c.read(), "Ana")
}

func TestSocketOrigin(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *graph.Config) { c.AllowedOrigins = []string{"https://app.example.com"} })
	for origin, allowed := range map[string]bool{"": true, s.url: true, "https://app.example.com": true, "https://evil.example.com": false, "null": false} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		conn, status, err := s.dialRaw(t, &websocket.DialOptions{
			Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: header,
		})
		assert.Equal(t, allowed, err == nil, origin)
		if err == nil {
			_ = conn.CloseNow()
		} else {
			assert.Equal(t, http.StatusForbidden, status)
		}
	}
}

func TestSocketEndsWithItsSession(t *testing.T) {
	t.Parallel()
	t.Run("when the token expires", func(t *testing.T) {
		t.Parallel()
		s := setup(t)
		s.expiresAt = time.Now().Add(200 * time.Millisecond)
		c := s.dial(t, nil)
		c.send(initAna)
		assert.Equal(t, 4403, c.closeCode(), "the client connects again, with a fresh token")
	})
	t.Run("when the session is revoked", func(t *testing.T) {
		t.Parallel()
		s := setup(t, func(c *graph.Config) { c.Timing.Recheck = 5 * time.Millisecond })
		c := s.dialAna(t)
		c.send(subscribeMessage(t, "a", allSubscription))
		<-s.watching
		s.revoke("token-ana")
		m := c.read()
		assert.Contains(t, m, `"type":"error"`)
		assert.Contains(t, m, "UNAUTHENTICATED")
		assert.Equal(t, 4403, c.closeCode())
		<-s.ended
	})
}

func TestSocketIsClosedForARestart(t *testing.T) {
	t.Parallel()
	s := setup(t)
	c := s.dialAna(t)
	c.send(subscribeMessage(t, "a", allSubscription))
	<-s.watching
	stopped := make(chan error, 1)
	go func() { stopped <- s.handler.Stop(context.WithoutCancel(t.Context())) }()
	assert.Equal(t, 1012, c.closeCode())
	require.NoError(t, <-stopped)
	_, status, err := s.dialRaw(t, nil)
	require.Error(t, err)
	assert.Equal(t, http.StatusServiceUnavailable, status)
}

func TestSocketsLeavingAtOnce(t *testing.T) {
	t.Parallel()
	const clients = 200
	s := setup(t, func(c *graph.Config) { c.Timing.Ping = 2 * time.Millisecond })
	sockets := make(chan *socket, clients)
	var open sync.WaitGroup
	for range clients {
		open.Go(func() {
			conn, _, err := s.dialRaw(t, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
			if !assert.NoError(t, err) {
				return
			}
			c := &socket{t: t, conn: conn}
			assert.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte(initAna)))
			assert.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte(subscribeMessage(t, "a", allSubscription))))
			sockets <- c
		})
	}
	open.Wait()
	for range clients {
		<-s.watching
	}
	for range clients {
		go func() { _ = (<-sockets).conn.CloseNow() }()
	}
	for range clients {
		<-s.ended
	}
	status, _, _ := s.json(t, `{"query":"{ __typename }"}`)
	assert.Equal(t, http.StatusOK, status, "the process is alive")
}

func TestSocketDropsAClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	t.Run("though it is sent to", func(t *testing.T) {
		t.Parallel()
		s := setup(t, func(c *graph.Config) { c.Timing.Write, c.Timing.Ping = 100*time.Millisecond, time.Hour })
		c := s.dialAna(t)
		c.send(subscribeMessage(t, "a", allSubscription))
		<-s.watching
		s.flood(t) // nothing reads c any more
	})
	t.Run("though it is idle", func(t *testing.T) {
		t.Parallel()
		s := setup(t, func(c *graph.Config) { c.Timing.Write, c.Timing.Ping = 100*time.Millisecond, 10*time.Millisecond })
		c := s.dialAna(t)
		c.send(subscribeMessage(t, "a", allSubscription))
		<-s.watching
		<-s.ended // the library answers pings only while somebody reads
	})
}
