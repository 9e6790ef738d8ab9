package offline

import (
	"hash/fnv"
	"strconv"
	"strings"
	"unicode/utf8"
)

// phrasing is how findings of a kind are told. The first sentence says what was found: without it there is nothing to say.
type phrasing struct {
	title     choice
	sentences []choice
}

// choice is several ways to say the same. A way stands only when all that it names is known.
//
// {field} is a fact as it is printed; {field|one|many} a count's word, in which # is the count: "{n|# item|# itens}". A count of
// zero is not told.
type choice struct {
	best []string // taken in turns
	rest []string // when none of best stands, the first of these that does
}

func say(best ...string) choice { return choice{best: best} }

func (c choice) or(rest ...string) choice {
	c.rest = rest
	return c
}

// value is a fact as it is printed.
type value struct {
	text    string
	count   int64
	counted bool
}

type values map[string]value

// turnOf makes different facts sound different, and equal ones equal.
func turnOf(kind string, facts []byte) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(kind)) // a hash never fails
	_, _ = h.Write(facts)
	return h.Sum32()
}

// fill is the first way that stands within so many runes, beginning with the one whose turn it is.
func (c choice) fill(v values, turn uint32, room int) (string, bool) {
	fits := func(template string) (string, bool) {
		text, ok := v.fill(template)
		return text, ok && utf8.RuneCountInString(text) <= room
	}
	for i := range c.best {
		if text, ok := fits(c.best[(int(turn%64)+i)%len(c.best)]); ok {
			return text, true
		}
	}
	for _, template := range c.rest {
		if text, ok := fits(template); ok {
			return text, true
		}
	}
	return "", false
}

// fill puts the facts into a template; false when one that it names is not known. What a fact says is never looked at again.
func (v values) fill(template string) (string, bool) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		field, after, _ := strings.Cut(rest, "}")
		text, ok := v.print(field)
		if !ok {
			return "", false
		}
		b.WriteString(text)
		template = after
	}
}

func (v values) print(field string) (string, bool) {
	name, forms, plural := strings.Cut(field, "|")
	known, ok := v[name]
	if !plural {
		return known.text, ok && known.text != ""
	}
	if !ok || !known.counted || known.count < 1 {
		return "", false
	}
	one, many, _ := strings.Cut(forms, "|")
	form := many
	if known.count == 1 {
		form = one
	}
	return strings.ReplaceAll(form, "#", strconv.FormatInt(known.count, 10)), true
}
