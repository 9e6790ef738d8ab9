package openaicompat

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/shared"

	"github.com/mercadoesperto/smarket/providers/internal/content"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// body is the request in the vendor's form, as JSON.
func (c *Client) body(req sdk.Request) ([]byte, error) {
	var files attachments
	params, err := c.params(req, &files)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(params)
	if err != nil {
		return nil, &sdk.Error{Kind: sdk.KindInternal, Blame: sdk.BlamePlugin, Message: "the request cannot be written as JSON"}
	}
	return files.fill(raw), nil
}

// params is the request in the SDK's form, its files left out. The instructions come first and never change, then the pages, then the input: so a
// repair of the same document shares its beginning, which vendors' prompt caches bill for less.
func (c *Client) params(req sdk.Request, files *attachments) (openai.ChatCompletionNewParams, error) {
	var body openai.ChatCompletionNewParams
	shown, err := content.Of(req, c.dialect.MediaTypes)
	if err != nil {
		return body, err
	}
	parts := make([]openai.ChatCompletionContentPartUnionParam, 0, len(shown))
	for i, p := range shown {
		parts = append(parts, part(i, p, files))
	}
	if req.Instructions != "" {
		body.Messages = append(body.Messages, openai.SystemMessage(req.Instructions))
	}
	body.Messages = append(body.Messages, openai.UserMessage(parts))
	body.Model = c.model
	body.StreamOptions.IncludeUsage = openai.Bool(true)
	body.MaxCompletionTokens = openai.Int(int64(content.MaxTokens(req)))
	if len(req.Schema) > 0 {
		name := req.SchemaName
		if name == "" {
			name = "reply"
		}
		body.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{
			JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
				Name: name, Strict: openai.Bool(true), Schema: req.Schema,
			},
		}
	}
	Extra(&body, map[string]any{"stream": true})
	if c.dialect.Adapt != nil {
		c.dialect.Adapt(&body, req)
	}
	return body, nil
}

// Extra adds fields to a body that the SDK has no names for.
func Extra(body *openai.ChatCompletionNewParams, fields map[string]any) {
	all := maps.Clone(body.ExtraFields())
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, fields)
	body.SetExtraFields(all)
}

// part is one thing that the model is shown, in the SDK's form.
func part(i int, p content.Part, files *attachments) openai.ChatCompletionContentPartUnionParam {
	switch {
	case len(p.Data) == 0:
		return openai.TextContentPart(p.Text)
	case p.MediaType == content.PDF:
		return openai.FileContentPart(openai.ChatCompletionContentPartFileFileParam{
			Filename: param.NewOpt(fmt.Sprintf("page-%d.pdf", i+1)), FileData: param.NewOpt(files.add(p.MediaType, p.Data)),
		})
	default:
		// Figures on a receipt are small: "auto" may scale them away.
		return openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{
			URL: files.add(p.MediaType, p.Data), Detail: "high",
		})
	}
}
