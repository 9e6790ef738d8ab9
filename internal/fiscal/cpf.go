package fiscal

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaskCPF hides a CPF but for its seventh to ninth digit, with or without punctuation, as a DANFE prints it:
// "529.982.247-25" becomes "***.***.247-**". The check digits do not matter, and what is masked already (with '*', 'X' or '#')
// stays so. Anything but eleven characters gives "": better nothing than a CPF that was not recognised.
func MaskCPF(s string) string {
	var b []byte
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			b = append(b, byte(r))
		case r == '*' || r == 'X' || r == 'x' || r == '#':
			b = append(b, '*')
		case r == '.' || r == '-' || r == '/' || r == ',' || unicode.IsSpace(r):
		default:
			return ""
		}
	}
	if len(b) != 11 {
		return ""
	}
	return "***.***." + string(b[6:9]) + "-**"
}

// MaskCPFs masks, as MaskCPF does, whatever in a text looks like a CPF: eleven digits with right check digits that are not part
// of a longer run of digits, together or in groups of 3, 3, 3 and 2 with blanks or a sign between. GTIN, CNPJ and protocol
// numbers are longer runs and stay, and so does an access key, in its groups too. Any other run of eleven digits whose check
// digits happen to be right (one in a hundred) is masked as well: a CPF that is shown is the worse error.
func MaskCPFs(text string) string {
	var b strings.Builder
	copied := 0 // bytes of text that are dealt with in b
	for i := 0; i < len(text); {
		if !isDigit(text[i]) {
			i++
			continue
		}
		end := endOfKey(text, i)
		if end == 0 {
			if end = endOfCPF(text, i); end > 0 {
				b.WriteString(text[copied:i])
				b.WriteString(MaskCPF(OnlyDigits(text[i:end])))
				copied = end
			} else {
				end = i
			}
		}
		for i = end; i < len(text) && isDigit(text[i]); {
			i++
		}
	}
	if copied == 0 {
		return text
	}
	b.WriteString(text[copied:])
	return b.String()
}

// endOfCPF is where the CPF that begins at text[i] ends, or 0. Its groups may be joined by a sign with blanks about it.
func endOfCPF(text string, i int) int {
	digits := make([]byte, 0, 11)
	for n, size := range [...]int{3, 3, 3, 2} {
		if n > 0 {
			i = skipJoint(text, i)
		}
		if len(text)-i < size || !allDigits(text[i:i+size]) {
			return 0
		}
		digits = append(digits, text[i:i+size]...)
		i += size
	}
	if i < len(text) && isDigit(text[i]) || !ValidCPF(string(digits)) {
		return 0
	}
	return i
}

// skipJoint skips what stands between two groups of a CPF: at most one sign, and two blanks on either side of it.
func skipJoint(text string, i int) int {
	i = skipBlanks(text, i)
	switch r, size := utf8.DecodeRuneInString(text[i:]); r {
	case '.', ',', '-', '/', '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2212', '\u00b7': // hyphens, dashes, a dot read high
		i = skipBlanks(text, i+size)
	}
	return i
}

func skipBlanks(text string, i int) int {
	const most = 2
	for range most {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r != ' ' && r != '\u00a0' && r != '\t' {
			break
		}
		i += size
	}
	return i
}

// endOfKey is where the access key that begins at text[i] ends, or 0. More than the check digit must be right, which is so of
// one run in eleven: nothing in what is taken for a key is masked.
func endOfKey(text string, i int) int {
	const most = 3 // separators in a row: a line's end and an indent
	key, separators := make([]byte, 0, 44), 0
	for j, r := range text[i:] {
		switch {
		case r >= '0' && r <= '9' || r >= 'A' && r <= 'Z':
			if key, separators = append(key, text[i+j]), 0; len(key) < 44 {
				continue
			}
			end := i + j + 1
			if end < len(text) && isDigit(text[end]) {
				return 0
			}
			k, err := ParseAccessKey(string(key))
			if err != nil || k.State() == "" || k.Month() < 1 || k.Month() > 12 || k.Model() != 55 && k.Model() != 65 {
				return 0
			}
			return end
		case isKeySeparator(r) && separators < most:
			separators++
		default:
			return 0
		}
	}
	return 0
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
