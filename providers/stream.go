package providers

import (
	"context"
	"fmt"
	"strings"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// maxReply bounds a reply in bytes. A purchase of a thousand lines takes a tenth of it.
const maxReply = 2 << 20

// call asks one provider once. observe is told of every item that has come in whole.
type call func(ctx context.Context, req sdk.Request, observe func(items int)) (reply, error)

// reply is what a call gave: the text as far as it came, also beside an error.
type reply struct {
	text   string
	result sdk.Result
	items  int // that could be used of it
}

// notAskedError is why a provider was not called although it was its turn. It is no attempt: nothing was sent and nothing is billed.
type notAskedError struct{ err error }

func (e *notAskedError) Error() string { return "not asked: " + e.err.Error() }
func (e *notAskedError) Unwrap() error { return e.err }

// replyError says that a provider answered, and that the answer cannot be used.
type replyError struct{ why string }

func (e *replyError) Error() string { return "invalid reply: " + e.why }

// collect turns a provider's stream into a whole reply.
func collect(p sdk.Provider) call {
	return func(ctx context.Context, req sdk.Request, observe func(items int)) (reply, error) {
		var text strings.Builder
		var counter itemCounter
		result, err := p.Generate(ctx, req, func(piece string) error {
			if text.Len()+len(piece) > maxReply {
				return &replyError{fmt.Sprintf("more than %d bytes", maxReply)}
			}
			text.WriteString(piece)
			if counter.add(piece) {
				observe(counter.items)
			}
			return nil
		})
		res := reply{text: text.String(), result: result}
		if err != nil {
			return res, err
		}
		return res, complete(res)
	}
}

// complete says what is wrong with a reply that its provider calls a success.
func complete(r reply) error {
	switch {
	case r.result.FinishReason == sdk.FinishLength:
		return &sdk.Error{Kind: sdk.KindTruncated, Blame: sdk.BlameDownstream, Message: "the reply was cut off"}
	case r.result.FinishReason == sdk.FinishBlocked:
		return &sdk.Error{Kind: sdk.KindBlocked, Blame: sdk.BlameDownstream, Message: "the reply was blocked"}
	case strings.TrimSpace(r.text) == "":
		return &sdk.Error{Kind: sdk.KindEmpty, Blame: sdk.BlameDownstream, Message: "the reply was empty"}
	}
	return nil
}

// itemCounter counts the objects of the outermost object's "items" array as their text comes in. On text that is no JSON it
// counts something or nothing; the reply is parsed when it is whole.
type itemCounter struct {
	items    int
	depth    int
	inItems  bool // inside the array, which is at depth 2
	inString bool
	escaped  bool
	literal  []byte // of the string being read at depth 1, as far as it can be "items"
	key      string // the last string read at depth 1
}

// add takes the next piece and says whether items came to their end in it.
func (c *itemCounter) add(piece string) bool {
	before := c.items
	for i := range len(piece) {
		if c.inString {
			c.str(piece[i])
		} else {
			c.structure(piece[i])
		}
	}
	return c.items != before
}

// str takes a byte of a string.
func (c *itemCounter) str(b byte) {
	switch {
	case c.escaped:
		c.escaped = false
	case b == '\\':
		c.escaped = true
	case b == '"':
		c.inString = false
		if c.depth == 1 {
			c.key = string(c.literal)
		}
		return
	}
	if c.depth == 1 && len(c.literal) < len("items")+1 {
		c.literal = append(c.literal, b)
	}
}

// structure takes a byte between strings.
func (c *itemCounter) structure(b byte) {
	switch b {
	case '"':
		c.inString, c.literal = true, c.literal[:0]
	case '{', '[':
		c.depth++
		if b == '[' && c.depth == 2 && c.key == "items" {
			c.inItems = true
		}
	case '}', ']':
		c.depth--
		switch {
		case c.inItems && b == '}' && c.depth == 2:
			c.items++
		case c.depth < 2:
			c.inItems = false
		}
	case ',':
		if c.depth == 1 {
			c.key = ""
		}
	}
}
