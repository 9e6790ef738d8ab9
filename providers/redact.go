package providers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

const (
	redacted = "[redacted]"
	// minSecret is the shortest value in bytes that is taken for a secret: shorter ones would tear holes in ordinary text.
	minSecret = 6
)

// Redactor takes API keys and CPFs out of what comes back from plugins: replies, errors and logs. It knows the secrets that
// the plugins were given, in clear and as they look inside a URL, and the shapes of the vendors' keys.
type Redactor struct {
	secrets *strings.Replacer
	shapes  *regexp.Regexp
}

// NewRedactor knows these secrets besides the shapes of keys.
func NewRedactor(secrets ...string) *Redactor {
	// Longest first: a secret that contains another must go as a whole.
	secrets = slices.Clone(secrets)
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range secrets {
		if len(s) < minSecret {
			continue
		}
		pairs = append(pairs, s, redacted)
		if escaped := url.QueryEscape(s); escaped != s {
			pairs = append(pairs, escaped, redacted)
		}
	}
	return &Redactor{
		secrets: strings.NewReplacer(pairs...),
		shapes: regexp.MustCompile(`\bsk-[A-Za-z0-9_-]{16,}` + // OpenAI, OpenRouter, Anthropic
			`|\bAIza[A-Za-z0-9_-]{30,}` + // Google
			`|\bya29\.[A-Za-z0-9_.-]{20,}` + // Google, OAuth
			`|(?i:\bbearer\s+)[A-Za-z0-9._~+/=-]{8,}` +
			`|[?&]key=[A-Za-z0-9._~%+/=-]{8,}` + // Google, in a URL
			`|(?i:\b(?:x-goog-api-key|x-api-key|api[_-]?key|access[_-]?token)\b["']?\s*[:=]\s*["']?)[A-Za-z0-9._~+/=-]{8,}`),
	}
}

// Text is s without keys and with CPFs masked.
func (r *Redactor) Text(s string) string { return fiscal.MaskCPFs(r.keys(s)) }

func (r *Redactor) keys(s string) string {
	s = r.secrets.Replace(s)
	if !mayHoldKey(s) {
		return s
	}
	return r.shapes.ReplaceAllString(s, redacted)
}

// mayHoldKey is false where none of the shapes can match: it looks for a part that each of them begins with or holds, which
// takes a fiftieth of the time.
func mayHoldKey(s string) bool {
	if strings.ContainsAny(s, "\u017f\u212a") { // without regard to case, the expression takes these for an s and a k
		return true
	}
	lower := strings.ToLower(s)
	for _, sign := range [...]string{
		"sk-", "aiza", "ya29.", "bearer", "?key=", "&key=", "api-key", "api_key", "apikey", "access-token", "access_token", "accesstoken",
	} {
		if strings.Contains(lower, sign) {
			return true
		}
	}
	return false
}

// Error is e redacted; e itself is left as it was.
func (r *Redactor) Error(e *sdk.Error) *sdk.Error {
	clean := *e
	clean.Message = clip(r.Text(e.Message), maxErrorMessage)
	return &clean
}

// maxErrorMessage bounds what is kept of a plugin's error, in runes.
const maxErrorMessage = 2000

// Reply is a reply redacted. In JSON each value is looked at for itself, so that the reply stays JSON; the numbers that only
// look like a CPF by chance are spared where the field's name says what they are.
func (r *Redactor) Reply(s string) string {
	// Nearly always there is nothing to take out, and parsing takes ten times as long. An escape could hide something.
	if !strings.Contains(s, `\`) && r.Text(s) == s {
		return s
	}
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return r.Text(s)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return r.Text(s)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r.value("", v)); err != nil {
		return r.Text(s)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func (r *Redactor) value(field string, v any) any {
	switch v := v.(type) {
	case string:
		if plainNumber(field) {
			return r.keys(v)
		}
		return r.Text(v)
	case json.Number:
		if s := v.String(); !plainNumber(field) && fiscal.MaskCPFs(s) != s {
			return fiscal.MaskCPFs(s)
		}
		return v
	case []any:
		for i := range v {
			v[i] = r.value(field, v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = r.value(k, v[k])
		}
	}
	return v
}

// plainNumber names the fields of a receipt whose bare digits are something else than a CPF.
func plainNumber(field string) bool {
	switch field {
	case "access_key", "number", "series", "protocol", "issuer_cnpj", "code", "gtin":
		return true
	}
	return false
}

// clip shortens s to at most n runes.
func clip(s string, n int) string {
	count := 0
	for i := range s {
		if count == n {
			return s[:i]
		}
		count++
	}
	return s
}

// redact cleans what a call gives back before anyone else sees it.
func redact(r *Redactor, next call) call {
	return func(ctx context.Context, req sdk.Request, observe func(items int)) (reply, error) {
		res, err := next(ctx, req, observe)
		res.text = r.Reply(res.text)
		if e, ok := errors.AsType[*sdk.Error](err); ok {
			err = r.Error(e)
		}
		return res, err
	}
}
