package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
)

// redacted is what a secret looks like.
const redacted = "[redacted]"

// Secret is a value that is never shown: fmt with any verb, encoding/json, every text encoding and slog print [redacted], or
// nothing when it is empty. Keep it in exported fields: fmt reads unexported ones without asking.
type Secret string

// Reveal is the secret itself.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format prints [redacted] whatever the verb.
func (s Secret) Format(f fmt.State, verb rune) { formatShown(f, verb, s.String()) }

// MarshalText serves encoding/json, encoding/xml and YAML libraries.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue serves slog handlers.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// SecretURL is an address that may carry a password. It prints without its user, password and parameters, so that a log
// tells which server is meant.
type SecretURL string

// Reveal is the whole address.
func (u SecretURL) Reveal() string { return string(u) }

// String is scheme, host and path; [redacted] when the address does not look like one.
func (u SecretURL) String() string {
	if u == "" {
		return ""
	}
	p, err := url.Parse(string(u))
	if err != nil || p.Scheme == "" || p.Opaque != "" || p.Host == "" && p.Path == "" {
		return redacted
	}
	return (&url.URL{Scheme: p.Scheme, Host: p.Host, Path: p.Path}).String()
}

// Format prints what String does, whatever the verb.
func (u SecretURL) Format(f fmt.State, verb rune) { formatShown(f, verb, u.String()) }

// MarshalText serves encoding/json, encoding/xml and YAML libraries.
func (u SecretURL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// LogValue serves slog handlers.
func (u SecretURL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// formatShown writes the part that may be shown, in quotes where the verb asks for Go syntax.
func formatShown(f fmt.State, verb rune, shown string) {
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		shown = strconv.Quote(shown)
	}
	_, _ = f.Write([]byte(shown)) // fmt.State keeps its own errors
}
