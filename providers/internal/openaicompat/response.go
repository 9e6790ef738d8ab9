package openaicompat

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/openai/openai-go/v3"

	"github.com/mercadoesperto/smarket/providers/internal/content"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// reply gathers what an answer says.
type reply struct {
	client *Client
	req    sdk.Request
	header http.Header
	emit   func(text string) error

	result  sdk.Result
	emitted bool
	refused bool
	finish  string // "" until the vendor has said why it ended
}

// chunk takes one event of a stream.
func (r *reply) chunk(data []byte) error {
	if failure, ok := parseFailure(data); ok {
		return r.failed(data, failure)
	}
	var chunk openai.ChatCompletionChunk
	if err := json.Unmarshal(data, &chunk); err != nil {
		return garbled()
	}
	r.about(chunk.Model, chunk.Usage, chunk.JSON.Usage.Valid())
	for _, choice := range chunk.Choices {
		if choice.Index != 0 {
			continue
		}
		if failure, ok := parseError([]byte(choice.JSON.ExtraFields["error"].Raw())); ok {
			return r.failed(data, failure) // OpenRouter: the model behind it failed
		}
		if err := r.text(choice.Delta.Content, choice.Delta.JSON.Content.Raw()); err != nil {
			return err
		}
		r.refused = r.refused || choice.Delta.Refusal != ""
		if choice.FinishReason != "" {
			r.finish = choice.FinishReason
		}
	}
	return nil
}

// whole takes an answer that was not streamed.
func (r *reply) whole(data []byte) error {
	if failure, ok := parseFailure(data); ok {
		return r.failed(data, failure)
	}
	var completion openai.ChatCompletion
	if err := json.Unmarshal(data, &completion); err != nil {
		return garbled()
	}
	r.about(completion.Model, completion.Usage, completion.JSON.Usage.Valid())
	if len(completion.Choices) == 0 {
		r.finish = finishStop // there will be no more: it is empty, not cut
		return nil
	}
	choice := completion.Choices[0]
	if failure, ok := parseError([]byte(choice.JSON.ExtraFields["error"].Raw())); ok {
		return r.failed(data, failure)
	}
	r.refused = choice.Message.Refusal != ""
	r.finish = choice.FinishReason
	return r.text(choice.Message.Content, choice.Message.JSON.Content.Raw())
}

// failed is the error that came in place of a piece of the reply, or beside its last one: what was used is paid all the same.
func (r *reply) failed(data []byte, failure Failure) error {
	var last struct {
		Model string          `json:"model"`
		Usage json.RawMessage `json:"usage"`
	}
	var usage openai.CompletionUsage
	if json.Unmarshal(data, &last) == nil && len(last.Usage) > 0 {
		valid := json.Unmarshal(last.Usage, &usage) == nil
		r.about(last.Model, usage, valid && !bytes.Equal(last.Usage, []byte("null")))
	}
	failure.Status, failure.Header = http.StatusOK, r.header
	return r.client.failed(failure, r.req)
}

// about takes the model and the usage; the last ones told count.
func (r *reply) about(model string, usage openai.CompletionUsage, valid bool) {
	if model != "" {
		r.result.Model = model
	}
	if valid {
		r.result.Usage = r.client.usage(usage)
	}
}

// text emits a piece. Content is a string at both vendors; where a model's own list of typed parts came through, raw holds it
// and only parts of text are the reply: thinking is not.
func (r *reply) text(content, raw string) error {
	if strings.HasPrefix(strings.TrimSpace(raw), "[") {
		var parts []struct {
			Type string `json:"type"`
			Text string `json:"text"`
		}
		if err := json.Unmarshal([]byte(raw), &parts); err != nil {
			return garbled()
		}
		var texts strings.Builder
		for _, p := range parts {
			if p.Type == "text" {
				texts.WriteString(p.Text)
			}
		}
		content = texts.String()
	}
	if content == "" {
		return nil
	}
	r.emitted = true
	return r.emit(content)
}

// The reasons for which a reply ends that mean something here.
const (
	finishStop   = "stop"
	finishLength = "length"
	finishFilter = "content_filter"
)

// end judges a reply of which no more will come, and gives it with its verdict.
func (r *reply) end() (sdk.Result, error) {
	err := r.judge() // first: it sets the reason that the result carries
	return r.result, err
}

func (r *reply) judge() error {
	fail := func(kind sdk.Kind, message string) error {
		return &sdk.Error{Kind: kind, Blame: sdk.BlameDownstream, Message: message, HTTPStatus: http.StatusOK}
	}
	switch {
	case r.finish == "":
		return fail(sdk.KindOverloaded, "the stream ended before the reply did")
	case r.refused, r.finish == finishFilter:
		r.result.FinishReason = sdk.FinishBlocked
		return fail(sdk.KindBlocked, "the model refused to answer")
	case r.finish == finishLength:
		r.result.FinishReason = sdk.FinishLength
		return fail(sdk.KindTruncated, "the reply reached the limit of tokens before its end")
	case r.finish != finishStop:
		// "error" without one, or a call of a tool that nobody offered.
		return fail(sdk.KindOverloaded, "the reply ended for reason "+content.Short(r.finish))
	}
	r.result.FinishReason = sdk.FinishStop
	if !r.emitted {
		return fail(sdk.KindEmpty, "a reply without content")
	}
	return nil
}

// usage is the vendor's count, with no part larger than its whole: some models behind OpenRouter count thinking beside the
// reply and not within it.
func (c *Client) usage(u openai.CompletionUsage) sdk.Usage {
	usage := sdk.Usage{
		InputTokens:    max(u.PromptTokens, 0),
		OutputTokens:   max(u.CompletionTokens, 0),
		ThinkingTokens: max(u.CompletionTokensDetails.ReasoningTokens, 0),
	}
	usage.CachedInputTokens = min(max(u.PromptTokensDetails.CachedTokens, 0), usage.InputTokens)
	usage.CacheWriteTokens = min(max(u.PromptTokensDetails.CacheWriteTokens, 0), usage.InputTokens-usage.CachedInputTokens)
	if usage.ThinkingTokens > usage.OutputTokens {
		usage.OutputTokens += usage.ThinkingTokens
	}
	if c.dialect.Cost != nil {
		usage.CostMicroUSD = c.dialect.Cost(u)
	}
	return usage
}

// garbled is an answer that is not in the format, as a proxy or a broken server sends.
func garbled() *sdk.Error {
	return &sdk.Error{
		Kind: sdk.KindOverloaded, Blame: sdk.BlameDownstream, HTTPStatus: http.StatusOK,
		Message: "an answer that is not a chat completion",
	}
}
