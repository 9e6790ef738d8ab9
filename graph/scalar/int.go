package scalar

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
)

// errIntOut says that the service has a number that the API's Int does not hold.
var errIntOut = errors.New("a number does not fit the API's Int of 32 bits")

// MarshalInt writes an Int. A number beyond the 32 bits of GraphQL's Int is an error of its field.
func MarshalInt(i int) graphql.ContextMarshaler {
	return graphql.ContextWriterFunc(func(_ context.Context, w io.Writer) error {
		if i < math.MinInt32 || i > math.MaxInt32 {
			return errIntOut
		}
		_, err := io.WriteString(w, strconv.Itoa(i))
		return err
	})
}

// UnmarshalInt reads an Int: a whole number of 32 bits, and no number in quotes.
func UnmarshalInt(_ context.Context, v any) (int, error) {
	i, err := int64Of(v)
	if err != nil || i < math.MinInt32 || i > math.MaxInt32 {
		return 0, &Error{"Int takes a whole number of 32 bits."}
	}
	return int(i), nil
}

// MarshalInt64 writes an Int that may go beyond 32 bits, up to what JavaScript counts exactly: amounts and sizes, where failing
// would hide a whole purchase because of one misread figure.
func MarshalInt64(i int64) graphql.ContextMarshaler {
	const exact = 1 << 53
	return graphql.ContextWriterFunc(func(_ context.Context, w io.Writer) error {
		if i < -exact || i > exact {
			return errIntOut
		}
		_, err := io.WriteString(w, strconv.FormatInt(i, 10))
		return err
	})
}

// UnmarshalInt64 reads what UnmarshalInt does: more than 32 bits are for answers alone.
func UnmarshalInt64(ctx context.Context, v any) (int64, error) {
	i, err := UnmarshalInt(ctx, v)
	return int64(i), err
}

// int64Of takes what a query's literal and a decoded variable can be.
func int64Of(v any) (int64, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case int:
		return int64(v), nil
	case json.Number:
		return strconv.ParseInt(v.String(), 10, 64)
	default:
		return 0, strconv.ErrSyntax
	}
}
