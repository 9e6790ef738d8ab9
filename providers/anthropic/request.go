package anthropic

import (
	"encoding/base64"
	"strings"

	vendor "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/packages/param"

	"github.com/mercadoesperto/smarket/providers/internal/content"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

func mediaTypes() []string {
	return []string{"image/jpeg", "image/png", "image/gif", "image/webp", content.PDF}
}

// request is a request in the vendor's form. The instructions are a block of their own, marked as the end of what the vendor's
// prompt cache keeps.
func (p *Provider) request(req sdk.Request) (vendor.MessageNewParams, error) {
	shown, err := content.Of(req, mediaTypes())
	if err != nil {
		return vendor.MessageNewParams{}, err
	}
	blocks := make([]vendor.ContentBlockParamUnion, 0, len(shown))
	for _, s := range shown {
		if block, ok := block(s); ok {
			blocks = append(blocks, block)
		}
	}
	body := vendor.MessageNewParams{
		Model: p.model, MaxTokens: int64(content.MaxTokens(req)),
		Messages: []vendor.MessageParam{vendor.NewUserMessage(blocks...)},
	}
	if strings.TrimSpace(req.Instructions) != "" {
		body.System = []vendor.TextBlockParam{{
			Text: strings.ToValidUTF8(req.Instructions, "\uFFFD"), CacheControl: vendor.NewCacheControlEphemeralParam(),
		}}
	}
	if len(req.Schema) > 0 {
		// Through the field Schema the SDK would sort the properties by name, and models write in the order of the schema:
		// totals would come before the items they are read from.
		body.OutputConfig.Format = param.Override[vendor.JSONOutputFormatParam](map[string]any{
			"type": "json_schema", "schema": req.Schema,
		})
	}
	thinkLittle(&body)
	body.SetExtraFields(map[string]any{"stream": true})
	return body, nil
}

// block is a part in the vendor's form; blank texts have none, the vendor refuses them.
func block(part content.Part) (vendor.ContentBlockParamUnion, bool) {
	switch {
	case part.Data == nil:
		return vendor.NewTextBlock(part.Text), strings.TrimSpace(part.Text) != ""
	case part.MediaType == content.PDF:
		return vendor.NewDocumentBlock(vendor.Base64PDFSourceParam{Data: base64.StdEncoding.EncodeToString(part.Data)}), true
	default:
		return vendor.NewImageBlockBase64(part.MediaType, base64.StdEncoding.EncodeToString(part.Data)), true
	}
}

// thinkLittle asks a model for as little thinking as it lets itself be asked for: reading needs none, and it is billed as
// output. Models that always think refuse to be told not to; older ones know nothing of effort.
func thinkLittle(body *vendor.MessageNewParams) {
	for _, prefix := range []string{"claude-opus-4-7", "claude-opus-4-8", "claude-opus-5", "claude-fable-", "claude-mythos-"} {
		if strings.HasPrefix(body.Model, prefix) {
			body.OutputConfig.Effort = vendor.OutputConfigEffortLow
			return
		}
	}
	disabled := vendor.NewThinkingConfigDisabledParam()
	body.Thinking.OfDisabled = &disabled
}
