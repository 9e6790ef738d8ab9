package openaicompat

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/providers/internal/content"
	"github.com/mercadoesperto/smarket/providers/internal/vendorhttp"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Failure is what a vendor says of a call that failed: in the body of an HTTP error, in an answer with status 200, or in the
// middle of a stream.
type Failure struct {
	Status   int // HTTP
	Header   http.Header
	Code     string // error.code, also where it is a number
	Type     string
	Message  string          // in the vendor's words: not for a log as it is
	Metadata json.RawMessage // OpenRouter's
}

// status is the HTTP status that the failure stands for: the error's own number where the answer's status was 200, 0 when
// neither says.
func (f Failure) status() int {
	if f.Status >= http.StatusMultipleChoices {
		return f.Status
	}
	if n, err := strconv.Atoi(f.Code); err == nil && n >= http.StatusBadRequest && n < 600 {
		return n
	}
	return 0
}

// parseFailure finds the error in a body or an event. It is false when there is none.
func parseFailure(data []byte) (Failure, bool) {
	var envelope struct {
		Error json.RawMessage `json:"error"`
	}
	if !bytes.Contains(data, []byte(`"error"`)) || json.Unmarshal(data, &envelope) != nil {
		return Failure{}, false
	}
	return parseError(envelope.Error)
}

// parseError reads what is in a field "error". It is false for nothing and for null, which some servers send when all is well.
func parseError(raw json.RawMessage) (Failure, bool) {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return Failure{}, false
	}
	var f Failure
	if json.Unmarshal(raw, &f.Message) == nil { // just a sentence
		return f, true
	}
	var fields struct {
		Code     json.RawMessage `json:"code"`
		Type     json.RawMessage `json:"type"`
		Message  json.RawMessage `json:"message"`
		Metadata json.RawMessage `json:"metadata"`
	}
	if json.Unmarshal(raw, &fields) == nil {
		f.Code, f.Type, f.Message, f.Metadata = scalar(fields.Code), scalar(fields.Type), scalar(fields.Message), fields.Metadata
	}
	return f, true
}

// scalar is a string or a number as text; "" for anything else.
func scalar(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

// kind is what can be done about a failure: the vendor's own codes first, then those of the format that mean more than the
// status that comes with them, then the status, then the codes that are all there is within a stream.
func (c *Client) kind(f Failure) sdk.Kind {
	if c.dialect.Kind != nil {
		if kind := c.dialect.Kind(f); kind != "" {
			return kind
		}
	}
	for _, code := range []string{f.Code, f.Type} {
		switch code {
		case "insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "billing_error":
			return sdk.KindNoCredit
		case "content_filter", "content_policy_violation":
			return sdk.KindBlocked
		}
	}
	status := f.status()
	if status == http.StatusTooManyRequests && daily(f.Message) {
		return sdk.KindQuota
	}
	if status != 0 {
		return vendorhttp.KindOfStatus(status)
	}
	for _, code := range []string{f.Code, f.Type} {
		switch code {
		case "rate_limit_exceeded":
			return sdk.KindRateLimited
		case "invalid_api_key", "authentication_error", "permission_error":
			return sdk.KindAuth
		case "invalid_request_error", "invalid_prompt", "model_not_found", "context_length_exceeded":
			return sdk.KindInvalidRequest
		}
	}
	return sdk.KindOverloaded // it began and broke: the vendor's trouble
}

// daily says whether a limit is one of the day. Neither vendor has a code for it: only the sentence says "requests per day
// (RPD)" or "free-models-per-day".
func daily(message string) bool {
	return strings.Contains(strings.ToLower(strings.ReplaceAll(message, "-", " ")), "per day")
}

// failed is a failure as an error. Nothing in it is the key or the request's.
func (c *Client) failed(f Failure, req sdk.Request) *sdk.Error {
	kind := c.kind(f)
	e := &sdk.Error{
		Kind: kind, Blame: vendorhttp.BlameOf(kind), HTTPStatus: f.Status,
		RetryAfter: vendorhttp.RetryAfter(f.Header, time.Now()),
	}
	if e.RetryAfter == 0 && c.dialect.RetryAfter != nil {
		e.RetryAfter = c.dialect.RetryAfter(f)
	}
	if status := f.status(); status != 0 {
		e.HTTPStatus = status
	}
	private := content.Private(req)
	words := []string{"HTTP " + strconv.Itoa(e.HTTPStatus)}
	for _, word := range []string{f.Code, f.Type, f.Message} {
		if word = vendorhttp.Clean(word, []string{c.key()}, private...); word != "" && word != strconv.Itoa(e.HTTPStatus) {
			words = append(words, word)
		}
	}
	e.Message = strings.Join(words, ": ")
	return e
}
