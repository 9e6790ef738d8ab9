package llmstub

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	_ "image/gif" // formats that vendors take
	_ "image/jpeg"
	_ "image/png"
	"strings"

	_ "golang.org/x/image/webp"
)

// Usage is what a call used, in tokens.
type Usage struct {
	Input      int64 `json:"input"`       // all of the prompt
	Cached     int64 `json:"cached"`      // of Input
	CacheWrite int64 `json:"cache_write"` // of Input
	Output     int64 `json:"output"`      // all that is billed, thinking included
	Thinking   int64 `json:"thinking"`    // of Output
	// CostMicroUSD is what OpenRouter says that the call has cost.
	CostMicroUSD int64 `json:"cost_micro_usd"`
}

func (u *Usage) add(v Usage) {
	u.Input += v.Input
	u.Cached += v.Cached
	u.CacheWrite += v.CacheWrite
	u.Output += v.Output
	u.Thinking += v.Thinking
	u.CostMicroUSD += v.CostMicroUSD
}

// textTokens is the usual rule of thumb.
func textTokens(n int) int64 { return int64(n+3) / 4 }

const (
	geminiTile      = 768 // pixels
	geminiTileCost  = 258 // tokens
	geminiSmall     = 384 // both sides within it: one tile
	pixelsPerToken  = 750 // Anthropic's rule; near enough for the others
	pdfPageTokens   = 1500
	unreadableImage = 258
)

// mediaTokens is what a vendor counts for a picture or a PDF, by its documented rule or near it. A reseller counts as the vendor
// whose model it sells.
func mediaTokens(v Vendor, model string, m Media) int64 {
	if v == OpenRouter && strings.HasPrefix(model, "google/") {
		v = Gemini
	}
	if m.Type == "application/pdf" {
		pages := max(1, int64(bytes.Count(m.Data, []byte("/Type /Page"))-bytes.Count(m.Data, []byte("/Type /Pages"))))
		if v == Gemini {
			return pages * geminiTileCost
		}
		return pages * pdfPageTokens
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(m.Data))
	if err != nil {
		return unreadableImage
	}
	if v == Gemini {
		if c.Width <= geminiSmall && c.Height <= geminiSmall {
			return geminiTileCost
		}
		return int64((c.Width+geminiTile-1)/geminiTile) * int64((c.Height+geminiTile-1)/geminiTile) * geminiTileCost
	}
	return max(1, int64(c.Width)*int64(c.Height)/pixelsPerToken)
}

// count is the usage of a reply. What comes first in the prompt and never changes, instructions and schema, is cached from the
// second time on; Anthropic caches only what is marked.
func (s *Stub) count(req *Request, opts VendorOptions, reply string, thinking int64) Usage {
	prefix := textTokens(len(req.Instructions) + len(req.Schema))
	u := Usage{Input: prefix + textTokens(len(req.Text)), Thinking: thinking}
	for _, m := range req.Media {
		u.Input += mediaTokens(req.Vendor, req.Model, m)
	}
	u.Output = thinking + textTokens(len(reply))

	cacheable := opts.CacheMinTokens >= 0 && prefix >= opts.CacheMinTokens && (req.Vendor != Anthropic || req.prefixMarked)
	if cacheable {
		sum := sha256.Sum256([]byte(req.Model + "\x00" + req.Instructions + "\x00" + string(req.Schema)))
		id := string(req.Vendor) + hex.EncodeToString(sum[:])
		s.mu.Lock()
		seen := s.prefixes[id]
		s.prefixes[id] = true
		s.mu.Unlock()
		switch {
		case seen && (req.Vendor == OpenAI || req.Vendor == OpenRouter):
			u.Cached = prefix / 128 * 128 // OpenAI counts in such steps
		case seen:
			u.Cached = prefix
		case req.Vendor == Anthropic:
			u.CacheWrite = prefix
		}
	}
	if req.Vendor == OpenRouter {
		u.CostMicroUSD = (u.Input*opts.InputPrice + u.Output*opts.OutputPrice + 500_000) / 1_000_000
	}
	return u
}
