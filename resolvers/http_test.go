package resolvers_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/graph"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

const (
	submitMutation = `mutation M($input: SubmitInvoiceInput!) { submitInvoice(input: $input) { invoice { files { size } } } }`
	olderType      = "application/json; charset=utf-8"
	newerType      = "application/graphql-response+json; charset=utf-8"
)

func TestHTTPMethodsAndBodies(t *testing.T) {
	t.Parallel()
	s := setup(t)
	get := func(query string) string { return s.url + "/graphql?query=" + url.QueryEscape(query) }
	const secret = "s3cr3t-in-the-body"
	for _, c := range []struct {
		name        string
		method, url string
		contentType string
		body        io.Reader
		want        int
		wantText    string
	}{
		{"query by GET", http.MethodGet, get("{ __typename }"), "", nil, 200, `{"data":{"__typename":"Query"}}`},
		{"GET without a query", http.MethodGet, s.url + "/graphql", "", nil, 400, "BAD_USER_INPUT"},
		{"GET with bad variables", http.MethodGet, get("{ __typename }") + "&variables=[1]", "", nil, 400, "BAD_USER_INPUT"},
		{"mutation by GET", http.MethodGet, get("mutation { signOut { signedOut } }"), "", nil, 405, "Use POST"},
		{"subscription by GET without a stream", http.MethodGet, get("subscription { extractions { seq } }"), "", nil, 400, "text/event-stream"},
		{"subscription by POST without a stream", "", "", "", strings.NewReader(`{"query":"subscription { extractions { seq } }"}`), 400, "text/event-stream"},
		{"DELETE", http.MethodDelete, "", "", nil, 405, "Use POST"},
		{"text/plain", "", "", "text/plain", strings.NewReader(`{"query":"{ __typename }"}`), 415, "application/json"},
		{"form", "", "", "application/x-www-form-urlencoded", strings.NewReader(`query={__typename}`), 415, "application/json"},
		{"no content type", "", "", "-", strings.NewReader(`{"query":"{ __typename }"}`), 415, "application/json"},
		{"other charset", "", "", "application/json; charset=iso-8859-1", strings.NewReader(`{"query":"{ __typename }"}`), 415, "UTF-8"},
		{"UTF-8 named", "", "", "application/json; charset=UTF-8", strings.NewReader(`{"query":"{ __typename }"}`), 200, "Query"},
		{"not JSON", "", "", "", strings.NewReader(secret), 400, "BAD_USER_INPUT"},
		{"broken JSON", "", "", "", strings.NewReader(`{"query":"` + secret), 400, "BAD_USER_INPUT"},
		{"batch", "", "", "", strings.NewReader(`[{"query":"{ __typename }"}]`), 400, "Batches"},
		{"null", "", "", "", strings.NewReader(`null`), 400, "BAD_USER_INPUT"},
		{"empty", "", "", "", strings.NewReader(``), 400, "BAD_USER_INPUT"},
		{"no query", "", "", "", strings.NewReader(`{"operationName":"x"}`), 400, "missing"},
		{"query of another type", "", "", "", strings.NewReader(`{"query":7}`), 400, "BAD_USER_INPUT"},
		{"trailing bytes", "", "", "", strings.NewReader(`{"query":"{ __typename }"} x`), 400, "follows"},
		{"nested 200,000 deep", "", "", "", strings.NewReader(`{"variables":` + strings.Repeat(`{"a":`, 200_000)), 400, "BAD_USER_INPUT"},
		{"nested 20,000 deep", "", "", "", strings.NewReader(`{"query":"{ __typename }","variables":{"a":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}}`), 400, "BAD_USER_INPUT"},
		{"not UTF-8", "", "", "", strings.NewReader("{\"query\":\"{ __typename }\",\"operationName\":\"\xff\"}"), 400, "UTF-8"},
		{"10 MB", "", "", "", strings.NewReader(`{"query":"` + strings.Repeat(" ", 10<<20) + `"}`), 413, "TOO_LARGE"},
		{"10 MB in chunks", "", "", "", io.MultiReader(strings.NewReader(`{"query":"` + strings.Repeat(" ", 10<<20) + `"}`)), 413, "TOO_LARGE"},
		{"unknown operation", "", "", "", strings.NewReader(`{"query":"query A { __typename }","operationName":"B"}`), 200, "BAD_USER_INPUT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			method, to, headers := c.method, c.url, []string{"Authorization", "Bearer token-ana"}
			if method == "" {
				method = http.MethodPost
			}
			if to == "" {
				to = s.url + "/graphql"
			}
			switch {
			case c.contentType == "" && method == http.MethodPost:
				headers = append(headers, "Content-Type", "application/json")
			case c.contentType != "" && c.contentType != "-":
				headers = append(headers, "Content-Type", c.contentType)
			}
			status, header, answer := s.do(t, method, to, c.body, headers...)
			assert.Equal(t, c.want, status, answer)
			assert.Contains(t, answer, c.wantText)
			assert.NotContains(t, answer, secret, "nothing of a bad body is repeated")
			assert.Equal(t, olderType, header.Get("Content-Type"))
			assert.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
			assert.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'")
			assert.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
			if status == http.StatusMethodNotAllowed {
				assert.Contains(t, header.Get("Allow"), "POST")
			}
		})
	}
	t.Cleanup(func() { assert.NotContains(t, s.log.String(), secret, "nor logged") })
}

func TestMediaTypeOfTheAnswerDecidesTheStatus(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, c := range []struct {
		name, body, accept string
		want               int
		wantType           string
		data               bool
	}{
		{"executed", `{"query":"{ __typename }"}`, "application/graphql-response+json", 200, newerType, true},
		{"does not parse", `{"query":"{"}`, "application/graphql-response+json", 400, newerType, false},
		{"does not parse, older type", `{"query":"{"}`, "application/json", 200, olderType, false},
		{"does not validate", `{"query":"{ nope }"}`, "application/graphql-response+json, application/json;q=0.9", 400, newerType, false},
		{"does not validate, any type", `{"query":"{ nope }"}`, "*/*", 200, olderType, false},
		{"bad variable", `{"query":"query Q($id: ID!) { invoice(id: $id) { id } }"}`, "application/json", 200, olderType, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, header, answer := s.json(t, c.body, "Accept", c.accept)
			assert.Equal(t, c.want, status, answer)
			assert.Equal(t, c.wantType, header.Get("Content-Type"))
			assert.Equal(t, c.data, strings.Contains(answer, `"data"`), "data is absent when nothing was executed: %s", answer)
		})
	}
}

func TestExpensiveQueriesAreRefused(t *testing.T) {
	t.Parallel()
	s := setup(t)
	var doubling strings.Builder
	doubling.WriteString("query { ...f0 } fragment f27 on Query { __typename } ")
	for i := range 27 {
		doubling.WriteString("fragment f" + itoa(i) + " on Query { ...f" + itoa(i+1) + " ...f" + itoa(i+1) + " } ")
	}
	nested := strings.Repeat("duplicateOf { invoice { ", 20) + "id" + strings.Repeat(" } }", 20)
	id := invoiceID(anaCompleted)
	for _, c := range []struct{ name, query string }{
		{"10,000 fields", "{ " + strings.Repeat("__typename ", 10_000) + "}"},
		{"fragments that double 27 times", doubling.String()},
		{"1,000 aliases", "{ " + aliases(1000, "__typename") + "}"},
		{"100 aliases", "{ " + aliases(100, "__typename") + "}"},
		{"nested 40 deep", `{ invoice(id: "` + id + `") { ` + nested + " } }"},
		{"nested through fragments", `{ invoice(id: "` + id + `") { ...a } } fragment a on Invoice { duplicateOf { invoice { ` + strings.Repeat("... on Invoice { duplicateOf { invoice { ", 10) + "id" + strings.Repeat(" } } }", 10) + " } } }"},
		{"5,000 directives", "{ __typename " + strings.Repeat("@include(if: true) ", 5000) + "}"},
		{"a cycle of fragments", "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }"},
		{"a list of lists of everything", "{ " + aliases(20, "invoices(first: 100) { nodes { items { id description total { formatted } } checks { name } } }") + "}"},
		{"two exports", `{ a: exportPurchases(format: CSV) { lines } b: exportPurchases(format: JSON) { lines } }`},
		{"500 prices with whole invoices", `{ priceHistory(productId: "x") { on price invoice { id status number issuer { name } items { id description quantity unitPrice } checks { name } payments { method } } } }`},
		{"100 invoices with the insights of the insights' invoices", `{ invoices(first: 100) { nodes { insights { invoice { insights { invoice { id } } } } } } }`},
		{"100 insights with the evidence of their invoices' insights", `{ insights(first: 100) { nodes { invoice { insights { invoice { insights { evidence { product { id } } } } } } } } }`},
		{"an Int of 64 bits", "{ invoices(first: 99999999999) { totalCount } }"},
		{"an Int of 64 bits in a list", `{ basket(lines: [{productId: "x", quantity: "1"}]) { merchant { key } } invoices(first: -99999999999) { totalCount } }`},
		{"20 reports", "{ " + aliases(20, `spending(period: {from: "2026-01-01", to: "2026-12-31"}, groupBy: MONTH) { purchases }`) + "}"},
		{"100 KB of comment", "# " + strings.Repeat("x", 100<<10) + "\n{ __typename }"},
		{"tries of a password", "mutation { " + aliases(6, `signIn(input: {email: "ana@example.com", password: "x"}) { viewer { id } }`) + "}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, _, answer := s.json(t, `{"query":`+quote(t, c.query)+`}`)
			assert.Equal(t, http.StatusOK, status)
			assert.Contains(t, answer, "BAD_USER_INPUT")
			assert.NotContains(t, answer, `"data"`, "nothing was executed")
			assert.Less(t, len(answer), 4096, "the answer is small")
		})
	}
}

// TestWhatFrontEndsAskIsNotRefused pins the prices from above.
func TestWhatFrontEndsAskIsNotRefused(t *testing.T) {
	t.Parallel()
	s := setup(t)
	const money = "{ centavos formatted }"
	const item = "{ id lineNumber description code gtin quantity unit unitPrice total " + money + " discount " + money + " uncertain category }"
	const itemAndProduct = "{ id lineNumber description quantity unit total " + money + " product { id name size measure category { id name } } }"
	const read = "id status version accessKey number series model issuedAt issuer { name cnpj state } items " + item +
		" itemCount totals { products " + money + " discount " + money + " freight " + money + " due " + money + " paid " + money + " change " + money +
		" } payments { method amount " + money + " } checks { name passed expected found difference " + money + " line } confidence source" +
		" attempts { number provider model outcome items startedAt finishedAt } files { id position kind size }" +
		" duplicateOf { reason invoice { id } } failure { code message } confirmedAt testDocument createdAt updatedAt"
	const found = "{ id kind priority title description details periodFrom periodTo categories { id name } merchants evidence { id description } invoice { id } readAt createdAt }"
	const rest = " insights " + found + " analysis { status skipReason failureCode gaps { kind missing } } revisions { version changes { field lineNumber before after } }"
	for _, c := range []struct{ name, query string }{
		{"100 invoices as they were read", "{ invoices(first: 100) { nodes { " + read + " } } }"},
		{"20 invoices with everything", "{ invoices { nodes { " + read + rest + " more: items " + itemAndProduct + " } } }"},
		{"100 insights", "{ insights(first: 100) { edges { cursor node " + found + " } pageInfo { hasNextPage endCursor } totalCount } }"},
		{"100 products", "{ products(first: 100) { nodes { id name brand gtin size measure category { id name essential foodGroup } child taught } } }"},
		{"a history with its invoices", `{ priceHistory(productId: "` + productID(anaMilk) +
			`") { on invoice { id status } merchant { key name } quantity price measurePrice cheapest } }`},
		{"a report of products", `{ spending(period: {from: "2026-01-01", to: "2026-12-31"}, groupBy: PRODUCT) { total ` + money +
			" groups { key name total " + money + " previousTotal " + money + " share purchases product { id name category { name } } } } }"},
		{"four reports", "{ " + aliases(4, `spending(period: {from: "2026-01-01", to: "2026-12-31"}, groupBy: MONTH) { groups { key name total { centavos } } }`) + "}"},
		{"a basket of 100 products", "{ basket(lines: [" + strings.Repeat(`{productId: "`+productID(anaMilk)+`"} `, 100) +
			"]) { merchant { key name } total " + money + " complete prices { product { id name } price total " + money + " on } missing { id name } } }"},
		{"an export", "{ exportPurchases(format: CSV) { fileName mediaType content lines } }"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, answer := s.json(t, `{"query":`+quote(t, c.query)+`}`)
			assert.NotContains(t, answer, `"errors"`)
		})
	}
}

func TestUploads(t *testing.T) {
	t.Parallel()
	s := setup(t)
	operations := `{"query":` + quote(t, submitMutation) + `,"variables":{"input":{"files":[null]}}}`
	type part struct{ name, text string }
	big := strings.Repeat("x", invoice.MaxFileBytes+1)
	for _, c := range []struct {
		name     string
		parts    []part
		want     int
		wantText string
	}{
		{"a file", []part{{"operations", operations}, {"map", `{"a":["variables.input.files.0"]}`}, {"a", "<xml/>"}}, 200, `"size":6`},
		{"of the size allowed", []part{{"operations", operations}, {"map", `{"a":["variables.input.files.0"]}`}, {"a", big[1:]}}, 200, `"size":20971520`},
		{"a byte too large", []part{{"operations", operations}, {"map", `{"a":["variables.input.files.0"]}`}, {"a", big}}, 413, "TOO_LARGE"},
		{"map first", []part{{"map", `{}`}, {"operations", operations}}, 400, "operations"},
		{"no map", []part{{"operations", operations}, {"a", "x"}}, 400, "operations"},
		{"no parts", nil, 400, "broken"},
		{"operations in a batch", []part{{"operations", "[" + operations + "]"}, {"map", `{}`}}, 400, "Batches"},
		{"map not JSON", []part{{"operations", operations}, {"map", `{`}}, 400, "map"},
		{"index out of range", []part{{"operations", operations}, {"map", `{"a":["variables.input.files.1"]}`}, {"a", "x"}}, 400, "map"},
		{"negative index", []part{{"operations", operations}, {"map", `{"a":["variables.input.files.-1"]}`}, {"a", "x"}}, 400, "map"},
		{"path to nowhere", []part{{"operations", operations}, {"map", `{"a":["variables.nope.files.0"]}`}, {"a", "x"}}, 400, "map"},
		{"path through a value", []part{{"operations", operations}, {"map", `{"a":["variables.input.files.0.x"]}`}, {"a", "x"}}, 400, "map"},
		{"path outside the variables", []part{{"operations", operations}, {"map", `{"a":["query"]}`}, {"a", "x"}}, 400, "path"},
		{"path to what is not null", []part{{"operations", operations}, {"map", `{"a":["variables.input"]}`}, {"a", "x"}}, 400, "map"},
		{"one file in 2,000 places", []part{{"operations", operations}, {"map", `{"a":["` + strings.Repeat(`variables.input.files.0","`, 1999) + `variables.input.files.0"]}`}, {"a", "x"}}, 400, "one path"},
		{"a file in no place", []part{{"operations", operations}, {"map", `{"a":[]}`}, {"a", "x"}}, 400, "one path"},
		{"two files in one place", []part{{"operations", operations}, {"map", `{"a":["variables.input.files.0"],"b":["variables.input.files.0"]}`}, {"a", "x"}, {"b", "y"}}, 400, "map"},
		{"a file twice", []part{{"operations", operations}, {"map", `{"a":["variables.input.files.0"]}`}, {"a", "x"}, {"a", "y"}}, 400, "twice"},
		{"a file that is not in the map", []part{{"operations", operations}, {"map", `{"a":["variables.input.files.0"]}`}, {"b", "x"}}, 400, "map"},
		{"a file that does not come", []part{{"operations", operations}, {"map", `{"a":["variables.input.files.0"]}`}}, 400, "missing"},
		{"11 files", []part{{"operations", operations}, {"map", `{"0":["variables.x"],"1":["variables.x"],"2":["variables.x"],"3":["variables.x"],"4":["variables.x"],"5":["variables.x"],"6":["variables.x"],"7":["variables.x"],"8":["variables.x"],"9":["variables.x"],"10":["variables.x"]}`}}, 400, "At most 10"},
		{"operations too large", []part{{"operations", `{"query":"` + strings.Repeat(" ", 2<<20) + `"}`}, {"map", `{}`}}, 413, "TOO_LARGE"},
		{"a subscription", []part{{"operations", `{"query":"subscription { extractions { seq } }"}`}, {"map", `{}`}}, 400, "text/event-stream"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var body bytes.Buffer
			w := multipart.NewWriter(&body)
			for _, p := range c.parts {
				f, err := w.CreateFormFile(p.name, "../../x")
				require.NoError(t, err)
				_, err = io.WriteString(f, p.text)
				require.NoError(t, err)
			}
			require.NoError(t, w.Close())
			// Chunked, as a client that does not tell the length: io.MultiReader hides it.
			status, _, answer := s.post(t, io.MultiReader(&body), "Content-Type", w.FormDataContentType(),
				"Authorization", "Bearer token-ana", "X-Requested-With", "test")
			assert.Equal(t, c.want, status, answer)
			assert.Contains(t, answer, c.wantText)
		})
	}
	t.Cleanup(func() {
		left, err := os.ReadDir(s.tempDir)
		assert.NoError(t, err)
		assert.Empty(t, left, "no upload stays behind")
	})
}

func TestUploadNeedsAPreflightHeader(t *testing.T) {
	t.Parallel()
	s := setup(t)
	body, contentType := uploads(t, `{"query":`+quote(t, submitMutation)+`,"variables":{"input":{"files":[null]}}}`, "<xml/>")
	status, _, answer := s.post(t, body, "Content-Type", contentType, "Authorization", "Bearer token-ana")
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, answer, "Apollo-Require-Preflight")
}

func TestUploadOfNobodyIsNotRead(t *testing.T) {
	t.Parallel()
	s := setup(t)
	body := &countingReader{r: io.LimitReader(zeros{}, 1<<30)}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/graphql", body)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	req.Header.Set("X-Requested-With", "test")
	resp, err := s.client.Do(req)
	if err == nil { // the client may see the connection end before the answer
		defer func() { _ = resp.Body.Close() }()
		assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	}
	assert.Less(t, body.n.Load(), int64(100<<20))
}

func TestFaultsAreLoggedAndNotShown(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, text := range []string{"a fault", "a panic"} {
		body, contentType := uploads(t, `{"query":`+quote(t, "mutation Named"+submitMutation[len("mutation M"):])+`,"variables":{"input":{"files":[null]}}}`, text)
		_, header, answer := s.post(t, body, "Content-Type", contentType, "Authorization", "Bearer token-ana", "X-Requested-With", "x")
		id := header.Get("X-Request-Id")
		require.NotEmpty(t, id)
		assert.Contains(t, answer, id)
		assert.NotContains(t, answer, "secret")
		assert.NotContains(t, answer, "index out of range")
		assert.Contains(t, s.log.String(), "request_id="+id+" operation=Named")
	}
	assert.Contains(t, s.log.String(), "password authentication failed for user secret")
	assert.Contains(t, s.log.String(), "panic: index out of range")
	assert.Contains(t, s.log.String(), "fake_test.go", "with the stack")
}

func TestBrokenAuthenticationIsNotTakenForABadToken(t *testing.T) {
	t.Parallel()
	s := setup(t)
	status, _, answer := s.json(t, `{"query":"{ viewer { id } }"}`, "Authorization", "Bearer token-broken")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, answer, "INTERNAL")
	assert.NotContains(t, answer, "10.0.0.7")
	assert.Contains(t, s.log.String(), "10.0.0.7")
}

func TestRequestIDOfAProxyIsKept(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for given, kept := range map[string]bool{"abcdef-0123456789": true, "short": false, "with spaces and more": false, strings.Repeat("x", 65): false} {
		_, header, _ := s.json(t, `{"query":"{ __typename }"}`, "X-Request-Id", given)
		assert.Equal(t, kept, header.Get("X-Request-Id") == given, given)
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *graph.Config) { c.AllowedOrigins = []string{"https://app.example.com"} })
	for origin, allowed := range map[string]bool{"https://app.example.com": true, "https://evil.example.com": false, s.url: true, "null": false} {
		status, header, _ := s.do(t, http.MethodOptions, s.url+"/graphql", nil, "Origin", origin)
		assert.Equal(t, http.StatusNoContent, status)
		assert.Equal(t, allowed, header.Get("Access-Control-Allow-Origin") == origin, origin)
		assert.Equal(t, allowed, header.Get("Access-Control-Allow-Headers") != "", origin)
		assert.Contains(t, header.Values("Vary"), "Origin")
	}
}

func TestIntrospectionWhereItIsWanted(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *graph.Config) { c.Introspection = true })
	_, _, answer := s.json(t, `{"query":`+quote(t, introspectionQuery)+`}`)
	assert.Contains(t, answer, `"name":"SubmitInvoicePayload"`)
	assert.NotContains(t, answer, `"errors"`)
}

func TestSlowRequestIsEnded(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *graph.Config) { c.Timing.Request = time.Nanosecond })
	status, _, answer := s.json(t, `{"query":"{ viewer { id } }"}`)
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, answer, "UNAVAILABLE")
}

func TestBodyThatDoesNotComeIsGivenUp(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *graph.Config) { c.Timing.Request, c.Timing.Upload = 50*time.Millisecond, 50*time.Millisecond })
	for _, contentType := range []string{"application/json", "multipart/form-data; boundary=x"} {
		body, write := io.Pipe()
		status, _, answer := s.post(t, body, "Content-Type", contentType, "Authorization", "Bearer token-ana", "X-Requested-With", "x")
		assert.Equal(t, http.StatusBadRequest, status, answer)
		assert.NoError(t, write.Close())
	}
}
