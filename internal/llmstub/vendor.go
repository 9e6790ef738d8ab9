package llmstub

import "slices"

// Vendor is one of the wire formats that the stub speaks.
type Vendor string

// The vendors.
const (
	Gemini     Vendor = "gemini"
	OpenRouter Vendor = "openrouter"
	OpenAI     Vendor = "openai"
	Anthropic  Vendor = "anthropic"
)

// Vendors lists them in the product's default order.
func Vendors() []Vendor { return []Vendor{Gemini, OpenRouter, OpenAI, Anthropic} }

// BasePath is what follows the stub's URL in a plugin's base URL: the part of the path that the vendor's SDK does not add
// itself.
func (v Vendor) BasePath() string {
	switch v {
	case OpenAI:
		return "/v1"
	case OpenRouter:
		return "/api/v1"
	case Gemini, Anthropic, Elsewhere:
	}
	return ""
}

func (v Vendor) known() bool { return slices.Contains(Vendors(), v) }
