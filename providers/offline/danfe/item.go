package danfe

import (
	"slices"
	"strconv"
	"strings"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// item is one line of the purchase while it is read.
type item struct {
	number      int // printed before it; 0 when there is none
	code        string
	gtin        string
	description string
	unit        string

	quantity, price, total figure
	discount               figure
	// proved says that quantity times unit price is the total as they stand.
	proved bool
	doubt  bool // something else is wrong with the line
}

func (it *item) receipt() sdk.ReceiptItem {
	return sdk.ReceiptItem{
		Description: it.description, Code: it.code, GTIN: it.gtin, Unit: it.unit,
		Quantity: it.quantity.text(), UnitPrice: it.price.text(), Total: it.total.text(), Discount: it.discount.text(),
		Uncertain: !it.proved || it.doubt || it.discount.raw != "" && !it.discount.ok,
	}
}

// itemReader goes through the lines of the items. A description waits in head until its figures come.
type itemReader struct {
	doc      *document
	numbered bool // lines begin with the item's number
	coded    bool // descriptions begin with a code

	head  []word // words of the description that waits
	alone string // an amount that stood on a line of its own
}

func (d *document) readItems() {
	r := itemReader{doc: d}
	lines := d.lines[d.itemsFrom:d.itemsUntil]
	r.look(lines)
	for _, l := range lines {
		r.read(l)
	}
	r.orphan()
}

// look finds out which columns the items have.
func (r *itemReader) look(lines []line) {
	numbers, codes, heads, last := 0, 0, 0, 0
	for _, l := range lines {
		w := l.words
		if s, ok := findSum(w); ok {
			w = w[:s.from]
		}
		w = withoutEdge(w)
		if len(w) < 2 || letterCount(joinRaw(w)) < 3 || !looksLikeCode(w[0].raw) {
			continue
		}
		heads++
		n := lineNumber(w[0].raw)
		if n > 0 && (n == last+1 || last == 0 && (n == 1 || strings.HasPrefix(w[0].raw, "0"))) {
			numbers++
		}
		if n > 0 {
			last = n
		}
		if codeLength(w[0].raw) >= 3 && n == 0 || codeLength(w[1].raw) >= 3 && looksLikeCode(w[1].raw) || codeLength(w[0].raw) >= 4 {
			codes++
		}
	}
	r.numbered = numbers*2 > heads
	r.coded = codes*2 > heads
}

// withoutEdge drops the one or two characters that the edge of the paper leaves before a number or a code.
func withoutEdge(words []word) []word {
	const longest = 2 // characters
	if len(words) < 3 || len([]rune(words[0].raw)) > longest {
		return words
	}
	next := words[1].raw
	padded := len(next) == 3 && next[0] == '0' && allDigits(next) && looksLikeCode(words[2].raw)
	if padded || !looksLikeFigure(words[0].raw) && codeLength(next) >= 4 && looksLikeCode(next) {
		return words[1:]
	}
	return words
}

// lineNumber reads "001" or "12"; 0 is no line number.
func lineNumber(raw string) int {
	raw = strings.Trim(raw, ".-:#)(")
	if len(raw) == 0 || len(raw) > 4 || !looksLikeFigure(raw) {
		return 0
	}
	var b strings.Builder
	for _, c := range raw {
		if c < '0' || c > '9' {
			if d := digitFor(c); d != 0 {
				b.WriteByte(d)
				continue
			}
			return 0
		}
		b.WriteRune(c)
	}
	n, err := strconv.Atoi(b.String())
	if err != nil || n > 990 { // the most that the layout allows
		return 0
	}
	return n
}

// codeLength is how many digits a word of digits has.
func codeLength(raw string) int {
	if strings.ContainsAny(raw, ",.") {
		return 0
	}
	n := 0
	for i := range len(raw) {
		if isDigit(raw[i]) {
			n++
		}
	}
	return n
}

func (r *itemReader) read(l line) {
	switch {
	case letterCount(l.raw()) == 0 && len(l.words) == 1 && hasDecimals(l.words[0].raw):
		r.amountAlone(l.words[0].raw)
	case isRule(l) || isHeaderRest(l) && !hasDecimals(l.words[len(l.words)-1].raw):
	case r.discount(l) || r.surcharge(l) || r.cancellation(l):
	default:
		r.text(l)
	}
}

// isRule is a ruled line, or dirt.
func isRule(l line) bool {
	n := 0
	for _, w := range l.words {
		for _, c := range w.fold {
			if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' {
				n++
			}
		}
	}
	return n < 3
}

// amountAlone is the total of the line before or, on tilted paper, of the line that follows.
func (r *itemReader) amountAlone(raw string) {
	if it := r.last(); it != nil && it.total.raw == "" && len(r.head) == 0 {
		it.total = newFigure(raw, amountKind)
		it.solve()
		return
	}
	r.alone = raw
}

func (r *itemReader) last() *item {
	if n := len(r.doc.items); n > 0 {
		return r.doc.items[n-1]
	}
	return nil
}

func (r *itemReader) text(l line) {
	sum, ok := findSum(l.words)
	if !ok {
		r.describe(l.words)
		return
	}
	if own := l.words[:sum.from]; len(own) > 0 {
		r.describe(own)
	}
	it := &item{unit: sum.unit}
	it.identify(r.head, r.numbered, r.coded)
	r.head = nil
	it.quantity, it.price = newFigure(sum.quantity, quantityKind), newFigure(sum.price, priceKind)
	it.total = newFigure(sum.total, amountKind)
	it.solve()
	if r.alone != "" && !it.proved {
		whole := *it
		whole.total = newFigure(r.alone, amountKind)
		whole.solve()
		if whole.proved {
			*it = whole
		}
	}
	r.alone = ""
	if it.description == "" && !it.proved {
		// Figures without a name that do not even agree: dirt, as likely as not. They stay only where the paper numbers its lines.
		if it.number == 0 && it.code == "" && (!it.quantity.ok || !it.price.ok) {
			return
		}
	}
	r.doc.items = append(r.doc.items, it)
}

// describe keeps the words of a description until the figures come. Long descriptions take two lines.
func (r *itemReader) describe(words []word) {
	const longest = 24 // words
	words = withoutEdge(words)
	if len(words) > 2 && !r.numbered && r.coded && codeLength(words[0].raw) == 1 && len(words[0].raw) == 1 &&
		codeLength(words[1].raw) >= 4 && looksLikeCode(words[1].raw) {
		words = words[1:] // the edge looked like a digit
	}
	if len(r.head) > 0 && r.begins(words) {
		r.orphan()
	}
	if len(r.head) > 0 && (letterCount(joinRaw(words)) < 3 || len(r.head)+len(words) > longest) {
		return
	}
	r.head = append(slices.Clip(r.head), words...)
}

// begins says whether words are the first of an item.
func (r *itemReader) begins(words []word) bool {
	if len(words) < 2 || !looksLikeCode(words[0].raw) {
		return false
	}
	return r.numbered && lineNumber(words[0].raw) > 0 || r.coded && codeLength(words[0].raw) >= 3
}

// orphan ends a description whose figures did not come. One with a number or code of its own was a line of the purchase, whose
// figures cannot be read; anything else was not a line.
func (r *itemReader) orphan() {
	words := r.head
	r.head = nil
	if !r.begins(words) {
		return
	}
	it := &item{}
	it.identify(words, r.numbered, r.coded)
	if letterCount(it.description) < 3 || it.code == "" || codeLength(it.code) < 3 {
		return
	}
	r.doc.items = append(r.doc.items, it)
}

// identify takes number, code and description from the words before the figures.
func (it *item) identify(words []word, numbered, coded bool) {
	for len(words) > 0 && isRule(line{words: words[:1]}) && !looksLikeFigure(words[0].raw) && len(words[0].fold) < 3 &&
		letterCount(words[0].raw) == 0 {
		words = words[1:] // dirt at the edge
	}
	if len(words) > 0 && (numbered || len(words[0].raw) == 16) { // three digits of number, thirteen of a GTIN
		words = it.takeNumber(words)
	}
	if coded && len(words) > 0 {
		words = it.takeCode(words)
	}
	it.description = strings.Trim(joinRaw(words), " .:;-*=")
}

func (it *item) takeNumber(words []word) []word {
	first := words[0]
	if n := lineNumber(first.raw); n > 0 {
		it.number = n
		return words[1:]
	}
	// "0017891000100103": the blank is lost.
	if s := digitsOf(first.raw); len(s) == 16 && validGTIN(s[3:]) {
		it.number = lineNumber(s[:3])
		return append([]word{{raw: s[3:], fold: s[3:]}}, words[1:]...)
	}
	if len(words) > 1 && codeLength(words[0].raw) < 5 && len(first.raw) <= 4 && codeLength(words[1].raw) >= 3 && looksLikeCode(words[1].raw) {
		return words[1:] // a number that cannot be read, before a code
	}
	return words
}

// digitsOf reads a word as digits; "" when it is something else.
func digitsOf(raw string) string {
	var b strings.Builder
	for _, c := range strings.Trim(raw, ".,:;-*") {
		switch d := digitFor(c); {
		case c >= '0' && c <= '9':
			b.WriteRune(c)
		case d != 0:
			b.WriteByte(d)
		default:
			return ""
		}
	}
	return b.String()
}

// looksLikeCode says whether a word is digits, but for a third that character recognition took for letters.
func looksLikeCode(raw string) bool {
	s, digits := digitsOf(raw), codeLength(raw)
	return s != "" && len(s) <= 20 && digits*3 >= len(s)*2
}

func (it *item) takeCode(words []word) []word {
	first := words[0].raw
	if !looksLikeCode(first) {
		// "7891000100103LEITE": the blank is lost.
		if i := strings.IndexFunc(first, func(r rune) bool { return r < '0' || r > '9' }); i >= 5 && letterCount(first[i:]) >= 2 {
			it.setCode(first[:i])
			return append([]word{{raw: first[i:], fold: fold(first[i:])}}, words[1:]...)
		}
		return words
	}
	code := digitsOf(first)
	words = words[1:]
	if len(words) > 0 && !validGTIN(code) {
		if rest := digitsOf(words[0].raw); rest != "" && codeLength(words[0].raw)*2 > len(rest) {
			switch {
			case validGTIN(rest) && len(rest) >= 12: // the shop's own code, then the GTIN
				it.code, it.gtin = code, rest
				return words[1:]
			case len(code)+len(rest) == 13 && validGTIN(code+rest): // a blank has crept in
				it.setCode(code + rest)
				return words[1:]
			}
		}
	}
	it.setCode(code)
	return words
}

// setCode takes the printed code; one that can only be a GTIN with a digit misread is repaired where one digit alone does it.
func (it *item) setCode(code string) {
	it.code = code
	switch {
	case validGTIN(code):
		it.gtin = code
	case len(code) == 13 && (strings.HasPrefix(code, "78") || strings.HasPrefix(code, "79")):
		if fixed := repairGTIN(code); fixed != "" {
			it.code, it.gtin = fixed, fixed
		}
	}
}

// discount is "DESCONTO ITEM -2,00" under an item.
func (r *itemReader) discount(l line) bool {
	if len(l.words) < 2 || len(l.words) > 7 {
		return false
	}
	at := l.find("DESCONTO")
	if at < 0 {
		at = l.find("DESCONTOS")
	}
	if first := strings.Trim(l.words[0].fold, ".,:;"); at < 0 && (first == "DESC" || first == "DESCTO") {
		at = 0
	}
	raw := l.words[len(l.words)-1].raw
	if at < 0 || at > 1 || !looksLikeFigure(raw) && letterCount(raw) > 0 {
		return false
	}
	it := r.last()
	if it == nil || len(r.head) > 0 {
		return it != nil // of a line that is lost; never a line of its own
	}
	f := newFigure(strings.TrimLeft(raw, "-"), amountKind)
	if it.discount.ok && f.ok {
		f.value = centavos(it.discount.value.cents() + f.value.cents())
	}
	it.discount = f
	return true
}

// surcharge is "ACRÉSCIMO ITEM 0,50" under an item.
func (r *itemReader) surcharge(l line) bool {
	if len(l.words) < 2 || len(l.words) > 6 || !like(l.words[0].fold, "ACRESCIMO") && !like(l.words[0].fold, "ACRESCIMOS") {
		return false
	}
	if f := newFigure(l.words[len(l.words)-1].raw, amountKind); f.ok {
		r.doc.itemPlus += f.value.cents()
	}
	return true
}

// cancellation is "CANCELADO ITEM 003" or "ITEM 003 CANCELADO -11,98": the line it takes back is left out.
func (r *itemReader) cancellation(l line) bool {
	if len(l.words) > 6 || !l.hasAny("CANCELADO", "CANCELAMENTO", "CANCELADA") || len(r.head) > 0 && r.begins(l.words) {
		return false
	}
	items := r.doc.items
	for _, w := range l.words {
		n := lineNumber(w.raw)
		for i, it := range items {
			if n > 0 && it.number == n {
				r.doc.items = append(items[:i:i], items[i+1:]...)
				return true
			}
		}
	}
	if len(items) > 0 {
		r.doc.items = items[:len(items)-1]
	}
	return true
}
