package resolvers_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/graph"
)

// storedQueries is a store that may be down.
type storedQueries struct {
	mu    sync.Mutex
	down  bool
	texts map[string]string
}

func (s *storedQueries) Get(_ context.Context, hash string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return "", errors.New("down")
	}
	return s.texts[hash], nil
}

func (s *storedQueries) Put(_ context.Context, hash, query string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return errors.New("down")
	}
	s.texts[hash] = query
	return nil
}

func persisting(t *testing.T) (*server, *storedQueries) {
	t.Helper()
	store := &storedQueries{texts: map[string]string{}}
	return setup(t, func(c *graph.Config) { c.PersistedQueries = store }), store
}

func extensionOf(query string) string {
	sum := sha256.Sum256([]byte(query))
	return `{"persistedQuery":{"version":1,"sha256Hash":"` + hex.EncodeToString(sum[:]) + `"}}`
}

const (
	viewerQuery = `{ viewer { name } }`
	anaAnswer   = `{"data":{"viewer":{"name":"Ana"}}}`
)

func TestQueryIsFoundByItsHashOnceItWasSent(t *testing.T) {
	t.Parallel()
	s, _ := persisting(t)
	byHash := `{"extensions":` + extensionOf(viewerQuery) + `}`
	status, _, answer := s.json(t, byHash)
	assert.Equal(t, http.StatusOK, status)
	assert.JSONEq(t, `{"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}`, answer)
	status, _, _ = s.json(t, byHash, "Accept", "application/graphql-response+json")
	assert.Equal(t, http.StatusBadRequest, status, "the newer media type says so by the status too")

	_, _, answer = s.json(t, `{"query":`+quote(t, viewerQuery)+`,"extensions":`+extensionOf(viewerQuery)+`}`)
	assert.JSONEq(t, anaAnswer, answer)
	for _, empty := range []string{``, `"query":"",`, `"query":null,`} {
		_, _, answer = s.json(t, `{`+empty+byHash[1:])
		assert.JSONEq(t, anaAnswer, answer)
	}
	_, _, answer = s.do(t, http.MethodGet, s.url+"/graphql?extensions="+url.QueryEscape(extensionOf(viewerQuery)), nil,
		"Authorization", "Bearer token-ana")
	assert.JSONEq(t, anaAnswer, answer)
	stream := s.subscribe(t, byHash)
	assert.JSONEq(t, anaAnswer, stream.skipTo(t, "next"))
	c := s.dialAna(t)
	c.send(subscribeMessage(t, "a", byHash))
	assert.JSONEq(t, `{"id":"a","type":"next","payload":`+anaAnswer+`}`, c.read())

	body, contentType := uploads(t, byHash, "x")
	_, _, answer = s.post(t, body, "Content-Type", contentType, "Authorization", "Bearer token-ana", "X-Requested-With", "x")
	assert.NotContains(t, answer, "The query is missing")
}

func TestUnknownHashOnStreams(t *testing.T) {
	t.Parallel()
	s, _ := persisting(t)
	stream := s.subscribe(t, `{"extensions":`+extensionOf("{ a }")+`}`)
	assert.Contains(t, stream.skipTo(t, "next"), "PERSISTED_QUERY_NOT_FOUND")
	stream.skipTo(t, "complete")
	c := s.dialAna(t)
	c.send(subscribeMessage(t, "a", `{"extensions":`+extensionOf("{ a }")+`}`))
	answer := c.read()
	assert.Contains(t, answer, `"type":"error"`)
	assert.Contains(t, answer, "PERSISTED_QUERY_NOT_FOUND")
}

func TestOnlyGoodQueriesAreKept(t *testing.T) {
	t.Parallel()
	s, store := persisting(t)
	deep := strings.Repeat("{ a ", 20) + strings.Repeat("}", 20)
	for _, query := range []string{`{`, `{ nope }`, deep, `{ __schema { description } }`, viewerQuery + strings.Repeat(" ", 40<<10)} {
		_, _, answer := s.json(t, `{"query":`+quote(t, query)+`,"extensions":`+extensionOf(query)+`}`)
		assert.Contains(t, answer, `"errors"`)
	}
	assert.Empty(t, store.texts)
	_, _, answer := s.json(t, `{"query":`+quote(t, viewerQuery)+`,"extensions":`+extensionOf("{ another }")+`}`)
	assert.Contains(t, answer, "not that of the query")
	assert.Empty(t, store.texts, "nobody puts a query under the hash of another")
	_, _, _ = s.json(t, `{"query":`+quote(t, viewerQuery)+`}`)
	assert.Empty(t, store.texts, "nobody asked for it to be kept")
	_, _, _ = s.json(t, `{"query":`+quote(t, viewerQuery)+`,"extensions":`+extensionOf(viewerQuery)+`}`)
	assert.Len(t, store.texts, 1)
}

func TestStoreIsNotBelieved(t *testing.T) {
	t.Parallel()
	s, store := persisting(t)
	sum := sha256.Sum256([]byte(viewerQuery))
	store.texts[hex.EncodeToString(sum[:])] = `mutation { signOut { signedOut } }`
	_, _, answer := s.json(t, `{"extensions":`+extensionOf(viewerQuery)+`}`)
	assert.Contains(t, answer, "PERSISTED_QUERY_NOT_FOUND")
}

func TestQueriesAreSentWholeWhileTheStoreIsDown(t *testing.T) {
	t.Parallel()
	s, store := persisting(t)
	store.down = true
	status, _, answer := s.json(t, `{"extensions":`+extensionOf(viewerQuery)+`}`)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, answer, "PERSISTED_QUERY_NOT_FOUND")
	_, _, answer = s.json(t, `{"query":`+quote(t, viewerQuery)+`,"extensions":`+extensionOf(viewerQuery)+`}`)
	assert.JSONEq(t, anaAnswer, answer)
}

func TestMutationByItsHashIsNotDoneByGET(t *testing.T) {
	t.Parallel()
	s, _ := persisting(t)
	mutation := `mutation { signOut { signedOut } }`
	_, _, answer := s.json(t, `{"query":`+quote(t, mutation)+`,"extensions":`+extensionOf(mutation)+`}`)
	require.Contains(t, answer, "signedOut")
	status, _, _ := s.do(t, http.MethodGet, s.url+"/graphql?extensions="+url.QueryEscape(extensionOf(mutation)), nil)
	assert.Equal(t, http.StatusMethodNotAllowed, status)
}

func TestBadPersistedQueryExtensions(t *testing.T) {
	t.Parallel()
	s, _ := persisting(t)
	hash := strings.Repeat("a", 64)
	for _, extension := range []string{
		`7`, `[]`, `{}`, `{"sha256Hash":"` + hash + `"}`, `{"version":2,"sha256Hash":"` + hash + `"}`, `{"version":"1","sha256Hash":"` + hash + `"}`,
		`{"version":1}`, `{"version":1,"sha256Hash":7}`, `{"version":1,"sha256Hash":"` + hash[1:] + `"}`,
		`{"version":1,"sha256Hash":"` + strings.ToUpper(hash) + `"}`, fmt.Sprintf(`{"version":1,"sha256Hash":%q}`, hash[:62]+"*:"),
	} {
		for _, query := range []string{``, `"query":"{ __typename }",`} {
			_, _, answer := s.json(t, `{`+query+`"extensions":{"persistedQuery":`+extension+`}}`)
			assert.Contains(t, answer, "BAD_USER_INPUT", extension)
		}
	}
	for _, none := range []string{`{}`, `{"extensions":null}`, `{"extensions":{}}`, `{"extensions":{"persistedQuery":null}}`} {
		status, _, answer := s.json(t, none)
		assert.Equal(t, http.StatusBadRequest, status)
		assert.Contains(t, answer, "The query is missing")
	}
}

func TestWithoutAStoreHashesAreNotSupported(t *testing.T) {
	t.Parallel()
	s := setup(t)
	_, _, answer := s.json(t, `{"extensions":`+extensionOf(viewerQuery)+`}`)
	assert.JSONEq(t, `{"errors":[{"message":"PersistedQueryNotSupported","extensions":{"code":"PERSISTED_QUERY_NOT_SUPPORTED"}}]}`, answer)
	_, _, answer = s.json(t, `{"query":`+quote(t, viewerQuery)+`,"extensions":`+extensionOf(viewerQuery)+`}`)
	assert.JSONEq(t, anaAnswer, answer)
}

// TestClientsThatTakeEverything is what urql sends with each query.
func TestClientsThatTakeEverything(t *testing.T) {
	t.Parallel()
	s := setup(t)
	const accept = "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
	_, header, answer := s.json(t, `{"query":`+quote(t, viewerQuery)+`}`, "Accept", accept)
	assert.Equal(t, "application/graphql-response+json; charset=utf-8", header.Get("Content-Type"))
	assert.JSONEq(t, anaAnswer, answer)
	_, header, _ = s.json(t, progressSubscription(anaCompleted), "Accept", accept)
	assert.Equal(t, "text/event-stream; charset=utf-8", header.Get("Content-Type"))
	_, _, answer = s.json(t, `{"query":"{ ... @defer { viewer { name } } }"}`)
	assert.Contains(t, answer, "BAD_USER_INPUT", "nothing would send what comes later")
}
