package vendorhttp

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxMessage is the most of a vendor's words that are kept, in bytes.
	maxMessage = 200
	// maxToken is the longest word that is kept: a longer one is a key, a picture or a document.
	maxToken = 40
	// maxDigits is the longest run of digits that is kept, dots and dashes not counted: a longer one may be a person's number.
	maxDigits = 7
	// maxQuote is the longest run of the request's own text that may be quoted back, in bytes.
	maxQuote = 16
	redacted = "[redacted]"
)

// Clean makes a vendor's words fit for a log: one short line without secrets, long tokens and long numbers. When they quote one
// of private, which is what the request was about, nothing of them is kept.
func Clean(message string, secrets []string, private ...string) string {
	message = strings.ToValidUTF8(message, "")
	for _, s := range secrets {
		if s != "" {
			message = strings.ReplaceAll(message, s, redacted)
		}
	}
	words := strings.FieldsFunc(message, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
	for i, w := range words {
		if w != redacted && (len(w) > maxToken || digits(w) > maxDigits) {
			words[i] = redacted
		}
	}
	message = shorten(strings.Join(words, " "))
	for _, p := range private {
		if quotes(message, p) {
			return "the vendor's message quotes the request and is left out"
		}
	}
	return message
}

func digits(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

func shorten(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	s = s[:maxMessage]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// quotes says whether a run of maxQuote bytes of message is one of text, blanks not counted as they may have been folded.
func quotes(message, text string) bool {
	message, text = strings.Join(strings.Fields(message), ""), strings.Join(strings.Fields(text), "")
	for i := 0; i+maxQuote <= len(message); i++ {
		if strings.Contains(text, message[i:i+maxQuote]) {
			return true
		}
	}
	return false
}
