package llmstub

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// longRun is how many Base64 characters in a row are taken out of a body before its JSON is read.
const longRun = 4096

// payload is the body of a request, with its pictures taken out: reading JSON is slow, and a picture is most of a body. In their
// place stand marks that no Base64 has.
type payload struct {
	json []byte
	size int // of the whole body
	runs []string
}

func pack(body []byte) payload {
	p := payload{size: len(body)}
	rest := body
	for start, i := 0, 0; i <= len(rest); i++ {
		if i < len(rest) && isBase64(rest[i]) {
			continue
		}
		if i-start >= longRun {
			p.json = append(p.json, rest[:start]...)
			p.json = append(p.json, mark(len(p.runs))...)
			p.runs = append(p.runs, string(rest[start:i]))
			rest, i = rest[i:], 0
		}
		start = i + 1
	}
	p.json = append(p.json, rest...)
	return p
}

func isBase64(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '='
}

func mark(i int) string { return "<#" + strconv.Itoa(i) + "#>" }

// text puts back what was taken out.
func (p payload) text(s string) string {
	if !strings.Contains(s, "<#") {
		return s
	}
	for i, run := range p.runs {
		if s == mark(i) {
			return run
		}
		s = strings.ReplaceAll(s, mark(i), run)
	}
	return s
}

// bytes decodes Base64.
func (p payload) bytes(s string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(p.text(s))
	if err != nil {
		return nil, fmt.Errorf("decode base64: %w", err)
	}
	return data, nil
}
