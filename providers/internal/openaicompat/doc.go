// Package openaicompat is the chat completions format that OpenAI made and OpenRouter speaks: requests, streamed replies, usage
// and errors, on OpenAI's own SDK. What differs between the two is a Dialect, which the plugins hold.
package openaicompat
