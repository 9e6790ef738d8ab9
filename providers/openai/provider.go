// Package openai is the plugin for OpenAI's models: chat completions with pictures, PDFs and strict schemas. It translates and
// nothing more; what it shares with OpenRouter is in openaicompat.
package openai

import (
	"context"
	"net/http"

	"github.com/mercadoesperto/smarket/providers/internal/openaicompat"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

const (
	name         = "openai"
	version      = "1.0.0"
	defaultURL   = "https://api.openai.com/v1"
	defaultModel = "gpt-6-luna"
)

// Config is what an operator decides.
type Config struct {
	// APIKey may be empty: the provider then describes itself, and fails with KindAuth at everything else.
	APIKey string
	// BaseURL is where the API is, for a gateway or a test. Defaults to https://api.openai.com/v1
	BaseURL string
	// Model defaults to gpt-6-luna
	Model string
	// HTTPClient defaults to one that reaches BaseURL and nothing else.
	HTTPClient *http.Client
}

// Provider asks OpenAI. Make one with New.
type Provider struct{ client *openaicompat.Client }

var _ sdk.Provider = (*Provider)(nil)

// New fails when BaseURL is not one: https, or http on this machine.
func New(config Config) (*Provider, error) {
	client, err := openaicompat.NewClient(openaicompat.Dialect{
		Name: name, Version: version, BaseURL: defaultURL, Model: defaultModel,
		MediaTypes: []string{"image/jpeg", "image/png", "image/webp", "application/pdf", "text/plain"},
		Adapt:      adapt,
		Kind:       kind,
		CheckPath:  "models/%s",
	}, openaicompat.Config(config))
	if err != nil {
		return nil, err
	}
	return &Provider{client: client}, nil
}

// Describe answers without the network.
func (p *Provider) Describe(ctx context.Context) (sdk.Description, error) {
	return p.client.Describe(ctx)
}

// Generate makes one call, streamed.
func (p *Provider) Generate(ctx context.Context, req sdk.Request, emit func(text string) error) (sdk.Result, error) {
	return p.client.Generate(ctx, req, emit)
}

// Check asks for the model's description: that needs the key and costs nothing.
func (p *Provider) Check(ctx context.Context) error { return p.client.Check(ctx) }
