package llmstub

import (
	"encoding/json"
	"strings"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Request is what a vendor was asked, whatever the wire format.
type Request struct {
	Vendor Vendor
	Model  string
	Stream bool
	// Task is inferred: a schema with access_key and items is TaskExtract, one with insights or any other without a picture
	// TaskAnalyze, the rest TaskProbe.
	Task sdk.Task
	// Instructions are the system part, Text the user's, joined with line feeds.
	Instructions, Text string
	Media              []Media
	Schema             json.RawMessage // nil for free text
	SchemaName         string
	MaxOutputTokens    int64 // 0 when the request does not say
	// AccessKey of the receipt that was recognised; "" for none.
	AccessKey string

	effort       effort
	prefixMarked bool // Anthropic: a cache_control is there
	wantsUsage   bool // OpenAI: usage is streamed on demand
	thoughts     bool // Gemini: includeThoughts
	resumed      bool // Gemini: carries a continuation token
	hidden       bool // Anthropic: thinking.display omitted
}

// Media is a picture or a PDF in a request.
type Media struct {
	Type string // media type as declared
	Data []byte

	sum string // hash of Data
}

func newMedia(mediaType string, data []byte) Media { return Media{mediaType, data, hash(data)} }

// effort is how much a request lets the model think.
type effort int

const (
	effortDefault effort = iota
	effortLow
	effortNone
)

func effortNamed(name string) effort {
	switch strings.ToLower(name) {
	case "none", "minimal", "off", "disabled":
		return effortNone
	case "low":
		return effortLow
	}
	return effortDefault
}

func (r *Request) infer() {
	var schema struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if len(r.Schema) > 0 {
		if json.Unmarshal(r.Schema, &schema) != nil {
			schema.Properties = nil // the vendor's check has spoken of it
		}
	}
	_, key := schema.Properties["access_key"]
	_, items := schema.Properties["items"]
	_, insights := schema.Properties["insights"]
	switch {
	case key && items:
		r.Task = sdk.TaskExtract
	case insights, len(r.Schema) > 0 && len(r.Media) == 0:
		r.Task = sdk.TaskAnalyze
	default:
		r.Task = sdk.TaskProbe
	}
}

// think is how many tokens the model thinks when it would think n by itself.
func (r *Request) think(n int64) int64 {
	switch r.effort {
	case effortNone:
		return 0
	case effortLow:
		return n / 4
	case effortDefault:
	}
	return n
}
