package openrouter_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/providers/internal/plugintest"
	"github.com/mercadoesperto/smarket/providers/internal/vendorhttp"
	"github.com/mercadoesperto/smarket/providers/openrouter"
	"github.com/mercadoesperto/smarket/providers/sdk"
	"github.com/mercadoesperto/smarket/providers/sdk/sdktest"
)

// binary is the plugin, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(plugintest.Main(m, "openrouter", &binary)) }

// keyInfo answers what Check asks.
func keyInfo(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != "/api/v1/key":
		w.WriteHeader(http.StatusNotFound)
	case r.Header.Get("Authorization") != "Bearer "+plugintest.Key:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, `{"error":{"message":"User not found.","code":401}}`)
	default:
		_, _ = fmt.Fprint(w, `{"data":{"label":"sk-or-v1-0e6...1c96","limit":null,"usage":25.5,"limit_remaining":null}}`)
	}
}

func inProcess(t *testing.T, config openrouter.Config) *openrouter.Provider {
	t.Helper()
	client, err := vendorhttp.NewClient(config.BaseURL)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	config.HTTPClient = client
	p, err := openrouter.New(config)
	require.NoError(t, err)
	return p
}

func overWire(t *testing.T, front *plugintest.Front) (sdk.Provider, func() string) {
	t.Helper()
	return plugintest.Start(t, binary, "openrouter", map[string]string{
		"OPENROUTER_API_KEY": plugintest.Key, "OPENROUTER_BASE_URL": front.BaseURL(),
	})
}

// saying is a provider whose vendor always answers with body.
func saying(t *testing.T, status int, header map[string]string, body string) *openrouter.Provider {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return inProcess(t, openrouter.Config{APIKey: plugintest.Key, BaseURL: server.URL})
}

func request(t *testing.T) sdk.Request {
	t.Helper()
	return sdk.Request{Task: sdk.TaskProbe, Pages: []sdk.Page{{MediaType: "image/jpeg", Data: plugintest.Picture(t, 1)}}}
}

func TestEveryPromiseIsKept(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"in process", "over the wire"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			front := plugintest.NewFront(t, llmstub.OpenRouter, keyInfo)
			c := front.NewCase(t)
			var p sdk.Provider = inProcess(t, openrouter.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()})
			if where == "over the wire" {
				p, _ = overWire(t, front)
			}
			sdktest.Exercise(t, p, sdktest.Options{
				Page: c.Request.Pages[0], Schema: c.Request.Schema, Instructions: c.Request.Instructions,
			})
		})
	}
}

func TestEachFaultIsOneCallAndOneKindOfError(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"in process", "over the wire"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			front := plugintest.NewFront(t, llmstub.OpenRouter, keyInfo)
			var p sdk.Provider = inProcess(t, openrouter.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()})
			if where == "over the wire" {
				var log func() string
				p, log = overWire(t, front)
				t.Cleanup(func() { assert.NotContains(t, log(), plugintest.Key) })
			}
			plugintest.Faults(t, front, llmstub.OpenRouter, p, expectations())
		})
	}
}

func expectations() []plugintest.Expectation {
	return []plugintest.Expectation{
		{Fault: llmstub.FaultBadRequest, Kind: sdk.KindInvalidRequest, Status: 400},
		{Fault: llmstub.FaultUnauthorized, Kind: sdk.KindAuth, Status: 401},
		{Fault: llmstub.FaultInvalidKey, Kind: sdk.KindAuth, Status: 401},
		{Fault: llmstub.FaultPaymentRequired, Kind: sdk.KindNoCredit, Status: 402},
		{Fault: llmstub.FaultInsufficientQuota, Kind: sdk.KindNoCredit, Status: 402},
		{Fault: llmstub.FaultBilling, Kind: sdk.KindNoCredit, Status: 402},
		{Fault: llmstub.FaultForbidden, Kind: sdk.KindAuth, Status: 403},
		{Fault: llmstub.FaultNotFound, Kind: sdk.KindInvalidRequest, Status: 404},
		{Fault: llmstub.FaultTimeout, Kind: sdk.KindOverloaded, Status: 408},
		{Fault: llmstub.FaultConflict, Kind: sdk.KindOverloaded, Status: 409},
		{Fault: llmstub.FaultTooLarge, Kind: sdk.KindInvalidRequest, Status: 413},
		{Fault: llmstub.FaultRateLimited, Kind: sdk.KindRateLimited, Status: 429, RetryAfter: true},
		{Fault: llmstub.FaultRateLimited, Kind: sdk.KindRateLimited, Status: 429, RetryAt: true},
		{Fault: llmstub.FaultDailyQuota, Kind: sdk.KindQuota, Status: 429, RetryAfter: true},
		{Fault: llmstub.FaultServerError, Kind: sdk.KindOverloaded, Status: 500, RetryAfter: true},
		{Fault: llmstub.FaultBadGateway, Kind: sdk.KindOverloaded, Status: 502},
		{Fault: llmstub.FaultUnavailable, Kind: sdk.KindOverloaded, Status: 503, RetryAfter: true},
		{Fault: llmstub.FaultGatewayTimeout, Kind: sdk.KindOverloaded, Status: 504},
		{Fault: llmstub.FaultOverloaded, Kind: sdk.KindOverloaded, Status: 529, RetryAfter: true},
		{Fault: llmstub.FaultErrorIn200, Kind: sdk.KindOverloaded, Status: 502},
		{Fault: llmstub.FaultStreamError, Kind: sdk.KindOverloaded, Status: 502},
		{Fault: llmstub.FaultRedirect, Kind: sdk.KindInvalidRequest},
		{Fault: llmstub.FaultEmpty, Kind: sdk.KindEmpty, Status: 200, Paid: true, Finish: sdk.FinishStop},
		{Fault: llmstub.FaultEmptyRecitation, Kind: sdk.KindBlocked, Status: 200, Paid: true, Finish: sdk.FinishBlocked},
		{Fault: llmstub.FaultEmptySafety, Kind: sdk.KindBlocked, Status: 200, Paid: true, Finish: sdk.FinishBlocked},
		{Fault: llmstub.FaultPromptBlocked, Kind: sdk.KindBlocked, Status: 200, Paid: true, Finish: sdk.FinishBlocked},
		{Fault: llmstub.FaultRefusal, Kind: sdk.KindBlocked, Status: 200, Paid: true, Finish: sdk.FinishBlocked},
		{Fault: llmstub.FaultEmptyMaxTokens, Kind: sdk.KindTruncated, Status: 200, Paid: true, Finish: sdk.FinishLength},
		{Fault: llmstub.FaultTruncated, Kind: sdk.KindTruncated, Status: 200, Paid: true, Finish: sdk.FinishLength},
		{Fault: llmstub.FaultContinuation, Kind: sdk.KindTruncated, Status: 200, Paid: true, Finish: sdk.FinishLength},
		{Fault: llmstub.FaultInvalidJSON, Paid: true, Finish: sdk.FinishStop},
		{Fault: llmstub.FaultFenced, Paid: true, Finish: sdk.FinishStop},
		{Fault: llmstub.FaultWrongFigures, Paid: true, Finish: sdk.FinishStop},
		{Fault: llmstub.FaultWrongOnce, Paid: true, Finish: sdk.FinishStop},
		{Fault: llmstub.FaultInjected, Paid: true, Finish: sdk.FinishStop},
		{Fault: llmstub.FaultHuge, Paid: true, Finish: sdk.FinishStop},
		{Fault: llmstub.FaultHang, Kind: sdk.KindTimeout, Ends: true},
		{Fault: llmstub.FaultHangMid, Kind: sdk.KindTimeout, Ends: true},
		{Fault: llmstub.FaultSlowDrip, Kind: sdk.KindTimeout, Ends: true},
		{Fault: llmstub.FaultReset, Kind: sdk.KindOverloaded},
		{Fault: llmstub.FaultResetMid, Kind: sdk.KindOverloaded},
		{Fault: llmstub.FaultCutMid, Kind: sdk.KindOverloaded},
		{Fault: llmstub.FaultEndsEarly, Kind: sdk.KindOverloaded, Status: 200},
	}
}

func TestRequestIsWhatTheVendorTakes(t *testing.T) {
	t.Parallel()
	front := plugintest.NewFront(t, llmstub.OpenRouter, keyInfo)
	p := inProcess(t, openrouter.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()})
	c := front.NewCase(t)
	c.Request.Pages = append(c.Request.Pages, sdk.Page{MediaType: "application/pdf", Data: []byte("%PDF-1.7 a page")})
	a := plugintest.Ask(t.Context(), p, c.Request, nil)
	require.NoError(t, a.Err)
	assert.Greater(t, a.Pieces, 1, "streamed")
	assert.Equal(t, "google/gemini-3.1-flash-lite", a.Result.Model)
	require.NotNil(t, a.Result.Usage.CostMicroUSD)
	require.NoError(t, c.Stub.AwaitDone(t.Context()))
	billed := c.Stub.CallsTo(llmstub.OpenRouter)[0].Usage
	assert.Equal(t, billed.CostMicroUSD, *a.Result.Usage.CostMicroUSD, "the vendor's own figure")
	assert.Equal(t, billed.Input, a.Result.Usage.InputTokens)
	assert.Equal(t, billed.Output, a.Result.Usage.OutputTokens)
	assert.Equal(t, billed.Thinking, a.Result.Usage.ThinkingTokens)

	raw, header := c.Last()
	assert.Equal(t, "Bearer "+plugintest.Key, header.Get("Authorization"))
	assert.NotEmpty(t, header.Get("Http-Referer"))
	assert.Equal(t, "Mercado Esperto", header.Get("X-Title"))
	var body map[string]any
	require.NoError(t, json.Unmarshal(raw, &body))
	assert.Equal(t, true, body["stream"])
	assert.Equal(t, map[string]any{"include": true}, body["usage"])
	assert.Equal(t, map[string]any{"require_parameters": true, "data_collection": "deny"}, body["provider"])
	assert.Equal(t, map[string]any{"effort": "low", "exclude": true}, body["reasoning"])
	assert.JSONEq(t, `[{"id":"file-parser","pdf":{"engine":"native"}}]`, mustJSON(t, body["plugins"]), "no other company reads it")
	assert.NotContains(t, body, "reasoning_effort")
	assert.NotContains(t, body, "store")
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func TestOnlyModelsThatThinkAreAskedToThinkLittle(t *testing.T) {
	t.Parallel()
	front := plugintest.NewFront(t, llmstub.OpenRouter, keyInfo)
	for model, want := range map[string]bool{
		"google/gemini-3.1-flash-lite": true, "google/gemini-2.5-flash": true, "google/gemini-2.5-flash-lite": false,
		"google/gemini-2.0-flash-001": false, "openai/gpt-6-luna": true, "openai/gpt-4.1-mini": false,
		"anthropic/claude-haiku-5-5": false, "mistralai/mistral-small": false, "openai/gpt-5-mini:nitro": true,
	} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			c := front.NewCase(t)
			p := inProcess(t, openrouter.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL(), Model: model})
			require.NoError(t, plugintest.Ask(t.Context(), p, c.Request, nil).Err)
			raw, _ := c.Last()
			var body map[string]any
			require.NoError(t, json.Unmarshal(raw, &body))
			assert.Equal(t, want, body["reasoning"] != nil)
			assert.NotContains(t, body, "plugins", "no PDF")
		})
	}
}

// TestErrorsOfItsOwn are what the stub does not say.
func TestErrorsOfItsOwn(t *testing.T) {
	t.Parallel()
	tomorrow := strconv.FormatInt(time.Now().Add(20*time.Hour).UnixMilli(), 10)
	for name, test := range map[string]struct {
		status    int
		header    map[string]string
		body      string
		kind      sdk.Kind
		want      int // HTTPStatus
		hint      time.Duration
		mentioned string
	}{
		"402 behind 200": {
			status: 200, header: map[string]string{"Content-Type": "application/json"},
			body: `{"error":{"code":402,"message":"Insufficient credits"},"user_id":"user_1"}`,
			kind: sdk.KindNoCredit, want: 402, mentioned: "Insufficient credits",
		},
		"429 behind 200, its hint in the metadata": {
			status: 200, header: map[string]string{"Content-Type": "application/json"},
			body: `{"error":{"code":429,"message":"Provider returned error","metadata":{"headers":{"Retry-After":"33"}}}}`,
			kind: sdk.KindRateLimited, want: 429, hint: 33 * time.Second,
		},
		"an error under the media type of a stream": {
			status: 200, header: map[string]string{"Content-Type": "text/event-stream"},
			body: `{"error":{"code":"503","message":"No instances available"}}`, kind: sdk.KindOverloaded, want: 503,
		},
		"an error of the model behind it": {
			status: 200, header: map[string]string{"Content-Type": "application/json"},
			body: `{"model":"m","choices":[{"index":0,"finish_reason":"error","message":{"content":""},"error":{"code":429,"message":"x"}}]}`,
			kind: sdk.KindRateLimited, want: 429,
		},
		"moderation is no matter of the key": {
			status: 403, body: `{"error":{"code":403,"message":"Your input was flagged","metadata":{"reasons":["violence"],"flagged_input":"CPF 529"}}}`,
			kind: sdk.KindBlocked, want: 403,
		},
		"a key without permission": {
			status: 403, body: `{"error":{"code":403,"message":"Key is disabled"}}`, kind: sdk.KindAuth, want: 403,
		},
		"credit in use by other calls": {
			status: 402, header: map[string]string{"Retry-After": "5"},
			body: `{"error":{"code":402,"message":"Busy","metadata":{"limit_source":"openrouter_in_flight_budget"}}}`,
			kind: sdk.KindRateLimited, want: 402, hint: 5 * time.Second,
		},
		"free calls of the day": {
			status: 429, body: `{"error":{"code":429,"message":"Rate limit","metadata":{"headers":{"X-RateLimit-Reset":"` + tomorrow + `"}}}}`,
			kind: sdk.KindQuota, want: 429, hint: 20 * time.Hour,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := plugintest.Ask(t.Context(), saying(t, test.status, test.header, test.body), request(t), nil)
			require.Error(t, a.Err)
			e := sdk.AsError(a.Err)
			assert.Equal(t, test.kind, e.Kind, e.Message)
			assert.Equal(t, test.want, e.HTTPStatus)
			assert.InDelta(t, test.hint, e.RetryAfter, float64(time.Minute))
			assert.Contains(t, e.Message, test.mentioned)
			assert.NotContains(t, e.Message, "CPF")
			assert.Zero(t, a.Pieces)
		})
	}
}

func TestCostIsTheVendorsFigure(t *testing.T) {
	t.Parallel()
	micro := func(n int64) *int64 { return &n }
	for usage, want := range map[string]*int64{
		`"cost":0.00144`:   micro(1440),
		`"cost":0`:         micro(0),
		`"cost":1.4e-06`:   micro(1),
		`"cost":null`:      nil,
		`"cost":"free"`:    nil,
		`"cost":-1`:        nil,
		`"cost":1e300`:     nil,
		`"total_tokens":3`: nil,
		`"cost":0.01,"is_byok":true,"cost_details":{"upstream_inference_cost":0.2}`:   micro(210_000),
		`"cost":0.01,"is_byok":false,"cost_details":{"upstream_inference_cost":0.01}`: micro(10_000),
		`"cost":0.01,"is_byok":true,"cost_details":{"upstream_inference_cost":null}`:  micro(10_000),
		`"cost":0.01,"is_byok":true,"cost_details":null`:                              micro(10_000),
	} {
		t.Run(usage, func(t *testing.T) {
			t.Parallel()
			body := `data: {"model":"m","choices":[{"index":0,"delta":{"content":"{}"},"finish_reason":"stop"}],` +
				`"usage":{"prompt_tokens":2,"completion_tokens":1,` + usage + "}}\n\ndata: [DONE]\n\n"
			a := plugintest.Ask(t.Context(), saying(t, 200, nil, body), request(t), nil)
			require.NoError(t, a.Err)
			assert.Equal(t, want, a.Result.Usage.CostMicroUSD)
			assert.EqualValues(t, 2, a.Result.Usage.InputTokens)
		})
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	front := plugintest.NewFront(t, llmstub.OpenRouter, keyInfo)
	ok := inProcess(t, openrouter.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()})
	require.NoError(t, ok.Check(t.Context()))
	wrong := inProcess(t, openrouter.Config{APIKey: "another", BaseURL: front.BaseURL()})
	assert.Equal(t, sdk.KindAuth, sdk.AsError(wrong.Check(t.Context())).Kind)
	spent := saying(t, 200, nil, `{"data":{"limit":5,"limit_remaining":0}}`)
	assert.Equal(t, sdk.KindNoCredit, sdk.AsError(spent.Check(t.Context())).Kind)
	page := saying(t, 200, nil, `<html>Welcome to the wifi</html>`)
	assert.Equal(t, sdk.KindInvalidRequest, sdk.AsError(page.Check(t.Context())).Kind)
	broken := saying(t, 200, nil, `{"error":{"code":503,"message":"down"}}`)
	assert.Equal(t, sdk.KindOverloaded, sdk.AsError(broken.Check(t.Context())).Kind)
}
