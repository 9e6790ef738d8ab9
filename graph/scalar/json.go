package scalar

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/99designs/gqlgen/graphql"
)

// errJSONOut says that the service has a text for JSON that is none.
var errJSONOut = errors.New("a value is not JSON")

// MarshalJSON writes a JSON value as it is stored.
func MarshalJSON(raw json.RawMessage) graphql.ContextMarshaler {
	return graphql.ContextWriterFunc(func(_ context.Context, w io.Writer) error {
		if !json.Valid(raw) { // it would break the whole answer
			return errJSONOut
		}
		_, err := w.Write(raw)
		return err
	})
}

// UnmarshalJSON refuses any value: JSON is for answers alone.
func UnmarshalJSON(context.Context, any) (json.RawMessage, error) {
	return nil, &Error{"JSON is not taken as input."}
}
