package danfe

import (
	"fmt"
	"strings"
)

// identity is what tells one receipt from all others.
type identity struct {
	key, number, series, issuedAt, protocol string
	name, cnpj, cpf                         string
	test                                    bool
}

func (d *document) readIdentity() {
	d.readIssuer()
	d.readNumber()
	d.readMoment()
	d.readProtocol()
	d.readConsumer()
	d.id.test = d.isTest()
	d.readKey()
	d.agreeWithKey()
}

// readIssuer reads the shop's name and CNPJ, over the items.
func (d *document) readIssuer() {
	const most = 12 // lines before the shop's CNPJ
	head := d.lines[:min(most, len(d.lines))]
	for i, l := range head {
		at := l.find("CNPJ")
		if at < 0 {
			continue
		}
		d.id.cnpj = readCNPJ(l.words[at+1:])
		if d.id.cnpj == "" && strings.HasPrefix(l.words[at].fold, "CNPJ") && len(l.words[at].fold) > len("CNPJ:") {
			d.id.cnpj = readCNPJ(append([]word{{raw: l.words[at].raw[len("CNPJ"):], fold: l.words[at].fold[len("CNPJ"):]}}, l.words[at+1:]...))
		}
		d.id.name = issuerName(head[:i], l.words[:at])
		if d.id.name == "" { // "CNPJ: 11.222.333/0001-81 SUPERMERCADO BOM PRECO LTDA"
			d.id.name = nameAfter(l.words[at+1:])
		}
		return
	}
	if len(head) > 0 && letterCount(head[0].raw()) >= 4 && !isItemHeader(head[0]) && !isTotalsStart(head[0]) && d.itemsFrom > 0 {
		d.id.name = head[0].raw()
	}
}

// issuerName is the first line of the lines before the CNPJ, with its second half where the name is too long for one line.
func issuerName(before []line, same []word) string {
	for i, l := range before {
		if letterCount(l.raw()) < 4 {
			continue
		}
		name := strings.Trim(l.raw(), " -*=.:")
		if i+1 < len(before) && !isLegalForm(l.words[len(l.words)-1].fold) {
			next := before[i+1]
			if len(next.words) <= 3 && isLegalForm(next.words[len(next.words)-1].fold) {
				name += " " + strings.Trim(next.raw(), " -*=.:")
			}
		}
		return name
	}
	if letterCount(joinRaw(same)) >= 4 {
		return joinRaw(same)
	}
	return ""
}

func isLegalForm(s string) bool {
	switch strings.Trim(s, ".,") {
	case "LTDA", "SA", "S/A", "ME", "EPP", "EIRELI", "MEI":
		return true
	}
	return false
}

// nameAfter is the name that stands after a CNPJ, before the state registration.
func nameAfter(words []word) string {
	var kept []word
	for _, w := range words {
		s := strings.Trim(w.fold, ".:")
		if s == "IE" || s == "I.E" || s == "IM" {
			break
		}
		if len(kept) == 0 && (letterCount(w.raw) < 2 || strings.ContainsAny(w.raw, "/")) {
			continue
		}
		kept = append(kept, w)
	}
	if name := joinRaw(kept); letterCount(name) >= 4 {
		return name
	}
	return ""
}

// readCNPJ reads the 14 characters at the head of words. What character recognition may have confused is tried where the check
// digits then prove it.
func readCNPJ(words []word) string {
	var b strings.Builder
	for _, w := range words {
		if s := strings.Trim(w.fold, ".:"); s == "IE" || s == "I.E" || s == "INSC" {
			break
		}
		for _, r := range w.fold {
			if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
				b.WriteRune(r)
			}
		}
		if b.Len() >= 14 {
			break
		}
	}
	s := b.String()
	if len(s) != 14 {
		return ""
	}
	if validCNPJ(s) {
		return s
	}
	return proveCNPJ(s)
}

// proveCNPJ tries the characters that look alike, first all letters as digits, then one at a time.
func proveCNPJ(s string) string {
	if mapped := digitsOf(s); validCNPJ(mapped) {
		return mapped
	}
	b := []byte(s)
	for i := 12; i < 14; i++ { // check digits are digits
		if d := digitFor(rune(b[i])); d != 0 {
			b[i] = d
		}
	}
	if validCNPJ(string(b)) {
		return string(b)
	}
	found := ""
	for i := range 12 {
		was := b[i]
		for _, c := range []byte(alike(was)) {
			if b[i] = c; validCNPJ(string(b)) {
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

// alike are the letters and digits that look like c.
func alike(c byte) string {
	switch c {
	case 'O':
		return "0"
	case 'D', 'Q': // never the other way: 0 and Q, O and D are the same to a check digit
		return "0O"
	case '0':
		return "O"
	case 'I':
		return "1L"
	case 'L':
		return "1I"
	case '1':
		return "IL"
	case 'S':
		return "5"
	case '5':
		return "S"
	case 'B':
		return "8"
	case '8':
		return "B"
	case 'Z':
		return "2"
	case '2':
		return "Z"
	case 'G':
		return "6C"
	case '6':
		return "G"
	case 'C':
		return "G"
	case 'V':
		return "Y"
	case 'Y':
		return "V"
	case 'W':
		return "N"
	case 'A':
		return "4"
	case '4':
		return "A"
	case 'T':
		return "7"
	case '7':
		return "T"
	}
	return ""
}

// readNumber reads "NFCe n. 000012345 Série 001".
func (d *document) readNumber() {
	for _, l := range d.lines {
		at := l.find("SERIE")
		if at < 0 {
			continue
		}
		before, after := "", ""
		for i := at - 1; i >= 0 && before == ""; i-- {
			before = numberOf(l.words[i].raw, 9)
		}
		for i := at + 1; i < len(l.words) && i <= at+2 && after == ""; i++ {
			after = numberOf(l.words[i].raw, 3)
		}
		if before == "" { // "Série 001 Número 000012345"
			for i := at + 2; i < len(l.words) && before == ""; i++ {
				if n := numberOf(l.words[i].raw, 9); n != after && !strings.Contains(l.words[i].raw, "/") {
					before = n
				}
			}
		}
		if before != "" || after != "" {
			d.id.number, d.id.series = before, after
			return
		}
	}
}

// numberOf reads at most longest digits, without the zeros in front.
func numberOf(raw string, longest int) string {
	s := digitsOf(raw)
	if s == "" || len(s) > longest || codeLength(raw)*2 < len(s) || strings.ContainsAny(raw, "/,") {
		return ""
	}
	if s = strings.TrimLeft(s, "0"); s == "" {
		return "0"
	}
	return s
}

// readMoment finds the date and time of issue: not those of the authorization.
func (d *document) readMoment() {
	best, bestRank := "", 0
	for i, l := range d.lines {
		at, ok := momentIn(l)
		if !ok {
			continue
		}
		rank := 2
		authorization := l.hasAny("AUTORIZACAO", "PROTOCOLO") || i > 0 && d.lines[i-1].hasAny("AUTORIZACAO", "PROTOCOLO") && len(l.words) <= 2
		switch {
		case l.hasAny("SERIE", "EMISSAO", "EMITIDA") || i > 0 && d.lines[i-1].hasAny("SERIE", "EMISSAO"):
			rank = 4
		case authorization:
			continue
		case i >= d.itemsUntil:
			rank = 3
		}
		if len(at) > len("2006-01-02") {
			rank += 3 // a date alone is taken only where there is nothing better
		}
		if rank > bestRank {
			best, bestRank = at, rank
		}
	}
	d.id.issuedAt = best
}

// momentIn reads "22/11/2026 18:42:10", with or without the blank and the seconds.
func momentIn(l line) (string, bool) {
	for i, w := range l.words {
		date, ok := dateOf(w.raw)
		if !ok {
			continue
		}
		rest := ""
		if runes := []rune(strings.TrimLeft(w.raw, "-:")); len(runes) > 10 {
			rest = strings.TrimLeft(string(runes[10:]), "-T")
		} else {
			for _, next := range l.words[i+1 : min(i+3, len(l.words))] {
				if letterCount(next.raw) <= 1 && len(next.raw) >= 5 {
					rest = next.raw
					break
				}
			}
		}
		if clock, ok := clockOf(rest); ok {
			return date + "T" + clock, true
		}
		return date, true
	}
	return "", false
}

// dateOf reads dd/mm/yyyy at the head of a word; its strokes may have been misread, one at most.
func dateOf(raw string) (string, bool) {
	r := []rune(strings.TrimLeft(raw, "-:"))
	if len(r) < 10 || !isStroke(r[2]) && !isStroke(r[5]) {
		return "", false
	}
	day, ok1 := twoDigits(r[0], r[1])
	month, ok2 := twoDigits(r[3], r[4])
	century, ok3 := twoDigits(r[6], r[7])
	year, ok4 := twoDigits(r[8], r[9])
	if !ok1 || !ok2 || !ok3 || !ok4 || day < 1 || day > 31 || month < 1 || month > 12 || century != 20 {
		return "", false
	}
	return fmt.Sprintf("20%02d-%02d-%02d", year, month, day), true
}

func isStroke(r rune) bool { return r == '/' || r == '-' || r == '.' }

// clockOf reads hh:mm:ss or hh:mm.
func clockOf(raw string) (string, bool) {
	r := []rune(strings.Trim(raw, ".,:;-"))
	if len(r) < 5 || r[2] >= '0' && r[2] <= '9' {
		return "", false
	}
	hour, ok1 := twoDigits(r[0], r[1])
	minute, ok2 := twoDigits(r[3], r[4])
	if !ok1 || !ok2 || hour > 23 || minute > 59 {
		return "", false
	}
	second := 0
	if len(r) >= 8 {
		if s, ok := twoDigits(r[6], r[7]); ok && s <= 59 {
			second = s
		}
	}
	return fmt.Sprintf("%02d:%02d:%02d", hour, minute, second), true
}

func twoDigits(a, b rune) (int, bool) {
	n := 0
	for _, r := range [...]rune{a, b} {
		switch d := digitFor(r); {
		case r >= '0' && r <= '9':
			n = 10*n + int(r-'0')
		case d != 0:
			n = 10*n + int(d-'0')
		default:
			return 0, false
		}
	}
	return n, true
}

// readProtocol reads the 15 digits of "Protocolo de Autorização".
func (d *document) readProtocol() {
	for i, l := range d.lines {
		if !l.has("PROTOCOLO") {
			continue
		}
		for _, next := range d.lines[i:min(i+2, len(d.lines))] {
			for _, w := range next.words {
				if s := digitsOf(w.raw); len(s) == 15 && codeLength(w.raw) >= 13 {
					d.id.protocol = s
					return
				}
			}
		}
	}
}

// readConsumer reads the CPF of "CONSUMIDOR - CPF ...": whole where its check digits prove it, masked as printed, or not at all.
func (d *document) readConsumer() {
	for _, l := range d.lines {
		at := l.find("CPF")
		if at < 0 {
			continue
		}
		for _, w := range l.words[at+1:] {
			raw := strings.Trim(w.raw, ":,;")
			bare := strings.NewReplacer(".", "", "-", "").Replace(raw)
			if digits := digitsOf(bare); validCPF(digits) {
				d.id.cpf = digits[:3] + "." + digits[3:6] + "." + digits[6:9] + "-" + digits[9:]
				return
			}
			if len(bare) == 11 && strings.ContainsAny(bare, "*X") && allDigits(strings.NewReplacer("*", "0", "X", "0").Replace(bare)) {
				d.id.cpf = raw
				return
			}
		}
	}
}

func (d *document) isTest() bool {
	for _, l := range d.lines {
		if l.has("SEM", "VALOR", "FISCAL") || l.hasAny("HOMOLOGACAO") {
			return true
		}
	}
	return false
}
