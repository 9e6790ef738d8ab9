package relay

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/google/uuid"
)

// The types that have ids.
const (
	TypeInvoice    = "Invoice"
	TypeItem       = "Item"
	TypeFile       = "File"
	TypeUser       = "User"
	TypeProduct    = "Product"
	TypeInsight    = "Insight"
	TypeSignIn     = "SignIn"
	TypeAuditEntry = "AuditEntry"
)

// ErrID says that a text is no id that EncodeID made.
var ErrID = errors.New("not an id of this service")

// maxID bounds what is decoded, in bytes; the longest id that EncodeID makes has 59.
const maxID = 80

// EncodeID is the opaque id of the object of the type with the uuid.
func EncodeID(typ, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(typ + ":" + id))
}

// DecodeID takes an opaque id apart. It fails with ErrID on anything that EncodeID does not make of a known type and a uuid in
// its usual form, so that two texts never name the same object.
func DecodeID(opaque string) (typ, id string, err error) {
	if len(opaque) > maxID {
		return "", "", ErrID
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(opaque)
	if err != nil {
		return "", "", ErrID
	}
	typ, id, _ = strings.Cut(string(raw), ":")
	switch typ {
	case TypeInvoice, TypeItem, TypeFile, TypeUser, TypeProduct, TypeInsight, TypeSignIn, TypeAuditEntry:
	default:
		return "", "", ErrID
	}
	u, err := uuid.Parse(id)
	if err != nil || u.String() != id || EncodeID(typ, id) != opaque {
		return "", "", ErrID
	}
	return typ, id, nil
}
