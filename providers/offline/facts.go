package offline

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// facts are a finding's, by their JSON names, as they came or as a kind has prepared them for its phrases.
type facts map[string]any

// readFacts is false for what is no object.
func readFacts(raw json.RawMessage) (facts, bool) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var f facts
	if err := dec.Decode(&f); err != nil || f == nil {
		return nil, false
	}
	return f, true
}

// values are the facts as they are printed. What has no printed form, such as a list, is not among them.
func (f facts) values() values {
	v := make(values, len(f))
	for name, fact := range f {
		switch {
		case strings.Contains(name, "percent"):
			v[name] = value{text: percentText(fact)}
		default:
			v[name] = printed(fact)
		}
	}
	return v
}

func printed(fact any) value {
	switch fact := fact.(type) {
	case value:
		return fact
	case string:
		return value{text: nameText(fact)}
	case json.Number:
		n, err := fact.Int64()
		return value{text: strings.Replace(fact.String(), ".", ",", 1), count: n, counted: err == nil}
	case map[string]any:
		return value{text: amountText(fact)}
	}
	return value{}
}

// amountText is an amount's own printed form; "" for what is no amount.
func amountText(fact any) string {
	amount, _ := fact.(map[string]any)
	text, _ := amount["formatted"].(string)
	if strings.Trim(text, "-R$ \u00a0.,0123456789") != "" {
		return ""
	}
	return text
}

// percentText prints "23.4" as "23,4 %"; "" for what is no percentage.
func percentText(fact any) string {
	var digits string
	switch fact := fact.(type) {
	case value:
		return fact.text
	case string:
		digits = fact
	case json.Number:
		digits = fact.String()
	}
	const longest = 12 // characters
	if _, err := strconv.ParseFloat(digits, 64); err != nil || len(digits) > longest || strings.Trim(digits, "-.0123456789") != "" {
		return ""
	}
	whole, decimals, _ := strings.Cut(digits, ".")
	if decimals == "" {
		decimals = "0"
	}
	return whole + "," + decimals + " %"
}

// signOf is -1, 0 or 1, and false for what is no percentage.
func signOf(fact any) (int, bool) {
	text := percentText(fact)
	switch {
	case text == "":
		return 0, false
	case !strings.ContainsAny(text, "123456789"):
		return 0, true
	case strings.HasPrefix(text, "-"):
		return -1, true
	}
	return 1, true
}

// unsigned is a percentage without its sign, which a word tells.
func unsigned(fact any) value { return value{text: strings.TrimPrefix(percentText(fact), "-")} }

// maxName is runes: longer names are cut between words.
const maxName = 40

// nameText is a name as it may stand in a sentence: one line, without markup, without full stops, which would end the sentence
// or make an address of it, and "" for what cannot be told so. Names are printed by shops and typed by anybody.
func nameText(s string) string {
	lower := strings.ToLower(s)
	for _, sign := range []string{"http", "www", "//", "@", "$"} { // an address; a price, which is none
		if strings.Contains(lower, sign) {
			return ""
		}
	}
	runes := []rune(s)
	digit := func(i int) bool { return i >= 0 && i < len(runes) && runes[i] >= '0' && runes[i] <= '9' }
	for i, r := range runes {
		switch {
		case digit(i), unicode.IsLetter(r), unicode.IsMark(r), strings.ContainsRune(",-/%&+()'", r):
		case r == '.' && digit(i-1) && digit(i+1):
		default:
			runes[i] = ' '
		}
	}
	var name string
	for word := range strings.FieldsSeq(string(runes)) {
		longer := strings.TrimSpace(name + " " + word)
		if utf8.RuneCountInString(longer) > maxName {
			break
		}
		name = longer
	}
	return strings.Trim(name, " ,-/&+(")
}

// share is a part of a whole that has a name: a category and what it cost.
type share struct {
	name string
	part any
}

// shares reads [{"category": name, "total": part}], [{"name": ...}], [name] and {name: part}. Those without a name are left out.
func shares(fact any, names, parts []string) []share {
	var out []share
	switch fact := fact.(type) {
	case []any:
		for _, one := range fact {
			if s := shareOf(one, names, parts); s.name != "" {
				out = append(out, s)
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(fact)) {
			if s := (share{nameText(name), fact[name]}); s.name != "" {
				out = append(out, s)
			}
		}
		slices.SortStableFunc(out, func(a, b share) int { return cmp.Compare(sizeOf(b.part), sizeOf(a.part)) })
	}
	return out
}

func shareOf(fact any, names, parts []string) share {
	switch fact := fact.(type) {
	case string:
		return share{name: nameText(fact)}
	case map[string]any:
		var s share
		for _, field := range names {
			if name, ok := fact[field].(string); ok && s.name == "" {
				s.name = nameText(name)
			}
		}
		for _, field := range parts {
			if part, ok := fact[field]; ok && s.part == nil {
				s.part = part
			}
		}
		return s
	}
	return share{}
}

// sizeOf is what parts are ordered by: an amount's centavos, or a count.
func sizeOf(fact any) int64 {
	if amount, ok := fact.(map[string]any); ok {
		fact = amount["centavos"]
	}
	number, _ := fact.(json.Number)
	n, err := number.Int64()
	if err != nil {
		return 0
	}
	return n
}

func namesOf(all []share) []string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.name
	}
	return names
}

// joined is a list as it is said: "a, b e c", of at most n.
func joined(names []string, n int) string {
	names = names[:min(len(names), n)]
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " e " + names[last]
}
