package openaicompat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"

	"github.com/mercadoesperto/smarket/providers/internal/vendorhttp"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

const (
	// checkTimeout ends a check whose caller has more patience.
	checkTimeout = 10 * time.Second
	// maxFailure is the most bytes of a failed answer that are looked at.
	maxFailure = 64 << 10
)

// Config is what an operator decides.
type Config struct {
	// APIKey may be empty: the provider then describes itself, and fails with KindAuth at everything else.
	APIKey string
	// BaseURL defaults to the vendor's. One without a path gets the vendor's path.
	BaseURL string
	Model   string // Defaults to the dialect's
	// HTTPClient defaults to one of package vendorhttp for BaseURL.
	HTTPClient *http.Client
}

// Dialect is what differs between the vendors of the format.
type Dialect struct {
	Name, Version string
	BaseURL       string // default, with its path
	Model         string // default
	MediaTypes    []string
	Headers       map[string]string
	// Adapt adds the vendor's own fields to a request's body.
	Adapt func(body *openai.ChatCompletionNewParams, req sdk.Request)
	// Kind says what the vendor's own codes mean; "" leaves it to the format's codes and the HTTP status. May be nil.
	Kind func(Failure) sdk.Kind
	// RetryAfter is a wait hint that the vendor gives elsewhere than in the usual headers; 0 when there is none. May be nil.
	RetryAfter func(Failure) time.Duration
	// Cost is the vendor's own figure in millionths of a US dollar, nil when it gives none. May be nil.
	Cost func(openai.CompletionUsage) *int64
	// CheckPath is a cheap authenticated GET; %s is the model's place.
	CheckPath string
	// Ready judges the answer of CheckPath. May be nil.
	Ready func(body []byte) *sdk.Error
}

// Client is a provider that speaks a dialect.
type Client struct {
	dialect Dialect
	model   string
	// key tells the API key. A function prints as an address, whoever prints the struct that holds it.
	key func() string
	// api is the SDK's client without its services: bodies are written and answers are read here.
	api openai.Client
}

var _ sdk.Provider = (*Client)(nil)

// NewClient fails when BaseURL cannot be used.
func NewClient(dialect Dialect, config Config) (*Client, error) {
	base, err := baseURL(config.BaseURL, dialect.BaseURL)
	if err != nil {
		return nil, err
	}
	if config.HTTPClient == nil {
		if config.HTTPClient, err = vendorhttp.NewClient(base); err != nil {
			return nil, err
		}
	}
	if config.Model == "" {
		config.Model = dialect.Model
	}
	options := []option.RequestOption{
		option.WithBaseURL(base),
		option.WithAPIKey(config.APIKey),
		option.WithHTTPClient(config.HTTPClient),
		option.WithMaxRetries(0), // the host's chain alone decides, or the delays multiply
	}
	for name, value := range dialect.Headers {
		options = append(options, option.WithHeader(name, value))
	}
	// Not openai.NewClient: that reads the environment (OPENAI_BASE_URL, OPENAI_CUSTOM_HEADERS ...), which only main may do.
	return &Client{
		dialect: dialect, model: config.Model, key: func() string { return config.APIKey },
		api: openai.Client{Options: options},
	}, nil
}

// baseURL is the configured one, with the default's path when it has none.
func baseURL(configured, standard string) (string, error) {
	if configured == "" {
		return standard, nil
	}
	u, err := url.Parse(configured)
	if err != nil {
		return "", errors.New("base URL: not a URL")
	}
	if strings.Trim(u.Path, "/") == "" {
		if d, err := url.Parse(standard); err == nil {
			u.Path = d.Path
		}
	}
	return u.String(), nil
}

// Describe answers without the network.
func (c *Client) Describe(context.Context) (sdk.Description, error) {
	return sdk.Description{
		Name: c.dialect.Name, Version: c.dialect.Version, Model: c.model, Streaming: true,
		MediaTypes: slices.Clone(c.dialect.MediaTypes),
		Tasks:      []sdk.Task{sdk.TaskExtract, sdk.TaskAnalyze, sdk.TaskProbe},
	}, nil
}

// Generate makes one call to the vendor, whatever comes of it.
func (c *Client) Generate(ctx context.Context, req sdk.Request, emit func(text string) error) (sdk.Result, error) {
	result := sdk.Result{Model: c.model}
	if err := vendorhttp.Ended(ctx); err != nil {
		return result, err
	}
	body, err := c.body(req)
	if err != nil {
		return result, err
	}
	if err := c.hasKey(); err != nil {
		return result, err
	}
	var res *http.Response
	// The answer is read here and not by the SDK: its own stream takes an error without an event for an empty reply, and a
	// stream that was cut for one that has ended.
	err = c.api.Post(ctx, "chat/completions", body, nil,
		option.WithResponseBodyInto(&res), option.WithHeader("Accept", "text/event-stream"))
	if err := c.answered(ctx, res, err, req); err != nil {
		return result, err
	}
	defer vendorhttp.Drain(res.Body)
	return c.read(ctx, res, req, emit)
}

// Check makes a call that costs nothing and needs the key.
func (c *Client) Check(ctx context.Context) error {
	if err := vendorhttp.Ended(ctx); err != nil {
		return err
	}
	if err := c.hasKey(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	path := strings.ReplaceAll(c.dialect.CheckPath, "%s", url.PathEscape(c.model))
	var res *http.Response
	err := c.api.Get(ctx, path, nil, nil, option.WithResponseBodyInto(&res))
	if err := c.answered(ctx, res, err, sdk.Request{}); err != nil {
		return err
	}
	defer vendorhttp.Drain(res.Body)
	body, err := io.ReadAll(io.LimitReader(res.Body, maxFailure))
	if err != nil {
		return vendorhttp.Broken(ctx, err)
	}
	if failure, ok := parseFailure(body); ok {
		failure.Status, failure.Header = res.StatusCode, res.Header
		return c.failed(failure, sdk.Request{})
	}
	if !json.Valid(body) {
		return &sdk.Error{
			Kind: sdk.KindInvalidRequest, Blame: sdk.BlamePlugin, HTTPStatus: res.StatusCode,
			Message: "the base URL leads to something that is not " + c.dialect.Name,
		}
	}
	if c.dialect.Ready != nil {
		if err := c.dialect.Ready(body); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) hasKey() error {
	if c.key() == "" {
		return &sdk.Error{Kind: sdk.KindAuth, Blame: sdk.BlamePlugin, Message: "no API key is configured"}
	}
	return nil
}

// answered is nil when res is an answer to be read. Otherwise its body is closed.
func (c *Client) answered(ctx context.Context, res *http.Response, err error, req sdk.Request) error {
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
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxFailure))
	failure, _ := parseFailure(body)
	failure.Status, failure.Header = res.StatusCode, res.Header
	return c.failed(failure, req)
}

// read takes the reply, streamed or whole.
func (c *Client) read(
	ctx context.Context, res *http.Response, req sdk.Request, emit func(text string) error,
) (sdk.Result, error) {
	r := &reply{client: c, req: req, header: res.Header, emit: emit, result: sdk.Result{Model: c.model}}
	stream, first := peek(res.Body)
	if first == '{' {
		return c.readWhole(ctx, stream, r)
	}
	decoder := ssestream.NewDecoder(&http.Response{Header: res.Header, Body: stream})
	for decoder.Next() {
		data := bytes.TrimSpace(decoder.Event().Data)
		if bytes.HasPrefix(data, []byte("[DONE]")) {
			return r.end()
		}
		if len(data) == 0 {
			continue
		}
		if err := r.chunk(data); err != nil {
			return r.result, c.ended(ctx, err)
		}
	}
	if err := decoder.Err(); err != nil && r.finish == "" {
		return r.result, vendorhttp.Broken(ctx, err)
	}
	return r.end()
}

// readWhole takes an answer in one piece: an error behind the status 200, or a vendor that does not stream.
func (c *Client) readWhole(ctx context.Context, body io.Reader, r *reply) (sdk.Result, error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return r.result, vendorhttp.Broken(ctx, err)
	}
	if err := r.whole(data); err != nil {
		return r.result, c.ended(ctx, err)
	}
	return r.end()
}

// ended prefers the end of the call's context to what it caused.
func (c *Client) ended(ctx context.Context, err error) error {
	if e := vendorhttp.Ended(ctx); e != nil {
		return e
	}
	if e, ok := errors.AsType[*sdk.Error](err); ok {
		return e
	}
	return fmt.Errorf("%s: %w", c.dialect.Name, err)
}
