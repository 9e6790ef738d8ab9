package security_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
)

func progress(id string) string {
	return asJSON(map[string]any{
		"query": "subscription($id: ID!) { extractionProgress(invoiceId: $id) { seq } }", "variables": map[string]any{"id": id},
	})
}

func streamAttacks() []attack {
	return []attack{
		{name: "no init", expected: "4408", run: func(p *probe) string {
			return strconv.Itoa(p.open("graphql-transport-ws").closeCode())
		}},
		{name: "duplicate id", expected: "4409", run: func(p *probe) string {
			c := p.dial(p.ana)
			for range 2 {
				c.send(`{"id":"same","type":"subscribe","payload":` + allSubscription + `}`)
			}
			return strconv.Itoa(c.closeCode())
		}},
		{name: "300 subscriptions on a socket", expected: "4429", run: func(p *probe) string {
			c := p.dial(p.ana)
			for i := range 300 {
				// The server may have closed already.
				_ = c.conn.Write(p.Context(), websocket.MessageText, fmt.Appendf(nil, `{"id":"%d","type":"subscribe","payload":%s}`, i, allSubscription))
			}
			return strconv.Itoa(c.closeCode())
		}},
		{name: "a client that does not read", expected: "dropped", run: func(p *probe) string {
			return p.deaf(strings.Repeat("x", 256<<10), 0)
		}},
		{name: "a client that does not answer pings", expected: "dropped", run: func(p *probe) string {
			return p.deaf("", 200*time.Millisecond)
		}},
		{name: "1,000 SSE clients vanish", expected: "alive", alone: true, run: func(p *probe) string { return vanish(p, 1000, ":") }},
		{name: "token expires mid-stream", expected: "4403 and UNAUTHENTICATED", run: func(p *probe) string {
			token := p.forge(p.ana.Token, map[string]any{"exp": time.Now().Add(4 * time.Second).Unix()})
			short := &apitest.Client{URL: p.url, Token: token}
			c := p.dial(short)
			c.send(`{"id":"a","type":"subscribe","payload":` + allSubscription + `}`)
			sse := p.post(strings.NewReader(allSubscription), "Accept", "text/event-stream", "Authorization", "Bearer "+token)
			if !strings.Contains(sse.text, "UNAUTHENTICATED") || !strings.Contains(sse.text, "event: complete") {
				return "SSE: " + sse.text
			}
			return fmt.Sprint(c.closeCode(), " and UNAUTHENTICATED")
		}},
		{name: "session is revoked mid-stream", expected: "4403 and UNAUTHENTICATED", run: func(p *probe) string {
			eve := member(p.T, p.url)
			return p.streamsEnd(eve, func() { eve.Query(p.T, "mutation { signOut { signedOut } }", nil, nil) })
		}},
		{name: "user is deleted mid-stream", expected: "4403 and UNAUTHENTICATED", run: func(p *probe) string {
			eve := member(p.T, p.url)
			return p.streamsEnd(eve, func() {
				eve.Query(p.T, `mutation { deleteMyAccount(input: {password: "correct horse battery"}) { deleted } }`, nil, nil)
			})
		}},
		{name: "another user's invoice", expected: "NOT_FOUND as for a missing one", run: func(p *probe) string {
			var texts []string
			for _, one := range []string{p.invoice, missingInvoice()} {
				sse := p.post(strings.NewReader(progress(one)), "Accept", "text/event-stream", "Authorization", "Bearer "+p.bia.Token)
				c := p.dial(p.bia)
				c.send(`{"id":"a","type":"subscribe","payload":` + progress(one) + `}`)
				texts = append(texts, sse.text+c.read()+c.read())
			}
			if texts[0] != texts[1] || strings.Count(texts[0], "NOT_FOUND") != 2 {
				return strings.Join(texts, "\n")
			}
			return "NOT_FOUND as for a missing one"
		}},
	}
}

// socket is a client's websocket.
type socket struct {
	*probe
	conn *websocket.Conn
}

// open connects without a word.
func (p *probe) open(protocol string) *socket {
	p.Helper()
	conn, _, err := websocket.Dial(p.Context(), p.url+"/graphql", &websocket.DialOptions{Subprotocols: []string{protocol}}) //nolint:bodyclose // the library has read it whole
	require.NoError(p, err)
	p.Cleanup(func() { _ = conn.CloseNow() })
	return &socket{p, conn}
}

// dial connects as a user.
func (p *probe) dial(c *apitest.Client) *socket {
	p.Helper()
	s := p.open("graphql-transport-ws")
	s.send(`{"type":"connection_init","payload":{"Authorization":"Bearer ` + c.Token + `"}}`)
	require.JSONEq(p, `{"type":"connection_ack"}`, s.read())
	return s
}

func (s *socket) send(text string) {
	s.Helper()
	require.NoError(s, s.conn.Write(s.Context(), websocket.MessageText, []byte(text)))
}

func (s *socket) read() string {
	_, data, err := s.conn.Read(s.Context())
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// closeCode reads until the server closes.
func (s *socket) closeCode() int {
	for {
		if _, _, err := s.conn.Read(s.Context()); err != nil {
			return int(websocket.CloseStatus(err))
		}
	}
}

// deaf is a client that reads nothing, not even pings: it talks on until the server has dropped it. With a payload each of its
// messages calls for an answer of that size.
func (p *probe) deaf(payload string, pause time.Duration) string {
	p.Helper()
	c := p.dial(p.ana)
	m := `{"type":"pong"}`
	if payload != "" {
		m = `{"type":"ping","payload":"` + payload + `"}`
	}
	// 10 s is what the service promises; a machine that is busy may need longer to find out.
	const longest = 20 * time.Second
	started := time.Now()
	for time.Since(started) < longest {
		if c.conn.Write(p.Context(), websocket.MessageText, []byte(m)) != nil {
			p.note = fmt.Sprintf("after %.1f s", time.Since(started).Seconds())
			return "dropped"
		}
		if pause > 0 {
			<-time.After(pause)
		}
	}
	return "not dropped"
}

// vanish opens event streams, waits until one has seen the text, and resets all of their connections at once.
func vanish(p *probe, clients int, seen string) string {
	p.Helper()
	address := strings.TrimPrefix(p.url, "http://")
	text := "POST /graphql HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\nAuthorization: Bearer " +
		p.ana.Token + "\r\nContent-Length: " + strconv.Itoa(len(allSubscription)) + "\r\n\r\n" + allSubscription
	conns := make([]net.Conn, clients)
	var wg sync.WaitGroup
	room := make(chan struct{}, 64)
	for i := range conns {
		wg.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			conn, err := (&net.Dialer{}).DialContext(p.Context(), "tcp", address)
			if err != nil {
				p.Error(err)
				return
			}
			conns[i] = conn
			_, err = conn.Write([]byte(text))
			if err == nil {
				_, err = bufio.NewReader(conn).ReadString(':') // of the headers: the stream is open
			}
			if err != nil {
				p.Error(err)
			}
		})
	}
	wg.Wait()
	if p.Failed() {
		return "could not connect"
	}
	for lines := bufio.NewReader(conns[clients-1]); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err.Error()
		}
		if strings.HasPrefix(line, seen) {
			break
		}
	}
	for _, conn := range conns {
		wg.Go(func() {
			_ = conn.(*net.TCPConn).SetLinger(0) // a reset, not an end
			_ = conn.Close()
		})
	}
	wg.Wait()
	if a := p.ask("{ __typename }"); a.status != http.StatusOK || !p.alive() {
		return a.text
	}
	return "alive"
}

// streamsEnd watches a user's streams end after what is done to her.
func (p *probe) streamsEnd(c *apitest.Client, do func()) string {
	p.Helper()
	s := p.dial(c)
	s.send(`{"id":"a","type":"subscribe","payload":` + allSubscription + `}`)
	opened, sse := make(chan struct{}), make(chan string, 1)
	go func() {
		req, err := http.NewRequestWithContext(p.Context(), http.MethodPost, p.url+"/graphql", strings.NewReader(allSubscription))
		if err != nil {
			sse <- err.Error()
			return
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "text/event-stream")
		req.Header.Set("Authorization", "Bearer "+c.Token)
		resp, err := http.DefaultClient.Do(req)
		close(opened)
		if err != nil {
			sse <- err.Error()
			return
		}
		defer func() { _ = resp.Body.Close() }()
		var text strings.Builder
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			text.WriteString(lines.Text() + "\n")
		}
		sse <- text.String()
	}()
	<-opened
	do()
	code, text := s.closeCode(), <-sse
	if !strings.Contains(text, "UNAUTHENTICATED") || !strings.Contains(text, "event: complete") {
		return fmt.Sprint(code, ", SSE: ", text)
	}
	return fmt.Sprint(code, " and UNAUTHENTICATED")
}
