package product

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// What a label may say: from a tenth of a gram to a hundred tons, at most 10,000 pieces. The rest is no size.
const (
	maxSmall = 100_000_000 // grams or millilitres
	maxCount = 10_000
	maxSizes = 4 // sizes that a key keeps
)

// amount is a weight or a volume, in grams or millilitres, of each of pack pieces (1 when it is not a multipack).
type amount struct {
	measure Measure
	small   decimal.Decimal
	pack    int
}

// sizes is what a label says of how much it is.
type sizes struct {
	amounts []amount
	counts  []int
	weighed bool // sold by the kilogram
}

// reader takes the sizes out of tokens.
type reader struct {
	tokens []string
	at     int
	liquid bool
	found  sizes
	words  []string
}

// readSizes splits tokens into sizes and the other words. What is left may lie next to what it did not before ("12 5KG UN"),
// so it is read again until nothing more is found.
func readSizes(tokens []string, liquid bool, leve *regexp.Regexp) (sizes, []string) {
	var all sizes
	for {
		r := reader{tokens: tokens, liquid: liquid}
		for r.at < len(tokens) {
			if !r.multipack() && !r.amount() && !r.count() && !r.promotion(leve) && !r.byWeight() {
				r.words = append(r.words, tokens[r.at])
				r.at++
			}
		}
		all.amounts = append(all.amounts, r.found.amounts...)
		all.counts = append(all.counts, r.found.counts...)
		all.weighed = all.weighed || r.found.weighed
		if len(r.words) == len(tokens) {
			break
		}
		tokens = r.words
	}
	all.amounts = all.amounts[:min(len(all.amounts), maxSizes)]
	all.counts = all.counts[:min(len(all.counts), maxSizes)]
	words := make([]string, 0, len(tokens))
	for _, w := range tokens {
		if w != packMark && w != "un" {
			words = append(words, w)
		}
	}
	return all, words
}

func (r *reader) token(n int) string {
	if r.at+n < len(r.tokens) {
		return r.tokens[r.at+n]
	}
	return ""
}

// multipack reads "12 x 350 ml" and "12 lata 350 ml". A unit that was cut off is millilitres where the label is of a drink.
func (r *reader) multipack() bool {
	pack, ok := wholeNumber(r.token(0))
	cans := r.token(1) == "lata" && isAmount(r.token(2), r.token(3))
	if !ok || r.token(1) != "x" && !cans || !isNumber(r.token(2)) {
		return false
	}
	unit, used := r.token(3), 4
	if _, known := unitOf(unit); !known && !isPiece(unit) {
		if !r.liquid {
			return false
		}
		unit, used = "ml", 3
	}
	if isPiece(unit) {
		n, ok := wholeNumber(r.token(2))
		if !ok || n*pack > maxCount {
			return false
		}
		r.addCount(n * pack)
		r.at += used
		return true
	}
	a, ok := amountOf(r.token(2), unit)
	if !ok {
		return false
	}
	a.pack = pack
	r.found.amounts = append(r.found.amounts, a)
	r.at += used
	return true
}

// amount reads "1.5 l".
func (r *reader) amount() bool {
	a, ok := amountOf(r.token(0), r.token(1))
	if !ok {
		return false
	}
	r.found.amounts = append(r.found.amounts, a)
	r.at += 2
	return true
}

// count reads "30 un", "c/ 30", "c/ 30 un" and dozens.
func (r *reader) count() bool {
	if r.token(0) == packMark {
		n, ok := wholeNumber(r.token(1))
		if _, unit := unitOf(r.token(2)); !ok || unit {
			return false
		}
		r.addCount(n)
		r.at += 2
		if isPiece(r.token(0)) {
			r.at++
		}
		return true
	}
	if r.token(0) == "duzia" || r.token(0) == "duzias" {
		r.addCount(12)
		r.at++
		return true
	}
	n, ok := wholeNumber(r.token(0))
	switch next := r.token(1); {
	case ok && isPiece(next):
		r.addCount(n)
	case ok && (next == "duzia" || next == "duzias") && n <= maxCount/12:
		r.addCount(12 * n)
	default:
		return false
	}
	r.at += 2
	return true
}

// promotion reads "leve 12 pague 11" and "L12P11": twelve pieces.
func (r *reader) promotion(leve *regexp.Regexp) bool {
	if r.token(0) == "leve" && r.token(2) == "pague" && isNumber(r.token(3)) {
		if n, ok := wholeNumber(r.token(1)); ok {
			r.addCount(n)
			r.at += 4
			return true
		}
	}
	if m := leve.FindStringSubmatch(r.token(0)); m != nil {
		if n, ok := wholeNumber(m[1]); ok {
			r.addCount(n)
			r.at++
			return true
		}
	}
	return false
}

// byWeight reads a KG that no number comes before.
func (r *reader) byWeight() bool {
	if !isKilogram(r.token(0)) {
		return false
	}
	if n := len(r.words); n > 0 && r.words[n-1] == "por" {
		r.words = r.words[:n-1]
	}
	r.found.weighed = true
	r.at++
	return true
}

// addCount leaves out a single piece, which says nothing.
func (r *reader) addCount(n int) {
	if n > 1 {
		r.found.counts = append(r.found.counts, n)
	}
}

func isPiece(t string) bool { return t == "un" || t == "uns" }

func isKilogram(t string) bool { return t == "kg" || t == "kgs" || t == "klg" }

// unitOf is the measure of a unit, and how many grams or millilitres it has.
func unitOf(t string) (unit struct {
	measure Measure
	small   int64
}, ok bool,
) {
	switch {
	case isKilogram(t), t == "quilo", t == "quilos":
		unit.measure, unit.small = MeasureKilogram, 1000
	case t == "g", t == "gr", t == "grs", t == "gramas", t == "gs":
		unit.measure, unit.small = MeasureKilogram, 1
	case isLitre(t):
		unit.measure, unit.small = MeasureLitre, 1000
	case t == "ml", t == "mls":
		unit.measure, unit.small = MeasureLitre, 1
	default:
		return unit, false
	}
	return unit, true
}

// amountOf reads a number and its unit. A dot before three digits makes thousands of grams and millilitres, and a decimal of
// kilograms and litres.
func amountOf(number, text string) (amount, bool) {
	unit, ok := unitOf(text)
	if !ok || !isNumber(number) || len(number) > 12 {
		return amount{}, false
	}
	if whole, fraction, dotted := strings.Cut(number, "."); dotted && unit.small == 1 && len(fraction) == 3 {
		number = whole + fraction
	}
	d, err := decimal.NewFromString(number)
	if err != nil {
		return amount{}, false
	}
	small := d.Mul(decimal.NewFromInt(unit.small)).Round(1)
	if !small.IsPositive() || small.GreaterThan(decimal.NewFromInt(maxSmall)) {
		return amount{}, false
	}
	return amount{measure: unit.measure, small: small, pack: 1}, true
}

func isAmount(number, unit string) bool {
	_, ok := amountOf(number, unit)
	return ok
}

// wholeNumber reads a count of pieces.
func wholeNumber(t string) (int, bool) {
	n, err := strconv.Atoi(t)
	return n, err == nil && n > 0 && n <= maxCount
}

// settle joins a pack with what each piece has: "350ML C/6" is six times 350 ml.
func (s *sizes) settle(counted bool) {
	if counted || len(s.amounts) != 1 || len(s.counts) != 1 || s.amounts[0].pack != 1 {
		return
	}
	s.amounts[0].pack, s.counts = s.counts[0], nil
}

// of is how much one sold unit is, zero when it is not known, and by what its prices compare.
func (s *sizes) of(counted, bulk bool) (decimal.Decimal, Measure) {
	switch {
	case s.weighed:
		return decimal.NewFromInt(1), MeasureKilogram
	case counted || len(s.amounts) == 0:
		if len(s.counts) == 1 {
			return decimal.NewFromInt(int64(s.counts[0])), MeasureUnit
		}
		return decimal.Zero, MeasureUnit
	case len(s.amounts) > 1 || len(s.counts) > 0 || bulk && s.amounts[0].pack == 1:
		return decimal.Zero, s.amounts[0].measure
	}
	a := s.amounts[0]
	return a.small.Mul(decimal.NewFromInt(int64(a.pack))).Shift(-3), a.measure
}

// texts are the sizes as a key has them, or as people read them.
func (s *sizes) texts(shown bool) []string {
	var out []string
	for _, a := range s.amounts {
		out = append(out, a.text(shown))
	}
	for _, n := range s.counts {
		out = append(out, strconv.Itoa(n)+" un")
	}
	// A size that is told twice is one.
	return slices.Compact(out)
}

func (a amount) text(shown bool) string {
	number, unit := a.small, map[Measure]string{MeasureKilogram: "g", MeasureLitre: "ml"}[a.measure]
	if number.GreaterThanOrEqual(decimal.NewFromInt(1000)) {
		number, unit = number.Shift(-3), map[Measure]string{MeasureKilogram: "kg", MeasureLitre: "l"}[a.measure]
	}
	digits := number.String()
	if shown {
		digits = strings.ReplaceAll(digits, ".", ",")
		if unit == "l" {
			unit = "L"
		}
	}
	if a.pack > 1 {
		return strconv.Itoa(a.pack) + " x " + digits + " " + unit
	}
	return digits + " " + unit
}
