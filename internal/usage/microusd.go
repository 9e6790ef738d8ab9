package usage

import (
	"errors"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// MicroUSD is an amount in millionths of a US dollar.
type MicroUSD int64

// usd is a dollar.
const usd MicroUSD = 1_000_000

// maxMicroUSD bounds one amount, a million dollars: a plugin that counts absurdly must not make sums wrap around.
const maxMicroUSD = 1_000_000 * usd

// ErrUSD says that a text is not an amount in US dollars. It does not repeat the text.
var ErrUSD = errors.New("not an amount in US dollars")

// ParseUSD reads an amount in dollars as settings have it: "20", "0.50", with at most six decimals and no sign, and at most a
// million.
func ParseUSD(s string) (MicroUSD, error) {
	d, ok := PlainDecimal(strings.TrimSpace(s))
	if !ok {
		return 0, ErrUSD
	}
	micros := d.Shift(6)
	if !micros.IsInteger() || micros.GreaterThan(decimal.NewFromInt(int64(maxMicroUSD))) {
		return 0, ErrUSD
	}
	return MicroUSD(micros.IntPart()), nil
}

// maxPlain is the longest number that PlainDecimal takes, in characters.
const maxPlain = 24

// PlainDecimal reads digits with at most one point between them: no sign, no exponent.
func PlainDecimal(s string) (decimal.Decimal, bool) {
	whole, fraction, point := strings.Cut(s, ".")
	if len(s) > maxPlain || !digits(whole) || point && !digits(fraction) {
		return decimal.Zero, false
	}
	d, err := decimal.NewFromString(s)
	return d, err == nil
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// Micros is the amount as a plain number.
func (m MicroUSD) Micros() int64 { return int64(m) }

// Add is m + n, held at the ends of the range like fiscal.Money's.
func (m MicroUSD) Add(n MicroUSD) MicroUSD {
	sum := m + n
	switch {
	case n > 0 && sum < m:
		return 1<<63 - 1
	case n < 0 && sum > m:
		return -1 << 63
	}
	return sum
}

// String is the amount as Brazilians write it, with two decimals or as many as it needs: "US$ 0,50", "US$ 1.234,000001".
func (m MicroUSD) String() string {
	text := decimal.New(int64(m), -6).StringFixed(6)
	text, negative := strings.CutPrefix(text, "-")
	whole, fraction, _ := strings.Cut(text, ".")
	for len(fraction) > 2 && strings.HasSuffix(fraction, "0") {
		fraction = fraction[:len(fraction)-1]
	}
	var b strings.Builder
	if negative {
		b.WriteByte('-')
	}
	b.WriteString("US$ ")
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte('.')
		}
		b.WriteByte(whole[i])
	}
	return b.String() + "," + fraction
}

// USD is the amount as ParseUSD reads it.
func (m MicroUSD) USD() string { return decimal.New(int64(m), -6).String() }

// GoString keeps the amount readable in the output of tests.
func (m MicroUSD) GoString() string { return strconv.FormatInt(int64(m), 10) + "µ$" }
