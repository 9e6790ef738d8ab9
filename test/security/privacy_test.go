package security_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/internal/redistest"
)

const (
	cpf      = "529.982.247-25"
	plainCPF = "52998224725"
)

func jsonInto(data json.RawMessage, out any) error { return json.Unmarshal(data, out) }

func privacyAttacks() []attack {
	return []attack{
		{name: "CPF in a picture", expected: "COMPLETED, masked in answer, database, Redis and log", run: masked},
		{name: "CPF in an XML", expected: "COMPLETED, masked in answer, database, Redis and log", run: maskedXML},
		{name: "spoofed X-Forwarded-For", expected: "only the trusted proxy's is read", run: spoofed},
		{name: "Redis down", expected: "works, no 5xx", run: withoutRedis},
		{name: "budget spent", expected: "QUOTA_EXCEEDED before any call", run: func(p *probe) string {
			stub := llmstub.Start(p.T)
			own := start(p.T, withGemini(stub, "BUDGET_USER_DAILY_USD=0.000001")...)
			at := &probe{T: p.T, server: own, stub: stub}
			eve := member(p.T, own.url)
			id := at.upload(eve, at.photo(401), "x.jpg", "image/jpeg").submitted(p.T)
			at.ends(eve, id)
			var out struct {
				Invoice struct{ Failure struct{ Code string } }
			}
			eve.Query(p.T, "query($id: ID!) { invoice(id: $id) { failure { code } } }", map[string]any{"id": id}, &out)
			if n := len(stub.Calls()); n > 0 {
				return fmt.Sprint(out.Invoice.Failure.Code, " after ", n, " calls")
			}
			return out.Invoice.Failure.Code + " before any call"
		}},
	}
}

// masked has the model read a CPF, in its field and in a description. The picture itself is kept for its owner.
func masked(p *probe) string {
	return p.withCPF(func(at *probe) []byte {
		return at.photo(402, func(r *receipts.Receipt) {
			r.ConsumerCPF = plainCPF
			r.Items[0].Product.Description = "CONSUMIDOR CPF " + cpf
		})
	})
}

func maskedXML(p *probe) string {
	return p.withCPF(func(*probe) []byte {
		r := receipts.Generate(receipts.NewRand(403), receipts.Options{Items: 3, Plain: true, Issue: receipts.IssueOnline})
		r.ConsumerCPF = plainCPF
		r.Items[0].Product.Description = "CONSUMIDOR CPF " + cpf
		data, err := r.XML(receipts.XMLOptions{})
		require.NoError(p, err)
		return data
	})
}

// withCPF submits what make gives, and looks for the CPF wherever the service writes.
func (p *probe) withCPF(document func(at *probe) []byte) string {
	p.Helper()
	known.add(cpf, plainCPF)
	store := redistest.Start(p.T)
	at := &probe{T: p.T, server: start(p.T, withGemini(p.stub, "REDIS_URL="+store.URL())...), stub: p.stub}
	eve := member(p.T, at.url)
	id := at.upload(eve, document(at), "x", "application/octet-stream").submitted(p.T)
	stage := at.ends(eve, id)
	a := at.askWith("query($id: ID!) { invoice(id: $id) { items { description } revisions { changes { before after } } } }",
		map[string]any{"id": id}, "Authorization", "Bearer "+eve.Token)
	if a.code() != "data" || !strings.Contains(a.text, "CONSUMIDOR") {
		return stage + ": " + a.text
	}
	for where, text := range map[string]string{"answer": a.text, "database": at.database(p.T), "Redis": everything(p.T, store.URL()), "log": at.log()} {
		if strings.Contains(text, cpf) || strings.Contains(text, plainCPF) {
			return stage + ", in clear in the " + where
		}
	}
	return stage + ", masked in answer, database, Redis and log"
}

// everything is what a Redis holds, keys and values.
func everything(t *testing.T, address string) string {
	t.Helper()
	options, err := redis.ParseURL(address)
	require.NoError(t, err)
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	var all strings.Builder
	for _, key := range keys {
		fmt.Fprintln(&all, key)
		kind, err := client.Type(t.Context(), key).Result()
		require.NoError(t, err)
		switch kind {
		case "string":
			fmt.Fprintln(&all, client.Get(t.Context(), key).Val())
		case "hash":
			fmt.Fprintln(&all, client.HGetAll(t.Context(), key).Val())
		case "stream":
			fmt.Fprintln(&all, client.XRange(t.Context(), key, "-", "+").Val())
		case "list":
			fmt.Fprintln(&all, client.LRange(t.Context(), key, 0, -1).Val())
		case "set":
			fmt.Fprintln(&all, client.SMembers(t.Context(), key).Val())
		}
	}
	return all.String()
}

// spoofed tries passwords with a new address in the header each time: from a client, which nobody believes, and through the
// trusted proxy, of whose header only the last address counts.
func spoofed(p *probe) string {
	own := start(p.T, "RATE_LIMIT_ENABLED=true", "TRUSTED_PROXIES=127.0.0.1")
	const tries, limit = 60, 40
	client := &http.Client{Transport: &watch{next: &http.Transport{
		DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).DialContext,
	}}}
	defer client.CloseIdleConnections()
	count := func(through *http.Client, header func(i int) string) int {
		tried := 0
		for i := range tries {
			a := p.signInThrough(through, own.url, header(i))
			if a == http.StatusOK {
				tried++
			}
		}
		return tried
	}
	direct := count(client, func(i int) string { return fmt.Sprintf("203.0.113.%d", i) })
	proxied := count(http.DefaultClient, func(i int) string { return fmt.Sprintf("203.0.113.%d, 198.51.100.7", i) })
	honest := count(http.DefaultClient, func(i int) string { return fmt.Sprintf("192.0.2.%d", i) })
	p.note = fmt.Sprintf("of %d tries: %d direct, %d with one address through the proxy, %d with as many", tries, direct, proxied, honest)
	if direct > limit || proxied > limit || honest != tries {
		return p.note
	}
	return "only the trusted proxy's is read"
}

func (p *probe) signInThrough(c *http.Client, url, forwarded string) int {
	p.Helper()
	body := `{"query":"mutation { signIn(input: {email: \"nobody@example.com\", password: \"a password of somebody\"}) { viewer { id } } }"}`
	req, err := http.NewRequestWithContext(p.Context(), http.MethodPost, url+"/graphql", strings.NewReader(body))
	require.NoError(p, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", forwarded)
	resp, err := c.Do(req)
	require.NoError(p, err)
	_ = resp.Body.Close() // its status is all that counts
	return resp.StatusCode
}

func withoutRedis(p *probe) string {
	store := redistest.Start(p.T)
	own := start(p.T, withGemini(p.stub, "REDIS_URL="+store.URL(), "RATE_LIMIT_ENABLED=true")...)
	at := &probe{T: p.T, server: own, stub: p.stub}
	eve := member(p.T, own.url)
	store.Stop(p.T)
	at.ana = member(p.T, own.url)
	stage := at.ends(eve, at.upload(eve, p.photo(404), "x.jpg", "image/jpeg").submitted(p.T))
	ready := request(context.WithoutCancel(p.Context()), http.MethodGet, own.url+"/readyz", nil)
	if stage != "COMPLETED" || ready.status != http.StatusOK || at.ask(viewerQuery).code() != "data" {
		return stage + ", " + ready.text
	}
	return "works, no 5xx"
}
