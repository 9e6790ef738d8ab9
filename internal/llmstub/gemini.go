package llmstub

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// gemini is the Gemini API, v1beta.
type gemini struct{}

var _ dialect = gemini{}

// maxGeminiBody is the most that a request with inline data may have, in bytes.
const maxGeminiBody = 20 << 20

func (gemini) key(r *http.Request) string {
	if key := r.Header.Get("X-Goog-Api-Key"); key != "" {
		return key
	}
	return r.URL.Query().Get("key")
}

type geminiContent struct {
	Role  string `json:"role"`
	Parts []struct {
		Text       *string `json:"text"`
		InlineData *struct {
			MIMEType string `json:"mimeType"`
			Data     string `json:"data"`
		} `json:"inlineData"`
	} `json:"parts"`
}

type geminiRequest struct {
	SystemInstruction *geminiContent  `json:"systemInstruction"`
	Contents          []geminiContent `json:"contents"`
	ContinuationToken string          `json:"continuationToken"`
	GenerationConfig  struct {
		ResponseMIMEType   string          `json:"responseMimeType"`
		ResponseSchema     json.RawMessage `json:"responseSchema"`
		ResponseJSONSchema json.RawMessage `json:"responseJsonSchema"`
		MaxOutputTokens    int64           `json:"maxOutputTokens"`
		ContinuationToken  string          `json:"continuationToken"`
		ThinkingConfig     struct {
			IncludeThoughts bool   `json:"includeThoughts"`
			ThinkingBudget  *int64 `json:"thinkingBudget"`
			ThinkingLevel   string `json:"thinkingLevel"`
		} `json:"thinkingConfig"`
	} `json:"generationConfig"`
}

func (g gemini) parse(r *http.Request, body payload) (*Request, *failure) {
	model, method, _ := strings.Cut(r.PathValue("call"), ":")
	if method != "generateContent" && method != "streamGenerateContent" {
		return nil, g.reject(http.StatusNotFound, "NOT_FOUND", "unknown method "+method)
	}
	if body.size > maxGeminiBody {
		return nil, g.reject(http.StatusBadRequest, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes.")
	}
	var in geminiRequest
	if !decode(body.json, &in) {
		return nil, g.invalid("Invalid JSON payload received.")
	}
	cfg := in.GenerationConfig
	req := &Request{
		Model: model, Stream: method == "streamGenerateContent", MaxOutputTokens: cfg.MaxOutputTokens,
		effort: effortNamed(cfg.ThinkingConfig.ThinkingLevel), thoughts: cfg.ThinkingConfig.IncludeThoughts,
		resumed: in.ContinuationToken != "" || cfg.ContinuationToken != "",
	}
	if budget := cfg.ThinkingConfig.ThinkingBudget; budget != nil && *budget == 0 {
		req.effort = effortNone
	}
	if isSet(cfg.ResponseJSONSchema) {
		req.Schema = cfg.ResponseJSONSchema
	} else if isSet(cfg.ResponseSchema) {
		req.Schema = cfg.ResponseSchema
	}
	var problem *failure
	if in.SystemInstruction != nil {
		req.Instructions, problem = g.parts(req, body, *in.SystemInstruction)
	}
	var texts []string
	for _, c := range in.Contents {
		text, bad := g.parts(req, body, c)
		texts = append(texts, text)
		if problem == nil {
			problem = bad
		}
		if c.Role != "" && c.Role != "user" && c.Role != "model" && problem == nil {
			problem = g.invalid("Please use a valid role: user, model.")
		}
	}
	req.Text = strings.Join(texts, "\n")
	if problem == nil {
		problem = g.check(r, req, in)
	}
	return req, problem
}

func isSet(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

func (g gemini) check(r *http.Request, req *Request, in geminiRequest) *failure {
	cfg := in.GenerationConfig
	switch {
	case len(in.Contents) == 0:
		return g.invalid("* GenerateContentRequest.contents: contents is not specified")
	case isSet(cfg.ResponseSchema) && isSet(cfg.ResponseJSONSchema):
		return g.invalid("* GenerateContentRequest.generation_config: only one of response_schema and response_json_schema may be set.")
	case len(req.Schema) > 0 && cfg.ResponseMIMEType != "application/json":
		return g.invalid("* GenerateContentRequest.generation_config.response_mime_type: response_schema is only supported with application/json.")
	case cfg.ThinkingConfig.ThinkingBudget != nil && cfg.ThinkingConfig.ThinkingLevel != "":
		return g.invalid("You can only set only one of thinking budget and thinking level.")
	case cfg.MaxOutputTokens < 0:
		return g.invalid("* GenerateContentRequest.generation_config.max_output_tokens: must be positive.")
	case req.Stream && r.URL.Query().Get("alt") != "sse":
		return g.invalid("the stub streams with alt=sse only")
	case len(req.Schema) > 0 && !decode(req.Schema, &schemaNode{}):
		return g.invalid("Invalid value at 'generation_config.response_json_schema'.")
	}
	return nil
}

// parts adds the media of a content to the request, and gives its text.
func (g gemini) parts(req *Request, body payload, c geminiContent) (string, *failure) {
	var texts []string
	if len(c.Parts) == 0 {
		return "", g.invalid("* GenerateContentRequest.contents.parts: contents.parts must not be empty.")
	}
	for _, p := range c.Parts {
		switch {
		case p.InlineData != nil:
			data, err := body.bytes(p.InlineData.Data)
			if err != nil {
				return "", g.invalid("Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), Base64 decoding failed.")
			}
			req.Media = append(req.Media, newMedia(p.InlineData.MIMEType, data))
			if !slices.Contains([]string{
				"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif", "application/pdf", "text/plain",
			}, p.InlineData.MIMEType) {
				return "", g.invalid("Unsupported MIME type: " + p.InlineData.MIMEType)
			}
			if len(data) == 0 {
				return "", g.invalid("Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting")
			}
		case p.Text != nil:
			texts = append(texts, *p.Text)
		default:
			return "", g.invalid("* GenerateContentRequest.contents[0].parts[0].data: required oneof field 'data' must have one initialized field")
		}
	}
	return strings.Join(texts, "\n"), nil
}

func (g gemini) invalid(message string) *failure {
	return g.reject(http.StatusBadRequest, "INVALID_ARGUMENT", message)
}

func (g gemini) reject(status int, name, message string, details ...any) *failure {
	return &failure{status: status, body: geminiError(status, name, message, details...), why: message}
}

func geminiError(code int, status, message string, details ...any) map[string]any {
	e := map[string]any{"code": code, "message": message, "status": status}
	if len(details) > 0 {
		e["details"] = details
	}
	return map[string]any{"error": e}
}

func (g gemini) fail(f Fault, b Behaviour) failure {
	const (
		rpc   = "type.googleapis.com/google.rpc."
		quota = "You exceeded your current quota, please check your plan and billing details."
	)
	violation := func(per string) any {
		return map[string]any{"@type": rpc + "QuotaFailure", "violations": []any{map[string]any{
			"quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
			"quotaId":     "GenerateRequestsPer" + per + "PerProjectPerModel-FreeTier",
			"quotaDimensions": map[string]any{
				"location": "global", "model": "gemini-3.5-flash-lite",
			},
			"quotaValue": "15",
		}}}
	}
	details := []any{map[string]any{"@type": rpc + "Help", "links": []any{map[string]any{
		"description": "Learn more about Gemini API quotas", "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
	}}}}
	if after := retryAfter(f, b); after > 0 {
		seconds := strconv.FormatFloat(after.Seconds(), 'f', -1, 64) + "s"
		details = append(details, map[string]any{"@type": rpc + "RetryInfo", "retryDelay": seconds})
	}
	switch f {
	case FaultUnauthorized:
		return *g.reject(http.StatusUnauthorized, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
	case FaultInvalidKey:
		return *g.reject(http.StatusBadRequest, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.",
			map[string]any{
				"@type": rpc + "ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com",
				"metadata": map[string]any{"service": "generativelanguage.googleapis.com"},
			})
	case FaultRateLimited:
		return *g.reject(http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", quota, append([]any{violation("Minute")}, details...)...)
	case FaultDailyQuota, FaultInsufficientQuota:
		return *g.reject(http.StatusTooManyRequests, "RESOURCE_EXHAUSTED", quota, append([]any{violation("Day")}, details...)...)
	case FaultBilling:
		return *g.reject(http.StatusBadRequest, "FAILED_PRECONDITION",
			"Gemini API free tier is not available in your country. Please enable billing on your project in Google AI Studio.")
	case FaultErrorIn200:
		out := *g.reject(http.StatusServiceUnavailable, "UNAVAILABLE", "The model is overloaded. Please try again later.")
		out.status = http.StatusOK
		return out
	default:
	}
	name, message := geminiStatus(f)
	if f == FaultUnavailable && len(details) > 1 {
		return *g.reject(f.status(), name, message, details[1])
	}
	return *g.reject(f.status(), name, message)
}

func geminiStatus(f Fault) (name, message string) {
	switch f {
	case FaultBadRequest:
		return "INVALID_ARGUMENT", "Request contains an invalid argument."
	case FaultForbidden:
		return "PERMISSION_DENIED", "Your API key doesn't have permission to use this resource."
	case FaultNotFound:
		return "NOT_FOUND", "models/unknown is not found for API version v1beta, or is not supported for generateContent."
	case FaultPaymentRequired:
		return "FAILED_PRECONDITION", "Billing account is not in good standing."
	case FaultTimeout, FaultGatewayTimeout:
		return "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."
	case FaultConflict:
		return "ABORTED", "The operation was aborted."
	case FaultTooLarge:
		return "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."
	case FaultUnavailable, FaultOverloaded:
		return "UNAVAILABLE", "The model is overloaded. Please try again later."
	default:
		return "INTERNAL", "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting"
	}
}

func geminiFinish(f finish) string {
	switch f {
	case finishLength:
		return "MAX_TOKENS"
	case finishSafety:
		return "SAFETY"
	case finishRecitation:
		return "RECITATION"
	case finishRefused:
		return "PROHIBITED_CONTENT"
	case finishContinue:
		return "CONTINUATION"
	case finishStop, finishPromptBlocked:
	}
	return "STOP"
}

// continuationToken is what FaultContinuation hands out: bytes, so Base64.
func continuationToken() string { return base64.StdEncoding.EncodeToString([]byte("go on")) }

func (g gemini) whole(req *Request, a *answer) any {
	parts := []any{}
	if a.thought && req.thoughts {
		parts = append(parts, map[string]any{"text": "Reading the receipt line by line.", "thought": true})
	}
	if a.text != "" {
		parts = append(parts, map[string]any{"text": a.text})
	}
	return g.chunk(a, parts, true)
}

func (g gemini) chunk(a *answer, parts []any, last bool) map[string]any {
	out := map[string]any{"modelVersion": a.model, "responseId": a.id, "usageMetadata": g.usage(a, last)}
	if a.finish == finishPromptBlocked {
		out["promptFeedback"] = map[string]any{"blockReason": "SAFETY"}
		return out
	}
	candidate := map[string]any{"index": 0}
	if len(parts) > 0 {
		candidate["content"] = map[string]any{"role": "model", "parts": parts}
	}
	if last {
		candidate["finishReason"] = geminiFinish(a.finish)
		if a.finish == finishContinue {
			candidate["continuationToken"] = continuationToken()
		}
	}
	out["candidates"] = []any{candidate}
	return out
}

func (gemini) usage(a *answer, last bool) map[string]any {
	u := a.usage
	out := map[string]any{"promptTokenCount": u.Input, "totalTokenCount": u.Input}
	if u.Cached > 0 {
		out["cachedContentTokenCount"] = u.Cached
	}
	if last {
		out["candidatesTokenCount"] = u.Output - u.Thinking
		out["totalTokenCount"] = u.Input + u.Output
		if u.Thinking > 0 {
			out["thoughtsTokenCount"] = u.Thinking
		}
	}
	return out
}

func (g gemini) stream(req *Request, a *answer, texts []string) []event {
	var events []event
	if a.thought && req.thoughts {
		part := map[string]any{"text": "Reading the receipt line by line.", "thought": true}
		events = append(events, event{frame: frame("", g.chunk(a, []any{part}, false))})
	}
	for _, text := range texts {
		events = append(events, event{frame("", g.chunk(a, []any{map[string]any{"text": text}}, false)), true})
	}
	var parts []any
	if a.text != "" {
		parts = []any{map[string]any{"text": ""}} // the last chunk has an empty text beside its finish reason
	}
	return append(events, event{frame: frame("", g.chunk(a, parts, true))})
}

func (g gemini) breakOff(*answer) event {
	return event{frame: frame("", geminiError(http.StatusServiceUnavailable, "UNAVAILABLE", "The model is overloaded. Please try again later."))}
}
