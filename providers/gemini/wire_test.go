package gemini_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/providers/gemini"
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

// endless is a body that has said all and does not end before its context does.
type endless struct {
	ctx  context.Context //nolint:containedctx // the request's
	rest io.Reader
}

func newEndless(ctx context.Context, text string) io.ReadCloser {
	return &endless{ctx: ctx, rest: strings.NewReader(text)}
}

func (e *endless) Read(p []byte) (int, error) {
	if n, err := e.rest.Read(p); err == nil {
		return n, nil
	}
	<-e.ctx.Done()
	return 0, e.ctx.Err()
}

func (e *endless) Close() error { return nil }

func talking(tb testing.TB, v vendor) *gemini.Provider {
	tb.Helper()
	p, err := gemini.New(gemini.Config{APIKey: plugintest.Key, HTTPClient: &http.Client{Transport: v}})
	require.NoError(tb, err)
	return p
}

func question() sdk.Request {
	return sdk.Request{
		Task: sdk.TaskExtract, Instructions: "Leia o cupom fiscal inteiro.", Input: "Confira a linha do ARROZ TIO JOAO",
		Pages: []sdk.Page{{MediaType: "image/jpeg", Data: []byte("picture")}},
	}
}

const usage = `"usageMetadata":{"promptTokenCount":1000,"cachedContentTokenCount":600,"candidatesTokenCount":50,"thoughtsTokenCount":7}`

func TestRepliesAreToldApart(t *testing.T) {
	t.Parallel()
	events := func(data ...string) string { return "data: " + strings.Join(data, "\n\ndata: ") + "\n\n" }
	text := func(s string) string { return `{"candidates":[{"content":{"parts":[{"text":"` + s + `"}]}}]}` }
	ended := func(reason string) string {
		return events(text("abc"), `{"candidates":[{"finishReason":"`+reason+`"}],`+usage+`}`)
	}
	for name, test := range map[string]struct {
		body   string
		text   string
		kind   sdk.Kind // "" for none
		finish sdk.FinishReason
		unpaid bool
	}{
		"a good one": {body: ended("STOP"), text: "abc", finish: sdk.FinishStop},
		"thoughts first": {
			body: events(`{"candidates":[{"content":{"parts":[{"text":"Hm.","thought":true},{"text":"abc"}]},"finishReason":"STOP"}],` + usage + `}`),
			text: "abc", finish: sdk.FinishStop,
		},
		"thoughts only": {
			body: events(`{"candidates":[{"content":{"parts":[{"text":"Hm.","thought":true}]},"finishReason":"STOP"}],` + usage + `}`),
			kind: sdk.KindEmpty, finish: sdk.FinishStop,
		},
		"blank":        {body: events(text(" \\n"), `{"candidates":[{"finishReason":"STOP"}],`+usage+`}`), text: " \n", kind: sdk.KindEmpty, finish: sdk.FinishStop},
		"parts of nil": {body: events(`{"candidates":[{"content":{"parts":[null]},"finishReason":"STOP"}],` + usage + `}`), kind: sdk.KindEmpty, finish: sdk.FinishStop},
		"another candidate": {
			body: events(`{"candidates":[{"index":1,"content":{"parts":[{"text":"no"}]}},{"content":{"parts":[{"text":"abc"}]},"finishReason":"STOP"}],` + usage + `}`),
			text: "abc", finish: sdk.FinishStop,
		},
		"cut by the limit":   {body: ended("MAX_TOKENS"), text: "abc", kind: sdk.KindTruncated, finish: sdk.FinishLength},
		"to be continued":    {body: ended("CONTINUATION"), text: "abc", kind: sdk.KindTruncated, finish: sdk.FinishLength},
		"safety":             {body: ended("SAFETY"), text: "abc", kind: sdk.KindBlocked, finish: sdk.FinishBlocked},
		"recitation":         {body: ended("RECITATION"), text: "abc", kind: sdk.KindBlocked, finish: sdk.FinishBlocked},
		"prohibited":         {body: ended("PROHIBITED_CONTENT"), text: "abc", kind: sdk.KindBlocked, finish: sdk.FinishBlocked},
		"block list":         {body: ended("BLOCKLIST"), text: "abc", kind: sdk.KindBlocked, finish: sdk.FinishBlocked},
		"personal data":      {body: ended("SPII"), text: "abc", kind: sdk.KindBlocked, finish: sdk.FinishBlocked},
		"a reason to come":   {body: ended("NEW_ONE"), text: "abc", kind: sdk.KindBlocked, finish: sdk.FinishBlocked},
		"a tool nobody gave": {body: ended("MALFORMED_FUNCTION_CALL"), text: "abc", kind: sdk.KindOverloaded},
		"no reason":          {body: events(text("abc"), `{`+usage+`}`), text: "abc", kind: sdk.KindOverloaded},
		"an unspecified one": {body: ended("FINISH_REASON_UNSPECIFIED"), text: "abc", kind: sdk.KindOverloaded},
		"blocked request":    {body: events(`{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},` + usage + `}`), kind: sdk.KindBlocked, finish: sdk.FinishBlocked},
		"feedback that is fine": {
			body: events(`{"promptFeedback":{"safetyRatings":[]},"candidates":[{"content":{"parts":[{"text":"abc"}]},"finishReason":"STOP"}],` + usage + `}`),
			text: "abc", finish: sdk.FinishStop,
		},
		"nothing at all":            {body: "", kind: sdk.KindOverloaded, unpaid: true},
		"no events":                 {body: "<html>Welcome</html>", kind: sdk.KindOverloaded, unpaid: true},
		"cut within an event":       {body: events(text("abc"), `{`+usage+`}`) + `data: {"candidates":[{"content":{"parts":[{"te`, text: "abc", kind: sdk.KindOverloaded},
		"rubbish after the reply":   {body: ended("STOP") + "data: {oops\n\n", text: "abc", finish: sdk.FinishStop},
		"carriage returns":          {body: strings.ReplaceAll(ended("STOP"), "\n", "\r\n"), text: "abc", finish: sdk.FinishStop},
		"error instead of a stream": {body: `{"error":{"code":503,"message":"later","status":"UNAVAILABLE"}}`, kind: sdk.KindOverloaded, unpaid: true},
		"error within":              {body: events(text("abc"), `{`+usage+`}`, `{"error":{"code":429,"message":"later","status":"RESOURCE_EXHAUSTED"}}`), text: "abc", kind: sdk.KindRateLimited},
		"error without a code":      {body: events(`{"error":{"status":"PERMISSION_DENIED"}}`), kind: sdk.KindAuth, unpaid: true},
		"error without anything":    {body: events(`{"error":{}}`), kind: sdk.KindOverloaded, unpaid: true},
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
			if !test.unpaid {
				assert.Equal(t, sdk.Usage{InputTokens: 1000, CachedInputTokens: 600, OutputTokens: 57, ThinkingTokens: 7}, a.Result.Usage)
			}
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
	failure := func(status, message, details string) string {
		return `{"error":{"code":429,"status":"` + status + `","message":"` + message + `","details":[` + details + `]}}`
	}
	const (
		retry  = `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"%"}`
		minute = `{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel"}]}`
	)
	after := func(s string) string { return strings.ReplaceAll(retry, "%", s) }
	for name, test := range map[string]struct {
		status  int
		header  http.Header
		body    string
		kind    sdk.Kind
		after   time.Duration
		message string
	}{
		"hint in the body":    {429, nil, failure("RESOURCE_EXHAUSTED", "slow down", minute+","+after("32s")), sdk.KindRateLimited, 32 * time.Second, "HTTP 429: RESOURCE_EXHAUSTED: slow down"},
		"a part of a second":  {429, nil, failure("", "", after("0.250s")), sdk.KindRateLimited, 250 * time.Millisecond, ""},
		"a hint of nonsense":  {429, nil, failure("", "", after("soon")), sdk.KindRateLimited, 0, ""},
		"a hint of the past":  {429, nil, failure("", "", after("-3s")), sdk.KindRateLimited, 0, ""},
		"a hint of no number": {429, nil, failure("", "", `{"@type":"google.rpc.RetryInfo","retryDelay":{"seconds":3}}`), sdk.KindRateLimited, 0, ""},
		"hint of a proxy":     {503, http.Header{"Retry-After": {"7"}}, "busy", sdk.KindOverloaded, 7 * time.Second, "HTTP 503: busy"},
		"both hints":          {429, http.Header{"Retry-After": {"7"}}, failure("", "", after("32s")), sdk.KindRateLimited, 32 * time.Second, ""},
		"no code in the body": {503, nil, `{"error":{"message":"later"}}`, sdk.KindOverloaded, 0, "HTTP 503: later"},
		"another code":        {500, nil, failure("", "", ""), sdk.KindOverloaded, 0, ""},
		"a list": {
			429, nil, "[" + failure("RESOURCE_EXHAUSTED", "slow down", after("32s")) + "]",
			sdk.KindRateLimited, 32 * time.Second, "HTTP 429: RESOURCE_EXHAUSTED: slow down",
		},
		"a list of nothing":    {429, nil, "[{}]", sdk.KindRateLimited, 0, ""},
		"details of nonsense":  {429, nil, failure("", "", `{"@type":3},{"@type":"google.rpc.QuotaFailure","violations":[3,{"quotaId":4}]}`), sdk.KindRateLimited, 0, ""},
		"no body":              {500, nil, "", sdk.KindOverloaded, 0, "HTTP 500"},
		"a page":               {502, nil, "<html>Bad Gateway</html>", sdk.KindOverloaded, 0, "HTTP 502"},
		"given up":             {499, nil, `{"error":{"code":499,"status":"CANCELLED"}}`, sdk.KindOverloaded, 0, ""},
		"key that has expired": {400, nil, failure("INVALID_ARGUMENT", "API key expired.", `{"@type":"google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}`), sdk.KindAuth, 0, ""},
		"no credits left":      {429, nil, failure("RESOURCE_EXHAUSTED", "Your prepayment credits are depleted.", ""), sdk.KindNoCredit, 0, ""},
		"key in the words":     {403, nil, failure("PERMISSION_DENIED", "Key "+plugintest.Key+" may not.", ""), sdk.KindAuth, 0, "HTTP 403: PERMISSION_DENIED: Key [redacted] may not."},
		"request in the words": {400, nil, failure("INVALID_ARGUMENT", "Cannot read Confira a linha do ARROZ TIO JOAO", ""), sdk.KindInvalidRequest, 0, "HTTP 400: INVALID_ARGUMENT: the vendor's message quotes the request and is left out"},
		"long words":           {400, nil, failure("INVALID_ARGUMENT", strings.Repeat("too long ", 500), ""), sdk.KindInvalidRequest, 0, ""},
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

func TestDailyQuotaEndsAtMidnightInCalifornia(t *testing.T) {
	t.Parallel()
	const body = `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[
		{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[
			{"quotaId":"GenerateRequestsPerMinute"},{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},
		{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"3s"}]}}`
	e := sdk.AsError(plugintest.Ask(t.Context(), talking(t, answering(429, nil, body)), question(), nil).Err)
	require.NotNil(t, e)
	assert.Equal(t, sdk.KindQuota, e.Kind)
	assert.LessOrEqual(t, e.RetryAfter, 24*time.Hour)
	reset := time.Now().Add(e.RetryAfter).UTC()
	assert.WithinDuration(t, reset.Truncate(24*time.Hour).Add(8*time.Hour), reset, 5*time.Minute, "and not after the hint for a minute")
}

// FuzzReply feeds what a vendor, or somebody who poses as one, may answer.
func FuzzReply(f *testing.F) {
	for _, body := range []string{
		"", "data: {}\n\n", "data: null\n\n", "data: []\n\n", "event: x\ndata: {}\n\n", ": ping\n\n", `{"error":{"code":503}}`, `[{"error":{}}]`,
		`data: {"candidates":[{"content":{"parts":[{"text":"{}"}]},"finishReason":"STOP"}],` + usage + "}\n\n",
		"data: {\"candidates\":\"x\"}\n\n", "data: {\"candidates\":[null]}\n\n", "data: {\"candidates\":[{\"content\":3}]}\n\n",
		"data: {\"promptFeedback\":[]}\n\n", "data: {\"usageMetadata\":{\"promptTokenCount\":-1,\"cachedContentTokenCount\":5}}\n\n",
		"data: {\"error\":{\"details\":[{\"@type\":\"google.rpc.RetryInfo\",\"retryDelay\":\"1e99s\"}]}}\n\n",
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
		if min(u.InputTokens, u.CachedInputTokens, u.OutputTokens, u.ThinkingTokens) < 0 ||
			u.CachedInputTokens > u.InputTokens || u.ThinkingTokens > u.OutputTokens {
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
	body := strings.Repeat(`data: {"candidates":[{"content":{"parts":[{"text":"{\"items\":["}]}}]}`+"\n\n", 50) +
		`data: {"candidates":[{"finishReason":"STOP"}],` + usage + "}\n\n"
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
