package gemini

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genai"

	"github.com/mercadoesperto/smarket/providers/internal/content"
	"github.com/mercadoesperto/smarket/providers/internal/vendorhttp"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// answer is what the SDK keeps to itself of a vendor's answer: its errors have the code of the body, which may be missing, and
// no header.
type answer struct {
	status int
	header http.Header
}

type answerKey struct{}

// note makes a context whose call's answer is noted.
func note(ctx context.Context) (context.Context, *answer) {
	a := &answer{}
	return context.WithValue(ctx, answerKey{}, a), a
}

// noting is a copy of a client that notes answers.
func noting(client *http.Client) *http.Client {
	noted := *client
	if noted.Transport == nil {
		noted.Transport = http.DefaultTransport
	}
	noted.Transport = noter{noted.Transport}
	return &noted
}

type noter struct{ http.RoundTripper }

// RoundTrip is the transport's own.
func (n noter) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := n.RoundTripper.RoundTrip(req)
	if a, ok := req.Context().Value(answerKey{}).(*answer); ok && res != nil {
		a.status, a.header = res.StatusCode, res.Header
	}
	return res, err
}

// errGarbled is what becomes of the SDK's panics.
var errGarbled = errors.New("an answer of other types than the SDK expects")

// guarded is a stream of the SDK, with its panics as errors: it asserts types of whatever JSON has come.
func guarded(stream iter.Seq2[*genai.GenerateContentResponse, error]) iter.Seq2[*genai.GenerateContentResponse, error] {
	return func(yield func(*genai.GenerateContentResponse, error) bool) {
		ours := false // a panic of whoever takes the chunks goes on
		defer func() {
			if !ours && recover() != nil {
				yield(nil, errGarbled)
			}
		}()
		for chunk, err := range stream {
			ours = true
			more := yield(chunk, err)
			ours = false
			if !more {
				return
			}
		}
	}
}

// garbled says that an answer is not in the format. A stream that was cut shows as one too: the SDK takes what came of the last
// event for all of it.
func garbled(err error) bool {
	_, isSyntax := errors.AsType[*json.SyntaxError](err)
	_, isType := errors.AsType[*json.UnmarshalTypeError](err)
	return isSyntax || isType || errors.Is(err, errGarbled)
}

// failed is the SDK's error as the host's. The SDK's words are left out: they hold pieces of the reply, the URL or the
// configuration.
func (p *Provider) failed(ctx context.Context, a *answer, err error, req sdk.Request) *sdk.Error {
	if e := vendorhttp.Ended(ctx); e != nil {
		return e
	}
	api, ok := errors.AsType[genai.APIError](err)
	switch {
	case !ok && a.status >= http.StatusBadRequest: // and the body broke off
		return vendorhttp.StatusError(a.status, a.header, "")
	case !ok:
		e := vendorhttp.Broken(ctx, err)
		if garbled(err) {
			e.Message = "the stream broke off, or is not the Gemini API's"
		}
		return e
	}
	api = unwrapped(api)
	status := a.status
	if status < http.StatusBadRequest { // an error within a stream
		status = statusOf(api)
	}
	e := &sdk.Error{Kind: kindOf(status, api), HTTPStatus: status, RetryAfter: retryAfter(api)}
	e.Blame = vendorhttp.BlameOf(e.Kind)
	if e.RetryAfter == 0 {
		e.RetryAfter = vendorhttp.RetryAfter(a.header, p.now())
	}
	if e.Kind == sdk.KindQuota {
		// The vendor's own hint is of the quota per minute.
		e.RetryAfter = untilReset(p.now())
	}
	private := content.Private(req)
	words := []string{"HTTP " + strconv.Itoa(status)}
	for _, word := range []string{api.Status, api.Message} {
		if strings.HasPrefix(word, "<") || strings.HasPrefix(word, strconv.Itoa(status)) {
			continue // a proxy's page; the status again
		}
		if word = p.clean(word, private); word != "" {
			words = append(words, word)
		}
	}
	e.Message = strings.Join(words, ": ")
	return e
}

// unwrapped is an error that came in a list, as the vendor has sent them for streams: the SDK then puts the whole body into the
// message.
func unwrapped(api genai.APIError) genai.APIError {
	var list []struct {
		Error *genai.APIError `json:"error"`
	}
	if !strings.HasPrefix(api.Message, "[") || json.Unmarshal([]byte(api.Message), &list) != nil {
		return api
	}
	if len(list) == 0 || list[0].Error == nil {
		return api
	}
	return *list[0].Error
}

// statusOf is the HTTP status of an error that came without one.
func statusOf(api genai.APIError) int {
	if api.Code >= http.StatusBadRequest {
		return api.Code
	}
	switch api.Status {
	case "INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE":
		return http.StatusBadRequest
	case "UNAUTHENTICATED":
		return http.StatusUnauthorized
	case "PERMISSION_DENIED":
		return http.StatusForbidden
	case "NOT_FOUND":
		return http.StatusNotFound
	case "RESOURCE_EXHAUSTED":
		return http.StatusTooManyRequests
	default:
		return http.StatusServiceUnavailable // it began and broke: the vendor's trouble
	}
}

// statusCancelled is what the vendor answers when it has given a request up, also when nobody has asked it to.
const statusCancelled = 499

// kindOf is what can be done about an error: the vendor says in its details, or only in its words, what the status does not.
func kindOf(status int, api genai.APIError) sdk.Kind {
	words := strings.ToLower(api.Message)
	switch {
	case strings.HasPrefix(detail(api, "ErrorInfo", "reason"), "API_KEY_"), strings.Contains(words, "api key not valid"):
		return sdk.KindAuth // with status 400
	case status == http.StatusTooManyRequests && strings.Contains(words, "credits are depleted"):
		return sdk.KindNoCredit
	case status == http.StatusTooManyRequests && daily(api):
		return sdk.KindQuota
	case (status == http.StatusBadRequest || status == http.StatusForbidden) && strings.Contains(words, "billing"):
		return sdk.KindNoCredit
	case status == statusCancelled:
		return sdk.KindOverloaded
	}
	return vendorhttp.KindOfStatus(status)
}

// ofType finds the details of a type of google.rpc.
func ofType(api genai.APIError, rpc string) []map[string]any {
	var found []map[string]any
	for _, d := range api.Details {
		if t, ok := d["@type"].(string); ok && strings.HasSuffix(t, "google.rpc."+rpc) {
			found = append(found, d)
		}
	}
	return found
}

// detail is a text of the first detail of a type; "" when there is none.
func detail(api genai.APIError, rpc, field string) string {
	for _, d := range ofType(api, rpc) {
		if s, ok := d[field].(string); ok {
			return s
		}
	}
	return ""
}

// daily says whether a quota of a day is among those spent.
func daily(api genai.APIError) bool {
	for _, d := range ofType(api, "QuotaFailure") {
		violations, ok := d["violations"].([]any)
		if !ok {
			continue
		}
		for _, v := range violations {
			fields, ok := v.(map[string]any)
			if !ok {
				continue
			}
			if id, ok := fields["quotaId"].(string); ok && strings.Contains(id, "PerDay") {
				return true
			}
		}
	}
	return false
}

// retryAfter is the vendor's wait hint, which comes in the body: "32s", "1.5s".
func retryAfter(api genai.APIError) time.Duration {
	seconds := strings.TrimSuffix(detail(api, "RetryInfo", "retryDelay"), "s")
	return vendorhttp.RetryAfter(http.Header{"Retry-After": {seconds}}, time.Time{})
}

// untilReset is how long until daily quotas begin anew: at midnight in California. Winter time all year round is never too
// early, and needs no table of time zones.
func untilReset(now time.Time) time.Duration {
	const utcOffset = -8 * 60 * 60 // seconds
	local := now.In(time.FixedZone("PST", utcOffset))
	midnight := time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, local.Location())
	return midnight.Sub(now)
}
