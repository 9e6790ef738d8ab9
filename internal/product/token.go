package product

import (
	"strings"
	"unicode"
)

const (
	// maxLabel bounds what is read of a label, in characters: official descriptions have at most 120.
	maxLabel = 240
	// maxWords and maxWord bound a key, so that a database can index it.
	maxWords = 30
	maxWord  = 40
	// packMark stands for "C/" before a number: that many pieces.
	packMark = "c/"
)

// tokens splits a label into folded words, numbers ("1.5") and pack marks. "C/SAL" is "com sal", "S/OSSO" "sem osso".
func tokens(label string) []string {
	runes := []rune(fold(label))
	runes = runes[:min(len(runes), maxLabel)]
	var out []string
	for i := 0; i < len(runes); {
		r := runes[i]
		switch {
		case r >= '0' && r <= '9':
			end := numberEnd(runes, i)
			out = append(out, strings.ReplaceAll(string(runes[i:end]), ",", "."))
			i = end
		case r == 'x' && len(out) > 0 && isNumber(out[len(out)-1]) && i+1 < len(runes) && runes[i+1] >= '0' && runes[i+1] <= '9':
			out = append(out, "x") // of 12X350ML
			i++
		case isLetter(r):
			end := i + 1
			for end < len(runes) && (isLetter(runes[end]) || unicode.IsDigit(runes[end]) || runes[end] == '&' || isApostrophe(runes[end])) {
				end++
			}
			word := strings.Map(dropApostrophe, string(runes[i:end]))
			if end < len(runes) && runes[end] == '/' && len(word) == 1 {
				word, end = slashed(word, runes, end+1)
			}
			out = append(out, word)
			i = end
		default:
			i++
		}
	}
	return cut(out)
}

// cut keeps keys short, whatever a reader took for a description.
func cut(tokens []string) []string {
	tokens = tokens[:min(len(tokens), maxWords)]
	for i, t := range tokens {
		if r := []rune(t); len(r) > maxWord {
			tokens[i] = string(r[:maxWord])
		}
	}
	return tokens
}

func isLetter(r rune) bool { return r != 'º' && r != 'ª' && unicode.IsLetter(r) }

func isApostrophe(r rune) bool { return r == '\'' || r == '’' || r == '`' || r == '´' }

func dropApostrophe(r rune) rune {
	if isApostrophe(r) {
		return -1
	}
	return r
}

// numberEnd is where the number that begins at i ends: digits, with one comma or dot between digits.
func numberEnd(runes []rune, i int) int {
	separated := false
	for i < len(runes) {
		switch {
		case runes[i] >= '0' && runes[i] <= '9':
			i++
		case (runes[i] == ',' || runes[i] == '.') && !separated && i+1 < len(runes) && runes[i+1] >= '0' && runes[i+1] <= '9':
			separated = true
			i++
		default:
			return i
		}
	}
	return i
}

// slashed reads what "c/", "s/" and "p/" mean by what follows at next.
func slashed(letter string, runes []rune, next int) (word string, end int) {
	after := next
	for after < len(runes) && runes[after] == ' ' {
		after++
	}
	number := after < len(runes) && runes[after] >= '0' && runes[after] <= '9'
	switch {
	case letter == "c" && number:
		return packMark, next
	case letter == "c":
		return "com", next
	case letter == "s" && !number:
		return "sem", next
	case letter == "p" && !number:
		return "para", next
	}
	return letter, next
}

func isNumber(t string) bool { return t != "" && t[0] >= '0' && t[0] <= '9' }

// isLitre says that a token is a way to write litre.
func isLitre(t string) bool {
	return t == "l" || t == "lt" || t == "lts" || t == "litro" || t == "litros"
}
