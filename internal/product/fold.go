package product

import "strings"

// foldRune gives the letter below a Latin letter with an accent, in lower case. Tills print no other alphabets.
func foldRune(r rune) rune {
	switch r {
	case 'á', 'à', 'â', 'ã', 'ä', 'å', 'ª':
		return 'a'
	case 'é', 'è', 'ê', 'ë':
		return 'e'
	case 'í', 'ì', 'î', 'ï':
		return 'i'
	case 'ó', 'ò', 'ô', 'õ', 'ö', 'º':
		return 'o'
	case 'ú', 'ù', 'û', 'ü':
		return 'u'
	case 'ç':
		return 'c'
	case 'ñ':
		return 'n'
	}
	return r
}

// isMark says that r is an accent of its own, as texts in decomposed form have them.
func isMark(r rune) bool { return r >= 0x0300 && r <= 0x036F }

// fold puts a text in lower case without accents.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if isMark(r) {
			return -1
		}
		return foldRune(r)
	}, strings.ToLower(strings.ToValidUTF8(s, " ")))
}

// stem drops the plural of a folded word, on both sides of every comparison: what it does wrong to a word, it does to its match too.
func stem(w string) string {
	switch {
	case len(w) < 4:
		return w
	case strings.HasSuffix(w, "oes"), strings.HasSuffix(w, "aes"):
		return w[:len(w)-3] + "ao"
	case strings.HasSuffix(w, "ns"):
		return w[:len(w)-2] + "m"
	case strings.HasSuffix(w, "ss"), !strings.HasSuffix(w, "s"):
		return w
	case strings.HasSuffix(w, "res"), strings.HasSuffix(w, "zes"):
		return w[:len(w)-2]
	}
	return w[:len(w)-1]
}

// isLink says that a word joins others and means nothing to a match.
func isLink(w string) bool {
	switch w {
	case "de", "da", "do", "das", "dos", "e", "a", "o", "ao", "em", "com", "para":
		return true
	}
	return false
}

// stems are the stems of words, links left out.
func stems(words []string) []string {
	out := make([]string, 0, len(words))
	for _, w := range words {
		if !isLink(w) {
			out = append(out, stem(w))
		}
	}
	return out
}
