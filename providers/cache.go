package providers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strconv"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/prompts"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Replies keeps accepted readings by key. Keys are hashes and values hold no CPF in clear. Implemented by internal/cache.
type Replies interface {
	// Get answers nil, nil when there is none. It takes little time, also when the store is down: that is an error, which
	// the implementation logs.
	Get(ctx context.Context, key string) ([]byte, error)
	// Put keeps value for ttl, as made for the user owner; "" is nobody.
	Put(ctx context.Context, owner, key string, value []byte, ttl time.Duration) error
}

// answerVersion is part of every key: raise it when answer, or what becomes of a reply on its way into it, changes.
const answerVersion = "answer.v1"

// answer is a reading in the form in which it is kept and shared. CPFs were masked when it was read.
type answer struct {
	Draft    invoice.Draft
	Source   invoice.Source
	Provider string
	Model    string
	Local    bool
	Usage    sdk.Usage // of the calls that this reading took
}

// cached answers from the cache what can be answered from there, and keeps what next gives and may be kept. accept looks at a
// kept value once more, for a rule may have come since, or a date have passed: what it refuses is asked for anew.
func (c *Chain) cached(owner, key string, accept func(value []byte) bool, next work) work {
	if c.config.Replies == nil || c.config.CacheTTL <= 0 {
		return next
	}
	return func(ctx context.Context, observe func(invoice.Progress)) result {
		// An error is as good as an empty cache; so is a value that nobody can read.
		if packed, err := c.config.Replies.Get(ctx, key); err == nil && packed != nil {
			if value, err := c.codec.unpack(packed); err == nil && accept(value) {
				return result{value: value, from: fromCache}
			}
		}
		res := next(ctx, observe)
		if res.keep && res.from == fromProvider {
			// Also when the client has left meanwhile: it is paid for.
			if err := c.config.Replies.Put(context.WithoutCancel(ctx), owner, key, c.codec.pack(res.value), c.config.CacheTTL); err != nil {
				c.config.Log.DebugContext(ctx, "a reading was not cached", "error", err)
			}
			res.keep = false // once is enough
		}
		return res
	}
}

// cacheKey is sha256(pages in order):question. Any byte that a provider would see makes another key, and so does the border
// between two pages.
func cacheKey(pages []invoice.DocumentPage, question string) string {
	h := sha256.New()
	for _, p := range pages {
		part(h, p.MediaType)
		partBytes(h, p.Data)
		part(h, p.Text)
	}
	return hex.EncodeToString(h.Sum(nil)) + ":" + question
}

// question is sha256(prompts + schemas + version).
func question(version string, asked ...prompts.Prompt) string {
	h := sha256.New()
	part(h, version)
	for _, p := range asked {
		part(h, p.Version)
		part(h, p.Instructions)
		part(h, p.SchemaName)
		partBytes(h, p.Schema)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func part(h hash.Hash, s string) {
	partLength(h, len(s))
	_, _ = io.WriteString(h, s) // a hash never fails
}

func partBytes(h hash.Hash, b []byte) {
	partLength(h, len(b))
	_, _ = h.Write(b) // a hash never fails
}

// partLength keeps "ab"+"c" and "a"+"bc" apart.
func partLength(h hash.Hash, n int) {
	_, _ = io.WriteString(h, strconv.Itoa(n)+":") // a hash never fails
}

// codec compresses values for Redis: a reading of thirty lines goes from 8 KB to 1.5 KB.
type codec struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

// maxAnswer bounds an unpacked value in bytes, several times what the longest purchase takes.
const maxAnswer = 8 << 20

func newCodec() (*codec, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	return &codec{encoder, decoder}, nil
}

func (c *codec) pack(value []byte) []byte { return c.encoder.EncodeAll(value, nil) }

func (c *codec) unpack(packed []byte) ([]byte, error) {
	value, err := c.decoder.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return value, nil
}
