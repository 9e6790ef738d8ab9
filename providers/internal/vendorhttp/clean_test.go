package vendorhttp

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestClean(t *testing.T) {
	t.Parallel()
	const key = "sk-a b"
	long := strings.Repeat("x", 41)
	const omitted = "the vendor's message quotes the request and is left out"
	for message, want := range map[string]string{
		"Rate limit reached":                   "Rate limit reached",
		"Incorrect API key: sk-a b.":           "Incorrect API key: [redacted].",
		"two\n lines\x00\t\x1b[31m":            "two lines [31m",
		"key " + long + " here":                "key [redacted] here",
		"CPF 529.982.247-25 unknown":           "CPF [redacted] unknown",
		"Limit 200000, used 199999":            "Limit 200000, used 199999",
		"bad \xff byte":                        "bad byte",
		"cannot read 'LEITE  UHT INTEGRAL 1L'": omitted,
		"cannot read 'LEITE UHT'":              "cannot read 'LEITE UHT'",
		strings.Repeat("é ", 150):              strings.Repeat("é ", 66) + "é…",
		"":                                     "",
	} {
		assert.Equal(t, want, Clean(message, []string{key, ""}, "", "1 LEITE UHT INTEGRAL 1L 5,99"), "%q", message)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("Incorrect API key provided: s3cret-key", "COMPRA DE TESTE NO MERCADO")
	f.Add("\xffa\u2028b "+strings.Repeat("9", 50), "")
	f.Add(strings.Repeat("s3cret-key", 30), "s3cret")
	f.Fuzz(func(t *testing.T, message, private string) {
		out := Clean(message, []string{"s3cret-key"}, private)
		if strings.Contains(out, "s3cret-key") {
			t.Errorf("%q holds the key", out)
		}
		if !utf8.ValidString(out) || len(out) > maxMessage+len("…") || strings.ContainsAny(out, "\n\r\x00\x1b") {
			t.Errorf("%q is not a short line", out)
		}
	})
}
