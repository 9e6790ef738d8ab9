package fiscal

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Money is an amount of Brazilian reais in centavos. It may be negative (a difference).
type Money int64

// What can be wrong with a figure. Neither error repeats the text: what stands where a figure should be may be a CPF.
var (
	ErrMoney  = errors.New("not an amount in reais")
	ErrNumber = errors.New("not a number")
)

// maxMoney bounds what is accepted from outside, in centavos: vProd is 13.2 in the official layout.
const maxMoney = 999_999_999_999_999

// The bounds of a decimal that is calculated with: far beyond every official field (qCom is 11.4, vUnCom 11.10), and small
// enough that a hostile exponent can neither fill the memory nor overflow.
const (
	maxDigits   = 40
	maxExponent = 20
	minExponent = -40
)

// MoneyFromDecimal rounds an amount in reais half away from zero to centavos, the rounding of the official layout.
// It fails with ErrMoney beyond thirteen digits of reais.
func MoneyFromDecimal(d decimal.Decimal) (Money, error) {
	if !sane(d) {
		return 0, fmt.Errorf("%w: out of range", ErrMoney)
	}
	c := d.Shift(2).Round(0)
	if c.Abs().GreaterThan(decimal.NewFromInt(maxMoney)) {
		return 0, fmt.Errorf("%w: out of range", ErrMoney)
	}
	return Money(c.IntPart()), nil
}

// LineTotal is quantity times unit price, rounded half away from zero to centavos (vProd of qCom and vUnCom).
// It fails with ErrMoney when a factor or the product is out of range.
func LineTotal(quantity, unitPrice decimal.Decimal) (Money, error) {
	if !sane(quantity) || !sane(unitPrice) {
		return 0, fmt.Errorf("%w: out of range", ErrMoney)
	}
	product := quantity.Mul(unitPrice)
	// Two sane factors make a product of up to 80 digits, which is still quick to round; only its size is in question.
	c := product.Shift(2).Round(0)
	if c.Abs().GreaterThan(decimal.NewFromInt(maxMoney)) {
		return 0, fmt.Errorf("%w: out of range", ErrMoney)
	}
	return Money(c.IntPart()), nil
}

func sane(d decimal.Decimal) bool {
	// The bit length first: counting the digits of a huge number is slow itself.
	return d.Exponent() <= maxExponent && d.Exponent() >= minExponent &&
		d.Coefficient().BitLen() <= 4*maxDigits && d.NumDigits() <= maxDigits
}

// Decimal is the amount in reais, with two decimals.
func (m Money) Decimal() decimal.Decimal { return decimal.New(int64(m), -2) }

// Centavos is the amount as a plain number of centavos.
func (m Money) Centavos() int64 { return int64(m) }

// Abs is the amount without its sign.
func (m Money) Abs() Money {
	switch {
	case m == math.MinInt64:
		return math.MaxInt64
	case m < 0:
		return -m
	}
	return m
}

// Add is m + n, held at the ends of the range: a sum of absurd figures stays absurd and does not wrap around to a sane one.
func (m Money) Add(n Money) Money {
	switch {
	case n > 0 && m > math.MaxInt64-n:
		return math.MaxInt64
	case n < 0 && m < math.MinInt64-n:
		return math.MinInt64
	}
	return m + n
}

// Sub is m - n, held at the ends of the range like Add.
func (m Money) Sub(n Money) Money {
	if n == math.MinInt64 { // has no negative of its own
		return m.Add(math.MaxInt64).Add(1)
	}
	return m.Add(-n)
}

// String is the amount as Brazilians write it: "R$ 1.234,56", "-R$ 0,05". ParseMoney reads it back.
func (m Money) String() string {
	digits := strconv.FormatInt(int64(m), 10)
	digits, negative := strings.CutPrefix(digits, "-")
	for len(digits) < 3 {
		digits = "0" + digits
	}
	reais, centavos := digits[:len(digits)-2], digits[len(digits)-2:]
	var b strings.Builder
	if negative {
		b.WriteByte('-')
	}
	b.WriteString("R$ ")
	for i := range len(reais) {
		if i > 0 && (len(reais)-i)%3 == 0 {
			b.WriteByte('.')
		}
		b.WriteByte(reais[i])
	}
	b.WriteByte(',')
	b.WriteString(centavos)
	return b.String()
}

// ParseMoney reads an amount as a receipt prints it or as XML states it: "1.234,56", "R$ 5,99", "-2,00", "-R$ 2,00", "2,00-",
// "12.34", "7". More than two decimals are rounded half away from zero. It fails with ErrMoney on anything else.
func ParseMoney(s string) (Money, error) {
	s, negative := cutSign(strings.TrimSpace(s))
	if len(s) >= 2 && strings.EqualFold(s[:2], "R$") {
		var again bool
		s, again = cutSign(strings.TrimSpace(s[2:]))
		if negative && again {
			return 0, ErrMoney
		}
		negative = negative || again
	}
	// A discount's sign may follow it ("2,00-"), as on the tills of old.
	if before, found := strings.CutSuffix(s, "-"); found {
		if negative {
			return 0, ErrMoney
		}
		s, negative = strings.TrimSpace(before), true
	}
	if s == "" || s[0] < '0' || s[0] > '9' { // a second sign
		return 0, ErrMoney
	}
	d, err := ParseDecimal(s)
	if err != nil {
		return 0, ErrMoney
	}
	if negative {
		d = d.Neg()
	}
	return MoneyFromDecimal(d)
}

// cutSign takes one leading minus sign, and the blanks after it, off an amount.
func cutSign(s string) (rest string, negative bool) {
	for _, sign := range []string{"-", "\u2212", "\u2013"} { // the hyphen, the minus sign and the dash that PDFs print for it
		if rest, found := strings.CutPrefix(s, sign); found {
			return strings.TrimSpace(rest), true
		}
	}
	return s, false
}

// ParseDecimal reads a number with a decimal comma and thousands dots ("1.234,567") or with a decimal point ("1234.567").
// "1.234" alone is read as a decimal point, as in XML: only a comma makes dots thousands. It fails with ErrNumber on more
// than 40 characters and on anything that is not plain digits: no exponent, no NaN, no bare ".5".
func ParseDecimal(s string) (decimal.Decimal, error) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > maxDigits {
		return decimal.Zero, ErrNumber
	}
	body := strings.TrimLeft(s, "+-")
	if len(s)-len(body) > 1 {
		return decimal.Zero, ErrNumber
	}
	if whole, fraction, found := cutLast(body, ','); found {
		groups := strings.Split(whole, ".")
		for n, g := range groups {
			if n > 0 && len(g) != 3 || n == 0 && len(groups) > 1 && (g == "" || len(g) > 3) {
				return decimal.Zero, ErrNumber
			}
		}
		body = strings.Join(groups, "") + "." + fraction
	}
	for i := range len(body) {
		if body[i] != '.' && (body[i] < '0' || body[i] > '9') { // decimal.NewFromString would take "1e9"
			return decimal.Zero, ErrNumber
		}
	}
	if strings.HasPrefix(body, ".") || strings.HasSuffix(body, ".") {
		return decimal.Zero, ErrNumber
	}
	d, err := decimal.NewFromString(body)
	if err != nil {
		return decimal.Zero, ErrNumber
	}
	if s[0] == '-' {
		d = d.Neg()
	}
	return d, nil
}

// cutLast splits s at its last sep.
func cutLast(s string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}
