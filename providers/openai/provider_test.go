package openai_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/providers/internal/plugintest"
	"github.com/mercadoesperto/smarket/providers/internal/vendorhttp"
	"github.com/mercadoesperto/smarket/providers/openai"
	"github.com/mercadoesperto/smarket/providers/sdk"
	"github.com/mercadoesperto/smarket/providers/sdk/sdktest"
)

// binary is the plugin, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(plugintest.Main(m, "openai", &binary)) }

// models answers what Check asks.
func models(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+plugintest.Key {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, `{"error":{"message":"Incorrect API key provided: %s.","type":"invalid_request_error","code":"invalid_api_key"}}`,
			strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		return
	}
	if r.URL.Path != "/v1/models/gpt-6-luna" {
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprint(w, `{"error":{"message":"The model does not exist","type":"invalid_request_error","code":"model_not_found"}}`)
		return
	}
	_, _ = fmt.Fprint(w, `{"id":"gpt-6-luna","object":"model","created":1,"owned_by":"openai"}`)
}

// inProcess is a provider without a process.
func inProcess(t *testing.T, config openai.Config) *openai.Provider {
	t.Helper()
	client, err := vendorhttp.NewClient(config.BaseURL)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	config.HTTPClient = client
	p, err := openai.New(config)
	require.NoError(t, err)
	return p
}

func overWire(t *testing.T, front *plugintest.Front) (sdk.Provider, func() string) {
	t.Helper()
	return plugintest.Start(t, binary, "openai", map[string]string{
		"OPENAI_API_KEY": plugintest.Key, "OPENAI_BASE_URL": front.BaseURL(),
	})
}

func TestEveryPromiseIsKept(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"in process", "over the wire"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			front := plugintest.NewFront(t, llmstub.OpenAI, models)
			c := front.NewCase(t)
			var p sdk.Provider = inProcess(t, openai.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()})
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
			front := plugintest.NewFront(t, llmstub.OpenAI, models)
			var p sdk.Provider = inProcess(t, openai.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()})
			if where == "over the wire" {
				var log func() string
				p, log = overWire(t, front)
				t.Cleanup(func() { assert.NotContains(t, log(), plugintest.Key) })
			}
			plugintest.Faults(t, front, llmstub.OpenAI, p, expectations())
		})
	}
}

func expectations() []plugintest.Expectation {
	return []plugintest.Expectation{
		{Fault: llmstub.FaultBadRequest, Kind: sdk.KindInvalidRequest, Status: 400},
		{Fault: llmstub.FaultUnauthorized, Kind: sdk.KindAuth, Status: 401},
		{Fault: llmstub.FaultInvalidKey, Kind: sdk.KindAuth, Status: 401},
		{Fault: llmstub.FaultPaymentRequired, Kind: sdk.KindNoCredit, Status: 402},
		{Fault: llmstub.FaultInsufficientQuota, Kind: sdk.KindNoCredit, Status: 429},
		{Fault: llmstub.FaultBilling, Kind: sdk.KindNoCredit, Status: 400},
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
		{Fault: llmstub.FaultErrorIn200, Kind: sdk.KindOverloaded, Status: 200},
		{Fault: llmstub.FaultStreamError, Kind: sdk.KindOverloaded, Status: 200},
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
	front := plugintest.NewFront(t, llmstub.OpenAI, models)
	p := inProcess(t, openai.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()})
	c := front.NewCase(t)
	c.Request.Pages = append(c.Request.Pages, sdk.Page{MediaType: "application/pdf", Data: []byte("%PDF-1.7 a page"), Text: "TOTAL 1,00"})
	a := plugintest.Ask(t.Context(), p, c.Request, nil)
	require.NoError(t, a.Err)
	assert.Greater(t, a.Pieces, 1, "streamed")
	assert.Equal(t, "gpt-6-luna", a.Result.Model)
	assert.Positive(t, a.Result.Usage.ThinkingTokens)
	assert.Nil(t, a.Result.Usage.CostMicroUSD)

	raw, header := c.Last()
	assert.Equal(t, "Bearer "+plugintest.Key, header.Get("Authorization"))
	var body struct {
		Model               string
		Stream, Store       *bool
		MaxCompletionTokens int            `json:"max_completion_tokens"`
		ReasoningEffort     string         `json:"reasoning_effort"`
		StreamOptions       map[string]any `json:"stream_options"`
		ResponseFormat      struct {
			Type       string
			JSONSchema struct {
				Name   string
				Strict bool
				Schema json.RawMessage
			} `json:"json_schema"`
		} `json:"response_format"`
		Messages []struct {
			Role    string
			Content json.RawMessage
		}
	}
	require.NoError(t, json.Unmarshal(raw, &body))
	assert.Equal(t, "gpt-6-luna", body.Model)
	assert.True(t, *body.Stream)
	assert.False(t, *body.Store, "kept by nobody")
	assert.Equal(t, 32_768, body.MaxCompletionTokens)
	assert.Equal(t, "low", body.ReasoningEffort)
	assert.Equal(t, map[string]any{"include_usage": true}, body.StreamOptions)
	assert.Equal(t, "json_schema", body.ResponseFormat.Type)
	assert.Equal(t, c.Request.SchemaName, body.ResponseFormat.JSONSchema.Name)
	assert.True(t, body.ResponseFormat.JSONSchema.Strict)
	assert.JSONEq(t, string(c.Request.Schema), string(body.ResponseFormat.JSONSchema.Schema))
	require.Len(t, body.Messages, 2)
	assert.Equal(t, "system", body.Messages[0].Role)
	var first string
	require.NoError(t, json.Unmarshal(body.Messages[0].Content, &first))
	assert.Equal(t, c.Request.Instructions, first, "the part that never changes comes first, as it is")
	var parts []map[string]any
	require.NoError(t, json.Unmarshal(body.Messages[1].Content, &parts))
	require.Len(t, parts, 4)
	picture, _ := parts[0]["image_url"].(map[string]any)
	assert.Equal(t, "high", picture["detail"])
	assert.Contains(t, picture["url"], "data:image/jpeg;base64,")
	assert.Equal(t, "TOTAL 1,00", parts[1]["text"])
	file, _ := parts[2]["file"].(map[string]any)
	assert.Contains(t, file["file_data"], "data:application/pdf;base64,")
	assert.Equal(t, c.Request.Input, parts[3]["text"], "the part that changes comes last")
}

func TestSecondCallReadsItsInstructionsFromTheVendorsCache(t *testing.T) {
	t.Parallel()
	front := plugintest.NewFront(t, llmstub.OpenAI, models)
	p := inProcess(t, openai.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()})
	c := front.NewCase(t)
	first := plugintest.Ask(t.Context(), p, c.Request, nil)
	c.Request.Input += " repair the second line"
	second := plugintest.Ask(t.Context(), p, c.Request, nil)
	require.NoError(t, first.Err)
	require.NoError(t, second.Err)
	assert.Zero(t, first.Result.Usage.CachedInputTokens)
	assert.Positive(t, second.Result.Usage.CachedInputTokens)
}

func TestOtherModelsAndLimits(t *testing.T) {
	t.Parallel()
	front := plugintest.NewFront(t, llmstub.OpenAI, models)
	for model, effort := range map[string]any{
		"gpt-4.1-mini": nil, "gpt-5-chat-latest": nil, "gpt-6-luna": "low", "o3": "low", "ft:gpt-5-mini:acme::1": "low",
		"gpt-oss-20b": nil, "omni-moderation": nil,
	} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			c := front.NewCase(t)
			c.Request.MaxOutputTokens = 9000
			p := inProcess(t, openai.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL(), Model: model})
			require.NoError(t, plugintest.Ask(t.Context(), p, c.Request, nil).Err)
			raw, _ := c.Last()
			var body map[string]any
			require.NoError(t, json.Unmarshal(raw, &body))
			assert.Equal(t, model, body["model"])
			assert.Equal(t, effort, body["reasoning_effort"])
			assert.InDelta(t, 9000, body["max_completion_tokens"], 0)
		})
	}
}

func TestProbeAndAnalysis(t *testing.T) {
	t.Parallel()
	front := plugintest.NewFront(t, llmstub.OpenAI, models)
	p := inProcess(t, openai.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()})
	c := front.NewCase(t)
	picture := plugintest.Picture(t, 5)
	require.NoError(t, c.Stub.KnowWord(t.Context(), "ABACAXI", picture))
	a := plugintest.Ask(t.Context(), p, sdk.Request{
		Task: sdk.TaskProbe, Instructions: "Which word is on the picture?", Input: c.Request.Input,
		Pages: []sdk.Page{{MediaType: "image/jpeg", Data: picture}},
	}, nil)
	require.NoError(t, a.Err)
	assert.Contains(t, a.Text, "ABACAXI")

	analysis := sdk.Request{
		Task: sdk.TaskAnalyze, Instructions: "Explain.", Input: c.Request.Input, SchemaName: "insights",
		Schema: json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"text":{"type":"string"}},"required":["text"]}`),
	}
	require.NoError(t, plugintest.Ask(t.Context(), p, analysis, nil).Err)
}

func TestRequestsThatMakeNoSenseCostNothing(t *testing.T) {
	t.Parallel()
	front := plugintest.NewFront(t, llmstub.OpenAI, models)
	p := inProcess(t, openai.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()})
	c := front.NewCase(t)
	for name, test := range map[string]struct {
		change func(*sdk.Request)
		kind   sdk.Kind
	}{
		"nothing to read":           {func(r *sdk.Request) { r.Pages = nil }, sdk.KindInvalidRequest},
		"nothing to analyze":        {func(r *sdk.Request) { r.Task, r.Pages, r.Input = sdk.TaskAnalyze, nil, "" }, sdk.KindInvalidRequest},
		"empty page":                {func(r *sdk.Request) { r.Pages[0].Data = nil }, sdk.KindInvalidRequest},
		"schema that is not JSON":   {func(r *sdk.Request) { r.Schema = []byte("{") }, sdk.KindInvalidRequest},
		"picture of an unknown art": {func(r *sdk.Request) { r.Pages[0].MediaType = "image/tiff" }, sdk.KindUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := c.Request
			req.Pages = append([]sdk.Page(nil), req.Pages...)
			test.change(&req)
			err := plugintest.Ask(t.Context(), p, req, nil).Err
			require.Error(t, err)
			assert.Equal(t, test.kind, sdk.AsError(err).Kind)
			assert.Equal(t, sdk.BlameHost, sdk.AsError(err).Blame)
		})
	}
	t.Cleanup(func() { assert.Zero(t, c.Stub.Count(llmstub.OpenAI)) })
}

func TestTextStandsInForAPictureThatIsNotTaken(t *testing.T) {
	t.Parallel()
	front := plugintest.NewFront(t, llmstub.OpenAI, models)
	p := inProcess(t, openai.Config{APIKey: plugintest.Key, BaseURL: front.BaseURL()})
	c := front.NewCase(t)
	c.Request.Pages = []sdk.Page{{MediaType: "image/tiff", Data: []byte("II*"), Text: "CHAVE " + string(c.Receipt.Key)}}
	a := plugintest.Ask(t.Context(), p, c.Request, nil)
	require.NoError(t, a.Err)
	assert.Contains(t, a.Text, c.Receipt.Key)
	raw, _ := c.Last()
	assert.NotContains(t, string(raw), "image_url")
}

func TestCheck(t *testing.T) {
	t.Parallel()
	front := plugintest.NewFront(t, llmstub.OpenAI, models)
	for name, test := range map[string]struct {
		config openai.Config
		kind   sdk.Kind
	}{
		"no key":        {openai.Config{}, sdk.KindAuth},
		"wrong key":     {openai.Config{APIKey: "another key of somebody"}, sdk.KindAuth},
		"no such model": {openai.Config{APIKey: plugintest.Key, Model: "gpt-0"}, sdk.KindInvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.config.BaseURL = front.BaseURL()
			p := inProcess(t, test.config)
			e := sdk.AsError(p.Check(t.Context()))
			require.NotNil(t, e)
			assert.Equal(t, test.kind, e.Kind)
			if test.config.APIKey != "" {
				assert.NotContains(t, e.Message, test.config.APIKey)
			}
			_, err := p.Describe(t.Context())
			require.NoError(t, err)
		})
	}
}

func TestWithoutAKeyNothingIsSent(t *testing.T) {
	t.Parallel()
	front := plugintest.NewFront(t, llmstub.OpenAI, models)
	c := front.NewCase(t)
	p := inProcess(t, openai.Config{BaseURL: front.BaseURL()})
	err := plugintest.Ask(t.Context(), p, c.Request, nil).Err
	assert.Equal(t, sdk.KindAuth, sdk.AsError(err).Kind)
	assert.Zero(t, c.Stub.Count(llmstub.OpenAI))
}

func TestProviderDoesNotPrintItsKey(t *testing.T) {
	t.Parallel()
	p, err := openai.New(openai.Config{APIKey: plugintest.Key})
	require.NoError(t, err)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.NotContains(t, fmt.Sprintf(format, p), plugintest.Key)
		assert.NotContains(t, fmt.Sprintf(format, *p), plugintest.Key)
	}
}

func TestBaseURLThatShowsTheKeyIsRefused(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"http://example.com/v1", "ftp://example.com", "https://user:secret@example.com/v1", "::", "https://"} {
		_, err := openai.New(openai.Config{APIKey: plugintest.Key, BaseURL: url})
		require.Error(t, err, url)
		assert.NotContains(t, err.Error(), "secret")
	}
}

func TestProcessWithAnUnusableBaseURLEndsWithoutQuotingIt(t *testing.T) {
	t.Parallel()
	var stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = []string{"OPENAI_BASE_URL=https://user:secret@example.com/v1", "OPENAI_API_KEY=" + plugintest.Key}
	cmd.Stderr = &stderr
	require.Error(t, cmd.Run())
	assert.Equal(t, 2, cmd.ProcessState.ExitCode())
	assert.Contains(t, stderr.String(), "OPENAI_BASE_URL")
	assert.NotContains(t, stderr.String(), "secret")
	assert.NotContains(t, stderr.String(), plugintest.Key)
}

// BenchmarkCall is the plugin's own part of a call: 300 KB of picture, a stub that answers at once.
func BenchmarkCall(b *testing.B) {
	reply := "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"{\\\"items\\\":[\"}}]}\n\n"
	body := strings.Repeat(reply, 50) +
		"data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
	p, err := openai.New(openai.Config{APIKey: plugintest.Key, HTTPClient: &http.Client{Transport: canned(body)}})
	require.NoError(b, err)
	req := sdk.Request{
		Task: sdk.TaskExtract, Instructions: strings.Repeat("x", 6000),
		Pages: []sdk.Page{{MediaType: "image/jpeg", Data: make([]byte, 300<<10)}},
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Generate(context.Background(), req, func(string) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

// canned is a vendor that always says the same.
type canned string

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}},
		Body: readCloser{strings.NewReader(string(c))},
	}, nil
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
