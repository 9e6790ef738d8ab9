package danfe_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

func decimalOf(n int64, places int32) string { return decimal.New(n, -places).StringFixed(places) }

// cents reads an amount of a reply; "" is 0.
func cents(t *testing.T, s string) int64 {
	t.Helper()
	if s == "" {
		return 0
	}
	d, err := decimal.NewFromString(s)
	require.NoError(t, err)
	return d.Shift(2).IntPart()
}

func sameNumber(t *testing.T, a, b string) bool {
	t.Helper()
	x, err := decimal.NewFromString(a)
	require.NoError(t, err)
	y, err := decimal.NewFromString(b)
	return err == nil && x.Equal(y)
}
