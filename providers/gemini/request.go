package gemini

import (
	"encoding/json"
	"math"
	"strings"

	"google.golang.org/genai"

	"github.com/mercadoesperto/smarket/providers/internal/content"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

func mediaTypes() []string {
	return []string{"image/jpeg", "image/png", "image/webp", "image/heic", "image/heif", content.PDF}
}

// request is a request in the vendor's form. What is the same for every request of a task, the instructions, comes first: that
// is all that the vendor's implicit caching asks for.
func (p *Provider) request(req sdk.Request) ([]*genai.Content, *genai.GenerateContentConfig, error) {
	shown, err := content.Of(req, mediaTypes())
	if err != nil {
		return nil, nil, err
	}
	parts := make([]*genai.Part, len(shown))
	for i, s := range shown {
		if s.Data == nil {
			parts[i] = &genai.Part{Text: s.Text}
		} else {
			parts[i] = &genai.Part{InlineData: &genai.Blob{MIMEType: s.MediaType, Data: s.Data}}
		}
	}
	contents := []*genai.Content{{Role: genai.RoleUser, Parts: parts}}
	config := &genai.GenerateContentConfig{
		MaxOutputTokens: int32(min(content.MaxTokens(req), math.MaxInt32)), //nolint:gosec // G115: bounded
		ThinkingConfig:  thinking(p.model),
		// The SDK would ask on by itself, and every hop is billed.
		AutomaticContinuation: new(false),
	}
	if req.Instructions != "" {
		config.SystemInstruction = &genai.Content{Parts: []*genai.Part{{Text: strings.ToValidUTF8(req.Instructions, "\uFFFD")}}}
	}
	if len(req.Schema) > 0 {
		config.ResponseMIMEType = "application/json"
		// Through ResponseJsonSchema the SDK would sort the properties by name, and models write in the order of the schema:
		// totals would come before the items they are read from.
		config.HTTPOptions = &genai.HTTPOptions{ExtrasRequestProvider: withSchema(req.Schema)}
	}
	return contents, config, nil
}

// withSchema puts a schema into a request's body as it is.
func withSchema(schema json.RawMessage) genai.ExtrasRequestProvider {
	return func(body map[string]any) map[string]any {
		generation, ok := body["generationConfig"].(map[string]any)
		if !ok {
			generation = map[string]any{"responseMimeType": "application/json"}
			body["generationConfig"] = generation
		}
		generation["responseJsonSchema"] = schema
		return body
	}
}

// thinking asks a model for as little thinking as it lets itself be asked for: reading needs none, and it is billed as output.
// Models of another generation refuse the other's field.
func thinking(model string) *genai.ThinkingConfig {
	const leastOfPro = 128 // tokens: 2.5 Pro cannot do without
	model = strings.TrimPrefix(model, "models/")
	starts := func(prefix string) bool { return strings.HasPrefix(model, prefix) }
	switch {
	case starts("gemini-2.5-pro"):
		return &genai.ThinkingConfig{ThinkingBudget: new(int32(leastOfPro))}
	case starts("gemini-2.5"):
		return &genai.ThinkingConfig{ThinkingBudget: new(int32(0))}
	case starts("gemini-1"), starts("gemini-2"), !starts("gemini-"):
		return nil // they do not think, or there is no telling
	case strings.Contains(model, "flash"):
		return &genai.ThinkingConfig{ThinkingLevel: genai.ThinkingLevelMinimal}
	default:
		return &genai.ThinkingConfig{ThinkingLevel: genai.ThinkingLevelLow}
	}
}
