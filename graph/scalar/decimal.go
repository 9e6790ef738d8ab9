package scalar

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/shopspring/decimal"
)

// maxDigits is how many digits a Decimal from outside may have on either side of its point.
const maxDigits = 20

// MarshalDecimal writes a Decimal as a string, without an exponent and with the decimals it has.
func MarshalDecimal(d decimal.Decimal) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		// Digits, a sign and a point: nothing to escape.
		_, _ = io.WriteString(w, `"`+d.String()+`"`)
	})
}

// UnmarshalDecimal reads a Decimal: a string, or a number as the client wrote it.
func UnmarshalDecimal(v any) (decimal.Decimal, error) {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case json.Number:
		s = v.String()
	default:
		return decimal.Zero, errDecimal()
	}
	if !isDecimal(s) {
		return decimal.Zero, errDecimal()
	}
	d, err := decimal.NewFromString(s)
	if err != nil {
		return decimal.Zero, errDecimal()
	}
	return d, nil
}

// isDecimal says whether s is digits with an optional sign and point: no exponent, which would make a short text a huge number.
func isDecimal(s string) bool {
	whole, fraction, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	return isDigits(whole) && (!point || isDigits(fraction))
}

func isDigits(s string) bool {
	return s != "" && len(s) <= maxDigits && strings.Trim(s, "0123456789") == ""
}

func errDecimal() error {
	return &Error{`Decimal takes a text like "1.25", with at most 20 digits on either side of the point.`}
}
