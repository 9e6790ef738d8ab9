package openaicompat

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/shared"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// defaultMaxTokens bounds a reply whose request does not: some 300 items, thinking included. Without a bound a model that
// repeats itself is paid until its own, and OpenRouter wants credit for all of that beforehand.
const defaultMaxTokens = 32_768

const (
	mediaText = "text/plain"
	mediaPDF  = "application/pdf"
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
	switch req.Task {
	case sdk.TaskExtract, sdk.TaskProbe:
		if len(req.Pages) == 0 {
			// A model that is shown nothing invents a receipt.
			return body, invalid("the task needs a page")
		}
	case sdk.TaskAnalyze:
	default:
		return body, unsupported(fmt.Sprintf("task %q", short(string(req.Task))))
	}
	content, err := c.content(req, files)
	if err != nil {
		return body, err
	}
	if len(content) == 0 {
		return body, invalid("neither pages nor input")
	}
	if req.Instructions != "" {
		body.Messages = append(body.Messages, openai.SystemMessage(req.Instructions))
	}
	body.Messages = append(body.Messages, openai.UserMessage(content))
	body.Model = c.model
	body.StreamOptions.IncludeUsage = openai.Bool(true)
	body.MaxCompletionTokens = openai.Int(defaultMaxTokens)
	if req.MaxOutputTokens > 0 {
		body.MaxCompletionTokens = openai.Int(int64(req.MaxOutputTokens))
	}
	if len(req.Schema) > 0 {
		if !json.Valid(req.Schema) {
			return body, invalid("the schema is not JSON")
		}
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

// content is the pages and the input as parts of the user's message.
func (c *Client) content(req sdk.Request, files *attachments) ([]openai.ChatCompletionContentPartUnionParam, error) {
	var parts []openai.ChatCompletionContentPartUnionParam
	for i, page := range req.Pages {
		media := mediaType(page.MediaType)
		taken := len(page.Data) > 0 && slices.Contains(c.dialect.MediaTypes, media)
		if !taken && page.Text == "" {
			if len(page.Data) == 0 {
				return nil, invalid(fmt.Sprintf("page %d is empty", i+1))
			}
			return nil, unsupported(fmt.Sprintf("page %d of type %q", i+1, short(media)))
		}
		if page.Text != "" {
			parts = append(parts, openai.TextContentPart(strings.ToValidUTF8(page.Text, "\uFFFD")))
		}
		if taken {
			parts = append(parts, part(i, media, page.Data, files))
		}
	}
	if req.Input != "" {
		parts = append(parts, openai.TextContentPart(strings.ToValidUTF8(req.Input, "\uFFFD")))
	}
	return parts, nil
}

func part(i int, media string, data []byte, files *attachments) openai.ChatCompletionContentPartUnionParam {
	switch media {
	case mediaText:
		return openai.TextContentPart(strings.ToValidUTF8(string(data), "\uFFFD"))
	case mediaPDF:
		return openai.FileContentPart(openai.ChatCompletionContentPartFileFileParam{
			Filename: param.NewOpt(fmt.Sprintf("page-%d.pdf", i+1)), FileData: param.NewOpt(files.add(media, data)),
		})
	default:
		// Figures on a receipt are small: "auto" may scale them away.
		return openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: files.add(media, data), Detail: "high"})
	}
}

// mediaType is the bare media type, lower case.
func mediaType(s string) string {
	media, _, err := mime.ParseMediaType(s)
	if err != nil {
		return s
	}
	return media
}

// HasPDF says whether a request sends a PDF to a vendor that takes them.
func HasPDF(req sdk.Request) bool {
	return slices.ContainsFunc(req.Pages, func(p sdk.Page) bool { return len(p.Data) > 0 && mediaType(p.MediaType) == mediaPDF })
}

func invalid(message string) *sdk.Error {
	return &sdk.Error{Kind: sdk.KindInvalidRequest, Blame: sdk.BlameHost, Message: message}
}

func unsupported(what string) *sdk.Error {
	return &sdk.Error{Kind: sdk.KindUnsupported, Blame: sdk.BlameHost, Message: "unsupported: " + what}
}

// short keeps a name that somebody else chose out of the log but for its beginning.
func short(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "")
}
