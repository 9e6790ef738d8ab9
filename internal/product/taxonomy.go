package product

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

//go:embed taxonomy.json
var taxonomyFile []byte

// Taxonomy knows what kinds of products and of shops there are, and tells them by words. It is taxonomy.json, read.
type Taxonomy struct {
	labels     *Labels
	categories map[string]Category
	sorted     []Category // by name
	fallback   string
	rules      map[string][]rule // by the first word of their phrase
	seasons    map[string][]time.Month

	merchantNames   map[string]string
	merchantRules   []merchantRule
	defaultMerchant string
}

// rule says what a label with the phrase's words, in their order, is.
type rule struct {
	phrase []string // stems
	class  Class
	strong bool // wins wherever it stands: a biscuit for dogs is no biscuit
}

// merchantRule says what a shop with the phrase in its name is. A word that ends in * is the beginning of one.
type merchantRule struct {
	phrase []string
	id     string
}

// ruleEntry is a list of keywords in the file. What it does not say is the category's.
type ruleEntry struct {
	Group     *FoodGroup `json:"group"`
	Essential *bool      `json:"essential"`
	Child     bool       `json:"child"`
	Strong    bool       `json:"strong"`
	Keywords  []string   `json:"keywords"`
}

type taxonomyEntries struct {
	Fallback   string `json:"fallback"`
	Categories []struct {
		ID        string      `json:"id"`
		Name      string      `json:"name"`
		Group     FoodGroup   `json:"group"`
		Essential bool        `json:"essential"`
		Rules     []ruleEntry `json:"rules"`
	} `json:"categories"`
	Produce []struct {
		ID       string       `json:"id"`
		Category string       `json:"category"`
		Group    FoodGroup    `json:"group"` // "" is the category's
		Months   []time.Month `json:"months"`
		Keywords []string     `json:"keywords"` // none: the id is the keyword
	} `json:"produce"`
	Merchants []struct {
		ID       string   `json:"id"`
		Name     string   `json:"name"`
		Keywords []string `json:"keywords"`
	} `json:"merchants"`
	DefaultMerchant string `json:"default_merchant"`
}

// LoadTaxonomy fails when a file, which is part of the program, is not as it must be: two categories that claim one keyword,
// a category that does not exist.
func LoadTaxonomy() (*Taxonomy, error) {
	labels, err := NewLabels()
	if err != nil {
		return nil, err
	}
	var file taxonomyEntries
	if err := json.Unmarshal(taxonomyFile, &file); err != nil {
		return nil, fmt.Errorf("read taxonomy.json: %w", err)
	}
	t := &Taxonomy{
		labels: labels, categories: map[string]Category{}, fallback: file.Fallback, rules: map[string][]rule{},
		seasons: map[string][]time.Month{}, merchantNames: map[string]string{}, defaultMerchant: file.DefaultMerchant,
	}
	if err := errors.Join(t.addCategories(&file), t.addProduce(&file), t.addMerchants(&file), t.checkBrands()); err != nil {
		return nil, fmt.Errorf("read taxonomy.json: %w", err)
	}
	return t, nil
}

func (t *Taxonomy) addCategories(file *taxonomyEntries) error {
	var faults []error
	for _, c := range file.Categories {
		category := Category{ID: c.ID, Name: c.Name, Group: c.Group, Essential: c.Essential}
		if c.ID == "" || c.Name == "" || t.categories[c.ID].ID != "" {
			faults = append(faults, fmt.Errorf("the category %q has no name or is there twice", c.ID))
		}
		t.categories[c.ID] = category
		t.sorted = append(t.sorted, category)
		for _, entry := range c.Rules {
			class := classOf(category)
			class.Child = entry.Child
			if entry.Group != nil {
				class.Group = *entry.Group
			}
			if entry.Essential != nil {
				class.Essential = *entry.Essential
			}
			faults = append(faults, t.addRules(entry.Keywords, class, entry.Strong))
		}
	}
	slices.SortFunc(t.sorted, func(a, b Category) int { return strings.Compare(fold(a.Name), fold(b.Name)) })
	if t.categories[t.fallback].ID == "" {
		faults = append(faults, fmt.Errorf("the fallback %q is no category", t.fallback))
	}
	return errors.Join(faults...)
}

func (t *Taxonomy) addProduce(file *taxonomyEntries) error {
	var faults []error
	for _, p := range file.Produce {
		category, ok := t.categories[p.Category]
		if !ok || len(p.Months) == 0 || t.seasons[p.ID] != nil {
			faults = append(faults, fmt.Errorf("%q has no category or no season, or is there twice", p.ID))
		}
		class := classOf(category)
		class.Produce = p.ID
		if p.Group != "" {
			class.Group = p.Group
		}
		if len(p.Keywords) == 0 {
			p.Keywords = []string{p.ID}
		}
		t.seasons[p.ID] = p.Months
		faults = append(faults, t.addRules(p.Keywords, class, false))
	}
	return errors.Join(faults...)
}

func (t *Taxonomy) addRules(keywords []string, class Class, strong bool) error {
	var faults []error
	for _, keyword := range keywords {
		phrase := stems(strings.Fields(fold(keyword)))
		if len(phrase) == 0 {
			return fmt.Errorf("%q is no keyword", keyword)
		}
		for _, r := range t.rules[phrase[0]] {
			if slices.Equal(r.phrase, phrase) && r.class != class {
				faults = append(faults, fmt.Errorf("%q is claimed by %s and by %s", keyword, r.class.Category, class.Category))
			}
		}
		t.rules[phrase[0]] = append(t.rules[phrase[0]], rule{phrase: phrase, class: class, strong: strong})
	}
	return errors.Join(faults...)
}

func (t *Taxonomy) addMerchants(file *taxonomyEntries) error {
	for _, m := range file.Merchants {
		t.merchantNames[m.ID] = m.Name
		for _, k := range m.Keywords {
			t.merchantRules = append(t.merchantRules, merchantRule{phrase: strings.Fields(fold(k)), id: m.ID})
		}
	}
	if t.merchantNames[t.defaultMerchant] == "" {
		return fmt.Errorf("the default %q is no kind of shop", t.defaultMerchant)
	}
	return nil
}

func (t *Taxonomy) checkBrands() error {
	var faults []error
	for _, list := range t.labels.words.brands {
		for _, b := range list {
			if t.categories[b.category].ID == "" {
				faults = append(faults, fmt.Errorf("the category %q of the brand %q does not exist", b.category, b.name))
			}
		}
	}
	return errors.Join(faults...)
}

func classOf(c Category) Class { return Class{Category: c.ID, Group: c.Group, Essential: c.Essential} }

// Labels reads labels with the same dictionary.
func (t *Taxonomy) Labels() *Labels { return t.labels }

// Categories are all of them, by name.
func (t *Taxonomy) Categories() []Category { return slices.Clone(t.sorted) }

// Category is the one with the id.
func (t *Taxonomy) Category(id string) (Category, bool) {
	c, ok := t.categories[id]
	return c, ok
}

// Classify says what a label is of. Of the phrases that it has, one that begins earlier wins, as the first word of a label
// names the thing and later ones its taste; then the one with more words, then the longer one. A label without any is what
// its brand makes, or else of the fallback category.
func (t *Taxonomy) Classify(l Label) Class {
	words := stems(l.Words)
	var best *rule
	bestAt := 0
	for _, w := range slices.Compact(slices.Sorted(slices.Values(words))) {
		for i := range t.rules[w] {
			r := &t.rules[w][i]
			at, ok := within(words, r.phrase)
			if ok && (best == nil || r.beats(at, best, bestAt)) {
				best, bestAt = r, at
			}
		}
	}
	switch {
	case best != nil:
		return best.class
	case l.BrandCategory != "":
		return classOf(t.categories[l.BrandCategory])
	}
	return classOf(t.categories[t.fallback])
}

func (r *rule) beats(at int, other *rule, otherAt int) bool {
	switch {
	case r.strong != other.strong:
		return r.strong
	case at != otherAt:
		return at < otherAt
	case len(r.phrase) != len(other.phrase):
		return len(r.phrase) > len(other.phrase)
	}
	return len(strings.Join(r.phrase, "")) > len(strings.Join(other.phrase, ""))
}

// forChildren says that everything in a category is for children.
func (t *Taxonomy) forChildren(category string) bool {
	some := false
	for _, rules := range t.rules {
		for _, r := range rules {
			if r.class.Category == category {
				if !r.class.Child {
					return false
				}
				some = true
			}
		}
	}
	return some
}

// InSeason says whether a fruit or vegetable is in season in Brazil in the month. One that is not known always is.
func (t *Taxonomy) InSeason(produce string, month time.Month) bool {
	months, ok := t.seasons[produce]
	return !ok || slices.Contains(months, month)
}

// MerchantCategory is what kind of shop has the name, by the word that comes first; a supermarket when no word tells.
func (t *Taxonomy) MerchantCategory(name string) string {
	words := tokens(name)
	best, bestAt, bestLen := t.defaultMerchant, len(words), 0
	for _, r := range t.merchantRules {
		at := r.in(words)
		if at >= 0 && (at < bestAt || at == bestAt && len(r.phrase) > bestLen) {
			best, bestAt, bestLen = r.id, at, len(r.phrase)
		}
	}
	return best
}

// MerchantCategoryName is a kind of shop in pt-BR; "" for what is none.
func (t *Taxonomy) MerchantCategoryName(id string) string { return t.merchantNames[id] }

// in is where the phrase begins in words; -1 when it is not there.
func (r *merchantRule) in(words []string) int {
	first, n := -1, 0
	for i, w := range words {
		if isLink(w) {
			continue
		}
		want := r.phrase[n]
		start, open := strings.CutSuffix(want, "*")
		if w != want && (!open || !strings.HasPrefix(w, start)) {
			continue
		}
		if n == 0 {
			first = i
		}
		if n++; n == len(r.phrase) {
			return first
		}
	}
	return -1
}
