package gemini_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/providers/gemini"
	"github.com/mercadoesperto/smarket/providers/internal/plugintest"
	"github.com/mercadoesperto/smarket/providers/internal/vendorhttp"
	"github.com/mercadoesperto/smarket/providers/sdk"
	"github.com/mercadoesperto/smarket/providers/sdk/sdktest"
)

// binary is the plugin, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(plugintest.Main(m, "gemini", &binary)) }

// models answers what Check asks.
func models(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("X-Goog-Api-Key") != plugintest.Key:
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"error":{"code":400,"message":"API key not valid: %s","status":"INVALID_ARGUMENT","details":[
			{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}`, r.Header.Get("X-Goog-Api-Key"))
	case r.URL.Path == "/v1beta/models/a-page":
		_, _ = fmt.Fprint(w, "<html>Welcome</html>")
	case r.URL.Path == "/v1beta/models/another-service":
		_, _ = fmt.Fprint(w, `{"status":"ok"}`)
	case r.URL.Path != "/v1beta/models/gemini-3.1-flash-lite":
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprint(w, `{"error":{"code":404,"message":"models/x is not found for API version v1beta","status":"NOT_FOUND"}}`)
	default:
		_, _ = fmt.Fprint(w, `{"name":"models/gemini-3.1-flash-lite","supportedGenerationMethods":["generateContent"]}`)
	}
}

// inProcess is a provider without a process.
func inProcess(t *testing.T, config gemini.Config) *gemini.Provider {
	t.Helper()
	client, err := vendorhttp.NewClient(config.BaseURL)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	config.HTTPClient = client
	p, err := gemini.New(config)
	require.NoError(t, err)
	return p
}

// setup is a provider in this process, and the stub that it calls.
func setup(t *testing.T) (*gemini.Provider, *plugintest.Case) {
	t.Helper()
	front := plugintest.NewFront(t, llmstub.Gemini, models)
	return inProcess(t, gemini.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()}), front.NewCase(t)
}

func overWire(t *testing.T, front *plugintest.Front) (sdk.Provider, func() string) {
	t.Helper()
	return plugintest.Start(t, binary, "gemini", map[string]string{
		"GEMINI_API_KEY": plugintest.Key, "GEMINI_BASE_URL": front.BaseURL(), "GEMINI_MODEL": "gemini-3.1-flash-lite",
	})
}

func TestEveryPromiseIsKept(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"in process", "over the wire"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			front := plugintest.NewFront(t, llmstub.Gemini, models)
			c := front.NewCase(t)
			var p sdk.Provider = inProcess(t, gemini.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()})
			if where == "over the wire" {
				p, _ = overWire(t, front)
			}
			sdktest.Exercise(t, p, sdktest.Options{
				Page: c.Request.Pages[0], Schema: c.Request.Schema, Instructions: c.Request.Instructions,
			})
		})
	}
}

// timeless takes the hint of a daily quota, which the time of day decides, out of errors.
type timeless struct {
	t *testing.T
	sdk.Provider
}

func (p timeless) Generate(ctx context.Context, req sdk.Request, emit func(string) error) (sdk.Result, error) {
	result, err := p.Provider.Generate(ctx, req, emit)
	if e := sdk.AsError(err); e != nil && e.Kind == sdk.KindQuota {
		assert.Greater(p.t, e.RetryAfter, time.Duration(0))
		assert.LessOrEqual(p.t, e.RetryAfter, 24*time.Hour)
		e.RetryAfter = 0
	}
	return result, err
}

func TestEachFaultIsOneCallAndOneKindOfError(t *testing.T) {
	t.Parallel()
	front := plugintest.NewFront(t, llmstub.Gemini, models)
	p, log := overWire(t, front)
	t.Cleanup(func() { assert.NotContains(t, log(), plugintest.Key) })
	plugintest.Faults(t, front, llmstub.Gemini, timeless{t, p}, []plugintest.Expectation{
		{Fault: llmstub.FaultBadRequest, Kind: sdk.KindInvalidRequest, Status: 400},
		{Fault: llmstub.FaultUnauthorized, Kind: sdk.KindAuth, Status: 401},
		{Fault: llmstub.FaultInvalidKey, Kind: sdk.KindAuth, Status: 400},
		{Fault: llmstub.FaultPaymentRequired, Kind: sdk.KindNoCredit, Status: 402},
		{Fault: llmstub.FaultBilling, Kind: sdk.KindNoCredit, Status: 400},
		{Fault: llmstub.FaultDailyQuota, Kind: sdk.KindQuota, Status: 429},
		{Fault: llmstub.FaultInsufficientQuota, Kind: sdk.KindQuota, Status: 429},
		{Fault: llmstub.FaultForbidden, Kind: sdk.KindAuth, Status: 403},
		{Fault: llmstub.FaultNotFound, Kind: sdk.KindInvalidRequest, Status: 404},
		{Fault: llmstub.FaultTimeout, Kind: sdk.KindOverloaded, Status: 408},
		{Fault: llmstub.FaultConflict, Kind: sdk.KindOverloaded, Status: 409},
		{Fault: llmstub.FaultTooLarge, Kind: sdk.KindInvalidRequest, Status: 413},
		{Fault: llmstub.FaultRateLimited, Kind: sdk.KindRateLimited, Status: 429, RetryAfter: true},
		{Fault: llmstub.FaultServerError, Kind: sdk.KindOverloaded, Status: 500},
		{Fault: llmstub.FaultBadGateway, Kind: sdk.KindOverloaded, Status: 502},
		{Fault: llmstub.FaultUnavailable, Kind: sdk.KindOverloaded, Status: 503, RetryAfter: true},
		{Fault: llmstub.FaultGatewayTimeout, Kind: sdk.KindOverloaded, Status: 504},
		{Fault: llmstub.FaultOverloaded, Kind: sdk.KindOverloaded, Status: 529},
		{Fault: llmstub.FaultErrorIn200, Kind: sdk.KindOverloaded, Status: 503},
		{Fault: llmstub.FaultStreamError, Kind: sdk.KindOverloaded, Status: 503, Paid: true},
		{Fault: llmstub.FaultRedirect, Kind: sdk.KindInvalidRequest},
		{Fault: llmstub.FaultEmpty, Kind: sdk.KindEmpty, Status: 200, Paid: true, Finish: sdk.FinishStop},
		{Fault: llmstub.FaultEmptyRecitation, Kind: sdk.KindBlocked, Status: 200, Paid: true, Finish: sdk.FinishBlocked},
		{Fault: llmstub.FaultEmptySafety, Kind: sdk.KindBlocked, Status: 200, Paid: true, Finish: sdk.FinishBlocked},
		{Fault: llmstub.FaultPromptBlocked, Kind: sdk.KindBlocked, Status: 200, Paid: true, Finish: sdk.FinishBlocked},
		{Fault: llmstub.FaultRefusal, Kind: sdk.KindBlocked, Status: 200, Paid: true, Finish: sdk.FinishBlocked},
		{Fault: llmstub.FaultEmptyMaxTokens, Kind: sdk.KindTruncated, Status: 200, Paid: true, Finish: sdk.FinishLength},
		{Fault: llmstub.FaultTruncated, Kind: sdk.KindTruncated, Status: 200, Paid: true, Finish: sdk.FinishLength},
		// The SDK would ask on, and be billed again.
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
	})
}

func TestRequestIsWhatTheVendorTakes(t *testing.T) {
	t.Parallel()
	p, c := setup(t)
	c.Request.Pages = append(c.Request.Pages, sdk.Page{MediaType: "application/pdf", Data: []byte("%PDF-1.7 a page"), Text: "TOTAL 1,00"})
	a := plugintest.Ask(t.Context(), p, c.Request, nil)
	require.NoError(t, a.Err)
	assert.Greater(t, a.Pieces, 1, "streamed")
	assert.Equal(t, "gemini-3.1-flash-lite", a.Result.Model)
	assert.Positive(t, a.Result.Usage.OutputTokens)
	assert.Nil(t, a.Result.Usage.CostMicroUSD)
	calls := c.Stub.CallsTo(llmstub.Gemini)
	require.Len(t, calls, 1)
	assert.Equal(t, "/v1beta/models/gemini-3.1-flash-lite:streamGenerateContent", calls[0].Path)

	raw, header := c.Last()
	assert.Equal(t, plugintest.Key, header.Get("X-Goog-Api-Key"))
	var fields map[string]any
	require.NoError(t, json.Unmarshal(raw, &fields))
	assert.NotContains(t, fields, "continuationToken")
	assert.NotContains(t, string(raw), "utomaticContinuation")
	var body struct {
		SystemInstruction struct{ Parts []map[string]any }
		Contents          []struct {
			Role  string
			Parts []map[string]any
		}
		GenerationConfig struct {
			ResponseMIMEType   string `json:"responseMimeType"`
			ResponseJSONSchema json.RawMessage
			MaxOutputTokens    int
			ThinkingConfig     map[string]any
		}
	}
	require.NoError(t, json.Unmarshal(raw, &body))
	require.Len(t, body.SystemInstruction.Parts, 1)
	assert.Equal(t, c.Request.Instructions, body.SystemInstruction.Parts[0]["text"], "as it is, or no cache hits")
	config := body.GenerationConfig
	assert.Equal(t, "application/json", config.ResponseMIMEType)
	assert.Equal(t, 32_768, config.MaxOutputTokens)
	assert.Equal(t, map[string]any{"thinkingLevel": "MINIMAL"}, config.ThinkingConfig)
	var schema bytes.Buffer
	require.NoError(t, json.Compact(&schema, c.Request.Schema))
	assert.Equal(t, schema.String(), string(config.ResponseJSONSchema), "in its own order, which the model writes in")
	require.Len(t, body.Contents, 1)
	assert.Equal(t, "user", body.Contents[0].Role)
	parts := body.Contents[0].Parts
	require.Len(t, parts, 4)
	picture, _ := parts[0]["inlineData"].(map[string]any)
	assert.Equal(t, "image/jpeg", picture["mimeType"])
	assert.Equal(t, "TOTAL 1,00", parts[1]["text"])
	file, _ := parts[2]["inlineData"].(map[string]any)
	assert.Equal(t, map[string]any{"mimeType": "application/pdf", "data": "JVBERi0xLjcgYSBwYWdl"}, file)
	assert.Equal(t, c.Request.Input, parts[3]["text"], "the part that changes comes last")
}

func TestModelsAreAskedToThinkAsLittleAsTheyCan(t *testing.T) {
	t.Parallel()
	front := plugintest.NewFront(t, llmstub.Gemini, models)
	for model, want := range map[string]any{
		"gemini-3.1-flash-lite": map[string]any{"thinkingLevel": "MINIMAL"},
		"models/gemini-3-flash": map[string]any{"thinkingLevel": "MINIMAL"},
		"gemini-flash-latest":   map[string]any{"thinkingLevel": "MINIMAL"},
		"gemini-3.1-pro":        map[string]any{"thinkingLevel": "LOW"},
		"gemini-2.5-flash":      map[string]any{"thinkingBudget": 0.0},
		"gemini-2.5-pro":        map[string]any{"thinkingBudget": 128.0},
		"gemini-2.0-flash":      nil,
		"gemma-4":               nil,
	} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			c := front.NewCase(t)
			c.Request.MaxOutputTokens = 9000
			p := inProcess(t, gemini.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL(), Model: model})
			require.NoError(t, plugintest.Ask(t.Context(), p, c.Request, nil).Err)
			raw, _ := c.Last()
			var body struct{ GenerationConfig map[string]any }
			require.NoError(t, json.Unmarshal(raw, &body))
			assert.Equal(t, want, body.GenerationConfig["thinkingConfig"])
			assert.InDelta(t, 9000, body.GenerationConfig["maxOutputTokens"], 0)
		})
	}
}

func TestSecondCallReadsItsInstructionsFromTheVendorsCache(t *testing.T) {
	t.Parallel()
	p, c := setup(t)
	first := plugintest.Ask(t.Context(), p, c.Request, nil)
	c.Request.Input += " repair the second line"
	second := plugintest.Ask(t.Context(), p, c.Request, nil)
	require.NoError(t, first.Err)
	require.NoError(t, second.Err)
	assert.Zero(t, first.Result.Usage.CachedInputTokens)
	assert.Positive(t, second.Result.Usage.CachedInputTokens)
	assert.Greater(t, second.Result.Usage.InputTokens, second.Result.Usage.CachedInputTokens)
}

func TestProbeAndAnalysis(t *testing.T) {
	t.Parallel()
	p, c := setup(t)
	a := plugintest.Ask(t.Context(), p, sdk.Request{
		Task: sdk.TaskProbe, Instructions: "Which word is on the picture?", Input: c.Request.Input, Pages: c.Request.Pages,
	}, nil)
	require.NoError(t, a.Err)
	assert.NotEmpty(t, a.Text)
	raw, _ := c.Last()
	assert.NotContains(t, string(raw), "responseMimeType", "free text")
	require.NoError(t, plugintest.Ask(t.Context(), p, sdk.Request{
		Task: sdk.TaskAnalyze, Instructions: "Explain.", Input: c.Request.Input, SchemaName: "insights",
		Schema: json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"text":{"type":"string"}},"required":["text"]}`),
	}, nil).Err)
}

func TestRequestsThatMakeNoSenseCostNothing(t *testing.T) {
	t.Parallel()
	p, c := setup(t)
	for name, test := range map[string]struct {
		change func(*sdk.Request)
		kind   sdk.Kind
	}{
		"nothing to read":         {func(r *sdk.Request) { r.Pages = nil }, sdk.KindInvalidRequest},
		"empty page":              {func(r *sdk.Request) { r.Pages[0].Data = nil }, sdk.KindInvalidRequest},
		"schema that is not JSON": {func(r *sdk.Request) { r.Schema = []byte("{") }, sdk.KindInvalidRequest},
		"picture of unknown kind": {func(r *sdk.Request) { r.Pages[0].MediaType = "image/tiff" }, sdk.KindUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := c.Request
			req.Pages = slices.Clone(req.Pages)
			test.change(&req)
			e := sdk.AsError(plugintest.Ask(t.Context(), p, req, nil).Err)
			require.NotNil(t, e)
			assert.Equal(t, test.kind, e.Kind)
			assert.Equal(t, sdk.BlameHost, e.Blame)
		})
	}
	t.Cleanup(func() { assert.Zero(t, c.Stub.Count(llmstub.Gemini)) })
}

func TestCheck(t *testing.T) {
	t.Parallel()
	front := plugintest.NewFront(t, llmstub.Gemini, models)
	for name, test := range map[string]struct {
		config gemini.Config
		kind   sdk.Kind
	}{
		"no key":          {gemini.Config{}, sdk.KindAuth},
		"wrong key":       {gemini.Config{APIKey: "another key of somebody"}, sdk.KindAuth},
		"no such model":   {gemini.Config{APIKey: plugintest.Key, Model: "gemini-0"}, sdk.KindInvalidRequest},
		"a page":          {gemini.Config{APIKey: plugintest.Key, Model: "a-page"}, sdk.KindInvalidRequest},
		"another service": {gemini.Config{APIKey: plugintest.Key, Model: "another-service"}, sdk.KindInvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.config.BaseURL = front.BaseURL()
			p := inProcess(t, test.config)
			e := sdk.AsError(p.Check(t.Context()))
			require.NotNil(t, e)
			assert.Equal(t, test.kind, e.Kind, e.Message)
			if test.config.APIKey != "" {
				assert.NotContains(t, e.Message, test.config.APIKey)
			}
			_, err := p.Describe(t.Context())
			require.NoError(t, err)
		})
	}
}

func TestEnvironmentOfTheSDKChangesNothing(t *testing.T) {
	front := plugintest.NewFront(t, llmstub.Gemini, models)
	for name, value := range map[string]string{
		"GOOGLE_API_KEY": "somebody's", "GEMINI_API_KEY": "somebody's", "GOOGLE_GENAI_USE_VERTEXAI": "true",
		"GOOGLE_GENAI_USE_ENTERPRISE": "true", "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:1", "GOOGLE_CLOUD_PROJECT": "somebody's",
	} {
		t.Setenv(name, value)
	}
	c := front.NewCase(t)
	p := inProcess(t, gemini.Config{BaseURL: front.BaseURL()})
	assert.Equal(t, sdk.KindAuth, sdk.AsError(plugintest.Ask(t.Context(), p, c.Request, nil).Err).Kind)
	assert.Zero(t, c.Stub.Count(llmstub.Gemini), "without a key of its own nothing is sent")
	p = inProcess(t, gemini.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()})
	require.NoError(t, plugintest.Ask(t.Context(), p, c.Request, nil).Err)
}

func TestProviderDoesNotPrintItsKey(t *testing.T) {
	t.Parallel()
	p, err := gemini.New(gemini.Config{APIKey: plugintest.Key})
	require.NoError(t, err)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.NotContains(t, fmt.Sprintf(format, p), plugintest.Key)
		assert.NotContains(t, fmt.Sprintf(format, *p), plugintest.Key)
	}
}

func TestBaseURLThatShowsTheKeyIsRefused(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"http://example.com", "ftp://example.com", "https://user:secret@example.com", "::", "https://"} {
		_, err := gemini.New(gemini.Config{APIKey: plugintest.Key, BaseURL: url})
		require.Error(t, err, url)
		assert.NotContains(t, err.Error(), "secret")
	}
}

func TestStreamThatDoesNotEndAfterTheReplyIsLeft(t *testing.T) {
	t.Parallel()
	left := make(chan struct{})
	front := plugintest.NewFront(t, llmstub.Gemini, func(w http.ResponseWriter, r *http.Request) {})
	c := front.NewCase(t)
	p, err := gemini.New(gemini.Config{APIKey: plugintest.Key, HTTPClient: &http.Client{Transport: vendor(func(r *http.Request) *http.Response {
		body := newEndless(r.Context(), `data: {"candidates":[{"content":{"parts":[{"text":"{}"}]},"finishReason":"STOP"}]}`+"\n\n")
		go func() {
			<-r.Context().Done()
			close(left)
		}()
		return &http.Response{StatusCode: http.StatusOK, Body: body, Header: http.Header{}}
	})}})
	require.NoError(t, err)
	a := plugintest.Ask(t.Context(), p, c.Request, nil)
	require.NoError(t, a.Err)
	assert.Equal(t, "{}", a.Text)
	select {
	case <-left:
	case <-time.After(time.Minute):
		assert.Fail(t, "the request goes on")
	}
}
