package llmstub_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/openai/openai-go/v3"
	openaissestream "github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genai"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// refused is what an SDK's error says.
type refused struct {
	status     int
	kind       string // the vendor's word
	retryAfter string
	details    string
}

func refusedBy(t *testing.T, err error) refused {
	t.Helper()
	require.Error(t, err)
	if e, ok := errors.AsType[genai.APIError](err); ok { // a value, not a pointer
		out := refused{status: e.Code, kind: e.Status}
		details, err := json.Marshal(e.Details)
		require.NoError(t, err)
		out.details = string(details)
		for _, d := range e.Details {
			if delay, ok := d["retryDelay"].(string); ok {
				out.retryAfter = delay
			}
		}
		return out
	}
	if e, ok := errors.AsType[*openai.Error](err); ok {
		return refused{
			status: e.StatusCode, kind: e.Type + "/" + e.Code, retryAfter: e.Response.Header.Get("Retry-After"),
			details: e.RawJSON(),
		}
	}
	if e, ok := errors.AsType[*anthropicsdk.Error](err); ok {
		return refused{status: e.StatusCode, kind: string(e.Type()), retryAfter: e.Response.Header.Get("Retry-After"), details: e.RawJSON()}
	}
	require.Failf(t, "not an error of the API", "%T: %v", err, err)
	return refused{}
}

func TestRefusesWithTheVendorsErrors(t *testing.T) {
	t.Parallel()
	type want map[llmstub.Vendor]refused
	all := func(status int, gemini, openAI, anthropic string) want {
		return want{
			llmstub.Gemini: {status: status, kind: gemini}, llmstub.OpenAI: {status: status, kind: openAI},
			llmstub.OpenRouter: {status: status}, llmstub.Anthropic: {status: status, kind: anthropic},
		}
	}
	const (
		invalid = "invalid_request_error/"
		server  = "server_error/"
	)
	cases := map[llmstub.Fault]want{
		llmstub.FaultBadRequest:      all(400, "INVALID_ARGUMENT", invalid, "invalid_request_error"),
		llmstub.FaultUnauthorized:    all(401, "UNAUTHENTICATED", invalid, "authentication_error"),
		llmstub.FaultPaymentRequired: all(402, "FAILED_PRECONDITION", "insufficient_quota/insufficient_quota", "billing_error"),
		llmstub.FaultForbidden:       all(403, "PERMISSION_DENIED", invalid, "permission_error"),
		llmstub.FaultNotFound:        all(404, "NOT_FOUND", "invalid_request_error/model_not_found", "not_found_error"),
		llmstub.FaultTimeout:         all(408, "DEADLINE_EXCEEDED", invalid, "invalid_request_error"),
		llmstub.FaultConflict:        all(409, "ABORTED", invalid, "invalid_request_error"),
		llmstub.FaultTooLarge:        all(413, "INVALID_ARGUMENT", invalid, "request_too_large"),
		llmstub.FaultRateLimited:     all(429, "RESOURCE_EXHAUSTED", "tokens/rate_limit_exceeded", "rate_limit_error"),
		llmstub.FaultServerError:     all(500, "INTERNAL", server, "api_error"),
		llmstub.FaultUnavailable:     all(503, "UNAVAILABLE", server, "overloaded_error"),
		llmstub.FaultGatewayTimeout:  all(504, "DEADLINE_EXCEEDED", server, "timeout_error"),
		llmstub.FaultOverloaded:      all(529, "UNAVAILABLE", server, "overloaded_error"),
		llmstub.FaultDailyQuota:      all(429, "RESOURCE_EXHAUSTED", "requests/rate_limit_exceeded", "rate_limit_error"),
		llmstub.FaultInsufficientQuota: {
			llmstub.Gemini: {status: 429, kind: "RESOURCE_EXHAUSTED"}, llmstub.OpenAI: {status: 429, kind: "insufficient_quota/insufficient_quota"},
			llmstub.OpenRouter: {status: 402}, llmstub.Anthropic: {status: 400, kind: "invalid_request_error"},
		},
		llmstub.FaultBilling: {
			llmstub.Gemini: {status: 400, kind: "FAILED_PRECONDITION"}, llmstub.OpenAI: {status: 400, kind: "invalid_request_error/billing_hard_limit_reached"},
			llmstub.OpenRouter: {status: 402}, llmstub.Anthropic: {status: 402, kind: "billing_error"},
		},
		llmstub.FaultInvalidKey: {
			llmstub.Gemini: {status: 400, kind: "INVALID_ARGUMENT"}, llmstub.OpenAI: {status: 401, kind: "invalid_request_error/invalid_api_key"},
			llmstub.OpenRouter: {status: 401}, llmstub.Anthropic: {status: 401, kind: "authentication_error"},
		},
	}
	both(t, llmstub.Vendors(), func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		b := setup(t)
		for fault, wants := range cases {
			b.stub.Fail(v, fault)
			got := refusedBy(t, b.ask(t.Context(), t, v, b.extraction(stream)).err)
			assert.Equal(t, wants[v].status, got.status, fault)
			if v == llmstub.OpenRouter {
				assert.Equal(t, "/"+strconv.Itoa(got.status), got.kind, "its code is the status, and it has no type")
				continue
			}
			assert.Equal(t, wants[v].kind, got.kind, fault)
		}
		require.NoError(t, b.stub.AwaitDone(t.Context()))
		assert.Equal(t, len(cases), b.stub.Count(v), "no SDK asks again")
		assert.Zero(t, b.stub.Paid(v))
	})
}

func TestHintsWhenToComeAgain(t *testing.T) {
	t.Parallel()
	both(t, llmstub.Vendors(), func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		b := setup(t)
		gemini := v == llmstub.Gemini
		hint := func(behaviour llmstub.Behaviour) string {
			b.stub.Script(v, behaviour)
			return refusedBy(t, b.ask(t.Context(), t, v, b.extraction(stream)).err).retryAfter
		}
		want := "17"
		if gemini {
			want = "17s"
		}
		for _, f := range []llmstub.Fault{llmstub.FaultRateLimited, llmstub.FaultUnavailable} {
			assert.Equal(t, want, hint(llmstub.Behaviour{Fault: f, RetryAfter: 17 * time.Second}), f)
			assert.Empty(t, hint(llmstub.Behaviour{Fault: f, RetryAfter: -1}), f)
		}
		assert.Empty(t, hint(llmstub.Behaviour{Fault: llmstub.FaultUnavailable}))
		fraction := hint(llmstub.Behaviour{Fault: llmstub.FaultRateLimited, RetryAfter: 50 * time.Millisecond})
		if gemini {
			assert.Equal(t, "0.05s", fraction)
			return
		}
		assert.Equal(t, "1", fraction, "the header has whole seconds")
		at, err := time.Parse(time.RFC1123, hint(llmstub.Behaviour{Fault: llmstub.FaultRateLimited, RetryAfter: time.Hour, RetryAt: true}))
		require.NoError(t, err)
		assert.WithinDuration(t, time.Now().Add(time.Hour), at, time.Minute)
	})
}

func TestGeminiTellsItsQuotasApartInDetailsOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.stub.Fail(llmstub.Gemini, llmstub.FaultRateLimited, llmstub.FaultDailyQuota, llmstub.FaultInvalidKey)
	minute := refusedBy(t, b.ask(t.Context(), t, llmstub.Gemini, b.extraction(true)).err)
	day := refusedBy(t, b.ask(t.Context(), t, llmstub.Gemini, b.extraction(true)).err)
	key := refusedBy(t, b.ask(t.Context(), t, llmstub.Gemini, b.extraction(true)).err)
	assert.Contains(t, minute.details, "GenerateRequestsPerMinutePerProjectPerModel")
	assert.Contains(t, day.details, "GenerateRequestsPerDayPerProjectPerModel")
	assert.Equal(t, minute.retryAfter, day.retryAfter, "a daily quota carries a short and wrong hint too")
	assert.Contains(t, key.details, "API_KEY_INVALID")
}

func TestAnErrorThatIsNotJSON(t *testing.T) {
	t.Parallel()
	both(t, llmstub.Vendors(), func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		b := setup(t)
		b.stub.Fail(v, llmstub.FaultBadGateway)
		got := refusedBy(t, b.ask(t.Context(), t, v, b.extraction(stream)).err)
		assert.Equal(t, 502, got.status)
	})
}

func TestOpenRoutersErrorIn200(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.stub.Fail(llmstub.OpenRouter, llmstub.FaultErrorIn200, llmstub.FaultErrorIn200)
	got := b.ask(t.Context(), t, llmstub.OpenRouter, b.extraction(false))
	require.NoError(t, got.err, "the SDK sees no error")
	assert.Empty(t, got.text)
	assert.Empty(t, got.finish)
	assert.Contains(t, got.body200, `"code":502`)
	got = b.ask(t.Context(), t, llmstub.OpenRouter, b.extraction(true))
	streamed, ok := errors.AsType[*openaissestream.StreamError](got.err)
	require.True(t, ok, "%T", got.err)
	assert.Contains(t, string(streamed.Event.Data), `"code":502`)
	require.NoError(t, b.stub.AwaitDone(t.Context()))
	assert.Zero(t, b.stub.Paid(llmstub.OpenRouter))
}

func TestBreaksOffWithinTheStream(t *testing.T) {
	t.Parallel()
	for _, v := range llmstub.Vendors() {
		b := setup(t)
		b.stub.Fail(v, llmstub.FaultStreamError)
		got := b.ask(t.Context(), t, v, b.extraction(true))
		require.Error(t, got.err, v)
		assert.Positive(t, got.pieces, v)
		switch v {
		case llmstub.Gemini:
			e := refusedBy(t, got.err)
			assert.Equal(t, 503, e.status)
		case llmstub.Anthropic:
			e := refusedBy(t, got.err)
			assert.Equal(t, "overloaded_error", e.kind)
			assert.Equal(t, 200, e.status, "the status is that of the stream: go by the type")
		default:
			e, ok := errors.AsType[*openaissestream.StreamError](got.err)
			require.True(t, ok, "%T", got.err)
			assert.Contains(t, string(e.Event.Data), `"error"`)
		}
		require.NoError(t, b.stub.AwaitDone(t.Context()))
		assert.Equal(t, 1, b.stub.Paid(v))
		assert.Equal(t, llmstub.OutcomeFailed, b.stub.Calls()[0].Outcome)
	}
}

func TestOpenRoutersErrorInAChoice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.stub.Fail(llmstub.OpenRouter, llmstub.FaultStreamError)
	got := b.ask(t.Context(), t, llmstub.OpenRouter, b.extraction(false))
	require.NoError(t, got.err, "the SDK sees no error")
	assert.Equal(t, "error", got.finish)
	assert.False(t, json.Valid([]byte(got.text)))
}

func TestRepliesWithoutContent(t *testing.T) {
	t.Parallel()
	finish := map[llmstub.Fault]map[llmstub.Vendor]string{
		llmstub.FaultEmpty: {
			llmstub.Gemini: "STOP", llmstub.OpenAI: "stop", llmstub.OpenRouter: "stop", llmstub.Anthropic: "end_turn",
		},
		llmstub.FaultEmptyRecitation: {
			llmstub.Gemini: "RECITATION", llmstub.OpenAI: "content_filter", llmstub.OpenRouter: "content_filter", llmstub.Anthropic: "refusal",
		},
		llmstub.FaultEmptySafety: {
			llmstub.Gemini: "SAFETY", llmstub.OpenAI: "content_filter", llmstub.OpenRouter: "content_filter", llmstub.Anthropic: "refusal",
		},
		llmstub.FaultEmptyMaxTokens: {
			llmstub.Gemini: "MAX_TOKENS", llmstub.OpenAI: "length", llmstub.OpenRouter: "length", llmstub.Anthropic: "max_tokens",
		},
		llmstub.FaultPromptBlocked: {
			llmstub.Gemini: "blocked:SAFETY", llmstub.OpenAI: "content_filter", llmstub.OpenRouter: "content_filter", llmstub.Anthropic: "refusal",
		},
		llmstub.FaultRefusal: {
			llmstub.Gemini: "PROHIBITED_CONTENT", llmstub.OpenAI: "stop", llmstub.OpenRouter: "stop", llmstub.Anthropic: "refusal",
		},
	}
	both(t, llmstub.Vendors(), func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		b := setup(t)
		for fault, want := range finish {
			b.stub.Fail(v, fault)
			got := b.ask(t.Context(), t, v, b.extraction(stream))
			require.NoError(t, got.err, fault)
			assert.Empty(t, got.text, fault)
			assert.Equal(t, want[v], got.finish, fault)
			assert.Positive(t, got.input, fault)
			assert.Equal(t, fault == llmstub.FaultRefusal && v != llmstub.Gemini, got.refusal != "", fault)
			if fault == llmstub.FaultEmptyMaxTokens {
				assert.Equal(t, got.output, got.thinking)
				assert.Positive(t, got.output)
			}
		}
		require.NoError(t, b.stub.AwaitDone(t.Context()))
		assert.Equal(t, len(finish), b.stub.Paid(v), "they cost money")
	})
}

func TestRepliesThatAreOfNoUse(t *testing.T) {
	t.Parallel()
	both(t, llmstub.Vendors(), func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		b := setup(t)
		good := b.ask(t.Context(), t, v, b.extraction(stream)).text
		with := func(f llmstub.Fault) told {
			b.stub.Fail(v, f)
			got := b.ask(t.Context(), t, v, b.extraction(stream))
			require.NoError(t, got.err, f)
			return got
		}
		truncated := with(llmstub.FaultTruncated)
		assert.Contains(t, []string{"MAX_TOKENS", "length", "max_tokens"}, truncated.finish)
		assert.True(t, strings.HasPrefix(good, truncated.text))
		assert.False(t, json.Valid([]byte(truncated.text)))
		assert.False(t, json.Valid([]byte(with(llmstub.FaultInvalidJSON).text)))
		assert.Equal(t, "```json\n"+good+"\n```", with(llmstub.FaultFenced).text)
		if stream { // once is enough: it takes longer than all the rest
			huge := with(llmstub.FaultHuge)
			assert.Greater(t, len(huge.text), 5<<20)
			decodeReply(t, huge.text)
		}
		assert.Equal(t, "0.01", decodeReply(t, with(llmstub.FaultInjected).text).Due)

		wrong, right := decodeReply(t, with(llmstub.FaultWrongFigures).text), decodeReply(t, good)
		assert.NotEqual(t, right.Items[0].Total, wrong.Items[0].Total)
		wrong.Items[0].Total = right.Items[0].Total
		assert.Equal(t, right, wrong, "one figure alone")
	})
}

func TestIsRightWhenItIsAskedToRepair(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.stub.Always(llmstub.OpenAI, &llmstub.Behaviour{Fault: llmstub.FaultWrongOnce})
	total := func(text string) string {
		q := b.extraction(true)
		q.text = text
		got := b.ask(t.Context(), t, llmstub.OpenAI, q)
		require.NoError(t, got.err)
		return decodeReply(t, got.text).Items[0].Total
	}
	first := total("Read this.")
	assert.Equal(t, first, total("Read this."), "a retry is as wrong")
	repaired := total("Line 1 does not add up.")
	assert.NotEqual(t, first, repaired)
	assert.Equal(t, b.receipt.Items[0].Total.Decimal().StringFixed(2), repaired)
}

func TestBreaksConnections(t *testing.T) {
	t.Parallel()
	both(t, llmstub.Vendors(), func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		b := setup(t)
		b.stub.Fail(v, llmstub.FaultReset)
		got := b.ask(t.Context(), t, v, b.extraction(stream))
		require.ErrorIs(t, got.err, syscall.ECONNRESET)
		assert.Empty(t, got.text)

		b.stub.Fail(v, llmstub.FaultResetMid)
		got = b.ask(t.Context(), t, v, b.extraction(stream))
		require.ErrorIs(t, got.err, syscall.ECONNRESET)

		b.stub.Fail(v, llmstub.FaultCutMid)
		got = b.ask(t.Context(), t, v, b.extraction(stream))
		require.ErrorIs(t, got.err, io.ErrUnexpectedEOF)
		if stream {
			assert.NotEmpty(t, got.text)
		}
		require.NoError(t, b.stub.AwaitDone(t.Context()))
		calls := b.stub.Calls()
		require.Len(t, calls, 3, "no SDK asks again")
		for _, c := range calls {
			assert.Equal(t, llmstub.OutcomeBroken, c.Outcome)
		}
		assert.Equal(t, 2, b.stub.Paid(v))
	})
}

func TestAStreamThatEndsEarlyIsNoErrorToAnySDK(t *testing.T) {
	t.Parallel()
	both(t, llmstub.Vendors(), func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		b := setup(t)
		b.stub.Fail(v, llmstub.FaultEndsEarly)
		got := b.ask(t.Context(), t, v, b.extraction(stream))
		if !stream {
			require.Error(t, got.err)
			return
		}
		require.NoError(t, got.err)
		assert.NotEmpty(t, got.text)
		assert.False(t, json.Valid([]byte(got.text)))
		assert.Empty(t, got.finish, "that there is no finish reason is the only sign")
	})
}

func TestHangsUntilTheClientLeaves(t *testing.T) {
	t.Parallel()
	both(t, llmstub.Vendors(), func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		for _, fault := range []llmstub.Fault{llmstub.FaultHang, llmstub.FaultHangMid, llmstub.FaultSlowDrip} {
			b := setup(t)
			b.stub.Script(v, llmstub.Behaviour{Fault: fault, Drip: time.Hour})
			ctx, cancel := context.WithCancel(t.Context())
			answers := make(chan told, 1)
			go func() { answers <- b.ask(ctx, t, v, b.extraction(stream)) }() //nolint:testifylint // go-require: asserts only that a client can be made
			require.NoError(t, b.stub.Await(t.Context(), v, 1))
			cancel()
			require.ErrorIs(t, (<-answers).err, context.Canceled)
			require.NoError(t, b.stub.AwaitDone(t.Context()))
			assert.Equal(t, llmstub.OutcomeLeft, b.stub.Calls()[0].Outcome, fault)
		}
	})
}

func TestDripsSlowly(t *testing.T) {
	t.Parallel()
	both(t, llmstub.Vendors(), func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		b := setup(t)
		b.stub.Script(v, llmstub.Behaviour{Fault: llmstub.FaultSlowDrip, Drip: time.Microsecond})
		got := b.ask(t.Context(), t, v, b.extraction(stream))
		require.NoError(t, got.err)
		decodeReply(t, got.text)
		if stream {
			assert.Greater(t, got.pieces, len(got.text)/10)
		}
	})
}

// The key must not follow a redirect. Two of the SDKs let it: their plugins have to forbid redirects.
func TestRedirectsElsewhere(t *testing.T) {
	t.Parallel()
	leaks := map[llmstub.Vendor]bool{llmstub.Gemini: true, llmstub.Anthropic: true}
	both(t, llmstub.Vendors(), func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		b := setup(t)
		b.stub.Fail(v, llmstub.FaultRedirect)
		got := b.ask(t.Context(), t, v, b.extraction(stream))
		require.Error(t, got.err)
		followed := b.stub.CallsTo(llmstub.Elsewhere)
		if !leaks[v] {
			assert.Empty(t, followed)
			return
		}
		require.Len(t, followed, 1)
		assert.NotEmpty(t, followed[0].KeySHA256)
		assert.Greater(t, followed[0].BodyBytes, len(b.picture))
	})
}

func TestAForbiddenRedirectLeaksNothing(t *testing.T) {
	t.Parallel()
	both(t, llmstub.Vendors(), func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		b := setup(t)
		forbidden := errors.New("redirects are forbidden")
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return forbidden }
		b.stub.Fail(v, llmstub.FaultRedirect)
		require.ErrorIs(t, b.ask(t.Context(), t, v, b.extraction(stream)).err, forbidden)
		assert.Empty(t, b.stub.CallsTo(llmstub.Elsewhere))

		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		b.stub.Fail(v, llmstub.FaultRedirect)
		got := b.ask(t.Context(), t, v, b.extraction(stream))
		assert.Empty(t, b.stub.CallsTo(llmstub.Elsewhere))
		assert.Equal(t, stream && v != llmstub.Gemini, got.err == nil, "an empty stream, and no error: %v", got.err)
	})
}

func TestGeminisSDKAsksOnByItself(t *testing.T) {
	t.Parallel()
	both(t, []llmstub.Vendor{llmstub.Gemini}, func(t *testing.T, v llmstub.Vendor, stream bool) {
		t.Helper()
		b := setup(t)
		b.stub.Fail(v, llmstub.FaultContinuation)
		got := b.ask(t.Context(), t, v, b.extraction(stream)) // turns it off
		require.NoError(t, got.err)
		assert.Equal(t, "CONTINUATION", got.finish)
		assert.Equal(t, 1, b.stub.Count(v))

		client, err := genai.NewClient(t.Context(), &genai.ClientConfig{
			APIKey: "key", Backend: genai.BackendGeminiAPI, HTTPClient: b.client,
			HTTPOptions: genai.HTTPOptions{BaseURL: b.stub.BaseURL(v)},
		})
		require.NoError(t, err)
		b.stub.Fail(v, llmstub.FaultContinuation)
		contents := genai.Text("hello")
		if stream {
			for _, err := range client.Models.GenerateContentStream(t.Context(), "m", contents, nil) {
				require.NoError(t, err)
			}
		} else {
			_, err = client.Models.GenerateContent(t.Context(), "m", contents, nil)
			require.NoError(t, err)
		}
		assert.Equal(t, 3, b.stub.Count(v), "two calls, both billed, where one was made")
	})
}

func TestScriptsWaitForTheirTask(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.stub.Script(llmstub.OpenAI, llmstub.Behaviour{Fault: llmstub.FaultUnavailable, Task: sdk.TaskExtract})
	probe := b.extraction(false)
	probe.schema = nil
	require.NoError(t, b.ask(t.Context(), t, llmstub.OpenAI, probe).err)
	require.Error(t, b.ask(t.Context(), t, llmstub.OpenAI, b.extraction(false)).err)
	require.NoError(t, b.ask(t.Context(), t, llmstub.OpenAI, b.extraction(false)).err)
}

func TestChancesBefallTheirPartOfTheCalls(t *testing.T) {
	t.Parallel()
	b := setup(t, llmstub.Options{Seed: 1, Vendors: map[llmstub.Vendor]llmstub.VendorOptions{
		llmstub.Gemini: {Chances: []llmstub.Chance{{Fault: llmstub.FaultUnavailable, P: 0.3}}},
	}})
	failed := 0
	for range 200 {
		q := question{text: "hello", maxTokens: 10, key: "k"}
		if b.ask(t.Context(), t, llmstub.Gemini, q).err != nil {
			failed++
		}
	}
	assert.InDelta(t, 60, failed, 25)
	assert.Equal(t, failed, b.stub.Totals()[llmstub.Gemini].Faults[llmstub.FaultUnavailable])
	assert.Equal(t, 200-failed, b.stub.Paid(llmstub.Gemini))
}

func TestEveryFaultHasItsName(t *testing.T) {
	t.Parallel()
	for _, f := range llmstub.Faults() {
		got, err := llmstub.ParseFault(string(f))
		require.NoError(t, err)
		assert.Equal(t, f, got)
	}
	_, err := llmstub.ParseFault("earthquake")
	require.Error(t, err)
}
