package llmstub

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// anthropic is the Messages API.
type anthropic struct{}

var _ dialect = anthropic{}

const (
	maxAnthropicBody  = 32 << 20 // bytes
	maxAnthropicImage = 5 << 20  // bytes, encoded
)

func (anthropic) key(r *http.Request) string {
	if key := r.Header.Get("X-Api-Key"); key != "" {
		return key
	}
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return key
}

type anthropicBlock struct {
	Type   string  `json:"type"`
	Text   *string `json:"text"`
	Source *struct {
		Type      string `json:"type"`
		MediaType string `json:"media_type"`
		Data      string `json:"data"`
	} `json:"source"`
	CacheControl json.RawMessage `json:"cache_control"`
}

type anthropicRequest struct {
	Model     string          `json:"model"`
	MaxTokens int64           `json:"max_tokens"`
	Stream    bool            `json:"stream"`
	System    json.RawMessage `json:"system"`
	Messages  []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	CacheControl json.RawMessage `json:"cache_control"`
	Thinking     struct {
		Type         string `json:"type"`
		BudgetTokens int64  `json:"budget_tokens"`
		Display      string `json:"display"`
	} `json:"thinking"`
	OutputConfig struct {
		Effort string          `json:"effort"`
		Format json.RawMessage `json:"format"`
	} `json:"output_config"`
}

func (a anthropic) parse(r *http.Request, body payload) (*Request, *failure) {
	if body.size > maxAnthropicBody {
		f := a.reject(http.StatusRequestEntityTooLarge, "request_too_large", "Request exceeds the maximum size")
		return nil, &f
	}
	var in anthropicRequest
	if !decode(body.json, &in) {
		return nil, a.invalid("The request body is not valid JSON, or a field has the wrong type.")
	}
	req := &Request{
		Model: in.Model, Stream: in.Stream, MaxOutputTokens: in.MaxTokens, effort: effortNamed(in.OutputConfig.Effort),
		prefixMarked: isSet(in.CacheControl), hidden: in.Thinking.Display == "omitted",
	}
	if in.Thinking.Type == "disabled" {
		req.effort = effortNone
	}
	var problem *failure
	if isSet(in.System) {
		req.Instructions, problem = a.content(req, body, in.System, "system")
	}
	var texts []string
	for _, m := range in.Messages {
		text, bad := a.content(req, body, m.Content, "messages.0.content")
		texts = append(texts, text)
		if problem == nil {
			problem = bad
		}
		if m.Role != "user" && m.Role != "assistant" && problem == nil {
			problem = a.invalid("messages: Unexpected role \"" + m.Role + "\". The Messages API accepts a top-level `system` parameter, not \"system\" as an input message role.")
		}
	}
	req.Text = strings.Join(texts, "\n")
	if problem == nil {
		problem = a.check(r, req, in, body.json)
	}
	return req, problem
}

func (a anthropic) check(r *http.Request, req *Request, in anthropicRequest, body []byte) *failure {
	switch {
	case r.Header.Get("Anthropic-Version") == "":
		return a.invalid("anthropic-version: header is required")
	case r.Header.Get("Anthropic-Version") != "2023-06-01":
		return a.invalid("anthropic-version: \"" + r.Header.Get("Anthropic-Version") + "\" is not a valid version")
	case in.Model == "":
		return a.invalid("model: Field required")
	case in.MaxTokens <= 0:
		return a.invalid("max_tokens: Field required")
	case len(in.Messages) == 0:
		return a.invalid("messages: at least one message is required")
	case in.Messages[0].Role != "user":
		return a.invalid("messages: first message must use the \"user\" role")
	case in.Thinking.Type == "enabled" && in.Thinking.BudgetTokens >= in.MaxTokens:
		return a.invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")
	}
	var fields map[string]json.RawMessage
	if !decode(body, &fields) {
		return a.invalid("The request body is not valid JSON.")
	}
	for _, name := range []string{"response_format", "output_format", "provider", "max_completion_tokens", "reasoning_effort"} {
		if _, ok := fields[name]; ok {
			return a.invalid(name + ": Extra inputs are not permitted")
		}
	}
	return a.format(req, in.OutputConfig.Format)
}

// format reads output_config.format.
func (a anthropic) format(req *Request, raw json.RawMessage) *failure {
	if !isSet(raw) {
		return nil
	}
	var fields map[string]json.RawMessage
	if !decode(raw, &fields) {
		return a.invalid("output_config.format: Input should be an object")
	}
	var kind string
	if !decode(fields["type"], &kind) || kind != "json_schema" {
		return a.invalid("output_config.format.type: Input should be 'json_schema'")
	}
	for name := range fields {
		if name != "type" && name != "schema" {
			return a.invalid("output_config.format." + name + ": Extra inputs are not permitted")
		}
	}
	if !isSet(fields["schema"]) {
		return a.invalid("output_config.format.schema: Field required")
	}
	req.Schema = fields["schema"]
	if why := checkClosed(req.Schema, nil, false); why != "" {
		return a.invalid("output_config.format.schema: " + why)
	}
	return nil
}

// content adds the media of a message to the request, and gives its text.
func (a anthropic) content(req *Request, body payload, raw json.RawMessage, where string) (string, *failure) {
	var text string
	if decode(raw, &text) {
		return text, nil
	}
	var blocks []anthropicBlock
	if !decode(raw, &blocks) || len(blocks) == 0 {
		return "", a.invalid(where + ": Input should be a valid string or a list of blocks")
	}
	var texts []string
	for _, b := range blocks {
		req.prefixMarked = req.prefixMarked || isSet(b.CacheControl)
		switch b.Type {
		case "text":
			if b.Text == nil || *b.Text == "" {
				return "", a.invalid(where + ": text content blocks must be non-empty")
			}
			texts = append(texts, *b.Text)
		case "image", "document":
			media, bad := a.media(body, b, where)
			if bad != nil {
				return "", bad
			}
			req.Media = append(req.Media, media)
		default:
			return "", a.invalid(where + ".0.type: Input tag '" + b.Type + "' found using 'type' does not match any of the expected tags")
		}
	}
	return strings.Join(texts, "\n"), nil
}

func (a anthropic) media(body payload, b anthropicBlock, where string) (Media, *failure) {
	types := []string{"image/jpeg", "image/png", "image/gif", "image/webp"}
	if b.Type == "document" {
		types = []string{"application/pdf"}
	}
	switch {
	case b.Source == nil:
		return Media{}, a.invalid(where + ".0." + b.Type + ".source: Field required")
	case b.Source.Type != "base64":
		return Media{}, a.invalid(where + ".0." + b.Type + ".source: the stub takes base64 sources only")
	case !slices.Contains(types, b.Source.MediaType):
		return Media{}, a.invalid(where + ".0." + b.Type + ".source.base64.media_type: Input should be '" + strings.Join(types, "', '") + "'")
	case b.Type == "image" && len(body.text(b.Source.Data)) > maxAnthropicImage:
		return Media{}, a.invalid(where + ".0.image.source.base64: image exceeds 5 MB maximum")
	}
	data, err := body.bytes(b.Source.Data)
	if err != nil || len(data) == 0 {
		return Media{}, a.invalid(where + ".0." + b.Type + ".source.base64.data: invalid base64 data")
	}
	if is := http.DetectContentType(data); is != b.Source.MediaType {
		return Media{}, a.invalid(where + ".0." + b.Type + ".source.base64: specified using the " + b.Source.MediaType +
			" media type, but it appears to be " + is)
	}
	return newMedia(b.Source.MediaType, data), nil
}

func (a anthropic) invalid(message string) *failure {
	f := a.reject(http.StatusBadRequest, "invalid_request_error", message)
	return &f
}

func (anthropic) reject(status int, kind, message string) failure {
	return failure{
		status: status, why: message, body: anthropicError(kind, message), header: http.Header{"Request-Id": {"req_stub"}},
	}
}

func anthropicError(kind, message string) map[string]any {
	return map[string]any{
		"type": "error", "error": map[string]any{"type": kind, "message": message}, "request_id": "req_stub",
	}
}

func (a anthropic) fail(f Fault, b Behaviour) failure {
	out := a.failWith(f)
	maps.Copy(out.header, retryHint(Anthropic, f, b))
	return out
}

func (a anthropic) failWith(f Fault) failure {
	switch f {
	case FaultBadRequest:
		return a.reject(http.StatusBadRequest, "invalid_request_error", "messages: invalid")
	case FaultUnauthorized, FaultInvalidKey:
		return a.reject(http.StatusUnauthorized, "authentication_error", "invalid x-api-key")
	case FaultPaymentRequired, FaultBilling:
		return a.reject(http.StatusPaymentRequired, "billing_error", "There's an issue with your billing or payment information.")
	case FaultInsufficientQuota:
		return a.reject(http.StatusBadRequest, "invalid_request_error",
			"Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.")
	case FaultForbidden:
		return a.reject(http.StatusForbidden, "permission_error", "Your API key does not have permission to use the specified resource.")
	case FaultNotFound:
		return a.reject(http.StatusNotFound, "not_found_error", "model: unknown")
	case FaultTooLarge:
		return a.reject(http.StatusRequestEntityTooLarge, "request_too_large", "Request exceeds the maximum size")
	case FaultRateLimited, FaultDailyQuota:
		return a.reject(http.StatusTooManyRequests, "rate_limit_error", "This request would exceed your organization's rate limit.")
	case FaultGatewayTimeout:
		return a.reject(http.StatusGatewayTimeout, "timeout_error", "The request timed out while processing.")
	case FaultUnavailable, FaultOverloaded:
		status := f.status()
		return a.reject(status, "overloaded_error", "Overloaded")
	case FaultErrorIn200:
		return a.reject(http.StatusOK, "overloaded_error", "Overloaded")
	case FaultTimeout, FaultConflict:
		return a.reject(f.status(), "invalid_request_error", http.StatusText(f.status()))
	default:
		return a.reject(f.status(), "api_error", "Internal server error")
	}
}

func (anthropic) stop(f finish) string {
	switch f {
	case finishLength, finishContinue:
		return "max_tokens"
	case finishSafety, finishRecitation, finishPromptBlocked, finishRefused:
		return "refusal"
	case finishStop:
	}
	return "end_turn"
}

func (anthropic) usage(a *answer, output int64) map[string]any {
	u := a.usage
	thinking := min(u.Thinking, output)
	return map[string]any{
		"input_tokens":                u.Input - u.Cached - u.CacheWrite,
		"cache_creation_input_tokens": u.CacheWrite, "cache_read_input_tokens": u.Cached,
		"cache_creation": map[string]any{"ephemeral_5m_input_tokens": u.CacheWrite, "ephemeral_1h_input_tokens": 0},
		"output_tokens":  output, "output_tokens_details": map[string]any{"thinking_tokens": thinking},
		"service_tier": "standard",
	}
}

func thoughtText(req *Request) string {
	if req.hidden {
		return ""
	}
	return "Reading the receipt line by line."
}

func (a anthropic) whole(req *Request, ans *answer) any {
	content := []any{}
	if ans.thought {
		content = append(content, map[string]any{"type": "thinking", "thinking": thoughtText(req), "signature": "c3R1Yg=="})
	}
	if ans.text != "" {
		content = append(content, map[string]any{"type": "text", "text": ans.text, "citations": nil})
	}
	return map[string]any{
		"id": ans.id, "type": "message", "role": "assistant", "model": ans.model, "content": content,
		"stop_reason": a.stop(ans.finish), "stop_sequence": nil, "stop_details": a.details(ans),
		"usage": a.usage(ans, ans.usage.Output),
	}
}

func (anthropic) details(ans *answer) any {
	if ans.finish != finishRefused {
		return nil
	}
	return map[string]any{"type": "refusal", "category": "general_harms", "explanation": ans.refusal}
}

func (a anthropic) stream(req *Request, ans *answer, texts []string) []event {
	one := func(name string, fields map[string]any) event {
		fields["type"] = name
		return event{frame: frame(name, fields)}
	}
	events := []event{
		one("message_start", map[string]any{"message": map[string]any{
			"id": ans.id, "type": "message", "role": "assistant", "model": ans.model, "content": []any{},
			"stop_reason": nil, "stop_sequence": nil, "usage": a.usage(ans, min(1, ans.usage.Output)),
		}}),
		one("ping", map[string]any{}),
	}
	index := 0
	block := func(start map[string]any, deltas []event) {
		events = append(events, one("content_block_start", map[string]any{"index": index, "content_block": start}))
		events = append(events, deltas...)
		events = append(events, one("content_block_stop", map[string]any{"index": index}))
		index++
	}
	delta := func(d map[string]any, text bool) event {
		e := one("content_block_delta", map[string]any{"index": index, "delta": d})
		e.text = text
		return e
	}
	if ans.thought {
		var deltas []event
		if text := thoughtText(req); text != "" {
			deltas = append(deltas, delta(map[string]any{"type": "thinking_delta", "thinking": text}, false))
		}
		deltas = append(deltas, delta(map[string]any{"type": "signature_delta", "signature": "c3R1Yg=="}, false))
		block(map[string]any{"type": "thinking", "thinking": "", "signature": ""}, deltas)
	}
	if len(texts) > 0 {
		var deltas []event
		for _, text := range texts {
			deltas = append(deltas, delta(map[string]any{"type": "text_delta", "text": text}, true))
		}
		block(map[string]any{"type": "text", "text": ""}, deltas)
	}
	return append(events,
		one("message_delta", map[string]any{
			"delta": map[string]any{"stop_reason": a.stop(ans.finish), "stop_sequence": nil, "stop_details": a.details(ans)},
			"usage": a.usage(ans, ans.usage.Output),
		}),
		one("message_stop", map[string]any{}),
	)
}

func (anthropic) breakOff(*answer) event {
	return event{frame: frame("error", map[string]any{
		"type": "error", "error": map[string]any{"type": "overloaded_error", "message": "Overloaded"},
	})}
}
