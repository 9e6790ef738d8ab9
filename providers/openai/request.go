package openai

import (
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"

	"github.com/mercadoesperto/smarket/providers/internal/openaicompat"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// adapt adds what only OpenAI takes.
func adapt(body *openai.ChatCompletionNewParams, _ sdk.Request) {
	body.Store = openai.Bool(false) // a family's purchases are kept by nobody else
	model := strings.TrimPrefix(body.Model, "ft:")
	if openaicompat.Reasons(model) {
		body.ReasoningEffort = shared.ReasoningEffortLow // copying needs little thought, and thought is billed
	}
}
