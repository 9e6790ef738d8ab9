package gemini

import (
	"net/http"
	"strings"

	"google.golang.org/genai"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// reply gathers what an answer says.
type reply struct {
	emit    func(text string) error
	result  sdk.Result
	emitted bool
	finish  genai.FinishReason // "" until the vendor has said why it ended
	blocked genai.BlockedReason
}

// chunk takes one piece of a stream. Usage is a running total: the last one told counts.
func (r *reply) chunk(chunk *genai.GenerateContentResponse) error {
	if chunk.ModelVersion != "" {
		r.result.Model = chunk.ModelVersion
	}
	if chunk.UsageMetadata != nil {
		r.result.Usage = usage(chunk.UsageMetadata)
	}
	if chunk.PromptFeedback != nil && chunk.PromptFeedback.BlockReason != "" {
		r.blocked = chunk.PromptFeedback.BlockReason
	}
	for _, candidate := range chunk.Candidates {
		if candidate == nil || candidate.Index != 0 {
			continue
		}
		if candidate.FinishReason != genai.FinishReasonUnspecified && candidate.FinishReason != "" {
			r.finish = candidate.FinishReason
		}
		if err := r.text(candidate.Content); err != nil {
			return err
		}
	}
	return nil
}

// text emits the parts that are the reply: thoughts are text too, and some candidates have no content at all.
func (r *reply) text(content *genai.Content) error {
	if content == nil {
		return nil
	}
	for _, part := range content.Parts {
		if part == nil || part.Thought || part.Text == "" {
			continue
		}
		r.emitted = r.emitted || strings.TrimSpace(part.Text) != ""
		if err := r.emit(part.Text); err != nil {
			return err
		}
	}
	return nil
}

// end judges a reply of which no more will come.
func (r *reply) end() error {
	fail := func(kind sdk.Kind, finish sdk.FinishReason, message string) error {
		r.result.FinishReason = finish
		return &sdk.Error{Kind: kind, Blame: sdk.BlameDownstream, Message: message, HTTPStatus: http.StatusOK}
	}
	if r.blocked != "" {
		return fail(sdk.KindBlocked, sdk.FinishBlocked, "the vendor refused the request: "+reason(string(r.blocked)))
	}
	switch r.finish {
	case "":
		return fail(sdk.KindOverloaded, "", "the stream ended before the reply did")
	case genai.FinishReasonStop:
		if !r.emitted {
			return fail(sdk.KindEmpty, sdk.FinishStop, "a reply without content")
		}
		r.result.FinishReason = sdk.FinishStop
		return nil
	case genai.FinishReasonMaxTokens:
		return fail(sdk.KindTruncated, sdk.FinishLength, "the reply reached the limit of tokens before its end")
	case genai.FinishReasonContinuation:
		return fail(sdk.KindTruncated, sdk.FinishLength, "the vendor stopped before the end of the reply")
	case genai.FinishReasonMalformedFunctionCall, genai.FinishReasonUnexpectedToolCall, genai.FinishReasonTooManyToolCalls:
		// A call of a tool that nobody offered.
		return fail(sdk.KindOverloaded, "", "the reply ended for reason "+reason(string(r.finish)))
	default: // SAFETY, RECITATION, PROHIBITED_CONTENT, BLOCKLIST, SPII, LANGUAGE, OTHER, and those to come
		return fail(sdk.KindBlocked, sdk.FinishBlocked, "the vendor refused to answer: "+reason(string(r.finish)))
	}
}

// reason keeps a vendor's constant and nothing else.
func reason(s string) string {
	const most = 40
	if len(s) > most || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" {
		return "of its own"
	}
	return s
}

// usage is the vendor's count, with no part larger than its whole. Its prompt has the cached tokens in it, and its candidates
// are without the thoughts.
func usage(u *genai.GenerateContentResponseUsageMetadata) sdk.Usage {
	count := func(n int32) int64 { return max(int64(n), 0) }
	out := sdk.Usage{
		InputTokens:    count(u.PromptTokenCount),
		ThinkingTokens: count(u.ThoughtsTokenCount),
	}
	out.OutputTokens = count(u.CandidatesTokenCount) + out.ThinkingTokens
	out.CachedInputTokens = min(count(u.CachedContentTokenCount), out.InputTokens)
	return out
}
