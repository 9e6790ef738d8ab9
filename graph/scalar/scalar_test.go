package scalar_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/graph/scalar"
)

// written is what a marshaller writes, which must be JSON.
func written(t *testing.T, m any) (string, error) {
	t.Helper()
	var buf bytes.Buffer
	var err error
	switch m := m.(type) {
	case graphql.ContextMarshaler:
		err = m.MarshalGQLContext(t.Context(), &buf)
	case graphql.Marshaler:
		m.MarshalGQL(&buf)
	}
	if err == nil {
		require.True(t, json.Valid(buf.Bytes()), buf.String())
	}
	return buf.String(), err
}

func TestInt(t *testing.T) {
	t.Parallel()
	for _, v := range []any{int64(7), 7, json.Number("7"), json.Number("-2147483648"), int64(math.MaxInt32)} {
		_, err := scalar.UnmarshalInt(t.Context(), v)
		require.NoError(t, err, v)
	}
	for _, v := range []any{
		"7", nil, true, 1.0, json.Number("1.5"), json.Number("1e3"), json.Number("2147483648"), int64(math.MinInt32) - 1,
		json.Number("99999999999999999999"),
		[]any{1},
		map[string]any{},
	} {
		_, err := scalar.UnmarshalInt(t.Context(), v)
		var shown *scalar.Error
		require.ErrorAs(t, err, &shown, v)
		_, err = scalar.UnmarshalInt64(t.Context(), v)
		require.ErrorAs(t, err, &shown, v)
	}
	s, err := written(t, scalar.MarshalInt(math.MinInt32))
	require.NoError(t, err)
	assert.Equal(t, "-2147483648", s)
	_, err = written(t, scalar.MarshalInt(math.MaxInt32+1))
	require.Error(t, err)
	s, err = written(t, scalar.MarshalInt64(9_999_999_999_999_99))
	require.NoError(t, err, "the largest amount that is accepted")
	assert.Equal(t, "999999999999999", s)
	_, err = written(t, scalar.MarshalInt64(1<<53+1))
	require.Error(t, err, "JavaScript would round it")
}

func TestString(t *testing.T) {
	t.Parallel()
	s, err := scalar.UnmarshalString("olá \U0001F34C")
	require.NoError(t, err)
	assert.Equal(t, "olá \U0001F34C", s)
	s, err = scalar.UnmarshalString("a\xff")
	require.NoError(t, err)
	assert.Equal(t, "a\uFFFD", s)
	for _, v := range []any{"a\x00b", 7, nil} {
		_, err = scalar.UnmarshalString(v)
		var shown *scalar.Error
		require.ErrorAs(t, err, &shown)
	}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	_, err := scalar.UnmarshalUpload(t.Context(), graphql.Upload{})
	require.NoError(t, err)
	_, err = scalar.UnmarshalUpload(t.Context(), "file")
	require.Error(t, err)
	_, err = written(t, scalar.MarshalUpload(graphql.Upload{}))
	require.Error(t, err)
}

func TestTimesOutsideTheCalendarAreNotWritten(t *testing.T) {
	t.Parallel()
	_, err := written(t, scalar.MarshalDateTime(time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)))
	require.Error(t, err)
	s, err := written(t, scalar.MarshalDateTime(time.Date(2026, 11, 23, 14, 5, 0, 123_456_789, time.FixedZone("", -3*3600))))
	require.NoError(t, err)
	assert.Equal(t, `"2026-11-23T14:05:00.123-03:00"`, s)
	s, err = written(t, scalar.MarshalDate(time.Date(2026, 11, 23, 23, 0, 0, 0, time.FixedZone("", -3*3600))))
	require.NoError(t, err)
	assert.Equal(t, `"2026-11-23"`, s, "the day in the time's own zone")
}

func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"0", "-1.50", "12345678901234567890.12345678901234567890", "1e9", "NaN", ".5", "5.", "+1", "1,5", "--1", "1.2.3", " 1", "٣"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := scalar.UnmarshalDecimal(s)
		if err != nil {
			var shown *scalar.Error
			require.ErrorAs(t, err, &shown)
			if len(s) > 3 {
				assert.NotContains(t, err.Error(), s, "the value is not repeated")
			}
			return
		}
		require.Less(t, len(s), 50)
		want, err := decimal.NewFromString(s)
		require.NoError(t, err)
		assert.True(t, want.Equal(d))
		out, err := written(t, scalar.MarshalDecimal(d))
		require.NoError(t, err)
		assert.NotContains(t, strings.ToLower(out), "e")
		again, err := scalar.UnmarshalDecimal(strings.Trim(out, `"`))
		require.NoError(t, err, "what is written can be read")
		assert.True(t, d.Equal(again))
	})
}

func FuzzTime(f *testing.F) {
	for _, s := range []string{"2026-11-23T14:05:00-03:00", "2026-11-23", "0000-01-01", "9999-12-31T23:59:59.999999999-23:59", "2026-02-30", "2026-11-23T24:00:00Z", "", "2026-11-23T14:05:00,5Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range []struct {
			read  func(context.Context, any) (time.Time, error)
			write func(time.Time) graphql.ContextMarshaler
		}{{scalar.UnmarshalDateTime, scalar.MarshalDateTime}, {scalar.UnmarshalDate, scalar.MarshalDate}} {
			at, err := c.read(t.Context(), s)
			if err != nil {
				var shown *scalar.Error
				require.ErrorAs(t, err, &shown)
				continue
			}
			out, err := written(t, c.write(at.UTC()))
			require.NoError(t, err)
			again, err := c.read(t.Context(), strings.Trim(out, `"`))
			require.NoError(t, err, "what is written can be read: %s", out)
			assert.WithinDuration(t, at, again, time.Millisecond)
		}
	})
}

func TestDay(t *testing.T) {
	t.Parallel()
	s, err := written(t, scalar.MarshalDay("2026-11-23"))
	require.NoError(t, err)
	assert.Equal(t, `"2026-11-23"`, s)
	for _, bad := range []string{"", "2026-11-31", "2026-11-23T00:00:00Z", `2026-11-23"`} {
		_, err := written(t, scalar.MarshalDay(bad))
		require.Error(t, err, bad)
	}
	day, err := scalar.UnmarshalDay(t.Context(), "2026-11-23")
	require.NoError(t, err)
	assert.Equal(t, "2026-11-23", day)
	var shown *scalar.Error
	_, err = scalar.UnmarshalDay(t.Context(), "23/11/2026")
	require.ErrorAs(t, err, &shown)
}

func TestJSON(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`{}`, `{"total":{"centavos":2084},"names":["a","é"]}`, `null`, `[1]`} {
		s, err := written(t, scalar.MarshalJSON(json.RawMessage(raw)))
		require.NoError(t, err, raw)
		assert.Equal(t, raw, s)
	}
	for _, raw := range []string{``, `{`, `{}}`, `x`} {
		_, err := written(t, scalar.MarshalJSON(json.RawMessage(raw)))
		require.Error(t, err, "it would break the answer: %s", raw)
	}
	var shown *scalar.Error
	_, err := scalar.UnmarshalJSON(t.Context(), map[string]any{})
	require.ErrorAs(t, err, &shown)
}
