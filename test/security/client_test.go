package security_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
)

// password is every account's.
const password = "correct horse battery"

// member is a new user who lets the models see her receipts. Nothing of her may come into a log.
func member(t *testing.T, url string) *apitest.Client {
	t.Helper()
	c, _ := memberAs(t, url)
	return c
}

// memberAs also tells her address.
func memberAs(t *testing.T, url string) (*apitest.Client, string) {
	t.Helper()
	email := strings.ToLower(rand.Text()) + "@example.com"
	c := &apitest.Client{URL: url}
	c.SignUp(t, email)
	known.add(email, c.Token, password)
	res := c.Query(t, `mutation { updateProfile(input: {income: "4321.98", consents: [{provider: "gemini", granted: true}, {provider: "evil", granted: true}]}) { __typename } }`, nil, nil)
	require.Empty(t, res.Errors)
	return c, email
}

// answer is what the service said.
type answer struct {
	status int
	header http.Header
	text   string
}

// code is the first error's; "data" when there is none.
func (a answer) code() string {
	var r apitest.Response
	if json.Unmarshal([]byte(a.text), &r) != nil {
		return "no JSON"
	}
	if code := r.Code(); code != "" {
		return code
	}
	if len(r.Errors) > 0 {
		return "an error without a code"
	}
	return "data"
}

// verdict is the status and the code.
func (a answer) verdict() string { return fmt.Sprintf("%d %s", a.status, a.code()) }

// request sends one, with headers given as name, value. An error of the connection is an answer with status 0.
func request(ctx context.Context, method, url string, body io.Reader, headers ...string) answer {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return answer{text: err.Error()}
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{text: err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{text: err.Error()}
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// post sends a body to the API, as Ana unless a header says otherwise.
func (p *probe) post(body io.Reader, headers ...string) answer {
	headers = append([]string{"Content-Type", "application/json"}, headers...)
	if p.ana != nil {
		headers = append([]string{"Authorization", "Bearer " + p.ana.Token}, headers...)
	}
	return request(p.Context(), http.MethodPost, p.url+"/graphql", body, headers...)
}

// ask sends a query.
func (p *probe) ask(query string, headers ...string) answer {
	return p.post(strings.NewReader(asJSON(map[string]any{"query": query})), headers...)
}

// askWith sends a query with variables.
func (p *probe) askWith(query string, variables map[string]any, headers ...string) answer {
	return p.post(strings.NewReader(asJSON(map[string]any{"query": query, "variables": variables})), headers...)
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

const submitMutation = `mutation($input: SubmitInvoiceInput!) { submitInvoice(input: $input) { invoice { id } } }`

// operations is the first part of an upload of a file.
func operations() string {
	return asJSON(map[string]any{
		"query": submitMutation, "variables": map[string]any{"input": map[string]any{"files": []any{nil}, "allowDuplicate": true}},
	})
}

const oneFile = `{"0":["variables.input.files.0"]}`

// part is one of a multipart body.
type part struct{ name, file, mediaType, data string }

// form is a multipart body and its type.
func form(t *testing.T, parts ...part) (body *bytes.Buffer, contentType string) {
	t.Helper()
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for _, one := range parts {
		h := textproto.MIMEHeader{}
		disposition := fmt.Sprintf(`form-data; name="%s"`, one.name)
		if one.file != "" {
			disposition += fmt.Sprintf(`; filename="%s"`, one.file)
		}
		h.Set("Content-Disposition", disposition)
		if one.mediaType != "" {
			h.Set("Content-Type", one.mediaType)
		}
		f, err := w.CreatePart(h)
		require.NoError(t, err)
		_, err = io.WriteString(f, one.data)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return body, w.FormDataContentType()
}

// upload sends one file under a name and a type that may both be lies.
func (p *probe) upload(c *apitest.Client, data []byte, name, mediaType string) answer {
	p.Helper()
	body, contentType := form(p.T, part{name: "operations", data: operations()}, part{name: "map", data: oneFile},
		part{name: "0", file: name, mediaType: mediaType, data: string(data)})
	return p.post(body, "Content-Type", contentType, "Apollo-Require-Preflight", "1", "Authorization", "Bearer "+c.Token)
}

// submitted is the id of the invoice that an upload made.
func (a answer) submitted(t *testing.T) string {
	t.Helper()
	var out struct {
		Data struct {
			SubmitInvoice struct{ Invoice struct{ ID string } }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(a.text), &out), a.text)
	require.NotEmpty(t, out.Data.SubmitInvoice.Invoice.ID, a.text)
	return out.Data.SubmitInvoice.Invoice.ID
}

// ends follows an invoice to the stage at which its extraction ends.
func (p *probe) ends(c *apitest.Client, id string) string {
	p.Helper()
	for _, e := range c.Watch(p.T, id, 0) {
		switch e.Stage {
		case "COMPLETED", "NEEDS_REVIEW", "FAILED", "CANCELLED":
			return e.Stage
		}
	}
	return "no end"
}
