package security_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"github.com/mercadoesperto/smarket/graph/relay"
	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

func (p *probe) unique() string { return rand.Text() }

const allSubscription = `{"query":"subscription { extractions { invoiceId seq stage } }"}`

// missingInvoice is the id of one that never was.
func missingInvoice() string {
	return relay.EncodeID(relay.TypeInvoice, "0193b000-0000-7000-8000-000000000000")
}

// gqlgenAttacks are the defects that were measured in the library: each must be gone.
func gqlgenAttacks() []attack {
	return []attack{
		{name: "1. 1,000 SSE clients leave while pings are written", expected: "alive", alone: true, run: func(p *probe) string {
			return vanish(p, 1000, ": ping")
		}},
		{name: "2. an error in a subscription over SSE", expected: "NOT_FOUND as data, alive", run: func(p *probe) string {
			a := p.post(strings.NewReader(progress(missingInvoice())), "Accept", "text/event-stream")
			if !strings.Contains(a.text, "NOT_FOUND") || !strings.Contains(a.text, "event: complete") || !p.alive() {
				return a.text
			}
			return "NOT_FOUND as data, alive"
		}},
		{name: "3. fragments that spread each other", expected: refused, alone: true, run: func(p *probe) string {
			return p.costs(10, func() string { return p.refusedWithoutData(doubling()) })
		}},
		{name: "4. 50 KB of one field", expected: refused, alone: true, run: func(p *probe) string {
			return p.costs(10, func() string {
				return p.each("{ "+strings.Repeat("viewer{id} ", 5000)+"}", "{ "+strings.Repeat("a ", 15_000)+"}")
			})
		}},
		{name: "5. a websocket client that stops reading", expected: "dropped", run: func(p *probe) string {
			return unique(p.deaf(strings.Repeat("x", 256<<10), 0), p.deaf("", 200*time.Millisecond))
		}},
		{name: "6. a subscription over plain POST or multipart", expected: "400 BAD_USER_INPUT", run: func(p *probe) string {
			body, contentType := form(p.T, part{name: "operations", data: allSubscription}, part{name: "map", data: "{}"})
			return unique(p.post(strings.NewReader(allSubscription)).verdict(),
				p.post(body, "Content-Type", contentType, "X-Requested-With", "x").verdict())
		}},
		{name: "7a. 30 chunked uploads of 30 MB at once", expected: "413 TOO_LARGE, memory grew by less than 150 MB", alone: true, run: chunked},
		{name: "7b. index of the map out of range", expected: "400 BAD_USER_INPUT", run: func(p *probe) string {
			var answers []string
			for _, path := range []string{"variables.input.files.1", "variables.input.files.-1", "variables.input.files.99999999999999999999"} {
				answers = append(answers, p.mapped(`{"0":["`+path+`"]}`))
			}
			return unique(answers...)
		}},
		{name: "7c. one file in 2,000 places", expected: "400 BAD_USER_INPUT", run: func(p *probe) string {
			return p.mapped(`{"0":["` + strings.Repeat(`variables.input.files.0","`, 1999) + `variables.input.files.0"]}`)
		}},
		{name: "8. Int of 64 bits, of text, and a huge page", expected: refused, run: func(p *probe) string {
			const query = "query($n: Int) { products(first: $n) { totalCount } }"
			return unique(p.each("{ products(first: 99999999999) { totalCount } }", `{ products(first: "3") { totalCount } }`),
				p.askWith(query, map[string]any{"n": 99999999999}).verdict(), p.askWith(query, map[string]any{"n": "3"}).verdict(),
				p.ask("{ products(first: 101) { totalCount } }").verdict())
		}},
		{name: "9. malformed JSON", expected: "400 BAD_USER_INPUT, nothing echoed", run: func(p *probe) string {
			text := `{"query":"` + secretWord
			sse := p.post(strings.NewReader(text), "Accept", "text/event-stream")
			if strings.Contains(sse.text, secretWord) {
				return "echoed"
			}
			return unique(p.body(text), sse.verdict()) + echo(p)
		}},
		{name: "10. multipart without a preflight header", expected: "400 BAD_USER_INPUT", run: withoutPreflight},
		{name: "11. suggestions for arguments, enum values, input fields", expected: "refused without a suggestion", run: func(p *probe) string {
			return suggestion(p, "{ invoics { totalCount } }", "{ invoices(frst: 1) { totalCount } }",
				"{ invoices(filter: {statuses: [COMPLETE]}) { totalCount } }", `{ invoices(filter: {serch: "x"}) { totalCount } }`,
				"{ invoices(orderBy: {field: CREATED}) { totalCount } }", "query($f: InvoiceFilte) { invoices(filter: $f) { totalCount } }",
				"{ viewer { ... on Usr { id } } }", "{ viewer @skp(if: true) { id } }")
		}},
		{
			name: "12. audits 572B, FDE2, 7B9B, D586, 5E5B, 3E3A", expected: "200 and 400 without data by the media type",
			run: audits,
		},
		{name: "13. close codes of graphql-transport-ws", expected: "4400 4401 4403 4406 4409 4429 1009", run: closeCodes},
		{name: "13. a client's complete is not echoed", expected: `{"type":"pong"}`, run: func(p *probe) string {
			c := p.dial(p.ana)
			c.send(`{"id":"a","type":"subscribe","payload":` + allSubscription + `}`)
			c.send(`{"id":"a","type":"complete"}`)
			c.send(`{"type":"ping"}`)
			return c.read()
		}},
		{name: "13. a restart closes sockets with 1012", expected: "1012", run: func(p *probe) string {
			own := start(p.T)
			c := (&probe{T: p.T, server: own}).dial(member(p.T, own.url))
			done := make(chan int, 1)
			go func() { done <- c.closeCode() }()
			if err := own.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				return err.Error()
			}
			code := <-done
			<-own.exited
			own.stopped = true
			return strconv.Itoa(code)
		}},
		{name: "14. SSE through a proxy", expected: "text/event-stream; charset=utf-8, X-Accel-Buffering no", run: func(p *probe) string {
			a := p.post(strings.NewReader(`{"query":"{ __typename }"}`), "Accept", "text/event-stream")
			return a.header.Get("Content-Type") + ", X-Accel-Buffering " + a.header.Get("X-Accel-Buffering")
		}},
	}
}

// mapped uploads a file with a map.
func (p *probe) mapped(placement string) string {
	p.Helper()
	body, contentType := form(p.T, part{name: "operations", data: operations()}, part{name: "map", data: placement}, part{name: "0", data: "<x/>"})
	return p.post(body, "Content-Type", contentType, "X-Requested-With", "x").verdict()
}

func withoutPreflight(p *probe) string {
	body, contentType := form(p.T, part{name: "operations", data: operations()}, part{name: "map", data: oneFile}, part{name: "0", data: "<x/>"})
	return p.post(body, "Content-Type", contentType).verdict()
}

// chunked sends uploads that do not tell how long they are: five users', as many as each may have under way.
func chunked(p *probe) string {
	const size, users, each = 30 << 20, 5, 6
	members := make([]*apitest.Client, users)
	for i := range members {
		members[i] = member(p.T, p.url)
	}
	before := p.memory(p.T)
	answers := make([]string, users*each)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = p.uploadOf(members[i%users], size, false) })
	}
	wg.Wait()
	grown := (p.memory(p.T) - before) >> 20
	p.note = fmt.Sprintf("memory grew by %d MB", grown)
	const most = 150
	if grown >= most {
		return unique(answers...) + ", " + p.note
	}
	return unique(answers...) + fmt.Sprintf(", memory grew by less than %d MB", most)
}

// uploadOf sends a file of zeros, with its length declared or in chunks.
func (p *probe) uploadOf(c *apitest.Client, size int64, declared bool) string {
	body, contentType := form(p.T, part{name: "operations", data: operations()}, part{name: "map", data: oneFile}, part{name: "0", data: "HERE"})
	head, tail, _ := strings.Cut(body.String(), "HERE")
	req, err := http.NewRequestWithContext(p.Context(), http.MethodPost, p.url+"/graphql",
		io.MultiReader(strings.NewReader(head), io.LimitReader(zeros{}, size), strings.NewReader(tail)))
	if err != nil {
		return err.Error()
	}
	if declared {
		req.ContentLength = int64(len(head)) + size + int64(len(tail))
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Apollo-Require-Preflight", "1")
	req.Header.Set("Authorization", "Bearer "+c.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return answer{status: resp.StatusCode, text: string(text)}.verdict()
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// audits are those of graphql-http that the library fails: what cannot be parsed, validated or given its variables.
func audits(p *probe) string {
	for _, body := range []string{
		`{"query":"{"}`, `{"query":"{ nope }"}`, `{"query":"query($id: ID!) { invoice(id: $id) { id } }"}`,
		`{"query":"query A { __typename }","operationName":"B"}`,
	} {
		for accept, want := range map[string]int{"application/json": 200, "application/graphql-response+json": 400, "*/*": 200} {
			a := p.post(strings.NewReader(body), "Accept", accept)
			if a.status != want || strings.Contains(a.text, `"data"`) || a.code() != string(invoice.CodeBadUserInput) {
				return fmt.Sprint(body, " as ", accept, ": ", a.status, " ", a.text)
			}
			if want == http.StatusBadRequest && !strings.HasPrefix(a.header.Get("Content-Type"), accept) {
				return a.header.Get("Content-Type")
			}
		}
	}
	return "200 and 400 without data by the media type"
}

// closeCodes opens a socket for each mistake; 4408 takes its time and is among the streams' attacks.
func closeCodes(p *probe) string {
	hello := `{"type":"connection_init","payload":{"Authorization":"Bearer ` + p.ana.Token + `"}}`
	subscribe := `{"id":"a","type":"subscribe","payload":` + allSubscription + `}`
	var codes []string
	for _, c := range []struct {
		want     int
		messages []string
	}{
		{4400, []string{"nonsense"}},
		{4400, []string{hello, "{"}},
		{4400, []string{hello, `{"type":"start"}`}},
		{4400, []string{hello, `{"id":"a","type":"next","payload":{}}`}},
		{4400, []string{hello, `{"type":"subscribe","payload":{"query":"{ __typename }"}}`}},
		{4400, []string{hello, `{"id":"a","type":"subscribe"}`}},
		{4401, []string{subscribe}},
		{4403, []string{`{"type":"connection_init","payload":{"Authorization":"Bearer nobody"}}`}},
		{4406, nil},
		{4409, []string{hello, subscribe, subscribe}},
		{4429, []string{hello, hello}},
		{1009, []string{hello, `{"type":"ping","payload":"` + strings.Repeat("x", 2<<20) + `"}`}},
	} {
		protocol := "graphql-transport-ws"
		if c.want == 4406 {
			protocol = "graphql-ws"
		}
		s := p.open(protocol)
		for _, m := range c.messages {
			_ = s.conn.Write(p.Context(), websocket.MessageText, []byte(m)) // it may be closed already
		}
		if got := s.closeCode(); got != c.want {
			return fmt.Sprintf("%d instead of %d for %.80q", got, c.want, c.messages)
		}
		codes = append(codes, strconv.Itoa(c.want))
	}
	return strings.Join(strings.Split(unique(codes...), " | "), " ")
}
