package anthropic

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/providers/internal/content"
	"github.com/mercadoesperto/smarket/providers/internal/vendorhttp"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// failure is the vendor's error, in an answer or in a stream.
type failure struct{ kind, message string }

// parseFailure reads {"type":"error","error":{"type","message"}}; what is not that is an empty failure.
func parseFailure(data []byte) failure {
	var envelope struct {
		Error struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(data, &envelope) != nil {
		return failure{}
	}
	return failure{envelope.Error.Type, envelope.Error.Message}
}

// failed is a failure as an error. Nothing in it is the key or the request's.
func (p *Provider) failed(f failure, res *http.Response, req sdk.Request) *sdk.Error {
	kind := f.as(res.StatusCode)
	e := &sdk.Error{
		Kind: kind, Blame: vendorhttp.BlameOf(kind), HTTPStatus: res.StatusCode,
		RetryAfter: vendorhttp.RetryAfter(res.Header, p.now()),
	}
	if kind == sdk.KindQuota {
		e.RetryAfter = f.untilAccess(p.now())
	}
	private := content.Private(req)
	words := []string{"HTTP " + strconv.Itoa(res.StatusCode)}
	for _, word := range []string{f.kind, f.message} {
		if word = p.clean(word, private); word != "" {
			words = append(words, word)
		}
	}
	e.Message = strings.Join(words, ": ")
	return e
}

// as is what can be done about a failure: what the vendor says of money first, because it says it under several statuses; then
// the status; then, within a stream, the type.
func (f failure) as(status int) sdk.Kind {
	words := strings.ToLower(f.message)
	switch {
	case f.kind == "billing_error", strings.Contains(words, "credit balance is too low"):
		return sdk.KindNoCredit
	case strings.Contains(words, "reached your specified api usage limits"):
		return sdk.KindQuota // the limit that the operator has set, with status 400
	case status != http.StatusOK:
		return vendorhttp.KindOfStatus(status)
	}
	switch f.kind {
	case "rate_limit_error":
		return sdk.KindRateLimited
	case "authentication_error", "permission_error":
		return sdk.KindAuth
	case "invalid_request_error", "not_found_error", "request_too_large":
		return sdk.KindInvalidRequest
	default: // overloaded_error, api_error, timeout_error: it began and broke, the vendor's trouble
		return sdk.KindOverloaded
	}
}

// untilAccess is how long until the moment of "You will regain access on 2026-12-01 at 00:00 UTC."; 0 when there is none.
func (f failure) untilAccess(now time.Time) time.Duration {
	found := regexp.MustCompile(`\d{4}-\d\d-\d\d at \d\d:\d\d UTC`).FindString(f.message)
	at, err := time.Parse("2006-01-02 at 15:04 MST", found)
	if err != nil {
		return 0
	}
	// As a header the hint is bounded as all the others are.
	seconds := strconv.FormatFloat(at.Sub(now).Seconds(), 'f', 0, 64)
	return vendorhttp.RetryAfter(http.Header{"Retry-After": {seconds}}, now)
}

// garbled is an event that is not in the format, as a proxy or a broken server sends.
func garbled() *sdk.Error {
	return &sdk.Error{
		Kind: sdk.KindOverloaded, Blame: sdk.BlameDownstream, HTTPStatus: http.StatusOK,
		Message: "an event that is not of the Messages API",
	}
}
