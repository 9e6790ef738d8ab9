package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// site is the installation as strangers reach it: by its name, at an address, with a certificate of its own making.
type site struct {
	url  string
	http *http.Client
}

// requestTimeout bounds requests, not streams.
const requestTimeout = 30 * time.Second

func open(name, addr, certificate string) (*site, error) {
	pem, err := os.ReadFile(certificate) //nolint:gosec // G304: the operator names it
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("read the certificate: there is none in the file")
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	transport := func(http2 bool) *http.Transport {
		return &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, addr)
			},
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: http2,
		}
	}
	return &site{"https://" + name, &http.Client{Transport: transport(true)}}, nil
}

// alone is the same site over connections of one's own.
func (s *site) alone() *site {
	t := s.http.Transport.(*http.Transport).Clone()
	return &site{s.url, &http.Client{Transport: t}}
}

// user is somebody with an account.
type user struct {
	*site
	token string
}

type answer struct {
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message string `json:"message"`
	} `json:"errors"`
}

func (a answer) into(out any) error {
	if len(a.Errors) > 0 {
		return errors.New("the API says: " + a.Errors[0].Message)
	}
	return json.Unmarshal(a.Data, out)
}

func signUp(ctx context.Context, s *site) (*user, error) {
	u := &user{site: s}
	var out struct {
		SignUp struct{ Session struct{ AccessToken string } }
	}
	err := u.query(ctx, `mutation($input: SignUpInput!) { signUp(input: $input) { session { accessToken } } }`, map[string]any{
		"input": map[string]any{"email": strings.ToLower(rand.Text()) + "@example.com", "password": "correct horse battery", "name": "Ana"},
	}, &out)
	u.token = out.SignUp.Session.AccessToken
	return u, err
}

func (u *user) post(ctx context.Context, body io.Reader, contentType, accept string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.url+"/graphql", body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Apollo-Require-Preflight", "true")
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	if u.token != "" {
		req.Header.Set("Authorization", "Bearer "+u.token)
	}
	res, err := u.http.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 300)) // for the message; the status is the fault
		_ = res.Body.Close()
		return nil, fmt.Errorf("%s: %s", res.Status, text)
	}
	return res, nil
}

func (u *user) ask(ctx context.Context, body io.Reader, contentType string, out any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	res, err := u.post(ctx, body, contentType, "")
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	var a answer
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return a.into(out)
}

func (u *user) query(ctx context.Context, query string, variables map[string]any, out any) error {
	return u.ask(ctx, bytes.NewReader(encode(map[string]any{"query": query, "variables": variables})), "application/json", out)
}

// upload submits one file, and gives the id of its invoice.
func (u *user) upload(ctx context.Context, data []byte) (string, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	operations := encode(map[string]any{
		"query":     `mutation($input: SubmitInvoiceInput!) { submitInvoice(input: $input) { invoice { id } } }`,
		"variables": map[string]any{"input": map[string]any{"files": []any{nil}, "allowDuplicate": true}},
	})
	file, err := form.CreateFormFile("0", "cupom")
	if err == nil {
		_, err = file.Write(data)
	}
	err = errors.Join(err, form.Close())
	if err != nil {
		return "", err
	}
	// The specification wants the file last.
	parts := multipartOf(form.Boundary(), string(operations), `{"0":["variables.input.files.0"]}`, body.Bytes())
	var out struct {
		SubmitInvoice struct{ Invoice struct{ ID string } }
	}
	err = u.ask(ctx, bytes.NewReader(parts), form.FormDataContentType(), &out)
	return out.SubmitInvoice.Invoice.ID, err
}

func multipartOf(boundary, operations, where string, file []byte) []byte {
	var b bytes.Buffer
	for _, field := range []struct{ name, text string }{{"operations", operations}, {"map", where}} {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", boundary, field.name, field.text)
	}
	return append(b.Bytes(), file...)
}

// event is one step of an extraction.
type event struct {
	Seq   int
	Stage string
}

func (e event) last() bool {
	switch e.Stage {
	case "COMPLETED", "NEEDS_REVIEW", "FAILED", "CANCELLED":
		return true
	}
	return false
}

func progress(id string, after int) []byte {
	return encode(map[string]any{
		"query":     `subscription($id: ID!, $after: Int) { extractionProgress(invoiceId: $id, afterSeq: $after) { seq stage } }`,
		"variables": map[string]any{"id": id, "after": after},
	})
}

func decodeEvent(data []byte) (event, error) {
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return event{}, err
	}
	var out struct{ ExtractionProgress event }
	err := a.into(&out)
	return out.ExtractionProgress, err
}

// watch follows an extraction over server-sent events from where it was left, until its end or that of the stream.
func (u *user) watch(ctx context.Context, id string, after int, see func(event)) error {
	res, err := u.post(ctx, bytes.NewReader(progress(id, after)), "application/json", "text/event-stream")
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data:")
		if !ok || strings.TrimSpace(data) == "" {
			continue
		}
		e, err := decodeEvent([]byte(data))
		if err != nil {
			return err
		}
		see(e)
		if e.last() {
			return nil
		}
	}
	return errors.Join(lines.Err(), io.ErrUnexpectedEOF)
}

// watchSocket does so over a websocket.
func (u *user) watchSocket(ctx context.Context, id string, after int, see func(event)) error {
	// A websocket takes its connection over, which those of HTTP/2 do not let be.
	t := u.http.Transport.(*http.Transport).Clone()
	t.ForceAttemptHTTP2 = false
	t.TLSClientConfig = t.TLSClientConfig.Clone()
	t.TLSClientConfig.NextProtos = nil
	t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	conn, _, err := websocket.Dial(ctx, u.url+"/graphql", &websocket.DialOptions{ //nolint:bodyclose // the connection is its body
		HTTPClient: &http.Client{Transport: t}, Subprotocols: []string{"graphql-transport-ws"},
	})
	if err != nil {
		return fmt.Errorf("open a websocket: %w", err)
	}
	defer func() { _ = conn.CloseNow() }()
	for _, message := range []string{
		`{"type":"connection_init","payload":{"Authorization":"Bearer ` + u.token + `"}}`,
		`{"id":"1","type":"subscribe","payload":` + string(progress(id, after)) + `}`,
	} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
			return fmt.Errorf("write to the websocket: %w", err)
		}
	}
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			return fmt.Errorf("read from the websocket: %w", err)
		}
		var message struct {
			Type    string
			Payload json.RawMessage
		}
		if err := json.Unmarshal(data, &message); err != nil {
			return fmt.Errorf("read from the websocket: %w", err)
		}
		switch message.Type {
		case "ping":
			err = conn.Write(ctx, websocket.MessageText, []byte(`{"type":"pong"}`))
		case "next":
			var e event
			if e, err = decodeEvent(message.Payload); err == nil {
				see(e)
			}
			if e.last() {
				return nil
			}
		case "error", "complete":
			err = fmt.Errorf("the websocket says %s: %s", message.Type, message.Payload)
		}
		if err != nil {
			return err
		}
	}
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return []byte(err.Error()) // cannot be: maps of strings
	}
	return data
}
