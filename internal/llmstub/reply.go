package llmstub

import (
	"context"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// hugeReply is the size of FaultHuge in bytes.
const hugeReply = 5 << 20

// finish is why a reply ended.
type finish int

const (
	finishStop finish = iota
	finishLength
	finishSafety
	finishRecitation
	finishRefused
	finishPromptBlocked
	finishContinue
)

// answer is a reply, whatever the wire format.
type answer struct {
	id, model string
	created   int64 // seconds
	text      string
	finish    finish
	refusal   string
	thought   bool // thinking is shown as a block of its own
	usage     Usage
	errored   bool // FaultErrorIn200, FaultStreamError without a stream
}

// truth is the text of a good reply.
func (s *Stub) truth(ctx context.Context, req *Request) string {
	receipt, known := s.recognise(ctx, req)
	if known {
		req.AccessKey = receipt.AccessKey
	}
	if s.opts.Reply != nil {
		if text, ok := s.opts.Reply(*req); ok {
			return text
		}
	}
	switch req.Task {
	case sdk.TaskExtract:
		if known {
			return encode(receipt)
		}
		if s.opts.Unknown != nil {
			return s.opts.Unknown(*req)
		}
		if len(req.Media) == 0 && strings.TrimSpace(req.Text) == "" {
			return encode(invented())
		}
		return encode(emptyInstance(req.Schema))
	case sdk.TaskAnalyze:
		return words(req)
	case sdk.TaskProbe:
	}
	word := s.word(ctx, req)
	if word == "" {
		word = "CASA" // a guess
	}
	var schema schemaNode
	if len(req.Schema) > 0 && json.Unmarshal(req.Schema, &schema) == nil && len(schema.Required) > 0 {
		reply, _ := emptyInstance(req.Schema).(map[string]any)
		reply[schema.Required[0]] = word
		return encode(reply)
	}
	return word
}

// invented is a receipt that nobody showed: plausible, and its figures agree.
func invented() sdk.Receipt {
	const seed = 404
	r := receipts.Generate(receipts.NewRand(seed), receipts.Options{Plain: true, Items: 3})
	return fromTruth(r.PaperTruth(receipts.Styles()[0]))
}

func encode(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return "{}" // cannot be: strings, numbers and lists of them
	}
	return string(data)
}

// spoil applies the faults that are in what a reply says.
func (s *Stub) spoil(f Fault, req *Request, a *answer) {
	switch f {
	case FaultEmpty:
		a.text = ""
	case FaultEmptyRecitation:
		a.text, a.finish = "", finishRecitation
	case FaultEmptySafety:
		a.text, a.finish = "", finishSafety
	case FaultPromptBlocked:
		a.text, a.finish = "", finishPromptBlocked
	case FaultEmptyMaxTokens:
		a.text, a.finish = "", finishLength
	case FaultRefusal:
		a.text, a.finish, a.refusal = "", finishRefused, "I'm sorry, but I can't help with that."
	case FaultTruncated:
		a.text, a.finish = firstHalf(a.text), finishLength
	case FaultContinuation:
		if !req.resumed {
			a.text, a.finish = firstHalf(a.text), finishContinue
		}
	case FaultInvalidJSON:
		a.text = strings.TrimSuffix(a.text, "}") + `,"`
	case FaultFenced:
		a.text = "```json\n" + a.text + "\n```"
	case FaultWrongFigures, FaultInjected, FaultHuge:
		a.text = falsify(f, req, a.text)
	case FaultWrongOnce:
		if !s.repaired(req) {
			a.text = falsify(f, req, a.text)
		}
	default:
	}
}

// falsify changes what a reply says, and not its form.
func falsify(f Fault, req *Request, text string) string {
	if req.Task == sdk.TaskAnalyze {
		return spoilWords(f, text)
	}
	switch f {
	case FaultInjected:
		return change(text, func(r *sdk.Receipt) { r.Due = "0.01" })
	case FaultHuge:
		return change(text, func(r *sdk.Receipt) { r.IssuerName = strings.Repeat("MERCADO ", hugeReply/8) })
	default:
		return wrongFigures(text)
	}
}

// repaired says that the vendor gave wrong figures for the same pictures before, and is asked with other words now.
func (s *Stub) repaired(req *Request) bool {
	var pages strings.Builder
	for _, m := range req.Media {
		pages.WriteString(m.sum)
	}
	id := string(req.Vendor) + pages.String()
	words := hash([]byte(req.Instructions + req.Text))
	s.mu.Lock()
	defer s.mu.Unlock()
	before, ok := s.wrong[id]
	if !ok {
		s.wrong[id] = words
		return false
	}
	return before != words
}

// wrongFigures changes one digit: of the first line's total, or of the amount due where there is no line.
func wrongFigures(text string) string {
	return change(text, func(r *sdk.Receipt) {
		figure := &r.Due
		if len(r.Items) > 0 {
			figure = &r.Items[0].Total
		}
		at := strings.IndexByte(*figure, '.') - 1
		if at < 0 {
			*figure = "1.00"
			return
		}
		digits := []byte(*figure)
		digits[at] = '0' + (digits[at]-'0'+1)%10
		*figure = string(digits)
	})
}

// change changes a reply that is a receipt, and leaves another as it is.
func change(text string, how func(*sdk.Receipt)) string {
	var r sdk.Receipt
	if json.Unmarshal([]byte(text), &r) != nil {
		return text
	}
	how(&r)
	return encode(r)
}

func firstHalf(text string) string {
	half := len(text) / 2
	for half > 0 && !utf8.RuneStart(text[half]) {
		half--
	}
	return text[:half]
}

// pieces cuts a text into pieces of some n bytes, between characters.
func pieces(text string, n int) []string {
	var out []string
	for len(text) > n {
		end := n
		for end < len(text) && !utf8.RuneStart(text[end]) {
			end++
		}
		out = append(out, text[:end])
		text = text[end:]
	}
	if text != "" {
		out = append(out, text)
	}
	return out
}
