package llmstub

import (
	"fmt"
	"slices"
)

// Fault is a way in which a call goes wrong. Its value is what scripts and the command's flags call it.
type Fault string

// Refused with an HTTP status and the vendor's own body.
const (
	FaultBadRequest        Fault = "400"
	FaultUnauthorized      Fault = "401"
	FaultPaymentRequired   Fault = "402" // Anthropic: billing_error
	FaultForbidden         Fault = "403"
	FaultNotFound          Fault = "404"
	FaultTimeout           Fault = "408"
	FaultConflict          Fault = "409"
	FaultTooLarge          Fault = "413"
	FaultRateLimited       Fault = "429" // with Retry-After; Gemini: RetryInfo in the body instead
	FaultServerError       Fault = "500"
	FaultBadGateway        Fault = "502" // a proxy's HTML page, no JSON
	FaultUnavailable       Fault = "503"
	FaultGatewayTimeout    Fault = "504"
	FaultOverloaded        Fault = "529"                // Anthropic: overloaded_error
	FaultDailyQuota        Fault = "daily_quota"        // 429; Gemini: a QuotaFailure per day, beside a misleading RetryInfo
	FaultInsufficientQuota Fault = "insufficient_quota" // OpenAI: 429 insufficient_quota; others: their way to say "no credit"
	FaultBilling           Fault = "billing_error"      // Anthropic: 402 billing_error
	FaultInvalidKey        Fault = "invalid_key"        // Gemini: 400 API_KEY_INVALID, not 401
	FaultErrorIn200        Fault = "200_error"          // OpenRouter: HTTP 200 with {"error":…}
	FaultRedirect          Fault = "redirect"           // 307 to another address
)

// Answered with a reply that is of no use.
const (
	FaultEmpty           Fault = "empty"            // a reply without content that says it is whole
	FaultEmptyRecitation Fault = "empty_recitation" // Gemini: RECITATION; others: their content filter
	FaultEmptySafety     Fault = "empty_safety"     // Gemini: SAFETY; others: their content filter
	FaultEmptyMaxTokens  Fault = "empty_max_tokens" // all of the output went into thinking
	FaultPromptBlocked   Fault = "prompt_blocked"   // Gemini: promptFeedback and no candidates; others: as empty_safety
	FaultRefusal         Fault = "refusal"          // OpenAI: message.refusal; Anthropic: stop_reason refusal
	FaultTruncated       Fault = "truncated"        // half of the JSON; length, max_tokens, MAX_TOKENS
	FaultContinuation    Fault = "continuation"     // Gemini: half, and a token with which its SDK asks on; others: truncated
	FaultInvalidJSON     Fault = "invalid_json"
	FaultFenced          Fault = "fenced"        // right, within a Markdown fence
	FaultWrongFigures    Fault = "wrong_figures" // one digit changed, so that the arithmetic fails; of words: a figure of its own
	// FaultWrongOnce is FaultWrongFigures until the vendor is asked about the same picture with other words: a repair, not a retry.
	FaultWrongOnce Fault = "wrong_once"
	FaultInjected  Fault = "injected" // obeys a receipt that says what its total should be; of words: a link
	FaultHuge      Fault = "huge"     // 5 MiB
)

// Broken on the way.
const (
	FaultHang        Fault = "hang"         // not a byte until the client leaves
	FaultHangMid     Fault = "hang_mid"     // half of the reply, then nothing
	FaultSlowDrip    Fault = "slow_drip"    // a few bytes each Behaviour.Drip
	FaultReset       Fault = "reset"        // the connection is reset before the reply
	FaultResetMid    Fault = "reset_mid"    // and within it
	FaultCutMid      Fault = "cut_mid"      // closed within the reply: an unexpected end
	FaultEndsEarly   Fault = "ends_early"   // a stream that ends in good form, without its last events; not streamed: truncated body
	FaultStreamError Fault = "stream_error" // the vendor's error event within the stream; not streamed: 503, OpenRouter 200
)

// Faults lists them all.
func Faults() []Fault {
	return []Fault{
		FaultBadRequest, FaultUnauthorized, FaultPaymentRequired, FaultForbidden, FaultNotFound, FaultTimeout, FaultConflict,
		FaultTooLarge, FaultRateLimited, FaultServerError, FaultBadGateway, FaultUnavailable, FaultGatewayTimeout,
		FaultOverloaded, FaultDailyQuota, FaultInsufficientQuota, FaultBilling, FaultInvalidKey, FaultErrorIn200, FaultRedirect,
		FaultEmpty, FaultEmptyRecitation, FaultEmptySafety, FaultEmptyMaxTokens, FaultPromptBlocked, FaultRefusal,
		FaultTruncated, FaultContinuation, FaultInvalidJSON, FaultFenced, FaultWrongFigures, FaultWrongOnce, FaultInjected,
		FaultHuge, FaultHang, FaultHangMid, FaultSlowDrip, FaultReset, FaultResetMid, FaultCutMid, FaultEndsEarly,
		FaultStreamError,
	}
}

// ParseFault is the fault of that name.
func ParseFault(name string) (Fault, error) {
	if f := Fault(name); slices.Contains(Faults(), f) {
		return f, nil
	}
	return "", fmt.Errorf("unknown fault %q", name)
}

// status is the HTTP status that a fault is named after; 0 when it is not.
func (f Fault) status() int {
	switch f {
	case FaultBadRequest:
		return 400
	case FaultUnauthorized:
		return 401
	case FaultPaymentRequired:
		return 402
	case FaultForbidden:
		return 403
	case FaultNotFound:
		return 404
	case FaultTimeout:
		return 408
	case FaultConflict:
		return 409
	case FaultTooLarge:
		return 413
	case FaultRateLimited:
		return 429
	case FaultServerError:
		return 500
	case FaultBadGateway:
		return 502
	case FaultUnavailable:
		return 503
	case FaultGatewayTimeout:
		return 504
	case FaultOverloaded:
		return 529
	default:
		return 0
	}
}

// refuses says that the fault is a reply with an error instead of a completion.
func (f Fault) refuses() bool {
	switch f {
	case FaultDailyQuota, FaultInsufficientQuota, FaultBilling, FaultInvalidKey, FaultErrorIn200:
		return true
	default:
		return f.status() != 0
	}
}
