package store

import (
	"strings"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// clean makes a text storable: PostgreSQL takes neither NUL nor broken UTF-8, and a receipt read by a machine may have both.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// fold is how texts are compared in a search: lower case, no accents, single blanks.
func fold(s string) string {
	folded, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), clean(s))
	if err != nil { // not with these transformers; the text as it is still finds something
		folded = clean(s)
	}
	return strings.Join(strings.Fields(strings.ToLower(folded)), " ")
}

// maxSearch bounds a search in characters: databases limit patterns, and no description is longer.
const maxSearch = 200

// pattern is a LIKE pattern, with the escape character !, for texts that contain s.
func pattern(s string) string {
	r := []rune(fold(s))
	s = string(r[:min(len(r), maxSearch)])
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s) + "%"
}

// canonical is an id in the one form that is stored. False says that it is none: nothing has it.
func canonical(id string) (string, bool) {
	u, err := uuid.Parse(id)
	if err != nil || len(id) != 36 {
		return "", false
	}
	return u.String(), true
}

// canonicals are the ids in their stored form, without those that are none.
func canonicals(ids []string) []string {
	found := make([]string, 0, len(ids))
	for _, id := range ids {
		if c, ok := canonical(id); ok {
			found = append(found, c)
		}
	}
	return found
}

// newID makes an id that sorts after those made before it.
func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	return id.String(), nil
}
