package insight

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/shopspring/decimal"
)

// measure is what a figure in a text counts.
type measure int

const (
	countFigure   measure = iota // no sign says what: a number of things, a size, a day
	moneyFigure                  // "R$ 12,34", "12 reais"
	percentFigure                // "12,5 %"
	dateFigure                   // "23/11/2026"
	foreignFigure                // digits that are no number in Portuguese
)

// figure is a number that stands in a text. Signs do not count: "caiu 5 %" says of -5 what "-5 %" does.
type figure struct {
	measure measure
	value   string // canonical: see canon
}

// figures are those that facts allow to be said, by measure.
type figures map[figure]bool

// maxDigits bounds a number that is compared; no fact has as many digits.
const maxDigits = 18

// reaisBytes is how far before a figure its "R$" may stand.
const reaisBytes = 8

// Patterns of figures. Each is tried at the beginning of a text.
var (
	datePattern   = regexp.MustCompile(`^(\d{4})-(\d{2})(?:-(\d{2}))?`)
	slashPattern  = regexp.MustCompile(`^(\d{1,2})/(\d{1,4})(?:/(\d{4}|\d{2}))?`)
	digitsPattern = regexp.MustCompile(`^\d+(?:[.,]\d+)*`)
	numberPattern = regexp.MustCompile(`^(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d+)?$`)
	pointPattern  = regexp.MustCompile(`^\d+\.(?:\d{1,2}|\d{4,})$`) // a decimal point: three digits behind it are thousands
	factPattern   = regexp.MustCompile(`^-?\d+(?:\.\d+)?$`)         // a number as facts state it
	reaisPattern  = regexp.MustCompile(`(?i)r\$\s*[-−–]?\s*$`)
	unitPattern   = regexp.MustCompile(`(?i)^(\s*(?:%|por\s+cento|mil|[mb]ilh(?:ão|ões)|(?:de\s+)?rea(?:l|is)|centavos?))(?:[^\p{L}\p{N}]|$)`)
	idPattern     = regexp.MustCompile(`^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// allow says whether every figure of a text is among the facts.
func (k figures) allow(text string) bool {
	for _, f := range scan(text) {
		if !k[f] {
			return false
		}
	}
	return true
}

// figuresOf are the figures of facts and of the period they are about.
func figuresOf(facts json.RawMessage, p Period) figures {
	k := figures{}
	k.addPeriod(p)
	d := json.NewDecoder(bytes.NewReader(facts))
	d.UseNumber()
	var tree any
	if d.Decode(&tree) == nil { // facts are our own JSON; of anything else nothing is known
		k.addFacts("", tree)
	}
	return k
}

func (k figures) addFacts(name string, fact any) {
	switch fact := fact.(type) {
	case map[string]any:
		if centavos, ok := fact["centavos"].(json.Number); ok && fact["formatted"] != nil {
			if n, err := centavos.Int64(); err == nil {
				k.addMoney(decimal.New(n, -2))
			}
			return
		}
		for name, f := range fact {
			k.addFacts(name, f)
		}
	case []any:
		for _, f := range fact {
			k.addFacts(name, f)
		}
	case json.Number:
		k.addNumber(fact.String(), strings.Contains(name, "percent"))
	case string:
		if idPattern.MatchString(fact) {
			return // its digits say nothing
		}
		if factPattern.MatchString(fact) {
			k.addNumber(fact, true)
			return
		}
		for _, f := range scan(fact) {
			k[f] = true
			if f.measure == dateFigure {
				k.addDate(f.value)
			}
		}
	}
}

// addMoney allows an amount as it is and in whole reais, with or without a sign that it is money.
func (k figures) addMoney(d decimal.Decimal) {
	for _, v := range []decimal.Decimal{d, d.Round(0)} {
		k[figure{moneyFigure, canon(v)}] = true
		k[figure{countFigure, canon(v)}] = true
	}
}

// addNumber allows a count, or a percentage as it is and without decimals.
func (k figures) addNumber(s string, percent bool) {
	if len(s) > maxDigits {
		return
	}
	d, err := decimal.NewFromString(s)
	if err != nil {
		return
	}
	k[figure{countFigure, canon(d)}] = true
	if percent {
		k[figure{percentFigure, canon(d)}] = true
		k[figure{percentFigure, canon(d.Round(0))}] = true
		k[figure{countFigure, canon(d.Round(0))}] = true
	}
}

// addPeriod allows its first and last day, and how many days and months it has.
func (k figures) addPeriod(p Period) {
	k.addDate(string(p.From))
	k.addDate(string(p.To))
	from, err := time.Parse(time.DateOnly, string(p.From))
	if err != nil {
		return
	}
	to, err := time.Parse(time.DateOnly, string(p.To))
	if err != nil {
		return
	}
	days := int(to.Sub(from).Hours()) / 24
	months := 12*(to.Year()-from.Year()) + int(to.Month()-from.Month()) + 1
	for _, n := range []int{days, days + 1, months} {
		k[figure{countFigure, strconv.Itoa(n)}] = true
	}
}

// addDate allows a day or a month as it is, in its shorter forms, and number by number ("23 de novembro de 2026").
func (k figures) addDate(s string) {
	parts := strings.Split(s, "-")
	for _, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil {
			return
		}
		if n > 0 { // a part that is not known is zero
			k[figure{countFigure, strconv.Itoa(n)}] = true
		}
	}
	if len(parts) < 2 {
		return
	}
	k[figure{dateFigure, date(parts[0], parts[1], "")}] = true
	if len(parts) == 3 {
		k[figure{dateFigure, date(parts[0], parts[1], parts[2])}] = true
		k[figure{dateFigure, date("", parts[1], parts[2])}] = true
	}
}

// date is the canonical form of a date: 2026-11-23, with zeros for what is not known.
func date(year, month, day string) string {
	if len(year) == 2 {
		year = "20" + year
	}
	pad := func(s string, n int) string { return strings.Repeat("0", max(0, n-len(s))) + s }
	return pad(year, 4) + "-" + pad(month, 2) + "-" + pad(day, 2)
}

// scan finds the figures of a text.
func scan(text string) []figure {
	var found []figure
	for i := 0; i < len(text); {
		if c := text[i]; c >= '0' && c <= '9' {
			f, n := figureAt(text[:i], text[i:])
			found = append(found, f)
			i += n
			continue
		}
		i++
	}
	// Digits of other scripts, fractions, raised digits, letters that stand for numbers: nobody writes so who means well.
	if strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII && unicode.IsNumber(r) }) {
		found = append(found, figure{measure: foreignFigure, value: text})
	}
	return found
}

// figureAt reads the figure that after begins with, and how many bytes it has.
func figureAt(before, after string) (figure, int) {
	if m := datePattern.FindStringSubmatch(after); m != nil {
		return figure{dateFigure, date(m[1], m[2], m[3])}, len(m[0])
	}
	if m := slashPattern.FindStringSubmatch(after); m != nil {
		switch {
		case len(m[2]) <= 2 && (m[3] != "" || !isMonthAndYear(m[1], m[2])):
			return figure{dateFigure, date(m[3], m[2], m[1])}, len(m[0])
		case m[3] == "" && len(m[2]) != 3:
			return figure{dateFigure, date(m[2], m[1], "")}, len(m[0])
		}
	}
	digits := digitsPattern.FindString(after)
	d, ok := number(digits)
	if !ok {
		return figure{foreignFigure, digits}, len(digits)
	}
	f := figure{measure: countFigure}
	if reaisPattern.MatchString(before[max(0, len(before)-reaisBytes):]) {
		f.measure = moneyFigure
	}
	n := len(digits)
	for range 2 { // "1,5 milhão de reais"
		m := unitPattern.FindStringSubmatch(after[n:])
		if m == nil {
			break
		}
		switch unit := strings.ToLower(strings.TrimSpace(m[1])); {
		case unit == "%" || strings.HasPrefix(unit, "por"):
			f.measure = percentFigure
		case unit == "mil":
			d = d.Shift(3)
		case strings.HasPrefix(unit, "milh"):
			d = d.Shift(6)
		case strings.HasPrefix(unit, "bilh"):
			d = d.Shift(9)
		case strings.HasPrefix(unit, "centavo"):
			f.measure, d = moneyFigure, d.Shift(-2)
		default:
			f.measure = moneyFigure
		}
		n += len(m[1])
	}
	f.value = canon(d)
	return f, n
}

// isMonthAndYear tells "11/26" from "23/11": a second number that is no month is a year.
func isMonthAndYear(first, second string) bool {
	month, _ := strconv.Atoi(second) // digits
	year, _ := strconv.Atoi(first)
	return month > 12 && year <= 12
}

// number reads a number as Brazilians write it, or with a decimal point.
func number(s string) (decimal.Decimal, bool) {
	switch {
	case len(s) > maxDigits:
		return decimal.Zero, false
	case pointPattern.MatchString(s):
	case numberPattern.MatchString(s):
		s = strings.Replace(strings.ReplaceAll(s, ".", ""), ",", ".", 1)
	default:
		return decimal.Zero, false
	}
	d, err := decimal.NewFromString(s)
	return d, err == nil
}

// canon is equal for equal numbers: no sign, no zeros at the end.
func canon(d decimal.Decimal) string { return d.Abs().String() }
