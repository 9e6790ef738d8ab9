package llmstub

import "time"

// Options of a Stub. The zero value answers well, at once.
type Options struct {
	// Seed of all that is drawn: chances and latencies. Defaults to 0.
	Seed uint64
	// Vendors holds what differs between them; a vendor that is missing has the defaults.
	Vendors map[Vendor]VendorOptions
	// Reply is asked first for the text of a reply; its second result says that it knows one. Faults apply to it too.
	Reply func(Request) (string, bool)
	// Unknown is the text of a reply to TaskExtract when the receipt is not known. Defaults to an empty receipt where there is
	// a picture or a text, and to an invented one where there is none: so do models.
	Unknown func(Request) string
	// Lenient turns the checks of requests off, but for the key.
	Lenient bool
	// Now is the clock of the ledger. Defaults to time.Now.
	Now func() time.Time
}

// VendorOptions are one vendor's.
type VendorOptions struct {
	// Key is the only API key accepted; "" accepts any, but not none.
	Key string
	// Model is the name that replies carry. Defaults to the one asked for.
	Model string
	Latency
	// ChunkBytes is the size of a streamed piece of text. Defaults to 64.
	ChunkBytes int
	// ThinkingTokens come before each reply, unless the request turns thinking off; low effort takes a quarter.
	ThinkingTokens int64
	// CacheMinTokens is the shortest prefix that is cached; less than 0 turns caching off. Defaults to 1024.
	CacheMinTokens int64
	// InputPrice and OutputPrice are micro-dollars per million tokens, for OpenRouter's usage.cost. Default to 300,000 and
	// 2,500,000.
	InputPrice, OutputPrice int64
	// Always answers every call that no script is for; Chances then do not apply.
	Always *Behaviour
	// Chances are drawn for calls that no script is for.
	Chances []Chance
}

const (
	defaultChunkBytes     = 64
	defaultCacheMinTokens = 1024
	defaultInputPrice     = 300_000
	defaultOutputPrice    = 2_500_000
	defaultRetryAfter     = time.Second
	defaultDrip           = time.Second
)

func (o *VendorOptions) setDefaults() {
	if o.ChunkBytes <= 0 {
		o.ChunkBytes = defaultChunkBytes
	}
	if o.CacheMinTokens == 0 {
		o.CacheMinTokens = defaultCacheMinTokens
	}
	if o.InputPrice == 0 {
		o.InputPrice = defaultInputPrice
	}
	if o.OutputPrice == 0 {
		o.OutputPrice = defaultOutputPrice
	}
}
