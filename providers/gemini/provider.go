// Package gemini is the provider that speaks to Google's Gemini API with its official SDK. It translates one call into one
// request: what is retried, cached and paid is the host's to decide.
package gemini

import (
	"context"
	"errors"
	"net/http"
	"time"

	"google.golang.org/genai"

	"github.com/mercadoesperto/smarket/providers/internal/vendorhttp"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

const (
	name = "gemini"
	// version changes with what is sent or how replies are read.
	version        = "1.0.0"
	defaultModel   = "gemini-3.1-flash-lite"
	defaultBaseURL = "https://generativelanguage.googleapis.com"

	// checkTimeout ends a check whose caller has more patience.
	checkTimeout = 10 * time.Second
	// tailTime is how long a stream may take to end after the reply has.
	tailTime = 250 * time.Millisecond
)

// Config is what an operator decides.
type Config struct {
	// APIKey may be empty: the provider then describes itself, and fails with KindAuth at everything else.
	APIKey string
	// BaseURL is without the API's version. Defaults to Google's.
	BaseURL string
	Model   string // Defaults to gemini-3.1-flash-lite
	// HTTPClient defaults to one of package vendorhttp for BaseURL.
	HTTPClient *http.Client
}

// Provider is the Gemini API.
type Provider struct {
	model  string
	models *genai.Models // nil without a key
	// clean makes a vendor's words fit for a log; a function, so that nobody prints the key by printing the provider.
	clean func(message string, private []string) string
	now   func() time.Time
}

var _ sdk.Provider = (*Provider)(nil)

// New fails when BaseURL cannot be used. It makes no call.
func New(config Config) (*Provider, error) {
	if config.BaseURL == "" {
		config.BaseURL = defaultBaseURL
	}
	if config.Model == "" {
		config.Model = defaultModel
	}
	key := config.APIKey
	p := &Provider{
		model: config.Model, now: time.Now,
		clean: func(message string, private []string) string {
			return vendorhttp.Clean(message, []string{key}, private...)
		},
	}
	if config.HTTPClient == nil {
		client, err := vendorhttp.NewClient(config.BaseURL)
		if err != nil {
			return nil, err
		}
		config.HTTPClient = client
	}
	if key == "" {
		return p, nil // the SDK would look for one in the environment
	}
	client, err := genai.NewClient(context.Background(), &genai.ClientConfig{
		APIKey: key, Backend: genai.BackendGeminiAPI, // or the environment could choose another
		HTTPClient:  noting(config.HTTPClient),
		HTTPOptions: genai.HTTPOptions{BaseURL: config.BaseURL}, // no RetryOptions: the SDK then never retries
	})
	if err != nil {
		return nil, errors.New("gemini: the SDK refuses the configuration") // its words hold all of it
	}
	p.models = client.Models
	return p, nil
}

// Describe answers without the network.
func (p *Provider) Describe(context.Context) (sdk.Description, error) {
	return sdk.Description{
		Name: name, Version: version, Model: p.model, Streaming: true, MediaTypes: append(mediaTypes(), "text/plain"),
		Tasks: []sdk.Task{sdk.TaskExtract, sdk.TaskAnalyze, sdk.TaskProbe},
	}, nil
}

// Generate makes one call to the vendor, whatever comes of it.
func (p *Provider) Generate(ctx context.Context, req sdk.Request, emit func(text string) error) (sdk.Result, error) {
	r := &reply{emit: emit, result: sdk.Result{Model: p.model}}
	if err := vendorhttp.Ended(ctx); err != nil {
		return r.result, err
	}
	contents, config, err := p.request(req)
	if err != nil {
		return r.result, err
	}
	if p.models == nil {
		return r.result, noKey()
	}
	call, a := note(ctx)
	call, cancel := context.WithCancel(call)
	defer cancel()
	for chunk, err := range guarded(p.models.GenerateContentStream(call, p.model, contents, config)) {
		if err != nil && r.finish != "" {
			break // the reply was whole
		}
		if err != nil {
			return r.result, p.failed(ctx, a, err, req)
		}
		if err := r.chunk(chunk); err != nil {
			return r.result, untaken(ctx, err)
		}
		if r.finish != "" {
			timer := time.AfterFunc(tailTime, cancel)
			defer timer.Stop()
		}
	}
	if e := vendorhttp.Ended(ctx); e != nil && r.finish == "" {
		return r.result, e
	}
	err = r.end()
	return r.result, err
}

// Check asks for the model's description: it costs nothing and needs the key.
func (p *Provider) Check(ctx context.Context) error {
	if err := vendorhttp.Ended(ctx); err != nil {
		return err
	}
	if p.models == nil {
		return noKey()
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	call, a := note(ctx)
	found, err := p.find(call)
	switch {
	case err == nil && found:
		return nil
	case err == nil, a.status == http.StatusOK && garbled(err):
		return &sdk.Error{
			Kind: sdk.KindInvalidRequest, Blame: sdk.BlamePlugin, HTTPStatus: a.status,
			Message: "the base URL leads to something that is not the Gemini API",
		}
	}
	return p.failed(ctx, a, err, sdk.Request{})
}

// find says whether the vendor knows the model.
func (p *Provider) find(ctx context.Context) (found bool, err error) {
	defer func() {
		if recover() != nil {
			err = errGarbled
		}
	}()
	model, err := p.models.Get(ctx, p.model, nil)
	return err == nil && model.Name != "", err
}

func noKey() *sdk.Error {
	return &sdk.Error{Kind: sdk.KindAuth, Blame: sdk.BlamePlugin, Message: "no API key is configured"}
}

// untaken is the error of a piece that the host did not take: it has gone, most often.
func untaken(ctx context.Context, err error) error {
	if e := vendorhttp.Ended(ctx); e != nil {
		return e
	}
	if e, ok := errors.AsType[*sdk.Error](err); ok {
		return e
	}
	return &sdk.Error{Kind: sdk.KindCancelled, Blame: sdk.BlameHost, Message: "a piece of the reply was not taken"}
}
