package relay

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/product"
)

// ErrCursor says that a text is no cursor that was made for the list.
var ErrCursor = errors.New("not a cursor of this service")

const (
	// maxCursor bounds what is decoded, in bytes. Names of products are the longest that is encoded.
	maxCursor = 2000
	// noTime stands for a sort value that is not there.
	noTime = "-"
	// nameMark begins what a list of products is sorted by, so that no other list's cursor is taken for one of its.
	nameMark = "name:"
)

// EncodeCursor is the opaque form of a place in a list of invoices.
func EncodeCursor(c invoice.Cursor) string {
	at := noTime
	if c.At != nil {
		at = formatTime(*c.At)
	}
	return encodePlace(at, c.ID)
}

// DecodeCursor is the inverse of EncodeCursor; the time comes back in UTC. It fails with ErrCursor.
func DecodeCursor(opaque string) (invoice.Cursor, error) {
	at, id, err := decodePlace(opaque)
	if err != nil {
		return invoice.Cursor{}, err
	}
	c := invoice.Cursor{ID: id}
	if at != noTime {
		t, err := parseTime(at)
		if err != nil {
			return invoice.Cursor{}, err
		}
		c.At = &t
	}
	return same(c, EncodeCursor(c), opaque)
}

// EncodeProductCursor is the opaque form of a place in a list of products.
func EncodeProductCursor(c product.Cursor) string { return encodePlace(nameMark+c.Name, c.ID) }

// DecodeProductCursor is the inverse of EncodeProductCursor. It fails with ErrCursor.
func DecodeProductCursor(opaque string) (product.Cursor, error) {
	value, id, err := decodePlace(opaque)
	if err != nil {
		return product.Cursor{}, err
	}
	name, ok := strings.CutPrefix(value, nameMark)
	if !ok || !utf8.ValidString(name) || strings.ContainsRune(name, 0) { // databases do not store NUL
		return product.Cursor{}, ErrCursor
	}
	c := product.Cursor{Name: name, ID: id}
	return same(c, EncodeProductCursor(c), opaque)
}

// EncodeInsightCursor is the opaque form of a place in a list of insights.
func EncodeInsightCursor(c insight.Cursor) string {
	return encodePlace(strconv.Itoa(c.Rank)+" "+formatTime(c.At), c.ID)
}

// DecodeInsightCursor is the inverse of EncodeInsightCursor; the time comes back in UTC. It fails with ErrCursor.
func DecodeInsightCursor(opaque string) (insight.Cursor, error) {
	value, id, err := decodePlace(opaque)
	if err != nil {
		return insight.Cursor{}, err
	}
	digits, at, _ := strings.Cut(value, " ")
	rank, err := strconv.ParseInt(digits, 10, 8)
	if err != nil {
		return insight.Cursor{}, ErrCursor
	}
	t, err := parseTime(at)
	if err != nil {
		return insight.Cursor{}, err
	}
	c := insight.Cursor{Rank: int(rank), At: t, ID: id}
	return same(c, EncodeInsightCursor(c), opaque)
}

// encodePlace is the opaque form of what a list is sorted by, which may hold any character, and the id there.
func encodePlace(value, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(value + "|" + id))
}

func decodePlace(opaque string) (value, id string, err error) {
	if len(opaque) > maxCursor {
		return "", "", ErrCursor
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(opaque)
	if err != nil {
		return "", "", ErrCursor
	}
	place := string(raw)
	bar := strings.LastIndexByte(place, '|')
	if bar < 0 {
		return "", "", ErrCursor
	}
	value, id = place[:bar], place[bar+1:]
	if u, err := uuid.Parse(id); err != nil || u.String() != id {
		return "", "", ErrCursor
	}
	return value, id, nil
}

func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, ErrCursor
	}
	return t.UTC(), nil
}

// same keeps two texts from naming the same place.
func same[C any](c C, encoded, opaque string) (C, error) {
	if encoded != opaque {
		var none C
		return none, ErrCursor
	}
	return c, nil
}
