package chaos_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/mercadoesperto/smarket/graph/relay"
)

// clientTimeout is when a person would look away and try again.
const clientTimeout = 15 * time.Second

// person is a user with whatever server answers. Unlike apitest.Client it expects failures.
type person struct {
	email string
	token string
	http  *http.Client
}

const password = "correct horse battery"

// answer is the API's.
type answer struct {
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message    string         `json:"message"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
}

// codeError is an error that the API gave.
type codeError struct{ code, message string }

func (e *codeError) Error() string { return e.code + ": " + e.message }

func (p *person) post(ctx context.Context, url, contentType string, body io.Reader, out any) error {
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/graphql", body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Apollo-Require-Preflight", "true")
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	res, err := p.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	var a answer
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil {
		return fmt.Errorf("status %d: %w", res.StatusCode, err)
	}
	if len(a.Errors) > 0 {
		code, _ := a.Errors[0].Extensions["code"].(string)
		return &codeError{code, a.Errors[0].Message}
	}
	return json.Unmarshal(a.Data, out)
}

func (p *person) query(ctx context.Context, url, query string, variables, out any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	return p.post(ctx, url, "application/json", bytes.NewReader(body), out)
}

const sessionFields = `{ session { accessToken } }`

// signUp makes the account, and lets every vendor see its documents.
func (p *person) signUp(ctx context.Context, url string) error {
	var out struct {
		SignUp struct{ Session struct{ AccessToken string } }
	}
	in := map[string]any{"input": map[string]any{"email": p.email, "password": password, "name": "Ana"}}
	if err := p.query(ctx, url, `mutation($input: SignUpInput!) { signUp(input: $input) `+sessionFields+` }`, in, &out); err != nil {
		return err
	}
	p.token = out.SignUp.Session.AccessToken
	var given []map[string]any
	for _, name := range []string{"gemini", "openrouter", "openai"} {
		given = append(given, map[string]any{"provider": name, "granted": true})
	}
	return p.query(ctx, url, `mutation($input: UpdateProfileInput!) { updateProfile(input: $input) { __typename } }`,
		map[string]any{"input": map[string]any{"consents": given}}, &struct{}{})
}

// signIn takes a fresh token: one is good for a quarter of an hour.
func (p *person) signIn(ctx context.Context, url string) error {
	var out struct {
		SignIn struct{ Session struct{ AccessToken string } }
	}
	err := p.query(ctx, url, `mutation($input: SignInInput!) { signIn(input: $input) `+sessionFields+` }`,
		map[string]any{"input": map[string]any{"email": p.email, "password": password}}, &out)
	if err == nil {
		p.token = out.SignIn.Session.AccessToken
	}
	return err
}

// submitted is what a submission was answered with.
type submitted struct {
	id        string
	duplicate bool
}

// submit sends one file once.
func (p *person) submit(ctx context.Context, url, key string, file []byte) (submitted, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	input := map[string]any{"files": []any{nil}}
	if key != "" {
		input["idempotencyKey"] = key
	}
	operations, err := json.Marshal(map[string]any{
		"query":     `mutation($input: SubmitInvoiceInput!) { submitInvoice(input: $input) { invoice { id } duplicate { reason } } }`,
		"variables": map[string]any{"input": input},
	})
	if err != nil {
		return submitted{}, err
	}
	err = errors.Join(form.WriteField("operations", string(operations)), form.WriteField("map", `{"0":["variables.input.files.0"]}`))
	if err != nil {
		return submitted{}, err
	}
	part, err := form.CreateFormFile("0", "nota")
	if err == nil {
		_, err = part.Write(file)
	}
	if err = errors.Join(err, form.Close()); err != nil {
		return submitted{}, err
	}
	var out struct {
		SubmitInvoice struct {
			Invoice   struct{ ID string }
			Duplicate *struct{ Reason string }
		}
	}
	if err := p.post(ctx, url, form.FormDataContentType(), &body, &out); err != nil {
		return submitted{}, err
	}
	_, id, err := relay.DecodeID(out.SubmitInvoice.Invoice.ID)
	return submitted{id: id, duplicate: out.SubmitInvoice.Duplicate != nil}, err
}
