// Package anthropic is the provider that speaks to Anthropic's Messages API with its official SDK. It translates one call into
// one request: what is retried, cached and paid is the host's to decide.
package anthropic

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	vendor "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/anthropics/anthropic-sdk-go/packages/ssestream"

	"github.com/mercadoesperto/smarket/providers/internal/vendorhttp"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

const (
	name = "anthropic"
	// version changes with what is sent or how replies are read.
	version        = "1.0.0"
	defaultModel   = vendor.ModelClaudeHaiku5_5
	defaultBaseURL = "https://api.anthropic.com"

	// checkTimeout ends a check whose caller has more patience.
	checkTimeout = 10 * time.Second
	// maxFailure is the most bytes of a failed answer that are looked at.
	maxFailure = 64 << 10
)

// Config is what an operator decides.
type Config struct {
	// APIKey may be empty: the provider then describes itself, and fails with KindAuth at everything else.
	APIKey string
	// BaseURL is without the API's version. Defaults to Anthropic's.
	BaseURL string
	Model   string // Defaults to claude-haiku-5-5
	// HTTPClient defaults to one of package vendorhttp for BaseURL.
	HTTPClient *http.Client
}

// Provider is the Messages API.
type Provider struct {
	model  string
	client *vendor.Client // nil without a key
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
		return p, nil
	}
	client := vendor.NewClient(
		// Else the SDK looks for keys, profiles and headers in the environment and the home folder.
		option.WithoutEnvironmentDefaults(),
		option.WithAPIKey(key),
		option.WithBaseURL(config.BaseURL),
		option.WithHTTPClient(config.HTTPClient),
		option.WithMaxRetries(0), // the host's chain alone decides, or the delays multiply
	)
	p.client = &client
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
	body, err := p.request(req)
	if err != nil {
		return r.result, err
	}
	if p.client == nil {
		return r.result, noKey()
	}
	var res *http.Response
	// The answer is read here and not by the SDK: its own stream skips events without a name, and takes an error that is no
	// event, and a stream that was cut, for replies that have ended.
	err = p.client.Post(ctx, "v1/messages", body, &res, option.WithHeader("Accept", "text/event-stream"))
	if err := p.answered(ctx, res, err, req); err != nil {
		return r.result, err
	}
	defer vendorhttp.Drain(res.Body)
	err = p.read(ctx, res, req, r)
	return r.result, err
}

// read takes the reply as it streams. What r holds when it returns is what is known of the call.
func (p *Provider) read(ctx context.Context, res *http.Response, req sdk.Request, r *reply) error {
	body := bufio.NewReader(res.Body)
	if first, err := body.Peek(1); err == nil && first[0] == '{' {
		data, err := io.ReadAll(io.LimitReader(body, maxFailure))
		if err != nil {
			return vendorhttp.Broken(ctx, err)
		}
		return p.failed(parseFailure(data), res, req)
	}
	stream := ssestream.NewDecoder(&http.Response{Header: res.Header, Body: io.NopCloser(body)})
	for stream.Next() {
		data := stream.Event().Data
		var event vendor.MessageStreamEventUnion
		if len(data) > 0 && json.Unmarshal(data, &event) != nil {
			return garbled()
		}
		if event.Type == "error" || stream.Event().Type == "error" {
			return p.failed(parseFailure(data), res, req)
		}
		if err := r.event(event); err != nil {
			return untaken(ctx, err)
		}
		if event.Type == "message_stop" {
			return r.end()
		}
	}
	switch err := stream.Err(); {
	case r.stop != "": // the reply was whole
	case err != nil:
		return vendorhttp.Broken(ctx, err)
	default:
		if e := vendorhttp.Ended(ctx); e != nil {
			return e
		}
	}
	return r.end()
}

// Check asks for the model's description: it costs nothing and needs the key.
func (p *Provider) Check(ctx context.Context) error {
	if err := vendorhttp.Ended(ctx); err != nil {
		return err
	}
	if p.client == nil {
		return noKey()
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	var res *http.Response
	_, err := p.client.Models.Get(ctx, p.model, vendor.ModelGetParams{}, option.WithResponseBodyInto(&res))
	if err := p.answered(ctx, res, err, sdk.Request{}); err != nil {
		return err
	}
	defer vendorhttp.Drain(res.Body)
	data, err := io.ReadAll(io.LimitReader(res.Body, maxFailure))
	if err != nil {
		return vendorhttp.Broken(ctx, err)
	}
	var model vendor.ModelInfo
	if json.Unmarshal(data, &model) != nil || model.ID == "" {
		return &sdk.Error{
			Kind: sdk.KindInvalidRequest, Blame: sdk.BlamePlugin, HTTPStatus: res.StatusCode,
			Message: "the base URL leads to something that is not the Anthropic API",
		}
	}
	return nil
}

// answered is nil when res is an answer to be read. Otherwise its body is closed.
func (p *Provider) answered(ctx context.Context, res *http.Response, err error, req sdk.Request) error {
	switch {
	case res == nil && err == nil:
		return &sdk.Error{Kind: sdk.KindInternal, Blame: sdk.BlamePlugin, Message: "neither an answer nor an error"}
	case res == nil:
		return vendorhttp.Broken(ctx, err)
	case err == nil && res.StatusCode == http.StatusOK:
		return nil
	}
	defer vendorhttp.Drain(res.Body)
	if err != nil && res.StatusCode < http.StatusBadRequest {
		return vendorhttp.Broken(ctx, err) // a redirect that was refused
	}
	if e := vendorhttp.Ended(ctx); e != nil {
		return e
	}
	// The status counts even when the body broke off or is not what the SDK can parse.
	data, _ := io.ReadAll(io.LimitReader(res.Body, maxFailure))
	return p.failed(parseFailure(data), res, req)
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
