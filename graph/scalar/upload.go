package scalar

import (
	"context"
	"errors"
	"io"

	"github.com/99designs/gqlgen/graphql"
)

// MarshalUpload always fails: a file goes in and never out.
func MarshalUpload(graphql.Upload) graphql.ContextMarshaler {
	return graphql.ContextWriterFunc(func(context.Context, io.Writer) error {
		return errors.New("an Upload cannot be answered")
	})
}

// UnmarshalUpload takes what the multipart transport put into the variables.
func UnmarshalUpload(_ context.Context, v any) (graphql.Upload, error) {
	u, ok := v.(graphql.Upload)
	if !ok {
		return graphql.Upload{}, &Error{"Upload takes a file of a multipart request."}
	}
	return u, nil
}
