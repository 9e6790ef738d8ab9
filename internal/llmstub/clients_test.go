package llmstub_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"image"
	"net/http"
	"strings"
	"sync"
	"testing"

	anthropicsdk "github.com/anthropics/anthropic-sdk-go"
	anthropicopt "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/openai/openai-go/v3"
	openaiopt "github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/require"
	"google.golang.org/genai"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/providers/prompts"
)

// question is what the tests ask, with each vendor's SDK.
type question struct {
	stream    bool
	mediaType string
	data      []byte
	text      string
	schema    json.RawMessage
	system    string
	maxTokens int64
	key       string
}

// told is what an SDK made of the reply.
type told struct {
	text, model, finish, refusal                  string
	pieces                                        int
	input, output, cached, cacheWritten, thinking int64
	cost                                          string
	body200                                       string // OpenAI's extra field "error"
	err                                           error
}

// bundle is a stub that knows one receipt, and a picture of it.
type bundle struct {
	stub    *llmstub.Stub
	receipt receipts.Receipt
	style   receipts.Style
	picture []byte
	client  *http.Client
	prompt  prompts.Prompt
}

func setup(t *testing.T, opts ...llmstub.Options) *bundle {
	t.Helper()
	b := &bundle{stub: llmstub.Start(t, opts...), style: receipts.Styles()[0]}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	b.client = &http.Client{Transport: transport}
	b.receipt = receipts.Generate(receipts.NewRand(7), receipts.Options{Items: 4})
	b.stub.Know(b.receipt)
	var err error
	b.prompt, err = prompts.Extract()
	require.NoError(t, err)
	b.picture, err = drawn()
	require.NoError(t, err)
	return b
}

// drawn is the picture of the bundle's receipt. All tests share it: drawing takes longer than most of them.
var drawn = sync.OnceValues(func() ([]byte, error) {
	r := receipts.Generate(receipts.NewRand(7), receipts.Options{Items: 4})
	img, err := r.Picture(receipts.Styles()[0], 1)
	if err != nil {
		return nil, err
	}
	return receipts.JPEG(img, 80)
})

func jpegOf(t *testing.T, r receipts.Receipt, s receipts.Style) []byte {
	t.Helper()
	var img image.Image
	img, err := r.Picture(s, 1)
	require.NoError(t, err)
	data, err := receipts.JPEG(img, 80)
	require.NoError(t, err)
	return data
}

// extraction is the question that the product asks.
func (b *bundle) extraction(stream bool) question {
	return question{
		stream: stream, mediaType: "image/jpeg", data: b.picture, text: "The document is attached.", schema: b.prompt.Schema,
		system: b.prompt.Instructions, maxTokens: 8000, key: "key-of-a-test",
	}
}

func (b *bundle) ask(ctx context.Context, t *testing.T, v llmstub.Vendor, q question) told {
	t.Helper()
	switch v {
	case llmstub.Gemini:
		return b.askGemini(ctx, t, q)
	case llmstub.Anthropic:
		return b.askAnthropic(ctx, q)
	default:
		return b.askOpenAI(ctx, v, q)
	}
}

func (b *bundle) askGemini(ctx context.Context, t *testing.T, q question) told {
	t.Helper()
	client, err := genai.NewClient(ctx, &genai.ClientConfig{
		APIKey: q.key, Backend: genai.BackendGeminiAPI, HTTPClient: b.client,
		HTTPOptions: genai.HTTPOptions{BaseURL: b.stub.BaseURL(llmstub.Gemini)},
	})
	require.NoError(t, err)
	parts := []*genai.Part{genai.NewPartFromText(q.text)}
	if q.data != nil {
		parts = append(parts, genai.NewPartFromBytes(q.data, q.mediaType))
	}
	contents := []*genai.Content{genai.NewContentFromParts(parts, genai.RoleUser)}
	no := false
	config := &genai.GenerateContentConfig{MaxOutputTokens: int32(q.maxTokens), AutomaticContinuation: &no}
	if q.system != "" {
		config.SystemInstruction = genai.NewContentFromText(q.system, "")
	}
	if q.schema != nil {
		config.ResponseMIMEType, config.ResponseJsonSchema = "application/json", q.schema
	}
	const model = "gemini-3.5-flash-lite"
	var out told
	take := func(resp *genai.GenerateContentResponse) {
		out.model = resp.ModelVersion
		if resp.PromptFeedback != nil {
			out.finish = "blocked:" + string(resp.PromptFeedback.BlockReason)
		}
		for _, c := range resp.Candidates {
			if c.FinishReason != "" {
				out.finish = string(c.FinishReason)
			}
			if c.Content == nil {
				continue
			}
			for _, p := range c.Content.Parts {
				if p.Text != "" && !p.Thought {
					out.text += p.Text
					out.pieces++
				}
			}
		}
		if u := resp.UsageMetadata; u != nil {
			out.input, out.cached = int64(u.PromptTokenCount), int64(u.CachedContentTokenCount)
			out.output, out.thinking = int64(u.CandidatesTokenCount+u.ThoughtsTokenCount), int64(u.ThoughtsTokenCount)
		}
	}
	if !q.stream {
		resp, err := client.Models.GenerateContent(ctx, model, contents, config)
		if err != nil {
			return told{err: err}
		}
		take(resp)
		return out
	}
	for resp, err := range client.Models.GenerateContentStream(ctx, model, contents, config) {
		if err != nil {
			out.err = err
			break
		}
		take(resp)
	}
	return out
}

func (b *bundle) openAI(v llmstub.Vendor, key string) openai.Client {
	return openai.NewClient(
		openaiopt.WithBaseURL(b.stub.BaseURL(v)), openaiopt.WithAPIKey(key), openaiopt.WithMaxRetries(0), openaiopt.WithHTTPClient(b.client),
	)
}

func (b *bundle) askOpenAI(ctx context.Context, v llmstub.Vendor, q question) told {
	client := b.openAI(v, q.key)
	parts := []openai.ChatCompletionContentPartUnionParam{openai.TextContentPart(q.text)}
	url := "data:" + q.mediaType + ";base64," + base64.StdEncoding.EncodeToString(q.data)
	switch {
	case q.mediaType == "application/pdf":
		parts = append(parts, openai.FileContentPart(openai.ChatCompletionContentPartFileFileParam{
			Filename: openai.String("page.pdf"), FileData: openai.String(url),
		}))
	case q.data != nil:
		parts = append(parts, openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: url, Detail: "high"}))
	}
	params := openai.ChatCompletionNewParams{
		Model: "gpt-6-luna", MaxCompletionTokens: openai.Int(q.maxTokens),
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(parts)},
	}
	if q.system != "" {
		params.Messages = append([]openai.ChatCompletionMessageParamUnion{openai.SystemMessage(q.system)}, params.Messages...)
	}
	if q.schema != nil {
		params.ResponseFormat = openai.ChatCompletionNewParamsResponseFormatUnion{
			OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
				Name: "receipt", Strict: openai.Bool(true), Schema: q.schema,
			}},
		}
	}
	var opts []openaiopt.RequestOption
	if v == llmstub.OpenRouter {
		opts = append(opts, openaiopt.WithJSONSet("provider", map[string]any{"require_parameters": true, "data_collection": "deny"}))
	}
	var out told
	usage := func(u openai.CompletionUsage) {
		out.input, out.output, out.cached = u.PromptTokens, u.CompletionTokens, u.PromptTokensDetails.CachedTokens
		out.thinking = u.CompletionTokensDetails.ReasoningTokens
		out.cost = u.JSON.ExtraFields["cost"].Raw()
	}
	if !q.stream {
		resp, err := client.Chat.Completions.New(ctx, params, opts...)
		if err != nil {
			return told{err: err}
		}
		out.body200 = resp.JSON.ExtraFields["error"].Raw()
		out.model = resp.Model
		for _, c := range resp.Choices {
			out.text, out.refusal, out.finish = c.Message.Content, c.Message.Refusal, c.FinishReason
		}
		usage(resp.Usage)
		return out
	}
	params.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	stream := client.Chat.Completions.NewStreaming(ctx, params, opts...)
	for stream.Next() {
		chunk := stream.Current()
		out.model = chunk.Model
		for _, c := range chunk.Choices {
			if c.Delta.Content != "" {
				out.text += c.Delta.Content
				out.pieces++
			}
			out.refusal += c.Delta.Refusal
			if c.FinishReason != "" {
				out.finish = c.FinishReason
			}
		}
		if chunk.JSON.Usage.Valid() {
			usage(chunk.Usage)
		}
	}
	out.err = stream.Err()
	_ = stream.Close()
	return out
}

func (b *bundle) askAnthropic(ctx context.Context, q question) told {
	client := anthropicsdk.NewClient(
		anthropicopt.WithBaseURL(b.stub.BaseURL(llmstub.Anthropic)), anthropicopt.WithAPIKey(q.key),
		anthropicopt.WithMaxRetries(0), anthropicopt.WithHTTPClient(b.client),
	)
	blocks := []anthropicsdk.ContentBlockParamUnion{anthropicsdk.NewTextBlock(q.text)}
	encoded := base64.StdEncoding.EncodeToString(q.data)
	switch {
	case q.mediaType == "application/pdf":
		blocks = append(blocks, anthropicsdk.NewDocumentBlock(anthropicsdk.Base64PDFSourceParam{Data: encoded}))
	case q.data != nil:
		blocks = append(blocks, anthropicsdk.NewImageBlockBase64(q.mediaType, encoded))
	}
	params := anthropicsdk.MessageNewParams{
		Model: "claude-haiku-5-5", MaxTokens: q.maxTokens,
		Messages: []anthropicsdk.MessageParam{anthropicsdk.NewUserMessage(blocks...)},
	}
	if q.system != "" {
		params.System = []anthropicsdk.TextBlockParam{{Text: q.system, CacheControl: anthropicsdk.NewCacheControlEphemeralParam()}}
	}
	if q.schema != nil {
		var schema map[string]any
		if err := json.Unmarshal(q.schema, &schema); err != nil {
			return told{err: err}
		}
		params.OutputConfig = anthropicsdk.OutputConfigParam{Format: anthropicsdk.JSONOutputFormatParam{Schema: schema}}
	}
	var out told
	take := func(m *anthropicsdk.Message) {
		out.model, out.finish = m.Model, string(m.StopReason)
		out.text = ""
		for _, c := range m.Content {
			if c.Type == "text" {
				out.text += c.Text
			}
		}
		u := m.Usage
		out.input = u.InputTokens + u.CacheReadInputTokens + u.CacheCreationInputTokens
		out.output, out.cached, out.cacheWritten = u.OutputTokens, u.CacheReadInputTokens, u.CacheCreationInputTokens
		out.thinking = u.OutputTokensDetails.ThinkingTokens
		out.refusal = m.StopDetails.Explanation
	}
	if !q.stream {
		message, err := client.Messages.New(ctx, params)
		if err != nil {
			return told{err: err}
		}
		take(message)
		return out
	}
	stream := client.Messages.NewStreaming(ctx, params)
	var message anthropicsdk.Message
	for stream.Next() {
		event := stream.Current()
		if err := message.Accumulate(event); err != nil {
			return told{err: err}
		}
		if d := event.Delta; event.Type == "content_block_delta" && strings.HasPrefix(d.Type, "text") {
			out.pieces++
		}
	}
	take(&message)
	out.err = stream.Err()
	return out
}

// both runs a test for replies in one piece and streamed, for each vendor.
func both(t *testing.T, vendors []llmstub.Vendor, test func(t *testing.T, v llmstub.Vendor, stream bool)) {
	t.Helper()
	for _, v := range vendors {
		for _, stream := range []bool{false, true} {
			name := string(v) + " whole"
			if stream {
				name = string(v) + " streamed"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, v, stream)
			})
		}
	}
}
