package llmstub_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/llmstub"
)

const closedSchema = `{"type":"object","additionalProperties":false,"properties":{"a":{"type":"string"},"b":{"type":"array","items":{"type":"object","additionalProperties":false,"properties":{"c":{"type":"number"}},"required":["c"]}}},"required":["a","b"]}`

// exchange is a request in its wire form.
type exchange struct {
	path   string
	header map[string]string
	body   string
}

func goodRequests() map[llmstub.Vendor]exchange {
	// The smallest GIF.
	gif := base64.StdEncoding.EncodeToString([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"))
	openAI := `{"model":"gpt-6-luna","messages":[{"role":"system","content":"Read."},{"role":"user","content":[{"type":"text","text":"this"},{"type":"image_url","image_url":{"url":"data:image/gif;base64,` + gif + `"}}]}],"response_format":{"type":"json_schema","json_schema":{"name":"receipt","strict":true,"schema":` + closedSchema + `}}`
	bearer := map[string]string{"Authorization": "Bearer k"}
	return map[llmstub.Vendor]exchange{
		llmstub.Gemini: {
			"/v1beta/models/m:generateContent",
			map[string]string{"X-Goog-Api-Key": "k"},
			`{"contents":[{"role":"user","parts":[{"text":"Read this."},{"inlineData":{"mimeType":"image/png","data":"` + gif + `"}}]}],"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":` + closedSchema + `}}`,
		},
		llmstub.OpenAI:     {"/v1/chat/completions", bearer, openAI + `}`},
		llmstub.OpenRouter: {"/api/v1/chat/completions", bearer, openAI + `,"provider":{"require_parameters":true,"data_collection":"deny"}}`},
		llmstub.Anthropic: {
			"/v1/messages",
			map[string]string{"X-Api-Key": "k", "Anthropic-Version": "2023-06-01"},
			`{"model":"m","max_tokens":100,"messages":[{"role":"user","content":[{"type":"text","text":"Read this."},{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"` + gif + `"}}]}],"output_config":{"format":{"type":"json_schema","schema":` + closedSchema + `}}}`,
		},
	}
}

func (b *bundle) post(t *testing.T, e exchange) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.stub.URL()+e.path, strings.NewReader(e.body))
	require.NoError(t, err)
	for name, value := range e.header {
		req.Header.Set(name, value)
	}
	resp, err := b.client.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(data)
}

func TestRejectsWhatTheVendorWouldReject(t *testing.T) {
	t.Parallel()
	swap := func(from, to string) func(*exchange) {
		return func(e *exchange) { e.body = strings.Replace(e.body, from, to, 1) }
	}
	without := func(header string) func(*exchange) { return func(e *exchange) { delete(e.header, header) } }
	cases := []struct {
		vendor llmstub.Vendor
		name   string
		change func(*exchange)
		status int
		says   string
	}{
		{llmstub.Gemini, "no key", without("X-Goog-Api-Key"), 403, "PERMISSION_DENIED"},
		{llmstub.Gemini, "both schemas", swap(`"responseJsonSchema"`, `"responseSchema":{"type":"OBJECT"},"responseJsonSchema"`), 400, "only one of"},
		{llmstub.Gemini, "a schema without its media type", swap(`"responseMimeType":"application/json",`, ``), 400, "response_mime_type"},
		{llmstub.Gemini, "an unsupported picture", swap(`image/png`, `image/bmp`), 400, "Unsupported MIME type: image/bmp"},
		{llmstub.Gemini, "no contents", swap(`"contents"`, `"content"`), 400, "contents is not specified"},
		{llmstub.Gemini, "data that is not Base64", swap(`"data":"`, `"data":"!`), 400, "Base64 decoding failed"},
		{llmstub.Gemini, "an empty part", swap(`{"text":"Read this."}`, `{}`), 400, "must have one initialized field"},
		{llmstub.Gemini, "streaming without alt=sse", func(e *exchange) { e.path = "/v1beta/models/m:streamGenerateContent" }, 400, "alt=sse"},
		{llmstub.Gemini, "an unknown method", func(e *exchange) { e.path = "/v1beta/models/m:dance" }, 404, "NOT_FOUND"},
		{llmstub.Gemini, "no JSON", swap(`{`, ``), 400, "Invalid JSON"},
		{llmstub.OpenAI, "no key", without("Authorization"), 401, "API key"},
		{llmstub.OpenAI, "an open object", swap(`"additionalProperties":false,`, ``), 400, "'additionalProperties' is required"},
		{llmstub.OpenAI, "an open object within", swap(`"items":{"type":"object","additionalProperties":false,`, `"items":{"type":"object",`), 400, "In context=('properties', 'b', 'items')"},
		{llmstub.OpenAI, "an optional property", swap(`"required":["a","b"]`, `"required":["a"]`), 400, "Missing 'b'"},
		{llmstub.OpenAI, "a schema's name with a blank", swap(`"name":"receipt"`, `"name":"my receipt"`), 400, "does not match pattern"},
		{llmstub.OpenAI, "an unsupported picture", swap(`data:image/gif`, `data:image/bmp`), 400, "image/bmp"},
		{llmstub.OpenAI, "a picture that is no data URL", swap(`data:image/gif;base64,`, ``), 400, "data URL"},
		{llmstub.OpenAI, "max_tokens", swap(`"model"`, `"max_tokens":5,"model"`), 400, "max_completion_tokens"},
		{llmstub.OpenAI, "stream options without a stream", swap(`"model"`, `"stream_options":{"include_usage":true},"model"`), 400, "stream_options"},
		{llmstub.OpenAI, "OpenRouter's extras", swap(`"model"`, `"provider":{"require_parameters":true},"model"`), 400, "Unknown parameter: 'provider'"},
		{llmstub.OpenRouter, "no key", without("Authorization"), 401, `"code":401`},
		{llmstub.OpenRouter, "a model that may ignore the schema", swap(`"require_parameters":true`, `"require_parameters":false`), 400, "require_parameters"},
		{llmstub.OpenRouter, "data collection", swap(`"data_collection":"deny"`, `"data_collection":"allow"`), 400, "data_collection"},
		{llmstub.OpenRouter, "an open object", swap(`"additionalProperties":false,`, ``), 400, "'additionalProperties' is required"},
		{llmstub.Anthropic, "no key", without("X-Api-Key"), 401, "authentication_error"},
		{llmstub.Anthropic, "no version", without("Anthropic-Version"), 400, "anthropic-version: header is required"},
		{llmstub.Anthropic, "no max_tokens", swap(`"max_tokens":100,`, ``), 400, "max_tokens: Field required"},
		{llmstub.Anthropic, "an unsupported picture", swap(`image/gif`, `image/heic`), 400, "media_type"},
		{llmstub.Anthropic, "a picture of another type than declared", swap(`image/gif`, `image/png`), 400, "appears to be image/gif"},
		{llmstub.Anthropic, "an open object", swap(`"additionalProperties":false,`, ``), 400, "'additionalProperties' is required"},
		{llmstub.Anthropic, "OpenAI's form of a format", swap(`"schema":`, `"name":"receipt","schema":`), 400, "output_config.format.name"},
		{llmstub.Anthropic, "a format of another type", swap(`"json_schema"`, `"json"`), 400, "output_config.format.type"},
		{llmstub.Anthropic, "OpenAI's field", swap(`"output_config"`, `"response_format"`), 400, "response_format"},
		{llmstub.Anthropic, "an empty text", swap(`"Read this."`, `""`), 400, "non-empty"},
		{llmstub.Anthropic, "a system message", swap(`"role":"user"`, `"role":"system"`), 400, "role"},
		{llmstub.Anthropic, "more thinking than tokens", swap(`"model"`, `"thinking":{"type":"enabled","budget_tokens":2000},"model"`), 400, "budget_tokens"},
	}
	for _, c := range cases {
		t.Run(string(c.vendor)+" "+c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			e := goodRequests()[c.vendor]
			status, body := b.post(t, e)
			require.Equal(t, http.StatusOK, status, body)
			e.header = maps.Clone(e.header)
			before := e
			before.header = maps.Clone(e.header)
			c.change(&e)
			require.NotEqual(t, before, e, "the case changes nothing")
			b.stub.Fail(c.vendor, llmstub.FaultUnavailable)
			status, body = b.post(t, e)
			assert.Equal(t, c.status, status, body)
			assert.Contains(t, unescaped(body), c.says)
			require.NoError(t, b.stub.AwaitDone(t.Context()))
			call := b.stub.Calls()[1]
			assert.Equal(t, llmstub.OutcomeRejected, call.Outcome)
			assert.NotEmpty(t, call.Why)
			assert.False(t, call.Paid())
			status, _ = b.post(t, goodRequests()[c.vendor])
			assert.Equal(t, http.StatusServiceUnavailable, status, "a rejected request does not use up the script")
		})
	}
}

func unescaped(body string) string {
	var v any
	if json.Unmarshal([]byte(body), &v) != nil {
		return body
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return body
	}
	return b.String()
}

func TestLenientOverlooksAllButTheKey(t *testing.T) {
	t.Parallel()
	b := setup(t, llmstub.Options{Lenient: true})
	e := goodRequests()[llmstub.OpenAI]
	e.body = strings.Replace(e.body, `"additionalProperties":false,`, ``, 1)
	status, body := b.post(t, e)
	assert.Equal(t, http.StatusOK, status, body)
	e.header = nil
	status, _ = b.post(t, e)
	assert.Equal(t, http.StatusUnauthorized, status)
}

func TestTakesTheRightKeyOnly(t *testing.T) {
	t.Parallel()
	both(t, llmstub.Vendors(), func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		b := setup(t, llmstub.Options{Vendors: map[llmstub.Vendor]llmstub.VendorOptions{v: {Key: "key-of-a-test"}}})
		require.NoError(t, b.ask(t.Context(), t, v, b.extraction(stream)).err)
		q := b.extraction(stream)
		q.key = "another"
		got := refusedBy(t, b.ask(t.Context(), t, v, q).err)
		if v == llmstub.Gemini {
			assert.Equal(t, 400, got.status)
			assert.Contains(t, got.details, "API_KEY_INVALID")
			return
		}
		assert.Equal(t, 401, got.status)
	})
}

func TestServesItsLedgerOverHTTP(t *testing.T) {
	t.Parallel()
	b := setup(t)
	status, body := b.post(t, exchange{path: "/script", body: `{"vendor":"openai","behaviours":[{"fault":"503"}],"always":{"fault":"429"}}`})
	require.Equal(t, http.StatusNoContent, status, body)
	for _, want := range []int{503, 429, 429} {
		status, _ = b.post(t, goodRequests()[llmstub.OpenAI])
		assert.Equal(t, want, status)
	}
	require.NoError(t, b.stub.AwaitDone(t.Context()))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.stub.URL()+"/ledger", nil)
	require.NoError(t, err)
	resp, err := b.client.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	var ledger struct {
		Totals map[llmstub.Vendor]llmstub.Totals `json:"totals"`
		Calls  []llmstub.Call                    `json:"calls"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&ledger))
	assert.Len(t, ledger.Calls, 3)
	assert.Equal(t, 2, ledger.Totals[llmstub.OpenAI].Faults[llmstub.FaultRateLimited])
	status, _ = b.post(t, exchange{path: "/ledger/reset"})
	assert.Equal(t, http.StatusNoContent, status)
	assert.Empty(t, b.stub.Calls())
	for _, bad := range []string{`{`, `{"vendor":"acme"}`, `{"vendor":"openai","behaviours":[{"fault":"earthquake"}]}`} {
		status, _ = b.post(t, exchange{path: "/script", body: bad})
		assert.Equal(t, http.StatusBadRequest, status, bad)
	}
}
