package llmstub

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// openAI is chat completions, as OpenAI and OpenRouter speak them.
type openAI struct{ vendor Vendor }

var _ dialect = openAI{}

func (openAI) key(r *http.Request) string {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return strings.TrimSpace(key)
}

type openAIPart struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	ImageURL *struct {
		URL    string `json:"url"`
		Detail string `json:"detail"`
	} `json:"image_url"`
	File *struct {
		Filename string `json:"filename"`
		FileData string `json:"file_data"`
	} `json:"file"`
}

type openAIRequest struct {
	Model    string `json:"model"`
	Stream   bool   `json:"stream"`
	Messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	MaxTokens           int64           `json:"max_tokens"`
	MaxCompletionTokens int64           `json:"max_completion_tokens"`
	ReasoningEffort     string          `json:"reasoning_effort"`
	StreamOptions       json.RawMessage `json:"stream_options"`
	Reasoning           struct {
		Effort  string `json:"effort"`
		Enabled *bool  `json:"enabled"`
	} `json:"reasoning"`
	ResponseFormat *struct {
		Type       string `json:"type"`
		JSONSchema *struct {
			Name   string          `json:"name"`
			Strict bool            `json:"strict"`
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
	Provider struct {
		RequireParameters bool   `json:"require_parameters"`
		DataCollection    string `json:"data_collection"`
	} `json:"provider"`
}

func (o openAI) parse(_ *http.Request, body payload) (*Request, *failure) {
	var in openAIRequest
	if !decode(body.json, &in) {
		return nil, o.invalid("", "We could not parse the JSON body of your request.")
	}
	req := &Request{
		Model: in.Model, Stream: in.Stream, MaxOutputTokens: max(in.MaxTokens, in.MaxCompletionTokens),
		effort: effortNamed(in.ReasoningEffort),
	}
	if o.vendor == OpenRouter && in.Reasoning.Effort != "" {
		req.effort = effortNamed(in.Reasoning.Effort)
	}
	if o.vendor == OpenRouter && in.Reasoning.Enabled != nil && !*in.Reasoning.Enabled {
		req.effort = effortNone
	}
	var options struct {
		IncludeUsage bool `json:"include_usage"`
	}
	if isSet(in.StreamOptions) && !decode(in.StreamOptions, &options) {
		return nil, o.invalid("stream_options", "Invalid type for 'stream_options'.")
	}
	req.wantsUsage = options.IncludeUsage || o.vendor == OpenRouter // which always tells
	if f := in.ResponseFormat; f != nil && f.JSONSchema != nil {
		req.Schema, req.SchemaName = f.JSONSchema.Schema, f.JSONSchema.Name
	}
	var problem *failure
	var instructions, texts []string
	for _, m := range in.Messages {
		text, bad := o.content(req, body, m.Content)
		if problem == nil {
			problem = bad
		}
		switch m.Role {
		case "system", "developer":
			instructions = append(instructions, text)
		case "user", "assistant":
			texts = append(texts, text)
		default:
			if problem == nil {
				problem = o.invalid("messages[0].role", "Invalid value: '"+m.Role+"'.")
			}
		}
	}
	req.Instructions, req.Text = strings.Join(instructions, "\n"), strings.Join(texts, "\n")
	if problem == nil {
		problem = o.check(req, in, body.json)
	}
	return req, problem
}

func (o openAI) check(req *Request, in openAIRequest, body []byte) *failure {
	switch {
	case in.Model == "":
		return o.invalid("model", "you must provide a model parameter")
	case len(in.Messages) == 0:
		return o.invalid("messages", "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.")
	case isSet(in.StreamOptions) && !in.Stream:
		return o.invalid("stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	case o.vendor == OpenAI && in.MaxTokens > 0 && reasons(in.Model):
		return o.invalid("max_tokens", "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")
	}
	if o.vendor == OpenAI {
		var fields map[string]json.RawMessage
		if !decode(body, &fields) {
			return o.invalid("", "We could not parse the JSON body of your request.")
		}
		for _, name := range []string{"provider", "reasoning", "transforms", "plugins", "usage", "models", "output_config"} {
			if _, ok := fields[name]; ok {
				return o.invalid(name, "Unknown parameter: '"+name+"'.")
			}
		}
	}
	f := in.ResponseFormat
	if f == nil {
		return nil
	}
	if !slices.Contains([]string{"text", "json_object", "json_schema"}, f.Type) {
		return o.invalid("response_format.type", "Invalid value: '"+f.Type+"'. Supported values are: 'json_object', 'json_schema', and 'text'.")
	}
	if f.Type != "json_schema" {
		return nil
	}
	switch {
	case f.JSONSchema == nil || !isSet(f.JSONSchema.Schema):
		return o.invalid("response_format.json_schema", "Missing required parameter: 'response_format.json_schema'.")
	case !regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`).MatchString(f.JSONSchema.Name):
		return o.invalid("response_format.json_schema.name", "Invalid 'response_format.json_schema.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.")
	}
	if f.JSONSchema.Strict {
		if why := checkClosed(req.Schema, nil, true); why != "" {
			return o.invalid("response_format", "Invalid schema for response_format '"+f.JSONSchema.Name+"': "+why)
		}
	}
	if o.vendor == OpenRouter {
		switch {
		case !in.Provider.RequireParameters:
			return o.invalid("provider", "stub: provider.require_parameters must be true, or a model that ignores the schema may be chosen")
		case in.Provider.DataCollection != "deny":
			return o.invalid("provider", "stub: provider.data_collection must be deny")
		}
	}
	return nil
}

// reasons says that a model is one of those that take max_completion_tokens only.
func reasons(model string) bool {
	return strings.HasPrefix(model, "gpt-5") || strings.HasPrefix(model, "gpt-6") || regexp.MustCompile(`^o\d`).MatchString(model)
}

// content adds the media of a message to the request, and gives its text.
func (o openAI) content(req *Request, body payload, raw json.RawMessage) (string, *failure) {
	var text string
	if decode(raw, &text) {
		return text, nil
	}
	var parts []openAIPart
	if !decode(raw, &parts) || len(parts) == 0 {
		return "", o.invalid("messages[0].content", "Invalid value for 'content': expected a string or an array of parts.")
	}
	var texts []string
	for _, p := range parts {
		switch {
		case p.Type == "text":
			texts = append(texts, p.Text)
		case p.Type == "image_url" && p.ImageURL != nil:
			media, why := dataURL(body, p.ImageURL.URL, "image/png", "image/jpeg", "image/gif", "image/webp")
			if why != "" {
				return "", o.invalid("messages[0].content[0].image_url.url", why)
			}
			req.Media = append(req.Media, media)
		case p.Type == "file" && p.File != nil:
			media, why := dataURL(body, p.File.FileData, "application/pdf")
			if why == "" && p.File.Filename == "" {
				why = "Missing required parameter: 'messages[0].content[0].file.filename'."
			}
			if why != "" {
				return "", o.invalid("messages[0].content[0].file.file_data", why)
			}
			req.Media = append(req.Media, media)
		default:
			return "", o.invalid("messages[0].content[0].type", "Invalid value: '"+p.Type+"'. Supported values are: 'text', 'image_url', 'input_audio', 'refusal', 'audio', and 'file'.")
		}
	}
	return strings.Join(texts, "\n"), nil
}

// dataURL reads data:TYPE;base64,DATA of one of the types, and says what is wrong with it.
func dataURL(body payload, url string, types ...string) (Media, string) {
	rest, ok := strings.CutPrefix(url, "data:")
	head, data, comma := strings.Cut(rest, ",")
	mediaType, base := strings.CutSuffix(head, ";base64")
	if !ok || !comma || !base {
		return Media{}, "Expected a base64-encoded data URL."
	}
	if !slices.Contains(types, mediaType) {
		return Media{}, "Invalid MIME type " + mediaType + ". Only " + strings.Join(types, ", ") + " are supported."
	}
	decoded, err := body.bytes(data)
	if err != nil || len(decoded) == 0 {
		return Media{}, "Invalid base64 data."
	}
	if mediaType == "application/pdf" && !bytes.HasPrefix(decoded, []byte("%PDF")) {
		return Media{}, "The file is not a PDF."
	}
	return newMedia(mediaType, decoded), ""
}

func (o openAI) invalid(param, message string) *failure {
	f := o.failure(http.StatusBadRequest, "invalid_request_error", nil, message)
	f.why = message
	if param != "" && o.vendor == OpenAI {
		e, _ := f.body.(map[string]any)["error"].(map[string]any)
		e["param"] = param
	}
	return &f
}

// failure is an error in the vendor's form: OpenRouter's code is a number, and it has no type.
func (o openAI) failure(status int, kind string, code any, message string) failure {
	if o.vendor == OpenRouter {
		return failure{status: status, why: message, body: map[string]any{
			"error": map[string]any{"message": message, "code": status}, "user_id": "user_stub",
		}}
	}
	return failure{status: status, why: message, body: map[string]any{
		"error": map[string]any{"message": message, "type": kind, "param": nil, "code": code},
	}}
}

func (o openAI) fail(f Fault, b Behaviour) failure {
	var out failure
	switch f {
	case FaultUnauthorized:
		out = o.failure(http.StatusUnauthorized, "invalid_request_error", nil, "You didn't provide an API key.")
	case FaultInvalidKey:
		out = o.failure(http.StatusUnauthorized, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-****.")
	case FaultPaymentRequired:
		out = o.failure(http.StatusPaymentRequired, "insufficient_quota", "insufficient_quota", "Insufficient credits.")
	case FaultInsufficientQuota:
		status := http.StatusTooManyRequests
		if o.vendor == OpenRouter {
			status = http.StatusPaymentRequired
		}
		out = o.failure(status, "insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details.")
	case FaultBilling:
		status := http.StatusBadRequest
		if o.vendor == OpenRouter {
			status = http.StatusPaymentRequired
		}
		out = o.failure(status, "invalid_request_error", "billing_hard_limit_reached", "Billing hard limit has been reached.")
	case FaultDailyQuota:
		out = o.failure(http.StatusTooManyRequests, "requests", "rate_limit_exceeded",
			"Rate limit reached on requests per day (RPD): Limit 200, Used 200, Requested 1.")
		if o.vendor == OpenRouter {
			e, _ := out.body.(map[string]any)["error"].(map[string]any)
			e["message"] = "Rate limit exceeded: free-models-per-day"
			e["metadata"] = map[string]any{"headers": map[string]any{"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "0"}}
		}
	case FaultRateLimited:
		out = o.failure(http.StatusTooManyRequests, "tokens", "rate_limit_exceeded", "Rate limit reached on tokens per min (TPM).")
	case FaultErrorIn200:
		out = o.failure(http.StatusBadGateway, "server_error", nil, "Provider returned error")
		out.status = http.StatusOK
	case FaultNotFound:
		out = o.failure(http.StatusNotFound, "invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it.")
	default:
		kind := "invalid_request_error"
		if f.status() >= http.StatusInternalServerError {
			kind = "server_error"
		}
		out = o.failure(f.status(), kind, nil, statusMessage(f.status()))
	}
	out.header = retryHint(o.vendor, f, b)
	return out
}

func statusMessage(status int) string {
	if text := http.StatusText(status); text != "" {
		return text
	}
	return "Overloaded"
}

func (o openAI) finish(f finish) string {
	switch f {
	case finishLength, finishContinue:
		return "length"
	case finishSafety, finishRecitation, finishPromptBlocked:
		return "content_filter"
	case finishStop, finishRefused:
	}
	return "stop"
}

// choice is the one choice of a reply or a chunk.
func (o openAI) choice(kind string, body map[string]any, finish any) map[string]any {
	c := map[string]any{"index": 0, kind: body, "logprobs": nil, "finish_reason": finish}
	if o.vendor == OpenRouter {
		c["native_finish_reason"] = finish
	}
	return c
}

func (o openAI) envelope(a *answer, object string, choices []any) map[string]any {
	out := map[string]any{"id": a.id, "object": object, "created": a.created, "model": a.model, "choices": choices}
	if o.vendor == OpenRouter {
		out["provider"] = "Google AI Studio"
	} else {
		out["service_tier"], out["system_fingerprint"] = "default", nil
	}
	return out
}

func (o openAI) whole(_ *Request, a *answer) any {
	message := map[string]any{"role": "assistant", "content": a.text, "refusal": nil}
	if a.text == "" {
		message["content"] = nil
	}
	if a.refusal != "" {
		message["refusal"] = a.refusal
	}
	choice := o.choice("message", message, o.finish(a.finish))
	if a.errored {
		message["content"] = firstHalf(a.text)
		choice["finish_reason"], choice["native_finish_reason"] = "error", "error"
		choice["error"] = map[string]any{"code": http.StatusBadGateway, "message": "Provider disconnected"}
	}
	out := o.envelope(a, "chat.completion", []any{choice})
	out["usage"] = o.usage(a)
	return out
}

func (o openAI) usage(a *answer) map[string]any {
	u := a.usage
	out := map[string]any{
		"prompt_tokens": u.Input, "completion_tokens": u.Output, "total_tokens": u.Input + u.Output,
		"prompt_tokens_details":     map[string]any{"cached_tokens": u.Cached, "audio_tokens": 0},
		"completion_tokens_details": map[string]any{"reasoning_tokens": u.Thinking, "audio_tokens": 0},
	}
	if o.vendor == OpenRouter {
		out["cost"] = json.Number(strconv.FormatFloat(float64(u.CostMicroUSD)/1e6, 'f', -1, 64))
		out["is_byok"] = false
		out["cost_details"] = map[string]any{"upstream_inference_cost": nil}
	}
	return out
}

func (o openAI) stream(req *Request, a *answer, texts []string) []event {
	chunk := func(delta map[string]any, finish any) string {
		c := o.envelope(a, "chat.completion.chunk", []any{o.choice("delta", delta, finish)})
		if req.wantsUsage && o.vendor == OpenAI {
			c["usage"] = nil // until the last
		}
		return frame("", c)
	}
	var events []event
	if o.vendor == OpenRouter {
		events = append(events, event{frame: ": OPENROUTER PROCESSING\n\n"})
	}
	events = append(events, event{frame: chunk(map[string]any{"role": "assistant", "content": "", "refusal": nil}, nil)})
	for _, text := range texts {
		events = append(events, event{chunk(map[string]any{"content": text}, nil), true})
	}
	if a.refusal != "" {
		events = append(events, event{chunk(map[string]any{"refusal": a.refusal}, nil), true})
	}
	last := map[string]any{}
	if o.vendor == OpenRouter {
		last["content"] = ""
	}
	events = append(events, event{frame: chunk(last, o.finish(a.finish))})
	if req.wantsUsage {
		u := o.envelope(a, "chat.completion.chunk", []any{})
		if o.vendor == OpenRouter {
			u["choices"] = []any{o.choice("delta", map[string]any{"role": "assistant", "content": ""}, nil)}
		}
		u["usage"] = o.usage(a)
		events = append(events, event{frame: frame("", u)})
	}
	return append(events, event{frame: "data: [DONE]\n\n"})
}

func (o openAI) breakOff(a *answer) event {
	if o.vendor == OpenAI {
		return event{frame: frame("", map[string]any{"error": map[string]any{
			"message": "The server had an error while processing your request. Sorry about that!", "type": "server_error", "param": nil, "code": nil,
		}})}
	}
	out := o.envelope(a, "chat.completion.chunk", []any{o.choice("delta", map[string]any{"content": ""}, "error")})
	out["error"] = map[string]any{"code": http.StatusBadGateway, "message": "Provider disconnected"}
	return event{frame: frame("", out)}
}
