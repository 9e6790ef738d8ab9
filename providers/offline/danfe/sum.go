package danfe

import (
	"slices"
	"strings"
)

// sum is the figures of an item, as printed: "2 UN X 5,99 11,98". What is missing is "".
type sum struct {
	from                         int // the first word of it
	quantity, unit, price, total string
}

// token is a word, or a part of one where blanks are lost: "2UNX5,99".
type token struct {
	raw, fold string
	word      int // the index of its word
}

// findSum finds the figures at the end of a line.
func findSum(words []word) (sum, bool) {
	if len(words) == 0 {
		return sum{}, false
	}
	const most = 16 // words from the end: figures do not stand further in
	first := max(0, len(words)-most)
	tokens := make([]token, 0, most+8)
	for i := first; i < len(words); i++ {
		tokens = appendTokens(tokens, words[i], i)
	}
	for at := range slices.Backward(tokens) {
		if s, ok := sumAtTimes(tokens, at); ok {
			return s, true
		}
		if s, ok := sumAtUnit(tokens, at); ok {
			return s, true
		}
	}
	return plainSum(tokens)
}

// appendTokens cuts a word where quantity, unit, times sign and price are run together.
func appendTokens(tokens []token, w word, index int) []token {
	if left, right, ok := cutAtDirt(w.raw); ok {
		tokens = appendTokens(tokens, word{left, fold(left)}, index)
		return appendTokens(tokens, word{right, fold(right)}, index)
	}
	raw, folded := []rune(w.raw), []rune(w.fold)
	add := func(from, until int) {
		if from < until {
			tokens = append(tokens, token{string(raw[from:until]), string(folded[from:until]), index})
		}
	}
	n := len(folded)
	digits := 0 // a number at the head
	for digits < n && (folded[digits] >= '0' && folded[digits] <= '9' || digits > 0 && (folded[digits] == ',' || folded[digits] == '.')) {
		digits++
	}
	alpha := digits
	for alpha < n && folded[alpha] >= 'A' && folded[alpha] <= 'Z' {
		alpha++
	}
	rest := string(raw[alpha:])
	middle := string(folded[digits:alpha])
	times := strings.HasSuffix(middle, "X")
	unit := strings.TrimSuffix(middle, "X")
	switch {
	case alpha == digits || len(folded) != len(raw):
	case digits > 0 && alpha == n && (isUnit(middle) || times && (unit == "" || isUnit(unit))),
		alpha < n && times && (unit == "" || isUnit(unit)) && strings.ContainsAny(rest, ",.") && looksLikeFigure(rest),
		digits == 0 && alpha == n && times && isUnit(unit) && !isUnit(middle):
		add(0, digits)
		if times && !isUnit(middle) {
			add(digits, alpha-1)
			add(alpha-1, alpha)
		} else {
			add(digits, alpha)
		}
		add(alpha, n)
		return tokens
	}
	add(0, n)
	return tokens
}

// cutAtDirt cuts "1:PCT" and "23,65:23,65" at a blank that was taken for a colon.
func cutAtDirt(raw string) (left, right string, ok bool) {
	if len(raw) > 4 && (raw[0] == 'x' || raw[0] == 'X') && raw[1] == '-' {
		return raw[:1], raw[2:], true
	}
	for i := 1; i+1 < len(raw); i++ {
		if raw[i] != ':' && raw[i] != ';' {
			continue
		}
		left, right = raw[:i], raw[i+1:]
		if !isDigit(raw[i-1]) || !isDigit(raw[i+1]) || hasDecimals(left) {
			return left, right, true
		}
	}
	return "", "", false
}

// sumAtTimes reads the figures around a times sign: "2 UN X 5,99 11,98".
func sumAtTimes(tokens []token, at int) (sum, bool) {
	sign := strings.Trim(tokens[at].fold, ".,:;-")
	switch sign {
	case "X", "XX", "*", "%", "K", "¥":
	default:
		return sum{}, false
	}
	if at == 0 {
		return sum{}, false
	}
	s := sum{from: tokens[at].word}
	next := skipCurrency(tokens, at+1)
	if next >= len(tokens) || !hasDecimals(tokens[next].raw) && !lostComma(tokens[next].raw) && !damaged(tokens, next) {
		return sum{}, false
	}
	if looksLikeFigure(tokens[next].raw) {
		s.price = tokens[next].raw
	}
	before := at - 1
	if unit, ok := unitOf(tokens[before].fold); ok || !looksLikeFigure(tokens[before].raw) && shortWord(tokens[before].fold) {
		s.unit, s.from = unit, tokens[before].word
		before--
	}
	if before >= 0 && quantityLike(tokens[before].raw) {
		s.quantity, s.from = tokens[before].raw, tokens[before].word
	} else if before == 0 && s.unit != "" && len(tokens[0].raw) <= 5 {
		s.from = 0 // dirt for a quantity at the head of a line
	}
	if s.quantity == "" && s.unit == "" {
		return sum{}, false
	}
	if sign != "X" && (s.quantity == "" || s.price == "") {
		return sum{}, false
	}
	s.total = lastAmount(tokens, next+1)
	return s, s.price != "" || s.total != ""
}

// damaged says that the token after a times sign may be a price that cannot be read, because an amount follows.
func damaged(tokens []token, at int) bool {
	const longest = 8
	return len(tokens[at].raw) <= longest && lastAmount(tokens, at+1) != ""
}

// sumAtUnit reads the figures around a unit where there is no times sign: "2 UN 5,99 11,98".
func sumAtUnit(tokens []token, at int) (sum, bool) {
	unit, ok := unitOf(tokens[at].fold)
	if !ok {
		return sum{}, false
	}
	counted := at > 0 && quantityLike(tokens[at-1].raw)
	if !counted && (at > 1 || tokens[0].word != 0 || len(unit) < 2 || len(tokens[0].raw) > 5) {
		return sum{}, false // with dirt for a quantity, only at the head of a line
	}
	next := skipCurrency(tokens, at+1)
	if next >= len(tokens) || !hasDecimals(tokens[next].raw) && !lostComma(tokens[next].raw) {
		return sum{}, false
	}
	s := sum{unit: unit, price: tokens[next].raw, total: lastAmount(tokens, next+1)}
	if !counted {
		return s, s.total != ""
	}
	s.from, s.quantity = tokens[at-1].word, tokens[at-1].raw
	return s, s.total != "" || next+1 == len(tokens)
}

// plainSum reads three figures at the end of a line that agree, whatever stands between quantity and prices.
func plainSum(tokens []token) (sum, bool) {
	var at []int
	for i := len(tokens) - 1; i >= 0 && len(at) < 3; i-- {
		if quantityLike(tokens[i].raw) && (len(at) == 2 || hasDecimals(tokens[i].raw)) {
			at = append(at, i)
		} else if len(at) == 0 && len(tokens)-i > 3 {
			return sum{}, false
		}
	}
	if len(at) < 3 || at[1]-at[2] > 3 {
		return sum{}, false
	}
	s := sum{from: tokens[at[2]].word, quantity: tokens[at[2]].raw, price: tokens[at[1]].raw, total: tokens[at[0]].raw}
	if at[1]-at[2] > 1 {
		s.unit, _ = unitOf(tokens[at[2]+1].fold)
	}
	it := item{quantity: newFigure(s.quantity, quantityKind), price: newFigure(s.price, priceKind), total: newFigure(s.total, amountKind)}
	it.solve()
	return s, it.proved && it.total.value.n > 0
}

// lastAmount is the last amount of tokens[from:], without the figures of taxes: "(1,23)", "T18,00%".
func lastAmount(tokens []token, from int) string {
	for i := len(tokens) - 1; i >= from; i-- {
		raw := tokens[i].raw
		if strings.ContainsAny(raw, "%()") || strings.HasPrefix(tokens[i].fold, "T") {
			continue
		}
		if hasDecimals(raw) || i == len(tokens)-1 && lostComma(raw) {
			return raw
		}
	}
	return ""
}

// lostComma says whether a word is an amount without its comma.
func lostComma(raw string) bool {
	s := stripCurrency(raw)
	return len(s) >= 3 && len(s) <= 7 && looksLikeFigure(s)
}

func quantityLike(raw string) bool {
	const longest = 10
	return len(raw) <= longest && looksLikeFigure(raw)
}

func skipCurrency(tokens []token, i int) int {
	for i < len(tokens) {
		switch tokens[i].fold {
		case "R$", "RS", "R5", "R":
			i++
		default:
			return i
		}
	}
	return i
}

func shortWord(s string) bool {
	const longest = 6
	return len(s) > 0 && len(s) <= longest && letterCount(s) > 0
}

// unitOf is the unit that a word is, as printed or as often misread.
func unitOf(fold string) (string, bool) {
	s := strings.Trim(fold, ".,:;-()")
	switch s {
	case "UM", "UH", "UW", "LN", "LIN", "UNM", "IN", "ON", "VN", "U":
		return "UN", true
	case "K6", "KC", "KO", "XG", "HG", "K9", "RG", "KE", "KGO", "K":
		return "KG", true
	case "PCI", "PCY", "PGT", "RCT", "FCT", "PC1", "PCF", "PET", "PCE", "PLT", "POT", "PEI", "PGI":
		return "PCT", true
	case "BOJ", "8DJ", "B0J", "BD3":
		return "BDJ", true
	case "CK", "GX", "CXX", "C%", "€X", "(X", "EX":
		return "CX", true
	case "L1", "LI", "IT":
		return "LT", true
	}
	if isUnit(s) {
		return s, true
	}
	return s, false
}

// isUnit knows the units that tills print. The official field is free text, so that the list is never whole.
func isUnit(s string) bool {
	switch s {
	case "UN", "UND", "UNI", "UNID", "KG", "KGS", "KLG", "QUILO", "G", "GR", "L", "LT", "LTS", "LITRO", "ML", "CX", "CXA", "PCT", "PC", "PCS",
		"PT", "PTE", "DZ", "DUZIA", "BDJ", "BJ", "BAND", "BUQ", "FD", "FARDO", "FR", "FRA", "GF", "GFA", "GL", "LA", "LAT", "LATA", "M", "MT",
		"MC", "MCO", "MACO", "PAR", "PR", "POTE", "RL", "ROLO", "SC", "SACO", "ST", "TB", "TUBO", "VD", "CT", "CJ", "CART", "KIT", "DP", "EMB",
		"FX", "GAR", "BL", "BR", "BS", "CP", "COPO", "EV", "ENV", "JG", "PA", "PE", "PECA", "SH", "SQ", "TP", "CB", "BD", "VB", "BIS", "C":
		return true
	}
	// "C30": a case of thirty.
	return len(s) >= 2 && len(s) <= 5 && (s[0] == 'C' && allDigits(s[1:]) || strings.HasPrefix(s, "CX") && allDigits(s[2:]))
}
