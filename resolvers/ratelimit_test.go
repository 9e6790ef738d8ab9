package resolvers_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/graph"
	"github.com/mercadoesperto/smarket/internal/clientaddr"
	"github.com/mercadoesperto/smarket/internal/ratelimit"
)

// recorder notes what is counted, and refuses when told to.
type recorder struct {
	refuse bool

	mu    sync.Mutex
	taken []taken
}

type taken struct {
	units int
	keys  []string
}

func (r *recorder) Take(_ context.Context, units int, buckets ...ratelimit.Bucket) ratelimit.Verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := taken{units: units}
	for _, b := range buckets {
		t.keys = append(t.keys, b.Key)
	}
	r.taken = append(r.taken, t)
	if r.refuse {
		return ratelimit.Verdict{Limit: 20, RetryAfter: 1500 * time.Millisecond, Reset: 3 * time.Second}
	}
	return ratelimit.Verdict{Allowed: true, Limit: 20, Remaining: 7, Reset: 61 * time.Second}
}

func (r *recorder) last(t *testing.T) taken {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	require.NotEmpty(t, r.taken)
	return r.taken[len(r.taken)-1]
}

func limited(r *recorder) func(*graph.Config) {
	return func(c *graph.Config) { c.Limiter, c.AddressSecret = r, []byte("secret") }
}

func TestOperationsAreCountedByTheirClass(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	s := setup(t, limited(r))
	for query, want := range map[string]struct {
		class string
		units int
	}{
		`{ viewer { id } }`:                     {"query", 1},
		`{ a: viewer { id } b: viewer { id } }`: {"query", 2},
		`query { ...F } fragment F on Query { a: viewer { id } ... on Query { b: viewer { id } } }`: {"query", 2},
		`mutation { signOut { signedOut } }`:                                                    {"query", 2},
		`mutation { signIn(input: {email: "a@example.com", password: "x"}) { viewer { id } } }`: {"sign_in", 1},
		`mutation { a: retryExtraction(input: {invoiceId: "x"}) { invoice { id } } b: retryExtraction(input: {invoiceId: "y"}) { invoice { id } } }`: {"submit", 2},
		`mutation { signOut { signedOut } signIn(input: {email: "a@example.com", password: "x"}) { viewer { id } } }`:                                {"sign_in", 1},
	} {
		body, err := json.Marshal(map[string]string{"query": query})
		require.NoError(t, err)
		_, header, _ := s.json(t, string(body))
		got := r.last(t)
		assert.Equal(t, want.units, got.units, query)
		require.Len(t, got.keys, 2, query)
		assert.Regexp(t, "^"+want.class+":user:[0-9a-f]{24}$", got.keys[0], query)
		assert.NotContains(t, got.keys[0], anaID, query)
		assert.True(t, strings.HasPrefix(got.keys[1], want.class+":address:"), query)
		assert.NotContains(t, got.keys[1], "127.0.0.1", "an address is nobody's business")
		assert.Equal(t, []string{"20", "7", "61"}, []string{
			header.Get("RateLimit-Limit"), header.Get("RateLimit-Remaining"), header.Get("RateLimit-Reset"),
		})
		assert.Empty(t, header.Get("Retry-After"))
	}
}

func TestWhoAsksTooMuchIsToldWhenToComeBack(t *testing.T) {
	t.Parallel()
	s := setup(t, limited(&recorder{refuse: true}))
	for _, accept := range []string{"application/json", "application/graphql-response+json"} {
		status, header, answer := s.json(t, `{"query": "{ viewer { id } }"}`, "Accept", accept)
		assert.Equal(t, http.StatusTooManyRequests, status)
		assert.Equal(t, "2", header.Get("Retry-After"))
		assert.Equal(t, "0", header.Get("RateLimit-Remaining"))
		assert.Contains(t, answer, `"code":"RATE_LIMITED"`)
		assert.Contains(t, answer, `"retryAfterSeconds":2`)
	}
}

func TestOnlyTheTrustedProxySaysWhoTheClientIs(t *testing.T) {
	t.Parallel()
	address := func(t *testing.T, proxies []string, forwarded string) string {
		t.Helper()
		r := &recorder{}
		trusted, err := clientaddr.Parse(proxies)
		require.NoError(t, err)
		s := setup(t, limited(r), func(c *graph.Config) { c.Proxies = trusted })
		s.json(t, `{"query": "{ viewer { id } }"}`, "X-Forwarded-For", forwarded)
		return r.last(t).keys[1]
	}
	direct := address(t, nil, "198.51.100.1")
	assert.Equal(t, direct, address(t, nil, "198.51.100.2"), "nobody is trusted, so nobody is believed")
	proxied := address(t, []string{"127.0.0.0/8"}, "198.51.100.1")
	assert.NotEqual(t, direct, proxied)
	assert.Equal(t, proxied, address(t, []string{"127.0.0.0/8"}, "6.6.6.6, 198.51.100.1"), "what the client wrote itself does not count")
	assert.Equal(t, address(t, []string{"127.0.0.0/8"}, "2001:db8::1"), address(t, []string{"127.0.0.0/8"}, "2001:db8::2"), "one client has a whole /64")
}
