package product

import (
	"regexp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// nameless is the key of a label without a letter or a digit.
const nameless = "item sem descricao"

// maxSettling bounds how often a key is read again until it stays as it is. Twice is usual, and no label needs more than four.
const maxSettling = 8

// Label is a till's label, read.
type Label struct {
	// Key is the label in words that every till shares: "leite integral italac 1 l". Reading it again gives the same Label.
	Key     string
	Name    string // for people: "Leite integral Italac 1 L"
	Brand   string // "" when not known
	Size    decimal.Decimal
	Measure Measure
	Weighed bool // sold by the kilogram: Size is 1 then
	// BrandCategory is what the brand makes, for labels that say no more.
	BrandCategory string
	// Words are those of the key without sizes.
	Words []string
}

// Labels reads labels.
type Labels struct {
	words *dictionary
	leve  *regexp.Regexp // "l12p11"
	packs *regexp.Regexp // units like C30 and CX12
}

// NewLabels fails when the dictionary, which is part of the program, is not as it must be.
func NewLabels() (*Labels, error) {
	words, err := loadDictionary()
	if err != nil {
		return nil, err
	}
	return &Labels{
		words: words,
		leve:  regexp.MustCompile(`^(?:l|lv|leve)(\d{1,4})(?:p|pg|pague)\d{1,4}$`),
		packs: regexp.MustCompile(`^(?:c|cx|fd|pc|pct|bdj|cart|emb)/?(\d{1,3})$`),
	}, nil
}

// Parse reads a label and the unit it is sold by ("" when that is not known).
func (l *Labels) Parse(label, unit string) Label {
	// The name is made of the label's own order of words, all else of what the key says.
	read, name := l.once(label, unit)
	for range maxSettling {
		again, _ := l.once(read.Key, "")
		settled := again.Key == read.Key
		if read = again; settled {
			break
		}
	}
	read.Name = name
	return read
}

func (l *Labels) once(label, unit string) (Label, string) {
	all := l.words.expand(tokens(label))
	if len(all) == 0 {
		all = strings.Fields(nameless)
	}
	found, words := readSizes(all, l.words.isLiquid(all), l.leve)
	l.byUnit(&found, unit, len(words) == 0)
	if kept := slices.DeleteFunc(slices.Clone(words), isFiller); len(kept) > 0 {
		words = kept
	}
	if len(words) == 0 {
		words = strings.Fields(nameless)
	}
	// What stands for itself alone may be an abbreviation where it stands now.
	words = l.words.expand(words)
	counted := l.words.isCounted(words)
	found.settle(counted)
	read := Label{Words: words, Weighed: found.weighed, Key: key(words, &found)}
	bulk := slices.Contains(words, "fardo")
	read.Size, read.Measure = found.of(counted, bulk)
	made, at := l.words.brandIn(words)
	read.Brand, read.BrandCategory = made.name, made.category
	return read, l.name(words, made, at, &found)
}

// byUnit adds what the unit says and the label does not: KG, L, or C30 for a box of thirty.
func (l *Labels) byUnit(s *sizes, unit string, empty bool) {
	u := strings.TrimSpace(fold(unit))
	switch {
	case isKilogram(u), u == "k", u == "quilo", u == "kilo":
		s.weighed = true
	case empty:
	case u == "l" || u == "litro":
		if len(s.amounts) == 0 && len(s.counts) == 0 {
			s.amounts = append(s.amounts, amount{measure: MeasureLitre, small: decimal.NewFromInt(1000), pack: 1})
		}
	case u == "dz" || u == "duzia":
		if len(s.counts) == 0 {
			s.counts = append(s.counts, 12)
		}
	default:
		if m := l.packs.FindStringSubmatch(strings.ReplaceAll(u, " ", "")); m != nil && len(s.counts) == 0 {
			if n, ok := wholeNumber(m[1]); ok && n > 1 && (len(s.amounts) == 0 || s.amounts[0].pack == 1) {
				s.counts = append(s.counts, n)
			}
		}
	}
}

// isFiller says that a word is left out of keys: some tills print it, some do not.
func isFiller(w string) bool {
	switch w {
	case "de", "da", "do", "das", "dos", "em":
		return true
	}
	return false
}

// key puts the words first and the sizes last. A weighed product's key ends in "kg", with "por" where a number comes before.
func key(words []string, s *sizes) string {
	parts := append(append([]string(nil), words...), s.texts(false)...)
	if s.weighed {
		last := parts[len(parts)-1]
		if c := last[len(last)-1]; c >= '0' && c <= '9' || last == "x" {
			parts = append(parts, "por")
		}
		parts = append(parts, "kg")
	}
	return strings.Join(parts, " ")
}

// name is the label for people: accents, the brand as it writes itself, the size.
func (l *Labels) name(words []string, made brand, at int, s *sizes) string {
	var parts []string
	for i := 0; i < len(words); i++ {
		if made.name != "" && i == at+made.context {
			parts = append(parts, made.name)
			i += len(made.words) - made.context - 1
			continue
		}
		if i+1 < len(words) && (made.name == "" || i+1 != at+made.context) {
			if phrase := l.words.display[words[i]+" "+words[i+1]]; phrase != "" {
				parts = append(parts, phrase)
				i++
				continue
			}
		}
		parts = append(parts, l.words.shown(words[i]))
	}
	parts = append(parts, s.texts(true)...)
	return capital(strings.Join(parts, " "))
}
