// Package llmstub is a loopback server that speaks the wire formats of Gemini, OpenAI, OpenRouter and Anthropic, streamed and
// not, as their official Go SDKs expect them. It is the only fake of the project: everything else in a test is real.
//
// It answers an extraction with the truth of the generated receipt that it recognises in the request: by the QR code on a
// picture, also one that was scaled and encoded anew, by likeness to a registered picture, or by the access key in a text. What
// it is not shown it invents, as models do. It answers an analysis with an entry for each finding, in figures of its facts. It misbehaves as told (Fault), validates requests as the vendors do, and keeps a
// ledger of what it has served that holds no key and no document.
//
//	stub := llmstub.Start(t)
//	stub.Know(receipt)                                          // or KnowPaper, KnowTruth, KnowFolder
//	stub.Fail(llmstub.Gemini, llmstub.FaultRateLimited)         // the next call; Script says more, Always all
//	… GEMINI_BASE_URL=stub.BaseURL(llmstub.Gemini) …
//	stub.Paid(llmstub.Gemini)
//
// What is the stub's own strictness, and no vendor's: OpenRouter requests with a schema need provider.require_parameters and
// data_collection "deny", media must be inline, and Gemini streams need alt=sse.
//
// # Traps of the SDKs
//
// For authors of plugins, seen with genai 1.77, openai-go 3.96 and anthropic-sdk-go 1.84. All four:
//
//   - A stream that ends in good form but early (FaultEndsEarly) is no error to any SDK: that no finish reason has come is the
//     only sign. Treat it as truncated.
//   - Empty replies are no errors (FaultEmpty…): look at finish reason, text and refusal.
//   - Set the retries of openai-go and anthropic-sdk-go to 0, and leave genai's RetryOptions nil: an empty &HTTPRetryOptions{}
//     means five attempts.
//   - A cancelled context, a reset (ECONNRESET) and a cut (io.ErrUnexpectedEOF) come through errors.Is, streamed or not.
//
// genai (Gemini):
//
//   - It follows redirects and carries x-goog-api-key and the document to whatever host they name: net/http strips
//     Authorization only. Give it an http.Client whose CheckRedirect returns an error of your own; errors.Is finds it. Not
//     http.ErrUseLastResponse: the other SDKs then take the 3xx for an empty stream without an error.
//   - APIError is a value: errors.AsType[genai.APIError], never *genai.APIError.
//   - Headers of errors are not kept: the wait hint is Details[].retryDelay ("17s", "0.05s") alone. A daily quota differs from a
//     rate limit in Details[].violations[].quotaId (…PerDay…), and carries a retryDelay of seconds that is wrong.
//   - A wrong key is HTTP 400, INVALID_ARGUMENT, with Details[].reason API_KEY_INVALID; a missing one is 403.
//   - Errors within a stream are APIErrors as well, by the code in their body. A reply that is no JSON is quoted whole in the
//     error's text, document and all: never pass that text on.
//   - It writes to the standard logger when a stream breaks.
//   - AutomaticContinuation is on by default and sends the request again, billed, on finishReason CONTINUATION: set it to false
//     and treat CONTINUATION as truncated.
//   - thoughtsTokenCount is not in candidatesTokenCount: billed output is the sum. promptTokenCount has the cached ones in it.
//   - A blocked prompt has promptFeedback and no candidates at all.
//   - Without APIKey or Backend it reads the environment (GOOGLE_API_KEY, GOOGLE_GENAI_USE_VERTEXAI): set both.
//
// openai-go (OpenAI, OpenRouter):
//
//   - It refuses redirects to another origin by itself.
//   - HTTP 200 with {"error":…} gives no error and no choices: resp.JSON.ExtraFields["error"]. OpenRouter also puts an error
//     into a choice, with finish_reason "error" and half a text.
//   - An error within a stream is a *ssestream.StreamError from packages/ssestream, without a status: the code is in
//     Event.Data, a number with OpenRouter, null with OpenAI. A field "error": null counts as an error as well.
//   - OpenRouter's numeric code arrives as text in Error.Code ("402"), and Type is empty. Error.Error() has the status only.
//     A body that is no JSON gives an *Error with empty fields.
//   - OpenAI streams usage only with stream_options.include_usage, in a last chunk without choices; stream_options without
//     stream is a 400. OpenRouter always sends it, with choices. cost is Usage.JSON.ExtraFields["cost"].Raw().
//   - OpenAI sends Retry-After-Ms beside Retry-After when it means fractions of seconds. gpt-5 and later want
//     max_completion_tokens. completion_tokens has reasoning_tokens in it.
//   - A refusal has finish_reason "stop" and message.refusal. Insufficient quota is a 429 that is not to be retried.
//   - OpenRouter's comment lines (": OPENROUTER PROCESSING") are skipped by the SDK.
//
// anthropic-sdk-go (Anthropic):
//
//   - It follows redirects and carries X-Api-Key and the document along, as genai does: forbid them likewise.
//   - An error within a stream is an *Error with StatusCode 200: go by Type(). Type() is "" for a body that is no JSON: fall
//     back on the status. It can be a word that the SDK has no constant for: request_too_large.
//   - Error.Error() holds the URL and the raw body. Two ways of having no credit: 402 billing_error, and 400
//     invalid_request_error whose message begins "Your credit balance is too low".
//   - Not streaming, max_tokens above 21,333 is refused by the SDK before any request ("streaming is required").
//   - input_tokens leaves out what was read from or written to the cache: the prompt is the sum of the three. In a stream they
//     come in message_start, and output_tokens in message_delta, cumulative.
//   - A thinking block may come before the text block. Caching needs a cache_control; empty text blocks are a 400; the declared
//     media type must be that of the bytes.
//   - Without WithAPIKey it looks for keys and profiles in the environment and the home directory.
package llmstub
