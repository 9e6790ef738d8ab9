package product

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

//go:embed dictionary.json
var dictionaryFile []byte

//go:embed brands.json
var brandsFile []byte

// dictionary is the language of tills: dictionary.json and brands.json, read.
type dictionary struct {
	// meanings of an abbreviation, tried in their order.
	meanings map[string][]meaning
	display  map[string]string // a word of a key as people write it
	liquids  map[string]bool   // stems of what is sold by the litre: "12X350" has millilitres then
	// counted are phrases of stems: what is counted by the piece, whatever weight or volume its label names.
	counted [][]string
	fillers map[string]bool // stems of words that tell no two products apart
	// brands by the first word of an alias, longest alias first.
	brands map[string][]brand
}

// meaning is what an abbreviation stands for: in the first place of a label only, after another word only, or always.
type meaning struct {
	word  string // one word or several
	first bool
	after string
}

// brand is one alias of a brand.
type brand struct {
	words    []string
	context  int // of words, those that only tell it from another meaning: "cafe" in "cafe+pele"
	name     string
	category string // what it makes, where a label says nothing else
}

// loadDictionary fails when a file is not as it must be: an expansion that is itself expanded would make keys that change
// when they are read again.
func loadDictionary() (*dictionary, error) {
	var file struct {
		Abbreviations map[string][]string `json:"abbreviations"`
		Display       map[string]string   `json:"display"`
		Accents       []string            `json:"accents"`
		Liquids       []string            `json:"liquids"`
		Counted       []string            `json:"counted"`
		Fillers       []string            `json:"fillers"`
	}
	if err := json.Unmarshal(dictionaryFile, &file); err != nil {
		return nil, fmt.Errorf("read dictionary.json: %w", err)
	}
	d := &dictionary{meanings: map[string][]meaning{}, display: file.Display, liquids: map[string]bool{}, fillers: map[string]bool{}}
	for abbreviation, texts := range file.Abbreviations {
		for _, text := range texts {
			m := readMeaning(text)
			for w := range strings.FieldsSeq(m.word) {
				if file.Abbreviations[w] != nil {
					return nil, fmt.Errorf("read dictionary.json: %q stands for %q, which stands for something else", abbreviation, w)
				}
			}
			d.meanings[abbreviation] = append(d.meanings[abbreviation], m)
		}
	}
	for _, w := range file.Accents {
		if d.display[fold(w)] == "" {
			d.display[fold(w)] = w
		}
	}
	for _, w := range file.Liquids {
		d.liquids[stem(w)] = true
	}
	for _, w := range file.Fillers {
		d.fillers[stem(w)] = true
	}
	for _, phrase := range file.Counted {
		d.counted = append(d.counted, stems(strings.Fields(phrase)))
	}
	var err error
	if d.brands, err = loadBrands(); err != nil {
		return nil, err
	}
	return d, nil
}

func readMeaning(text string) meaning {
	if word, ok := strings.CutPrefix(text, "^"); ok {
		return meaning{word: word, first: true}
	}
	if after, word, ok := strings.Cut(text, ">"); ok {
		return meaning{word: word, after: after}
	}
	return meaning{word: text}
}

// loadBrands reads lists by category of "Name" or "Name=alias|alias". In "Pelé=cafe+pele" the word is a brand after "cafe" alone.
func loadBrands() (map[string][]brand, error) {
	var file map[string][]string
	if err := json.Unmarshal(brandsFile, &file); err != nil {
		return nil, fmt.Errorf("read brands.json: %w", err)
	}
	brands := map[string][]brand{}
	for category, texts := range file {
		for _, text := range texts {
			name, aliases, ok := strings.Cut(text, "=")
			if !ok {
				aliases = fold(name)
			}
			for alias := range strings.SplitSeq(aliases, "|") {
				before, after, ok := strings.Cut(alias, "+")
				if !ok {
					before, after = "", alias
				}
				context := strings.Fields(before)
				words := append(context, strings.Fields(after)...)
				if len(words) == len(context) {
					return nil, fmt.Errorf("read brands.json: the brand %q has no alias", name)
				}
				brands[words[0]] = append(brands[words[0]], brand{words: words, context: len(context), name: name, category: category})
			}
		}
	}
	for _, list := range brands {
		slices.SortFunc(list, func(a, b brand) int {
			if n := len(b.words) - len(a.words); n != 0 {
				return n
			}
			return strings.Compare(a.name, b.name)
		})
	}
	return brands, nil
}

// expand puts whole words in the place of abbreviations. A litre that follows a number is left alone: but "12 LT 350ML" is
// twelve cans.
func (d *dictionary) expand(tokens []string) []string {
	out := make([]string, 0, len(tokens))
	first := true
	for i, t := range tokens {
		if isNumber(t) || t == packMark {
			out = append(out, t)
			continue
		}
		if i > 0 && isNumber(tokens[i-1]) && isLitre(t) {
			if i+2 >= len(tokens) || !isAmount(tokens[i+1], tokens[i+2]) {
				out = append(out, t)
				continue
			}
		}
		out = append(out, d.meaningOf(t, first, out)...)
		first = false
	}
	return out
}

func (d *dictionary) meaningOf(t string, first bool, before []string) []string {
	for _, m := range d.meanings[t] {
		if m.first && !first || m.after != "" && !slices.Contains(before, m.after) {
			continue
		}
		return strings.Fields(m.word)
	}
	return []string{t}
}

// brandIn finds the longest brand among words, the first of equals, and where it stands.
func (d *dictionary) brandIn(words []string) (found brand, at int) {
	for i, w := range words {
		for _, b := range d.brands[w] {
			if len(b.words) > len(found.words) && i+len(b.words) <= len(words) && slices.Equal(words[i:i+len(b.words)], b.words) {
				found, at = b, i
			}
		}
	}
	return found, at
}

// isCounted says that words are of something that is counted by the piece.
func (d *dictionary) isCounted(words []string) bool {
	all := stems(words)
	return slices.ContainsFunc(d.counted, func(phrase []string) bool { _, ok := within(all, phrase); return ok })
}

func (d *dictionary) isLiquid(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return d.liquids[stem(w)] })
}

// within says whether words has those of phrase in their order, others in between or not, and where the first of them is.
func within(words, phrase []string) (first int, ok bool) {
	first = -1
	n := 0
	for i, w := range words {
		if n < len(phrase) && w == phrase[n] {
			if n == 0 {
				first = i
			}
			n++
		}
	}
	return first, n == len(phrase) && n > 0
}

// shown is a word of a key as people write it.
func (d *dictionary) shown(w string) string {
	if s := d.display[w]; s != "" {
		return s
	}
	if isNumber(w) {
		return strings.ReplaceAll(w, ".", ",")
	}
	return w
}

// capital puts the first letter in upper case.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return strings.ToUpper(string(r)) + s[n:]
}
