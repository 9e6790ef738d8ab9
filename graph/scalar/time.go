package scalar

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// errTimeOut says that the service has a time that RFC 3339 does not write.
var errTimeOut = errors.New("a time is no day, or outside the years 1 to 9999")

// MarshalDateTime writes a DateTime in RFC 3339 with the offset it has, to the millisecond.
func MarshalDateTime(t time.Time) graphql.ContextMarshaler {
	return marshalTime(t.Truncate(time.Millisecond), time.RFC3339Nano)
}

// UnmarshalDateTime reads an RFC 3339 text of the years 1 to 9999.
func UnmarshalDateTime(_ context.Context, v any) (time.Time, error) {
	return parseTime(v, time.RFC3339Nano, &Error{`DateTime takes RFC 3339: "2026-11-23T14:05:00-03:00".`})
}

// MarshalDate writes the day of t, in t's own zone.
func MarshalDate(t time.Time) graphql.ContextMarshaler { return marshalTime(t, time.DateOnly) }

// UnmarshalDate reads a day; the answer is its midnight in UTC.
func UnmarshalDate(_ context.Context, v any) (time.Time, error) {
	return parseTime(v, time.DateOnly, &Error{`Date takes year, month and day: "2026-11-23".`})
}

// MarshalDay writes a day that the domain keeps as a text, "2026-11-23".
func MarshalDay(day string) graphql.ContextMarshaler {
	return graphql.ContextWriterFunc(func(_ context.Context, w io.Writer) error {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return errTimeOut
		}
		_, err := io.WriteString(w, `"`+day+`"`)
		return err
	})
}

// UnmarshalDay reads what UnmarshalDate does, as a text.
func UnmarshalDay(ctx context.Context, v any) (string, error) {
	t, err := UnmarshalDate(ctx, v)
	return t.Format(time.DateOnly), err
}

func marshalTime(t time.Time, layout string) graphql.ContextMarshaler {
	return graphql.ContextWriterFunc(func(_ context.Context, w io.Writer) error {
		if y := t.Year(); y < 1 || y > 9999 {
			return errTimeOut
		}
		// Digits and punctuation: nothing to escape.
		_, err := io.WriteString(w, `"`+t.Format(layout)+`"`)
		return err
	})
}

func parseTime(v any, layout string, bad error) (time.Time, error) {
	s, ok := v.(string)
	if !ok || len(s) > len("2026-11-23T14:05:00.123456789-03:00") {
		return time.Time{}, bad
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return time.Time{}, bad
	}
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return time.Time{}, bad
	}
	return t, nil
}
