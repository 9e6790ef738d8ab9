// Package openrouter is the plugin for the models behind OpenRouter. It translates and nothing more; what it shares with OpenAI
// is in openaicompat.
package openrouter

import (
	"context"
	"net/http"

	"github.com/mercadoesperto/smarket/providers/internal/openaicompat"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

const (
	name         = "openrouter"
	version      = "1.0.0"
	defaultURL   = "https://openrouter.ai/api/v1"
	defaultModel = "google/gemini-3.1-flash-lite"

	// Who calls, as OpenRouter wants to be told.
	referer = "https://github.com/mercadoesperto/smarket"
	title   = "Mercado Esperto"
)

// Config is what an operator decides.
type Config struct {
	// APIKey may be empty: the provider then describes itself, and fails with KindAuth at everything else.
	APIKey string
	// BaseURL is where the API is, for a gateway or a test. Defaults to https://openrouter.ai/api/v1
	BaseURL string
	// Model defaults to google/gemini-3.1-flash-lite
	Model string
	// HTTPClient defaults to one that reaches BaseURL and nothing else.
	HTTPClient *http.Client
}

// Provider asks OpenRouter. Make one with New.
type Provider struct{ client *openaicompat.Client }

var _ sdk.Provider = (*Provider)(nil)

// New fails when BaseURL is not one: https, or http on this machine.
func New(config Config) (*Provider, error) {
	client, err := openaicompat.NewClient(openaicompat.Dialect{
		Name: name, Version: version, BaseURL: defaultURL, Model: defaultModel,
		MediaTypes: []string{"image/jpeg", "image/png", "image/webp", "application/pdf", "text/plain"},
		Headers:    map[string]string{"HTTP-Referer": referer, "X-Title": title},
		Adapt:      adapt,
		Kind:       kind,
		RetryAfter: retryAfter,
		Cost:       cost,
		CheckPath:  "key", // the list of models is public and would take any key for a good one
		Ready:      ready,
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

// Check asks what the key may still spend: that costs nothing.
func (p *Provider) Check(ctx context.Context) error { return p.client.Check(ctx) }
