package openrouter

import (
	"strings"

	"github.com/openai/openai-go/v3"

	"github.com/mercadoesperto/smarket/providers/internal/content"
	"github.com/mercadoesperto/smarket/providers/internal/openaicompat"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// adapt adds what only OpenRouter takes.
func adapt(body *openai.ChatCompletionNewParams, req sdk.Request) {
	fields := map[string]any{
		"usage": map[string]any{"include": true}, // with its cost
		// Only hosts that heed the schema, and only those that keep nothing of a family's purchases.
		"provider": map[string]any{"require_parameters": true, "data_collection": "deny"},
	}
	if reasons(body.Model) {
		// Copying needs little thought, and thought is billed. To ask a model that cannot think would, with require_parameters,
		// leave no host for it.
		fields["reasoning"] = map[string]any{"effort": "low", "exclude": true}
	}
	if content.HasPDF(req) {
		// The model reads the PDF itself. Otherwise OpenRouter may send it to another company's character recognition.
		fields["plugins"] = []any{map[string]any{"id": "file-parser", "pdf": map[string]any{"engine": "native"}}}
	}
	openaicompat.Extra(body, fields)
}

// reasons says whether a model thinks by itself and lets the caller say how much. Claude does not think unless it is asked.
func reasons(model string) bool {
	model, _, _ = strings.Cut(model, ":") // ":nitro", ":free"
	if bare, ok := strings.CutPrefix(model, "openai/"); ok {
		return openaicompat.Reasons(bare)
	}
	bare, ok := strings.CutPrefix(model, "google/gemini-")
	if !ok {
		return false
	}
	version := openaicompat.Leading(bare)
	return version >= 3 || version >= 2.5 && !strings.Contains(bare, "lite")
}
