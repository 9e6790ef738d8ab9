package relay

import (
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// ErrCursor says that a text is no cursor that EncodeCursor made.
var ErrCursor = errors.New("not a cursor of this service")

const (
	// maxCursor bounds what is decoded, in bytes.
	maxCursor = 120
	// noTime stands for a sort value that is not there.
	noTime = "-"
)

// EncodeCursor is the opaque form of a place in a list.
func EncodeCursor(c invoice.Cursor) string {
	at := noTime
	if c.At != nil {
		at = c.At.UTC().Format(time.RFC3339Nano)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(at + "|" + c.ID))
}

// DecodeCursor is the inverse of EncodeCursor; the time comes back in UTC. It fails with ErrCursor.
func DecodeCursor(opaque string) (invoice.Cursor, error) {
	if len(opaque) > maxCursor {
		return invoice.Cursor{}, ErrCursor
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(opaque)
	if err != nil {
		return invoice.Cursor{}, ErrCursor
	}
	at, id, _ := strings.Cut(string(raw), "|")
	if u, err := uuid.Parse(id); err != nil || u.String() != id {
		return invoice.Cursor{}, ErrCursor
	}
	c := invoice.Cursor{ID: id}
	if at != noTime {
		t, err := time.Parse(time.RFC3339Nano, at)
		if err != nil {
			return invoice.Cursor{}, ErrCursor
		}
		t = t.UTC()
		c.At = &t
	}
	if EncodeCursor(c) != opaque {
		return invoice.Cursor{}, ErrCursor
	}
	return c, nil
}
