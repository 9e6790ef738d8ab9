package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

const (
	typeJSON     = "application/json; charset=utf-8"
	typeResponse = "application/graphql-response+json; charset=utf-8"
	typeEvents   = "text/event-stream"
)

// accepts says whether the client names a media type among those it takes.
func accepts(r *http.Request, mediaType string) bool {
	return strings.Contains(r.Header.Get("Accept"), mediaType)
}

// wantsEvents says whether any operation is to be answered with events. A client that takes JSON too, as some send with every
// request, gets events for subscriptions alone.
func wantsEvents(r *http.Request) bool {
	return accepts(r, typeEvents) && !accepts(r, "application/json") && !accepts(r, "application/graphql-response+json")
}

// responseType is the one of the two media types of GraphQL over HTTP that the client takes: the older one unless it names the
// newer one.
func responseType(r *http.Request) string {
	if accepts(r, "application/graphql-response+json") {
		return typeResponse
	}
	return typeJSON
}

// encode is the response in JSON. Data is absent, and not null, when nothing was executed.
func encode(resp *graphql.Response) []byte {
	var data *json.RawMessage
	if resp.Data != nil {
		data = &resp.Data
	}
	b, err := json.Marshal(struct {
		Errors     gqlerror.List    `json:"errors,omitempty"`
		Data       *json.RawMessage `json:"data,omitempty"`
		Extensions map[string]any   `json:"extensions,omitempty"`
	}{resp.Errors, data, resp.Extensions})
	if err != nil { // the executor made the parts from values that marshal
		return []byte(`{"errors":[{"message":"Internal error","extensions":{"code":"INTERNAL"}}]}`)
	}
	return b
}

func writeResponse(w http.ResponseWriter, r *http.Request, status int, resp *graphql.Response) {
	w.Header().Set("Content-Type", responseType(r))
	w.WriteHeader(status)
	_, _ = bytes.NewReader(encode(resp)).WriteTo(w) // a client that is gone needs no answer
}

// writeFailure answers what could not be executed though it was a request: with 400, or with 200 where the media type is the
// older one, whose clients take other statuses for a broken connection. Who asks too much is told so by the status too, which
// proxies and clients know without reading on.
func writeFailure(w http.ResponseWriter, r *http.Request, resp *graphql.Response) {
	status := http.StatusOK
	if responseType(r) == typeResponse {
		status = http.StatusBadRequest
	}
	if len(resp.Errors) > 0 && resp.Errors[0].Extensions["code"] == invoice.CodeRateLimited {
		status = http.StatusTooManyRequests
	}
	writeResponse(w, r, status, resp)
}

// refuse answers a request that is none, with the error's own status or else the given one.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	if e, ok := errors.AsType[*requestError](err); ok && e.status != 0 {
		status = e.status
	}
	if status == http.StatusRequestEntityTooLarge {
		drain(w, r)
	}
	if e, ok := errors.AsType[*invoice.Error](err); ok && e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
		if e.Code == invoice.CodeRateLimited {
			status = http.StatusTooManyRequests
		}
	}
	writeResponse(w, r, status, h.failure(r.Context(), err))
}

// drain reads on for a while, so that a client in the midst of sending comes to read the answer. A connection that is closed
// with bytes unread is reset, and the answer lost.
func drain(w http.ResponseWriter, r *http.Request) {
	const (
		most    = 32 << 20 // bytes
		longest = 5 * time.Second
	)
	if http.NewResponseController(w).SetReadDeadline(time.Now().Add(longest)) != nil {
		return // nothing would bound the time
	}
	_, _ = io.CopyN(io.Discard, r.Body, most)
}
