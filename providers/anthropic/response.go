package anthropic

import (
	"net/http"
	"strings"

	vendor "github.com/anthropics/anthropic-sdk-go"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// reply gathers what an answer says.
type reply struct {
	emit    func(text string) error
	result  sdk.Result
	counts  counts
	emitted bool
	stop    vendor.StopReason // "" until the vendor has said why it ended
}

// event takes one event of a stream.
func (r *reply) event(event vendor.MessageStreamEventUnion) error {
	switch event.Type {
	case "message_start":
		if event.Message.Model != "" {
			r.result.Model = event.Message.Model
		}
		r.counts.start(event.Message.Usage)
	case "content_block_start":
		if event.ContentBlock.Type == "text" {
			return r.text(event.ContentBlock.Text)
		}
	case "content_block_delta":
		if event.Delta.Type == "text_delta" { // and not thinking, signatures, citations
			return r.text(event.Delta.Text)
		}
	case "message_delta":
		if event.Delta.StopReason != "" {
			r.stop = event.Delta.StopReason
		}
		r.counts.delta(event.Usage)
	default: // pings, and what is to come
		return nil
	}
	r.result.Usage = r.counts.usage()
	return nil
}

func (r *reply) text(text string) error {
	if text == "" {
		return nil
	}
	r.emitted = r.emitted || strings.TrimSpace(text) != ""
	return r.emit(text)
}

// end judges a reply of which no more will come.
func (r *reply) end() error {
	fail := func(kind sdk.Kind, finish sdk.FinishReason, message string) error {
		r.result.FinishReason = finish
		return &sdk.Error{Kind: kind, Blame: sdk.BlameDownstream, Message: message, HTTPStatus: http.StatusOK}
	}
	switch r.stop {
	case "":
		return fail(sdk.KindOverloaded, "", "the stream ended before the reply did")
	case vendor.StopReasonEndTurn, vendor.StopReasonStopSequence:
		if !r.emitted {
			return fail(sdk.KindEmpty, sdk.FinishStop, "a reply without content")
		}
		r.result.FinishReason = sdk.FinishStop
		return nil
	case vendor.StopReasonMaxTokens, vendor.StopReasonModelContextWindowExceeded:
		return fail(sdk.KindTruncated, sdk.FinishLength, "the reply reached the limit of tokens before its end")
	case vendor.StopReasonRefusal:
		return fail(sdk.KindBlocked, sdk.FinishBlocked, "the model refused to answer")
	default: // tool_use, pause_turn: a call of a tool that nobody offered
		return fail(sdk.KindOverloaded, "", "the reply ended for a reason of its own")
	}
}

// counts are the vendor's: they come at the beginning, and again at the end as far as they have changed.
type counts struct{ input, cacheRead, cacheWrite, output, thinking int64 }

func (c *counts) start(u vendor.Usage) {
	*c = counts{
		input: u.InputTokens, cacheRead: u.CacheReadInputTokens, cacheWrite: u.CacheCreationInputTokens,
		output: u.OutputTokens, thinking: u.OutputTokensDetails.ThinkingTokens,
	}
}

func (c *counts) delta(u vendor.MessageDeltaUsage) {
	set := func(count *int64, told bool, n int64) {
		if told {
			*count = n
		}
	}
	set(&c.input, u.JSON.InputTokens.Valid(), u.InputTokens)
	set(&c.cacheRead, u.JSON.CacheReadInputTokens.Valid(), u.CacheReadInputTokens)
	set(&c.cacheWrite, u.JSON.CacheCreationInputTokens.Valid(), u.CacheCreationInputTokens)
	set(&c.output, u.JSON.OutputTokens.Valid(), u.OutputTokens)
	set(&c.thinking, u.JSON.OutputTokensDetails.Valid(), u.OutputTokensDetails.ThinkingTokens)
}

// usage adds what the vendor counts apart: its input is without what was read from or written to the cache. Its output has the
// thinking in it.
func (c *counts) usage() sdk.Usage {
	u := sdk.Usage{
		CachedInputTokens: max(c.cacheRead, 0), CacheWriteTokens: max(c.cacheWrite, 0), OutputTokens: max(c.output, 0),
	}
	u.InputTokens = max(c.input, 0) + u.CachedInputTokens + u.CacheWriteTokens
	u.ThinkingTokens = min(max(c.thinking, 0), u.OutputTokens)
	return u
}
