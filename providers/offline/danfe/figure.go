package danfe

import (
	"strconv"
	"strings"
)

// figureKind says what a figure is, which decides how a damaged one may be read.
type figureKind int

const (
	quantityKind figureKind = iota
	priceKind               // of a unit: two decimals or more
	amountKind              // two decimals
)

// How far a reading is from what is printed.
const (
	literal   = 0 // as printed
	reshaped  = 1 // a letter for a digit, a point for a comma, a comma lost
	confused  = 2 // a digit taken for another
	maxDigits = 9 // of a quantity or price: their product fits an int64
)

// value is a number of 10^-places units.
type value struct {
	n      int64
	places int
	cost   int
}

// figure is a number on the paper: its text, and the reading of it that was chosen.
type figure struct {
	raw   string
	kind  figureKind
	value value
	ok    bool // there is a reading
}

func newFigure(raw string, kind figureKind) figure {
	f := figure{raw: raw, kind: kind}
	if options := readings(raw, kind); len(options) > 0 {
		f.value, f.ok = options[0], true
	}
	return f
}

func centavos(n int64) value { return value{n: n, places: 2} }

// text is the figure with a decimal point; "" when it cannot be read.
func (f figure) text() string {
	if !f.ok {
		return ""
	}
	return f.value.text()
}

func (v value) text() string {
	s := strconv.FormatInt(v.n, 10)
	if v.places == 0 {
		return s
	}
	for len(s) <= v.places {
		s = "0" + s
	}
	return s[:len(s)-v.places] + "." + s[len(s)-v.places:]
}

// cents is the figure in centavos, rounded half up.
func (v value) cents() int64 { return rescale(v.n, v.places) }

// rescale rounds n of 10^-places to centavos, half up.
func rescale(n int64, places int) int64 {
	for ; places < 2; places++ {
		n *= 10
	}
	if places == 2 {
		return n
	}
	unit := pow10(places - 2)
	return (n + unit/2) / unit
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// looksLikeFigure says whether a word may have been printed as a number: more digits than letters that look like digits.
func looksLikeFigure(raw string) bool {
	s := stripCurrency(raw)
	digits, other := 0, 0
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case strings.ContainsRune(",.:;-+", r):
		case digitFor(r) != 0:
			other++
		default:
			return false
		}
	}
	return digits+other <= maxDigits+2 && digits+other > 0 && (digits >= other || other == 1)
}

// hasDecimals says whether a word is a number with a separator before its last two to four digits.
func hasDecimals(raw string) bool {
	s := stripCurrency(raw)
	i := strings.LastIndexAny(s, ",.:;")
	return i > 0 && len(s)-i-1 >= 2 && looksLikeFigure(s)
}

// stripCurrency takes the sign of currency, as printed or as misread, and dirt off a number.
func stripCurrency(s string) string {
	for _, sign := range [...]string{"R$", "RS", "R5", "Rs", "r$", "R"} {
		if rest, ok := strings.CutPrefix(s, sign); ok && rest != "" && (isDigit(rest[0]) || rest[0] == '-') {
			s = rest
			break
		}
	}
	return strings.Trim(s, "()[]*=#;:'.,|!")
}

// digitFor is the digit that a letter is taken for, or 0.
func digitFor(r rune) byte {
	switch r {
	case 'O', 'o', 'D', 'Q', 'º', 'ó', 'Ó':
		return '0'
	case 'I', 'l', 'i', '|', '!', 'L', ']', '[', 'í', 'Í':
		return '1'
	case 'Z', 'z':
		return '2'
	case 'A':
		return '4'
	case 'S', 's', '$':
		return '5'
	case 'G', 'b':
		return '6'
	case 'T', '?':
		return '7'
	case 'B', '&':
		return '8'
	case 'g', 'q':
		return '9'
	}
	return 0
}

// readings are the numbers that a text may stand for without taking a digit for another, the nearest first.
func readings(raw string, kind figureKind) []value {
	if !looksLikeFigure(raw) {
		return nil
	}
	var digits []byte
	cost, last, seps := literal, -1, 0
	grouped := true // dots stand before three digits each
	dot := false
	for _, r := range strings.TrimLeft(stripCurrency(raw), "-+") {
		switch {
		case r >= '0' && r <= '9':
			digits = append(digits, byte(r))
		case r == ',' || r == '.' || r == ':' || r == ';' || r == '-':
			if last == len(digits) { // ".,": one separator seen twice
				cost = reshaped
				continue
			}
			if r != ',' && r != '.' {
				cost = reshaped
			}
			if seps > 0 && len(digits)-last != 3 {
				grouped = false
			}
			dot = r == '.'
			last, seps = len(digits), seps+1
		default:
			if d := digitFor(r); d != 0 {
				digits, cost = append(digits, d), reshaped
			}
		}
	}
	longest := maxDigits
	if kind == amountKind {
		longest = 11
	}
	if len(digits) == 0 || len(digits) > longest {
		return nil
	}
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return nil
	}
	if seps > 1 && !grouped {
		cost = reshaped
	}
	decimals := 0
	if last >= 0 {
		decimals = len(digits) - last
	}
	return shapes(n, len(digits), decimals, seps, cost, dot, kind)
}

// shapes places the decimal comma.
func shapes(n int64, digits, decimals, seps, cost int, dot bool, kind figureKind) []value {
	var out []value
	add := func(places, cost int) {
		if places >= 0 && places < digits+1 {
			out = append(out, value{n, places, cost})
		}
	}
	// "5739" for "5,39": the comma was taken for a digit.
	comma := func() {
		if seps == 0 && digits >= 4 && digits <= 7 {
			out = append(out, value{n/1000*100 + n%100, 2, reshaped})
		}
	}
	switch kind {
	case quantityKind:
		switch {
		case seps == 0:
			add(0, cost)
			if digits >= 4 {
				add(3, reshaped)
			}
		case decimals > 0 && decimals <= 4:
			add(decimals, cost)
			if dot && decimals == 3 {
				add(0, reshaped)
			}
		}
	case priceKind:
		switch {
		case seps == 0 && digits >= 3:
			add(2, reshaped)
			comma()
		case decimals >= 2 && decimals <= 6:
			add(decimals, cost)
			if decimals > 2 && dot {
				add(2, reshaped)
			}
		}
	case amountKind:
		switch {
		case seps > 0 && decimals == 2:
			add(2, cost)
		case digits >= 3 && decimals != 1:
			add(2, reshaped)
			comma()
		}
	}
	return out
}

// confusions are the readings of a text with one digit taken for another that looks like it.
func confusions(raw string, kind figureKind) []value {
	var out []value
	for i := range len(raw) {
		if !isDigit(raw[i]) {
			continue
		}
		for _, c := range []byte(lookalikes(raw[i])) {
			for _, v := range readings(raw[:i]+string(c)+raw[i+1:], kind) {
				v.cost += confused
				out = append(out, v)
			}
		}
	}
	return out
}

// lookalikes are the digits that character recognition takes for c.
func lookalikes(c byte) string {
	switch c {
	case '0':
		return "6893"
	case '1':
		return "7424"
	case '2':
		return "713"
	case '3':
		return "85920"
	case '4':
		return "191"
	case '5':
		return "6398"
	case '6':
		return "8509"
	case '7':
		return "124"
	case '8':
		return "36095"
	case '9':
		return "845036"
	}
	return ""
}

// closes says whether quantity times price is the total, give or take tolerance centavos.
func closes(quantity, price, total value, tolerance int64) bool {
	product := rescale(quantity.n*price.n, quantity.places+price.places)
	diff := product - total.cents()
	return diff >= -tolerance && diff <= tolerance
}
