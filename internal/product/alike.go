package product

import (
	"slices"
	"strings"
)

// What it takes for two labels to be of one product though they differ. Each word of one must have a partner in the other,
// but for words that tell no products apart (fillers in dictionary.json): "zero" or "morango" without one makes another
// product. Partners are equal words (1), a word and its beginning of at least three letters (0.9), or two that
// differ in one letter, the longer of at least six (0.8, as character recognition does). The mean must reach alikeEnough: one misread word in a
// label of two, and no two. Labels of a single word are never enough.
const (
	alikeEnough  = 900 // thousandths
	alikePrefix  = 900
	alikeMisread = 800
	fewestAlike  = 2
	leastPrefix  = 3
	leastMisread = 6
)

// likeness is how alike two labels are, in thousandths: 0 when they are of two products.
func (c *Catalogue) likeness(a, b Label) int {
	if a.Weighed != b.Weighed || a.Brand != "" && b.Brand != "" && a.Brand != b.Brand {
		return 0
	}
	first, second := c.telling(a.Words), c.telling(b.Words)
	if len(first) != len(second) || len(first) < fewestAlike {
		return 0
	}
	sum := 0
	for _, w := range first {
		best, at := 0, -1
		for i, v := range second {
			if n := wordLikeness(w, v); n > best {
				best, at = n, i
			}
		}
		if at < 0 {
			return 0
		}
		sum += best
		second = slices.Delete(second, at, at+1)
	}
	if mean := sum / len(first); mean >= alikeEnough {
		return mean
	}
	return 0
}

// telling are the stems of the words that tell products apart. Letters alone do: a vitamin A is no vitamin E.
func (c *Catalogue) telling(words []string) []string {
	out := make([]string, 0, len(words))
	for _, w := range words {
		if w = stem(w); !c.taxonomy.labels.words.fillers[w] {
			out = append(out, w)
		}
	}
	return out
}

func wordLikeness(a, b string) int {
	if len(a) > len(b) {
		a, b = b, a
	}
	switch {
	case a == b:
		return 1000
	case strings.ContainsAny(a, "0123456789") || strings.ContainsAny(b, "0123456789"):
		return 0
	case len(a) >= leastPrefix && strings.HasPrefix(b, a):
		return alikePrefix
	case len(b) >= leastMisread && oneApart([]rune(a), []rune(b)):
		return alikeMisread
	}
	return 0
}

// oneApart says whether two words differ in one letter that is another, or missing in a. The first must be the same; a last
// one that is another is a gender or a kind ("branco", "branca") and makes a difference.
func oneApart(a, b []rune) bool {
	if len(b)-len(a) > 1 || a[0] != b[0] || a[len(a)-1] != b[len(b)-1] {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return slices.Equal(a[min(i+1, len(a)):], b[min(i+1, len(b)):])
	}
	return slices.Equal(a[i:], b[i+1:])
}
