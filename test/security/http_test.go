package security_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

func httpAttacks() []attack {
	return []attack{
		{name: "mutation by GET", expected: "405 BAD_USER_INPUT", run: func(p *probe) string {
			to := p.url + "/graphql?query=" + url.QueryEscape("mutation { signOut { signedOut } }")
			return unique(request(p.Context(), http.MethodGet, to, nil, "Authorization", "Bearer "+p.bia.Token).verdict(),
				request(p.Context(), http.MethodGet, to, nil, "Authorization", "Bearer "+p.bia.Token, "Accept", "text/event-stream").verdict())
		}},
		{name: "form or text/plain", expected: "415 BAD_USER_INPUT", run: func(p *probe) string {
			var answers []string
			for _, mediaType := range []string{"text/plain", "application/x-www-form-urlencoded", "application/graphql", "text/plain;application/json", ""} {
				answers = append(answers, p.post(strings.NewReader(`{"query":"{ __typename }"}`), "Content-Type", mediaType).verdict())
			}
			return unique(answers...)
		}},
		{name: "multipart without the preflight header", expected: "400 BAD_USER_INPUT", run: withoutPreflight},
		{name: "foreign Origin on the websocket", expected: "403", run: func(p *probe) string {
			var answers []string
			for _, origin := range []string{"https://evil.example.com", "null", "https://app.example.com.evil.example.com", "http://app.example.com"} {
				conn, resp, err := websocket.Dial(p.Context(), p.url+"/graphql", &websocket.DialOptions{ //nolint:bodyclose // the library has read it whole
					Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: http.Header{"Origin": {origin}},
				})
				if err == nil {
					_ = conn.CloseNow() // it should not be open
				}
				if resp == nil {
					return err.Error()
				}
				answers = append(answers, strconv.Itoa(resp.StatusCode))
			}
			return unique(answers...)
		}},
		{name: "CORS from an unlisted origin", expected: "no allow header", run: func(p *probe) string {
			for _, origin := range []string{"https://evil.example.com", "null", "https://app.example.com.evil.example.com"} {
				for _, method := range []string{http.MethodOptions, http.MethodPost} {
					a := request(p.Context(), method, p.url+"/graphql", strings.NewReader(`{"query":"{ __typename }"}`),
						"Content-Type", "application/json", "Origin", origin, "Access-Control-Request-Method", "POST")
					for name := range a.header {
						if strings.HasPrefix(name, "Access-Control-Allow-") {
							return origin + ": " + name
						}
					}
				}
			}
			listed := request(p.Context(), http.MethodOptions, p.url+"/graphql", nil, "Origin", "https://app.example.com")
			if listed.header.Get("Access-Control-Allow-Origin") != "https://app.example.com" || listed.header.Get("Access-Control-Allow-Credentials") != "" {
				return "the listed origin gets none"
			}
			return "no allow header"
		}},
		{name: "slow headers", expected: "closed", run: func(p *probe) string {
			conn, err := (&net.Dialer{}).DialContext(p.Context(), "tcp", strings.TrimPrefix(p.url, "http://"))
			if err != nil {
				return err.Error()
			}
			defer func() { _ = conn.Close() }()
			started := time.Now()
			_ = conn.SetReadDeadline(started.Add(time.Minute)) // a socket has deadlines
			_, _ = conn.Write([]byte("POST /graphql HTTP/1.1\r\nHost: x\r\nX-Slow: "))
			closed := make(chan error, 1)
			go func() {
				_, err := bufio.NewReader(conn).ReadByte()
				closed <- err
			}()
			drip := time.NewTicker(500 * time.Millisecond)
			defer drip.Stop()
			for {
				select {
				case err := <-closed:
					if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
						return "open after a minute"
					}
					p.note = fmt.Sprintf("after %.1f s", time.Since(started).Seconds())
					return "closed"
				case <-drip.C:
					_, _ = conn.Write([]byte("x")) // it may be closed
				}
			}
		}},
		{name: "CSP, nosniff, no-referrer", expected: "default-src 'none', nosniff, no-referrer", run: func(p *probe) string {
			// HSTS is the proxy's: the service itself does not speak TLS.
			var answers []string
			for _, a := range []answer{
				p.ask("{ __typename }"), p.ask("{"), request(p.Context(), http.MethodDelete, p.url+"/graphql", nil),
				p.post(strings.NewReader(`{"query":"{ __typename }"}`), "Accept", "text/event-stream"),
				request(p.Context(), http.MethodGet, p.url+"/file?ticket=x", nil), request(p.Context(), http.MethodGet, p.url+"/export?ticket=x", nil),
			} {
				policy, _, _ := strings.Cut(a.header.Get("Content-Security-Policy"), ";")
				answers = append(answers, policy+", "+a.header.Get("X-Content-Type-Options")+", "+a.header.Get("Referrer-Policy"))
			}
			return unique(answers...)
		}},
	}
}
