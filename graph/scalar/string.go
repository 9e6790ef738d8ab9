package scalar

import (
	"strings"

	"github.com/99designs/gqlgen/graphql"
)

// MarshalString writes a String.
func MarshalString(s string) graphql.Marshaler { return graphql.MarshalString(s) }

// UnmarshalString reads a String without NUL, which PostgreSQL does not store, in valid UTF-8.
func UnmarshalString(v any) (string, error) {
	s, ok := v.(string)
	if !ok || strings.ContainsRune(s, 0) {
		return "", &Error{"String takes a text without NUL."}
	}
	return strings.ToValidUTF8(s, "\uFFFD"), nil
}
