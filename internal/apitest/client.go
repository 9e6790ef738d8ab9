// Package apitest is a front end for tests: it knows the API's address and documents, and nothing of what is behind.
package apitest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Client is one user's session.
type Client struct {
	URL   string // of the service, without a path
	Token string // "" before SignUp
	// HTTP is how the service is reached; nil is http.DefaultClient.
	HTTP *http.Client
}

// Response is the API's answer.
type Response struct {
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message    string         `json:"message"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
}

// Code is the first error's code; "" when there is none.
func (r Response) Code() string {
	if len(r.Errors) == 0 {
		return ""
	}
	code, _ := r.Errors[0].Extensions["code"].(string)
	return code
}

func (c *Client) send(tb testing.TB, contentType string, body io.Reader, accept string) *http.Response {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, c.URL+"/graphql", body)
	require.NoError(tb, err)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Apollo-Require-Preflight", "true")
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	through := c.HTTP
	if through == nil {
		through = http.DefaultClient
	}
	res, err := through.Do(req)
	require.NoError(tb, err)
	return res
}

func decode(tb testing.TB, res *http.Response) Response {
	tb.Helper()
	defer func() { require.NoError(tb, res.Body.Close()) }()
	var out Response
	require.NoError(tb, json.NewDecoder(res.Body).Decode(&out))
	return out
}

// Query asks, and puts the data into out when there are no errors.
func (c *Client) Query(tb testing.TB, query string, variables map[string]any, out any) Response {
	tb.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(tb, err)
	res := decode(tb, c.send(tb, "application/json", bytes.NewReader(body), "")) //nolint:bodyclose // decode closes it
	if out != nil {
		require.Empty(tb, res.Errors)
		require.NoError(tb, json.Unmarshal(res.Data, out))
	}
	return res
}

// SignUp makes an account and signs in as it.
func (c *Client) SignUp(tb testing.TB, email string) {
	tb.Helper()
	var out struct {
		SignUp struct{ Session struct{ AccessToken string } }
	}
	c.Query(tb, `mutation($input: SignUpInput!) { signUp(input: $input) { session { accessToken } viewer { id } } }`,
		map[string]any{"input": map[string]any{"email": email, "password": "correct horse battery", "name": "Ana"}}, &out)
	c.Token = out.SignUp.Session.AccessToken
}

// Submission is the answer to an upload.
type Submission struct {
	SubmitInvoice struct {
		Invoice   struct{ ID, Status string }
		Duplicate *struct{ Reason string }
	}
}

// Submit uploads the files of one purchase.
func (c *Client) Submit(tb testing.TB, files ...[]byte) (Submission, Response) {
	tb.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	places := map[string][]string{}
	for i := range files {
		places[strconv.Itoa(i)] = []string{fmt.Sprintf("variables.input.files.%d", i)}
	}
	operations, err := json.Marshal(map[string]any{
		"query":     `mutation($input: SubmitInvoiceInput!) { submitInvoice(input: $input) { invoice { id status } duplicate { reason } } }`,
		"variables": map[string]any{"input": map[string]any{"files": make([]any, len(files))}},
	})
	require.NoError(tb, err)
	where, err := json.Marshal(places)
	require.NoError(tb, err)
	require.NoError(tb, form.WriteField("operations", string(operations)))
	require.NoError(tb, form.WriteField("map", string(where)))
	for i, data := range files {
		part, err := form.CreateFormFile(strconv.Itoa(i), "../../photo.jpg")
		require.NoError(tb, err)
		_, err = part.Write(data)
		require.NoError(tb, err)
	}
	require.NoError(tb, form.Close())
	res := decode(tb, c.send(tb, form.FormDataContentType(), &body, "")) //nolint:bodyclose // decode closes it
	var out Submission
	if len(res.Errors) == 0 {
		require.NoError(tb, json.Unmarshal(res.Data, &out))
	}
	return out, res
}

// Event is one step of an extraction.
type Event struct {
	Seq     int
	Stage   string
	Percent int
	Invoice struct{ Status string }
}

// Watch follows an extraction over server-sent events to its end.
func (c *Client) Watch(tb testing.TB, id string, afterSeq int) []Event {
	tb.Helper()
	body, err := json.Marshal(map[string]any{
		"query":     `subscription($id: ID!, $after: Int) { extractionProgress(invoiceId: $id, afterSeq: $after) { seq stage percent invoice { status } } }`,
		"variables": map[string]any{"id": id, "after": afterSeq},
	})
	require.NoError(tb, err)
	res := c.send(tb, "application/json", bytes.NewReader(body), "text/event-stream")
	defer func() { require.NoError(tb, res.Body.Close()) }()
	var events []Event
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data:")
		if !ok || strings.TrimSpace(data) == "" {
			continue
		}
		var r Response
		require.NoError(tb, json.Unmarshal([]byte(data), &r))
		require.Empty(tb, r.Errors)
		var one struct{ ExtractionProgress Event }
		require.NoError(tb, json.Unmarshal(r.Data, &one))
		events = append(events, one.ExtractionProgress)
	}
	require.NoError(tb, lines.Err())
	return events
}
