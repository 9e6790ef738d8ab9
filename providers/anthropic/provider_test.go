package anthropic_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/providers/anthropic"
	"github.com/mercadoesperto/smarket/providers/internal/plugintest"
	"github.com/mercadoesperto/smarket/providers/internal/vendorhttp"
	"github.com/mercadoesperto/smarket/providers/sdk"
	"github.com/mercadoesperto/smarket/providers/sdk/sdktest"
)

// binary is the plugin, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(plugintest.Main(m, "anthropic", &binary)) }

// models answers what Check asks.
func models(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("X-Api-Key") != plugintest.Key:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, `{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key %s"}}`, r.Header.Get("X-Api-Key"))
	case r.URL.Path == "/v1/models/a-page":
		_, _ = fmt.Fprint(w, "<html>Welcome</html>")
	case r.URL.Path == "/v1/models/another-service":
		_, _ = fmt.Fprint(w, `{"status":"ok"}`)
	case r.URL.Path != "/v1/models/claude-haiku-5-5":
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprint(w, `{"type":"error","error":{"type":"not_found_error","message":"model: x"}}`)
	default:
		_, _ = fmt.Fprint(w, `{"type":"model","id":"claude-haiku-5-5","display_name":"Claude Haiku 5.5"}`)
	}
}

// inProcess is a provider without a process.
func inProcess(t *testing.T, config anthropic.Config) *anthropic.Provider {
	t.Helper()
	client, err := vendorhttp.NewClient(config.BaseURL)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	config.HTTPClient = client
	p, err := anthropic.New(config)
	require.NoError(t, err)
	return p
}

// setup is a provider in this process, and the stub that it calls.
func setup(t *testing.T) (*anthropic.Provider, *plugintest.Case) {
	t.Helper()
	front := plugintest.NewFront(t, llmstub.Anthropic, models)
	return inProcess(t, anthropic.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()}), front.NewCase(t)
}

func overWire(t *testing.T, front *plugintest.Front) (sdk.Provider, func() string) {
	t.Helper()
	return plugintest.Start(t, binary, "anthropic", map[string]string{
		"ANTHROPIC_API_KEY": plugintest.Key, "ANTHROPIC_BASE_URL": front.BaseURL(), "ANTHROPIC_MODEL": "claude-haiku-5-5",
	})
}

func TestEveryPromiseIsKept(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"in process", "over the wire"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			front := plugintest.NewFront(t, llmstub.Anthropic, models)
			c := front.NewCase(t)
			var p sdk.Provider = inProcess(t, anthropic.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()})
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
	front := plugintest.NewFront(t, llmstub.Anthropic, models)
	p, log := overWire(t, front)
	t.Cleanup(func() { assert.NotContains(t, log(), plugintest.Key) })
	plugintest.Faults(t, front, llmstub.Anthropic, p, []plugintest.Expectation{
		{Fault: llmstub.FaultBadRequest, Kind: sdk.KindInvalidRequest, Status: 400},
		{Fault: llmstub.FaultUnauthorized, Kind: sdk.KindAuth, Status: 401},
		{Fault: llmstub.FaultInvalidKey, Kind: sdk.KindAuth, Status: 401},
		{Fault: llmstub.FaultPaymentRequired, Kind: sdk.KindNoCredit, Status: 402},
		{Fault: llmstub.FaultBilling, Kind: sdk.KindNoCredit, Status: 402},
		{Fault: llmstub.FaultInsufficientQuota, Kind: sdk.KindNoCredit, Status: 400},
		{Fault: llmstub.FaultDailyQuota, Kind: sdk.KindRateLimited, Status: 429, RetryAfter: true},
		{Fault: llmstub.FaultForbidden, Kind: sdk.KindAuth, Status: 403},
		{Fault: llmstub.FaultNotFound, Kind: sdk.KindInvalidRequest, Status: 404},
		{Fault: llmstub.FaultTimeout, Kind: sdk.KindOverloaded, Status: 408},
		{Fault: llmstub.FaultConflict, Kind: sdk.KindOverloaded, Status: 409},
		{Fault: llmstub.FaultTooLarge, Kind: sdk.KindInvalidRequest, Status: 413},
		{Fault: llmstub.FaultRateLimited, Kind: sdk.KindRateLimited, Status: 429, RetryAfter: true},
		{Fault: llmstub.FaultRateLimited, Kind: sdk.KindRateLimited, Status: 429, RetryAt: true},
		{Fault: llmstub.FaultServerError, Kind: sdk.KindOverloaded, Status: 500, RetryAfter: true},
		{Fault: llmstub.FaultBadGateway, Kind: sdk.KindOverloaded, Status: 502},
		{Fault: llmstub.FaultUnavailable, Kind: sdk.KindOverloaded, Status: 503, RetryAfter: true},
		{Fault: llmstub.FaultGatewayTimeout, Kind: sdk.KindOverloaded, Status: 504},
		{Fault: llmstub.FaultOverloaded, Kind: sdk.KindOverloaded, Status: 529, RetryAfter: true},
		{Fault: llmstub.FaultErrorIn200, Kind: sdk.KindOverloaded, Status: 200},
		{Fault: llmstub.FaultStreamError, Kind: sdk.KindOverloaded, Status: 200, Paid: true},
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
	})
}

func TestRequestIsWhatTheVendorTakes(t *testing.T) {
	t.Parallel()
	p, c := setup(t)
	c.Request.Pages = append(c.Request.Pages, sdk.Page{MediaType: "application/pdf", Data: []byte("%PDF-1.7 a page"), Text: "TOTAL 1,00"})
	a := plugintest.Ask(t.Context(), p, c.Request, nil)
	require.NoError(t, a.Err)
	assert.Greater(t, a.Pieces, 1, "streamed")
	assert.Equal(t, "claude-haiku-5-5", a.Result.Model)
	assert.Positive(t, a.Result.Usage.OutputTokens)
	assert.Zero(t, a.Result.Usage.ThinkingTokens)
	assert.Nil(t, a.Result.Usage.CostMicroUSD)
	calls := c.Stub.CallsTo(llmstub.Anthropic)
	require.Len(t, calls, 1)
	assert.Equal(t, "/v1/messages", calls[0].Path)

	raw, header := c.Last()
	assert.Equal(t, plugintest.Key, header.Get("X-Api-Key"))
	assert.Equal(t, "2023-06-01", header.Get("Anthropic-Version"))
	assert.Empty(t, header.Values("Anthropic-Beta"))
	assert.Empty(t, header.Values("Authorization"))
	type block struct {
		Type         string
		Text         string
		CacheControl map[string]any `json:"cache_control"`
		Source       map[string]any
	}
	var body struct {
		Model        string
		Stream       bool
		MaxTokens    int `json:"max_tokens"`
		Thinking     map[string]any
		System       []block
		OutputConfig struct {
			Effort string
			Format struct {
				Type   string
				Schema json.RawMessage
			}
		} `json:"output_config"`
		Messages []struct {
			Role    string
			Content []block
		}
	}
	require.NoError(t, json.Unmarshal(raw, &body))
	assert.Equal(t, "claude-haiku-5-5", body.Model)
	assert.True(t, body.Stream)
	assert.Equal(t, 32_768, body.MaxTokens)
	assert.Equal(t, map[string]any{"type": "disabled"}, body.Thinking)
	assert.Empty(t, body.OutputConfig.Effort)
	assert.Equal(t, "json_schema", body.OutputConfig.Format.Type)
	var schema bytes.Buffer
	require.NoError(t, json.Compact(&schema, c.Request.Schema))
	assert.Equal(t, schema.String(), string(body.OutputConfig.Format.Schema), "in its own order, which the model writes in")
	require.Len(t, body.System, 1)
	assert.Equal(t, c.Request.Instructions, body.System[0].Text, "as it is, or no cache hits")
	assert.Equal(t, map[string]any{"type": "ephemeral"}, body.System[0].CacheControl)
	require.Len(t, body.Messages, 1)
	assert.Equal(t, "user", body.Messages[0].Role)
	blocks := body.Messages[0].Content
	require.Len(t, blocks, 4)
	assert.Equal(t, "image", blocks[0].Type)
	assert.Equal(t, "image/jpeg", blocks[0].Source["media_type"])
	assert.Equal(t, "TOTAL 1,00", blocks[1].Text)
	assert.Equal(t, "document", blocks[2].Type)
	assert.Equal(t, map[string]any{"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjcgYSBwYWdl"}, blocks[2].Source)
	assert.Equal(t, c.Request.Input, blocks[3].Text, "the part that changes comes last")
}

func TestModelsAreAskedToThinkAsLittleAsTheyCan(t *testing.T) {
	t.Parallel()
	front := plugintest.NewFront(t, llmstub.Anthropic, models)
	disabled, effort := map[string]any{"type": "disabled"}, "low"
	for model, want := range map[string][2]any{
		"claude-haiku-5-5":          {disabled, nil},
		"claude-haiku-4-5-20251001": {disabled, nil},
		"claude-sonnet-5-5":         {disabled, nil},
		"claude-opus-4-1":           {disabled, nil},
		"claude-opus-5-5":           {nil, effort},
		"claude-fable-5-1":          {nil, effort},
	} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			c := front.NewCase(t)
			c.Request.MaxOutputTokens = 9000
			p := inProcess(t, anthropic.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL(), Model: model})
			require.NoError(t, plugintest.Ask(t.Context(), p, c.Request, nil).Err)
			raw, _ := c.Last()
			var body map[string]any
			require.NoError(t, json.Unmarshal(raw, &body))
			config, _ := body["output_config"].(map[string]any)
			assert.Equal(t, want, [2]any{body["thinking"], config["effort"]})
			assert.InDelta(t, 9000, body["max_tokens"], 0)
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
	assert.Positive(t, first.Result.Usage.CacheWriteTokens)
	assert.Zero(t, second.Result.Usage.CacheWriteTokens)
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
	assert.NotContains(t, string(raw), "output_config", "free text")
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
	t.Cleanup(func() { assert.Zero(t, c.Stub.Count(llmstub.Anthropic)) })
}

func TestCheck(t *testing.T) {
	t.Parallel()
	front := plugintest.NewFront(t, llmstub.Anthropic, models)
	for name, test := range map[string]struct {
		config anthropic.Config
		kind   sdk.Kind
	}{
		"no key":          {anthropic.Config{}, sdk.KindAuth},
		"wrong key":       {anthropic.Config{APIKey: "another key of somebody"}, sdk.KindAuth},
		"no such model":   {anthropic.Config{APIKey: plugintest.Key, Model: "claude-0"}, sdk.KindInvalidRequest},
		"a page":          {anthropic.Config{APIKey: plugintest.Key, Model: "a-page"}, sdk.KindInvalidRequest},
		"another service": {anthropic.Config{APIKey: plugintest.Key, Model: "another-service"}, sdk.KindInvalidRequest},
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
	front := plugintest.NewFront(t, llmstub.Anthropic, models)
	for name, env := range map[string]map[string]string{
		"key":     {"ANTHROPIC_API_KEY": "somebody's", "ANTHROPIC_BASE_URL": "http://127.0.0.1:1"},
		"token":   {"ANTHROPIC_AUTH_TOKEN": "somebody's"},
		"profile": {"ANTHROPIC_PROFILE": "somebody's"},
		"headers": {"ANTHROPIC_CUSTOM_HEADERS": "Anthropic-Beta: somebody's"},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range env {
				t.Setenv(variable, value)
			}
			c := front.NewCase(t)
			p := inProcess(t, anthropic.Config{BaseURL: front.BaseURL()})
			assert.Equal(t, sdk.KindAuth, sdk.AsError(plugintest.Ask(t.Context(), p, c.Request, nil).Err).Kind)
			assert.Zero(t, c.Stub.Count(llmstub.Anthropic), "without a key of its own nothing is sent")
			p = inProcess(t, anthropic.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()})
			require.NoError(t, plugintest.Ask(t.Context(), p, c.Request, nil).Err)
			_, header := c.Last()
			for _, values := range header {
				assert.NotContains(t, fmt.Sprint(values), "somebody's")
			}
		})
	}
}

func TestProviderDoesNotPrintItsKey(t *testing.T) {
	t.Parallel()
	p, err := anthropic.New(anthropic.Config{APIKey: plugintest.Key})
	require.NoError(t, err)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.NotContains(t, fmt.Sprintf(format, p), plugintest.Key)
		assert.NotContains(t, fmt.Sprintf(format, *p), plugintest.Key)
	}
}

func TestBaseURLThatShowsTheKeyIsRefused(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"http://example.com", "ftp://example.com", "https://user:secret@example.com", "::", "https://"} {
		_, err := anthropic.New(anthropic.Config{APIKey: plugintest.Key, BaseURL: url})
		require.Error(t, err, url)
		assert.NotContains(t, err.Error(), "secret")
	}
}
