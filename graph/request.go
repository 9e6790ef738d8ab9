package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// maxJSON bounds the JSON of a request, in bytes: a body, a websocket message, the operations of an upload.
const maxJSON = 1 << 20

// contentType is the media type of the body, "" for one that is not in UTF-8.
func contentType(r *http.Request) string {
	mediaType, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || (params["charset"] != "" && !strings.EqualFold(params["charset"], "utf-8")) {
		return ""
	}
	return mediaType
}

// paramsFromBody reads a JSON body. It fails with a *requestError that says nothing of what was sent.
func (h *Handler) paramsFromBody(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, error) {
	defer limitReading(w, h.Timing.Request)()
	data, err := readBody(http.MaxBytesReader(w, r.Body, maxJSON))
	if err != nil {
		return nil, err
	}
	params, err := decodeParams(data)
	if err != nil {
		return nil, err
	}
	params.Headers = r.Header
	return params, nil
}

// limitReading bounds how long the body may take to come in. Releasing takes the bound off the connection, whose next request has
// its own.
func limitReading(w http.ResponseWriter, longest time.Duration) (release func()) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(longest)) // a recorder in a test knows no deadlines
	return func() { _ = control.SetReadDeadline(time.Time{}) }
}

// readBody reads what a MaxBytesReader lets through.
func readBody(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(r)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, errTooLarge()
	}
	if err != nil {
		return nil, &requestError{status: http.StatusBadRequest, message: "The body could not be read."}
	}
	return data, nil
}

func errTooLarge() error {
	return &requestError{
		status: http.StatusRequestEntityTooLarge, code: invoice.CodeTooLarge, message: "The request is too large.",
	}
}

// decodeParams reads one request object, and nothing after it.
func decodeParams(data []byte) (*graphql.RawParams, error) {
	bad := func(message string) (*graphql.RawParams, error) {
		return nil, &requestError{status: http.StatusBadRequest, message: message}
	}
	if !utf8.Valid(data) {
		return bad("The body is not in UTF-8.")
	}
	switch first := bytes.TrimLeft(data, " \t\r\n"); {
	case bytes.HasPrefix(first, []byte("[")):
		return bad("Batches are not taken: send one request object.")
	case !bytes.HasPrefix(first, []byte("{")):
		return bad("The body is not a JSON object.")
	}
	var body struct {
		Query         *string        `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
		Extensions    map[string]any `json:"extensions"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber() // so that a number stays what the client wrote
	if err := dec.Decode(&body); err != nil {
		return bad("The body is not a GraphQL request in JSON.")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return bad("Something follows the request object.")
	}
	params := &graphql.RawParams{OperationName: body.OperationName, Variables: body.Variables, Extensions: body.Extensions}
	switch {
	case body.Query != nil:
		params.Query = *body.Query
	case body.Extensions[persistedQueryExtension] == nil:
		return bad("The query is missing.")
	}
	return params, nil
}

// paramsFromURL reads the request of a GET.
func paramsFromURL(r *http.Request) (*graphql.RawParams, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &requestError{status: http.StatusBadRequest, message: "The query string is broken."}
	}
	params := &graphql.RawParams{Query: q.Get("query"), OperationName: q.Get("operationName"), Headers: r.Header}
	for name, target := range map[string]*map[string]any{"variables": &params.Variables, "extensions": &params.Extensions} {
		if !q.Has(name) {
			continue
		}
		dec := json.NewDecoder(strings.NewReader(q.Get(name)))
		dec.UseNumber()
		if err := dec.Decode(target); err != nil {
			return nil, &requestError{status: http.StatusBadRequest, message: "The " + name + " are not a JSON object."}
		}
	}
	if !q.Has("query") && params.Extensions[persistedQueryExtension] == nil {
		return nil, &requestError{status: http.StatusBadRequest, message: "The query is missing."}
	}
	return params, nil
}
