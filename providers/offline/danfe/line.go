package danfe

import (
	"strings"
	"unicode"
)

const (
	maxLines = 5_000 // of a document; a receipt of 990 items, the most there may be, has 3,000
	maxLine  = 300   // runes; what is longer is read as several lines
)

// line is one line of text.
type line struct {
	page  int
	words []word
}

// word is a run of characters without blanks, as printed and folded to upper-case letters without accents. Both have the same
// number of runes.
type word struct{ raw, fold string }

func (l line) raw() string { return joinRaw(l.words) }

func joinRaw(words []word) string {
	parts := make([]string, len(words))
	for i, w := range words {
		parts[i] = w.raw
	}
	return strings.Join(parts, " ")
}

// readLines cuts pages into lines, without the empty ones, and drops at each seam what the page before has shown.
func readLines(pages []string) []line {
	var out []line
	start := 0 // of the page before
	for n, page := range pages {
		var lines []line
		for text := range strings.SplitSeq(page, "\n") {
			if len(out)+len(lines) >= maxLines {
				break
			}
			lines = append(lines, cutLine(n, text)...)
		}
		lines = lines[min(overlap(out[start:], lines), len(lines)):]
		start = len(out)
		out = append(out, lines...)
	}
	return out[:min(len(out), maxLines)]
}

func cutLine(page int, text string) []line {
	var out []line
	for text != "" {
		var head string
		if runes := []rune(clipBytes(text)); len(runes) > maxLine {
			head = string(runes[:maxLine])
		} else {
			head = string(runes)
		}
		text = text[min(len(text), max(1, len(head))):]
		if words := readWords(head); len(words) > 0 {
			out = append(out, line{page: page, words: words})
		}
	}
	return out
}

// clipBytes bounds the work of cutting a very long line.
func clipBytes(s string) string {
	const longest = 4 * (maxLine + 1)
	return s[:min(len(s), longest)]
}

func readWords(s string) []word {
	var words []word
	for raw := range strings.FieldsFuncSeq(strings.ToValidUTF8(s, ""), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		raw = strings.TrimFunc(raw, isNoise)
		if raw == "" {
			continue
		}
		words = append(words, word{raw: raw, fold: fold(raw)})
	}
	return joinFigures(words)
}

// joinFigures makes one figure of "5 ,99" and "5, 99": a blank has crept in. "SUCO 1, 12 UN" is cut text and a quantity.
func joinFigures(words []word) []word {
	out := words[:0]
	for i := 0; i < len(words); i++ {
		w := words[i]
		if i+1 < len(words) && splitFigure(w.raw, words[i+1].raw) {
			counts := false
			if i+2 < len(words) {
				_, counts = unitOf(words[i+2].fold)
			}
			if !counts {
				w = word{raw: w.raw + words[i+1].raw, fold: w.fold + words[i+1].fold}
				i++
			}
		}
		out = append(out, w)
	}
	return out
}

func splitFigure(a, b string) bool {
	last, first := a[len(a)-1], b[0]
	switch {
	case (last == ',' || last == '.') && len(a) > 1 && isDigit(a[len(a)-2]):
		return len(b) >= 2 && len(b) <= 3 && allDigits(b) && len(a) <= 8
	case first == ',' && len(b) >= 3 && len(b) <= 4:
		return isDigit(last) && allDigits(b[1:]) && len(a) <= 6
	}
	return false
}

// isNoise is what dirt and the edges of paper look like to character recognition.
func isNoise(r rune) bool {
	switch r {
	case '|', '\'', '"', '`', '´', '‘', '’', '“', '”', '«', '»', '_', '~', '^', '\\', '{', '}', '—', '–', '¦', '•', '°', '¨', '<', '>':
		return true
	}
	return false
}

// fold maps a word to upper-case letters without accents, rune by rune.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		r = unicode.ToUpper(r)
		switch r {
		case 'Á', 'À', 'Â', 'Ã', 'Ä':
			return 'A'
		case 'É', 'È', 'Ê', 'Ë':
			return 'E'
		case 'Í', 'Ì', 'Î', 'Ï':
			return 'I'
		case 'Ó', 'Ò', 'Ô', 'Õ', 'Ö':
			return 'O'
		case 'Ú', 'Ù', 'Û', 'Ü':
			return 'U'
		case 'Ç':
			return 'C'
		case '×':
			return 'X'
		case '−', '‐', '‑':
			return '-'
		}
		return r
	}, s)
}

// overlap is how many lines at the head of next repeat the tail of before, as photos of one long receipt do. Fewer than three
// may be a coincidence: the same product bought twice.
func overlap(before, next []line) int {
	const most, least = 60, 3
	for n := min(most, len(before), len(next)); n >= least; n-- {
		if sameLines(before[len(before)-n:], next[:n]) {
			return n
		}
	}
	return 0
}

// sameLines compares lines that character recognition has read twice: up to a fifth of their characters may differ.
func sameLines(a, b []line) bool {
	total, off := 0, 0
	for i := range a {
		x, y := squeeze(a[i]), squeeze(b[i])
		if abs(len(x)-len(y)) > max(len(x), len(y))/3+1 {
			return false
		}
		d := distance(x, y)
		if d > max(len(x), len(y))/3+1 {
			return false
		}
		total, off = total+max(len(x), len(y)), off+d
	}
	return total >= 20 && off*5 <= total
}

func squeeze(l line) string {
	var b strings.Builder
	for _, w := range l.words {
		b.WriteString(w.fold)
	}
	s := b.String()
	const enough = 80
	return s[:min(len(s), enough)]
}

// distance is Levenshtein's, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

func abs(n int) int { return max(n, -n) }

// like says whether a folded word is keyword, give or take what character recognition does to it: one character in five.
func like(fold, keyword string) bool {
	fold = strings.Trim(fold, ".,:;-=()*#!/$")
	if fold == keyword {
		return true
	}
	allowed := len(keyword) / 5
	if allowed == 0 || abs(len(fold)-len(keyword)) > allowed {
		return false
	}
	return distance(letters(fold), letters(keyword)) <= allowed
}

// letters maps the figures that look like letters to them.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '0':
			return 'O'
		case '1', '|', '!':
			return 'I'
		case '5', '$':
			return 'S'
		case '8':
			return 'B'
		case '6':
			return 'G'
		case '2':
			return 'Z'
		}
		return r
	}, s)
}

// has says whether one of the line's words is like keyword, and where.
func (l line) find(keyword string) int {
	for i, w := range l.words {
		if like(w.fold, keyword) {
			return i
		}
	}
	return -1
}

func (l line) has(keywords ...string) bool {
	for _, k := range keywords {
		if l.find(k) < 0 {
			return false
		}
	}
	return true
}

func (l line) hasAny(keywords ...string) bool {
	for _, k := range keywords {
		if l.find(k) >= 0 {
			return true
		}
	}
	return false
}

// letterCount counts the letters of a text.
func letterCount(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}
