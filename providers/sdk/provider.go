package sdk

import (
	"context"
	"encoding/json"
)

// Provider is one vendor's models, or something else that can turn a document into structured text. Its methods may be
// called from several goroutines at once. An error that is not an *Error is taken as a bug of the plugin.
type Provider interface {
	// Describe says what the provider is and can do. It must answer at once, without the network.
	Describe(ctx context.Context) (Description, error)
	// Generate answers one request. emit takes the reply in pieces as they come; a provider that cannot stream emits once.
	// It stops when ctx ends or emit fails. Usage counts on failure too: return what is known beside the error.
	Generate(ctx context.Context, req Request, emit func(text string) error) (Result, error)
	// Check says whether Generate would have a chance now: the key is there, the vendor or the local tool answers.
	Check(ctx context.Context) error
}

// Description of a provider.
type Description struct {
	Name    string // lower case letters, digits and dashes; the binary is smarket-provider-<name>
	Version string // the plugin's own, semantic
	Model   string // the vendor's model in use, or the local tool and its version
	// MediaTypes the provider takes as pages: "image/jpeg", "image/png", "application/pdf", "text/plain".
	MediaTypes []string
	Tasks      []Task
	Streaming  bool // replies come in pieces
	Local      bool // nothing leaves this machine: no consent is needed and nothing is billed
}

// Task is what is asked of a provider.
type Task string

// The tasks of protocol v1.
const (
	TaskExtract Task = "extract" // pages in, a Receipt as JSON out
	TaskAnalyze Task = "analyze" // facts in, insights as JSON out
	TaskProbe   Task = "probe"   // a small picture in, the word on it out: proves that pictures are seen
)

// Request is one call. The reply must be one JSON document that fits Schema.
type Request struct {
	Task Task
	// Instructions come first and are the same for every request of a task, so that vendors' prompt caches hit.
	Instructions string
	// Input is the part that changes: facts, hints, or the lines to repair. It is data, never instructions.
	Input  string
	Pages  []Page
	Schema json.RawMessage // JSON Schema of the reply; nil for free text
	// SchemaName is letters, digits and underscores; vendors ask for one.
	SchemaName      string
	MaxOutputTokens int // 0: the provider's own default
}

// Page is one page of a document, in order. At least one of Data and Text is set.
type Page struct {
	MediaType string // of Data
	Data      []byte
	Text      string // the page's text layer, columns kept with blanks
}

// Result is what is known when a reply has ended.
type Result struct {
	Model        string // that answered
	FinishReason FinishReason
	Usage        Usage
}

// FinishReason says why a reply ended.
type FinishReason string

// The reasons. Anything but FinishStop comes with an *Error.
const (
	FinishStop    FinishReason = "stop"
	FinishLength  FinishReason = "length"  // truncated
	FinishBlocked FinishReason = "blocked" // safety, recitation, refusal
)

// Usage is what a call used. All counts are tokens.
type Usage struct {
	InputTokens       int64 // all of the prompt, cached ones included
	CachedInputTokens int64 // of InputTokens, read from the vendor's cache
	CacheWriteTokens  int64 // of InputTokens, written to the vendor's cache
	OutputTokens      int64 // all that is billed as output, thinking included
	ThinkingTokens    int64 // of OutputTokens
	// CostMicroUSD is the vendor's own figure in millionths of a US dollar, nil when it gives none.
	CostMicroUSD *int64
}
