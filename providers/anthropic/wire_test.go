package anthropic_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/providers/anthropic"
	"github.com/mercadoesperto/smarket/providers/internal/plugintest"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// vendor answers requests without a network.
type vendor func(*http.Request) *http.Response

func (v vendor) RoundTrip(r *http.Request) (*http.Response, error) { return v(r), nil }

// answering is a vendor that always says the same.
func answering(status int, header http.Header, body string) vendor {
	if header == nil {
		header = http.Header{}
	}
	return func(r *http.Request) *http.Response {
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}
	}
}

func talking(tb testing.TB, v vendor) *anthropic.Provider {
	tb.Helper()
	p, err := anthropic.New(anthropic.Config{APIKey: plugintest.Key, HTTPClient: &http.Client{Transport: v}})
	require.NoError(tb, err)
	return p
}

func question() sdk.Request {
	return sdk.Request{
		Task: sdk.TaskExtract, Instructions: "Leia o cupom fiscal inteiro.", Input: "Confira a linha do ARROZ TIO JOAO",
		Pages: []sdk.Page{{MediaType: "image/jpeg", Data: []byte("picture")}},
	}
}

const (
	start = `{"type":"message_start","message":{"model":"claude-haiku-5-5","usage":{"input_tokens":300,"cache_read_input_tokens":600,"cache_creation_input_tokens":100,"output_tokens":1}}}`
	stop  = `{"type":"message_stop"}`
)

// events is a stream in its wire form.
func events(data ...string) string {
	var b strings.Builder
	for _, d := range data {
		_, kind, _ := strings.Cut(d, `"type":"`)
		kind, _, _ = strings.Cut(kind, `"`)
		b.WriteString("event: " + kind + "\ndata: " + d + "\n\n")
	}
	return b.String()
}

func text(s string) string {
	return `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"` + s + `"}}`
}

func delta(reason, usage string) string {
	return `{"type":"message_delta","delta":{"stop_reason":"` + reason + `"},"usage":{` + usage + `}}`
}

const output = `"output_tokens":57,"output_tokens_details":{"thinking_tokens":7}`

func ended(reason string) string { return events(start, text("abc"), delta(reason, output), stop) }

func TestRepliesAreToldApart(t *testing.T) {
	t.Parallel()
	whole := sdk.Usage{InputTokens: 1000, CachedInputTokens: 600, CacheWriteTokens: 100, OutputTokens: 57, ThinkingTokens: 7}
	begun := sdk.Usage{InputTokens: 1000, CachedInputTokens: 600, CacheWriteTokens: 100, OutputTokens: 1}
	failure := func(kind, message string) string {
		return `{"type":"error","error":{"type":"` + kind + `","message":"` + message + `"}}`
	}
	for name, test := range map[string]struct {
		body   string
		text   string
		kind   sdk.Kind // "" for none
		finish sdk.FinishReason
		usage  sdk.Usage
	}{
		"a good one": {body: ended("end_turn"), text: "abc", finish: sdk.FinishStop, usage: whole},
		"thinking first": {
			body: events(start,
				`{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"Hm."}}`,
				`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm."}}`,
				`{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"x"}}`,
				`{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"a"}}`,
				text("bc"), delta("end_turn", output), stop),
			text: "abc", finish: sdk.FinishStop, usage: whole,
		},
		"thinking only": {
			body: events(start, `{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm."}}`, delta("end_turn", output), stop),
			kind: sdk.KindEmpty, finish: sdk.FinishStop, usage: whole,
		},
		"blank":                {body: events(start, text(" \\n"), delta("end_turn", output), stop), text: " \n", kind: sdk.KindEmpty, finish: sdk.FinishStop, usage: whole},
		"no content":           {body: events(start, delta("end_turn", output), stop), kind: sdk.KindEmpty, finish: sdk.FinishStop, usage: whole},
		"cut by the limit":     {body: ended("max_tokens"), text: "abc", kind: sdk.KindTruncated, finish: sdk.FinishLength, usage: whole},
		"cut by the window":    {body: ended("model_context_window_exceeded"), text: "abc", kind: sdk.KindTruncated, finish: sdk.FinishLength, usage: whole},
		"refused":              {body: ended("refusal"), text: "abc", kind: sdk.KindBlocked, finish: sdk.FinishBlocked, usage: whole},
		"a tool nobody gave":   {body: ended("tool_use"), text: "abc", kind: sdk.KindOverloaded, usage: whole},
		"no reason":            {body: events(start, text("abc"), stop), text: "abc", kind: sdk.KindOverloaded, usage: begun},
		"no end":               {body: events(start, text("abc")), text: "abc", kind: sdk.KindOverloaded, usage: begun},
		"no last event":        {body: events(start, text("abc"), delta("end_turn", output)), text: "abc", finish: sdk.FinishStop, usage: whole},
		"cut within an event":  {body: events(start, text("abc")) + "event: message_delta\ndata: {", text: "abc", kind: sdk.KindOverloaded, usage: begun},
		"rubbish":              {body: events(start, text("abc")) + "event: message_delta\ndata: {\n\n", text: "abc", kind: sdk.KindOverloaded, usage: begun},
		"events to come":       {body: events(start, `{"type":"ping"}`, `{"type":"news"}`, text("abc"), delta("end_turn", output), stop), text: "abc", finish: sdk.FinishStop, usage: whole},
		"events without names": {body: "data: " + strings.Join([]string{start, text("abc"), delta("end_turn", output), stop}, "\n\ndata: ") + "\n\n", text: "abc", finish: sdk.FinishStop, usage: whole},
		"carriage returns":     {body: strings.ReplaceAll(ended("end_turn"), "\n", "\r\n"), text: "abc", finish: sdk.FinishStop, usage: whole},
		"all counted at the end": {
			body: events(start, text("abc"), delta("end_turn", `"input_tokens":301,"cache_read_input_tokens":0,"cache_creation_input_tokens":null,"output_tokens":9`), stop),
			text: "abc", finish: sdk.FinishStop, usage: sdk.Usage{InputTokens: 401, CacheWriteTokens: 100, OutputTokens: 9},
		},
		"nothing at all":             {body: "", kind: sdk.KindOverloaded},
		"no events":                  {body: "<html>Welcome</html>", kind: sdk.KindOverloaded},
		"error instead of a stream":  {body: failure("billing_error", "pay"), kind: sdk.KindNoCredit},
		"JSON instead of a stream":   {body: `{"type":"message"}`, kind: sdk.KindOverloaded},
		"overloaded within":          {body: events(start, text("abc"), failure("overloaded_error", "later")), text: "abc", kind: sdk.KindOverloaded, usage: begun},
		"limited within":             {body: events(start, failure("rate_limit_error", "later")), kind: sdk.KindRateLimited, usage: begun},
		"no permission within":       {body: events(failure("permission_error", "no")), kind: sdk.KindAuth},
		"wrong request within":       {body: events(failure("invalid_request_error", "no")), kind: sdk.KindInvalidRequest},
		"an error without a type":    {body: events(`{"type":"error"}`), kind: sdk.KindOverloaded},
		"an error by its name alone": {body: "event: error\ndata: {\"error\":{\"type\":\"rate_limit_error\"}}\n\n", kind: sdk.KindRateLimited},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			answer := answering(http.StatusOK, nil, test.body)
			a := plugintest.Ask(t.Context(), talking(t, func(r *http.Request) *http.Response {
				calls++
				return answer(r)
			}), question(), nil)
			assert.Equal(t, 1, calls)
			assert.Equal(t, test.text, a.Text)
			assert.Equal(t, test.finish, a.Result.FinishReason)
			assert.Equal(t, test.usage, a.Result.Usage)
			if test.kind == "" {
				require.NoError(t, a.Err)
				return
			}
			require.Error(t, a.Err)
			assert.Equal(t, test.kind, sdk.AsError(a.Err).Kind, a.Err)
			assert.NotContains(t, a.Err.Error(), "abc", "the reply is nobody's but the host's")
		})
	}
}

func TestRefusalsAreToldApart(t *testing.T) {
	t.Parallel()
	failure := func(kind, message string) string {
		return `{"type":"error","error":{"type":"` + kind + `","message":"` + message + `"}}`
	}
	wait := func(s string) http.Header { return http.Header{"Retry-After": {s}} }
	for name, test := range map[string]struct {
		status  int
		header  http.Header
		body    string
		kind    sdk.Kind
		after   time.Duration
		message string
	}{
		"hint":                 {429, wait("32"), failure("rate_limit_error", "slow down"), sdk.KindRateLimited, 32 * time.Second, "HTTP 429: rate_limit_error: slow down"},
		"hint as a date":       {429, http.Header{"Retry-After": {"Mon, 02 Nov 2026 10:00:09 GMT"}, "Date": {"Mon, 02 Nov 2026 10:00:00 GMT"}}, "", sdk.KindRateLimited, 9 * time.Second, ""},
		"a hint of nonsense":   {529, wait("soon"), failure("overloaded_error", "Overloaded"), sdk.KindOverloaded, 0, ""},
		"asked to retry":       {500, http.Header{"X-Should-Retry": {"true"}}, failure("api_error", ""), sdk.KindOverloaded, 0, ""},
		"no body":              {500, nil, "", sdk.KindOverloaded, 0, "HTTP 500"},
		"a page":               {502, nil, "<html>Bad Gateway</html>", sdk.KindOverloaded, 0, "HTTP 502"},
		"a sentence":           {401, nil, `{"error":"no"}`, sdk.KindAuth, 0, "HTTP 401"},
		"moved":                {301, nil, "", sdk.KindInvalidRequest, 0, ""},
		"nothing":              {204, nil, "", sdk.KindInvalidRequest, 0, ""},
		"no credit":            {400, nil, failure("invalid_request_error", "Your credit balance is too low"), sdk.KindNoCredit, 0, ""},
		"limit of the owner":   {400, nil, failure("invalid_request_error", "You have reached your specified API usage limits. You will regain access soon."), sdk.KindQuota, 0, ""},
		"billing":              {403, nil, failure("billing_error", "pay"), sdk.KindNoCredit, 0, ""},
		"key in the words":     {401, nil, failure("authentication_error", "Key "+plugintest.Key+" is unknown."), sdk.KindAuth, 0, "HTTP 401: authentication_error: Key [redacted] is unknown."},
		"request in the words": {400, nil, failure("invalid_request_error", "Cannot read Confira a linha do ARROZ TIO JOAO"), sdk.KindInvalidRequest, 0, "HTTP 400: invalid_request_error: the vendor's message quotes the request and is left out"},
		"long words":           {400, nil, failure("invalid_request_error", strings.Repeat("too long ", 500)), sdk.KindInvalidRequest, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := plugintest.Ask(t.Context(), talking(t, answering(test.status, test.header, test.body)), question(), nil)
			e := sdk.AsError(a.Err)
			require.NotNil(t, e)
			assert.Equal(t, test.kind, e.Kind, e.Message)
			assert.Equal(t, test.status, e.HTTPStatus)
			assert.Equal(t, test.after, e.RetryAfter)
			assert.Less(t, len(e.Message), 300)
			assert.NotContains(t, e.Message, plugintest.Key)
			if test.message != "" {
				assert.Equal(t, test.message, e.Message)
			}
		})
	}
}

func TestLimitOfTheOwnerLastsUntilTheVendorSays(t *testing.T) {
	t.Parallel()
	end := time.Now().UTC().Add(50 * time.Hour).Truncate(time.Minute)
	body := `{"type":"error","error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits. You will regain access on ` +
		end.Format("2006-01-02 at 15:04") + ` UTC."}}`
	e := sdk.AsError(plugintest.Ask(t.Context(), talking(t, answering(400, nil, body)), question(), nil).Err)
	require.NotNil(t, e)
	assert.Equal(t, sdk.KindQuota, e.Kind)
	assert.WithinDuration(t, end, time.Now().Add(e.RetryAfter), 5*time.Minute)
}

// FuzzReply feeds what a vendor, or somebody who poses as one, may answer.
func FuzzReply(f *testing.F) {
	for _, body := range []string{
		"", "{}", "data: {}\n\n", "data: null\n\n", "data: []\n\n", "event: x\n\n", ": ping\n\n", "event: error\ndata: \n\n", ended("end_turn"), ended("refusal"),
		events(`{"type":"message_start","message":3}`), events(`{"type":"message_start","message":{"usage":{"input_tokens":-5,"output_tokens":"x"}}}`),
		events(`{"type":"content_block_delta","delta":[]}`), events(`{"type":"message_delta","delta":null,"usage":{"output_tokens":1e99}}`),
	} {
		f.Add(200, body)
		f.Add(429, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 || status/100 == 3 {
			return
		}
		a := plugintest.Ask(t.Context(), talking(t, answering(status, nil, body)), question(), nil)
		u := a.Result.Usage
		if min(u.InputTokens, u.CachedInputTokens, u.CacheWriteTokens, u.OutputTokens, u.ThinkingTokens) < 0 ||
			u.CachedInputTokens+u.CacheWriteTokens > u.InputTokens || u.ThinkingTokens > u.OutputTokens {
			t.Errorf("usage %+v", u)
		}
		if a.Err == nil {
			if a.Result.FinishReason != sdk.FinishStop || strings.TrimSpace(a.Text) == "" {
				t.Errorf("no error with finish reason %q and text %q", a.Result.FinishReason, a.Text)
			}
			return
		}
		e := sdk.AsError(a.Err)
		if e.Kind == sdk.KindInternal || e.RetryAfter < 0 || len(e.Message) > 500 {
			t.Errorf("error %+v", e)
		}
	})
}

// BenchmarkCall is the plugin's own part of a call: 300 KB of picture, a vendor that answers at once.
func BenchmarkCall(b *testing.B) {
	body := events(start) + strings.Repeat(events(text(`{\"items\":[`)), 50) + events(delta("end_turn", output), stop)
	p := talking(b, answering(http.StatusOK, nil, body))
	req := question()
	req.Instructions, req.Pages[0].Data = strings.Repeat("x", 6000), make([]byte, 300<<10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Generate(context.Background(), req, func(string) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
