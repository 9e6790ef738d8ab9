package danfe

import (
	"strconv"
	"strings"
)

const keyLength = 44

// readKey finds the 44 characters of the access key: groups of four, on one line or on several. Of the lines' own text it takes
// what has the form of a key and its check digit right.
func (d *document) readKey() {
	for i := range d.lines {
		for _, candidate := range keyCandidates(d.lines[i:min(i+4, len(d.lines))]) {
			if key := d.proveKey(candidate); key != "" {
				d.id.key = key
				return
			}
		}
	}
}

// keyCandidates are the runs of 44 characters that begin on the first of lines, in whole words.
func keyCandidates(lines []line) []string {
	const mostPerLine = 14 // words of a line of the key: eleven groups, and some dirt
	if len(lines) == 0 || len(lines[0].words) > mostPerLine || digitShare(lines[0]) < 2 {
		return nil
	}
	var words []string
	for i, l := range lines {
		if len(l.words) > mostPerLine || i > 0 && digitShare(l) < 2 {
			break
		}
		for _, w := range l.words {
			s := strings.Map(func(r rune) rune {
				if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r == '$' || r == '!' || r == '?' {
					return r
				}
				return -1
			}, w.fold)
			if s != "" {
				words = append(words, s)
			}
		}
	}
	var out []string
	for from := range min(len(words), mostPerLine) {
		until, length := from, 0
		for ; until < len(words) && length < keyLength; until++ {
			length += len(words[until])
		}
		if length == keyLength {
			out = append(out, strings.Join(words[from:until], ""))
		}
	}
	return out
}

// digitShare is how much of a line is digits, in thirds.
func digitShare(l line) int {
	digits, all := 0, 0
	for _, w := range l.words {
		digits += codeLength(w.raw)
		all += len(w.fold)
	}
	return 3 * digits / max(all, 1)
}

// proveKey takes 44 characters for a key: as they stand, or with what character recognition confuses put right, where its own
// check digits and what else the paper prints leave one way.
func (d *document) proveKey(s string) string {
	if validKey(s) {
		return s
	}
	b := []byte(s)
	for i := range b {
		if i >= 6 && i < 18 { // letters are legal here
			continue
		}
		if !isDigit(b[i]) {
			c := digitFor(rune(b[i]))
			if c == 0 {
				return ""
			}
			b[i] = c
		}
	}
	if validKey(string(b)) {
		return string(b)
	}
	if digits := digitsOf(string(b)); validKey(digits) {
		return digits
	}
	if d.id.cnpj != "" && len(d.id.cnpj) == 14 && distance(string(b[6:20]), d.id.cnpj) <= 6 { // letters are confused most
		copy(b[6:20], d.id.cnpj)
		if validKey(string(b)) {
			return string(b)
		}
	}
	if found := lettersInKey(b); found != "" {
		return found
	}
	// One character of the rest: the check digit of the key alone would leave several ways.
	found := ""
	for i := range b {
		was := b[i]
		options := lookalikes(was)
		if i >= 6 && i < 18 {
			options += alike(was)
		}
		for _, c := range []byte(options) {
			if b[i] = c; validKey(string(b)) && d.agrees(string(b)) && string(b) != found {
				if found != "" {
					return ""
				}
				found = string(b)
			}
		}
		b[i] = was
	}
	return found
}

// lettersInKey tries the letters and digits that look alike in the CNPJ of a key, at most two of them. Three check digits are on
// it, so that a wrong way is rare; where there is more than one, none is taken.
func lettersInKey(b []byte) string {
	const from, until = 6, 18
	found, several := "", false
	check := func() {
		if s := string(b); validKey(s) && s != found {
			several = found != ""
			found = s
		}
	}
	for i := from; i < until; i++ {
		was := b[i]
		for _, c := range []byte(alike(was)) {
			b[i] = c
			check()
			for j := i + 1; j < until; j++ {
				second := b[j]
				for _, d := range []byte(alike(second)) {
					b[j] = d
					check()
				}
				b[j] = second
			}
		}
		b[i] = was
	}
	if several {
		return ""
	}
	return found
}

// validKey checks the form, both kinds of check digits, the model, the state and the month.
func validKey(s string) bool {
	if len(s) != keyLength || !allDigits(s[:6]) || !allUpperAlnum(s[6:18]) || !allDigits(s[18:]) || mod11(s[:43]) != s[43] {
		return false
	}
	if model := s[20:22]; model != "65" && model != "55" {
		return false
	}
	if month := s[4:6]; month < "01" || month > "12" || s[:2] < "11" || s[:2] > "53" {
		return false
	}
	return validCNPJ(s[6:20]) || strings.HasPrefix(s[6:20], "000") && validCPF(s[9:20])
}

// agrees says whether a key fits everything else that was read: at least two of CNPJ, number, series and month of issue, and
// nothing against it.
func (d *document) agrees(key string) bool {
	agreeing := 0
	check := func(printed, inKey string) bool {
		if printed == "" {
			return true
		}
		if printed == inKey {
			agreeing++
			return true
		}
		return false
	}
	ok := check(d.id.cnpj, key[6:20]) && check(d.id.number, strings.TrimLeft(key[25:34], "0")) && check(d.id.series, seriesOf(key))
	if len(d.id.issuedAt) >= 7 {
		ok = ok && check(d.id.issuedAt[2:4]+d.id.issuedAt[5:7], key[2:6])
	}
	return ok && agreeing >= 2
}

func seriesOf(key string) string {
	n, err := strconv.Atoi(key[22:25])
	if err != nil {
		return ""
	}
	return strconv.Itoa(n)
}

// agreeWithKey puts right what was misread of the fields that a proved key repeats: a character or two, never a whole field.
func (d *document) agreeWithKey() {
	key := d.id.key
	if key == "" {
		return
	}
	if d.id.cnpj == "" {
		d.id.cnpj = key[6:20] // printed, and damaged: the key proves it
		if strings.HasPrefix(d.id.cnpj, "000") && !validCNPJ(d.id.cnpj) {
			d.id.cnpj = ""
		}
	}
	near := func(printed, inKey string) bool {
		return printed != "" && printed != inKey && len(printed) == len(inKey) && distance(printed, inKey) <= 2
	}
	if n := strings.TrimLeft(key[25:34], "0"); near(d.id.number, n) {
		d.id.number = n
	}
	if s := seriesOf(key); near(d.id.series, s) {
		d.id.series = s
	}
	if at := d.id.issuedAt; len(at) > 7 {
		if month := "20" + key[2:4] + "-" + key[4:6]; near(at[:7], month) && distance(at[:7], month) == 1 {
			d.id.issuedAt = month + at[7:]
		}
	}
}
