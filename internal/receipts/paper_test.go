package receipts

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPaperFitsItsRoll(t *testing.T) {
	t.Parallel()
	everySeed(t, func(t *testing.T, _ uint64, r Receipt) {
		t.Helper()
		for _, s := range Styles() {
			for _, l := range r.Paper(s) {
				assert.LessOrEqual(t, utf8.RuneCountInString(l), s.Columns, "%s: %q", s.Name, l)
				assert.Equal(t, strings.TrimRight(l, " "), l)
				if s.ASCII {
					assert.Equal(t, -1, strings.IndexFunc(l, func(c rune) bool { return c > unicode.MaxASCII }), "%q", l)
				}
			}
		}
	})
}

func TestPaperSaysWhatItsTruthSays(t *testing.T) {
	t.Parallel()
	everySeed(t, func(t *testing.T, _ uint64, r Receipt) {
		t.Helper()
		for _, s := range Styles() {
			lines := r.Paper(s)
			text := strings.Join(lines, "\n")
			truth := r.PaperTruth(s)
			squeezed := strings.Join(strings.Fields(text), "")
			for _, it := range truth.Items {
				assert.Contains(t, text, it.Code+" "+it.Description)
			}
			assert.Contains(t, squeezed, truth.AccessKey, s.Name)
			assert.Contains(t, text, formatCNPJ(truth.Issuer.CNPJ))
			assert.Contains(t, text, s.text(s.Labels.Due))
			assert.Contains(t, text, amount(truth.Totals.Due))
			assert.Contains(t, squeezed, r.IssuedAt.Format("02/01/200615:04:05"))
			if r.ConsumerCPF != "" {
				assert.NotContains(t, text, r.ConsumerCPF)
				assert.Contains(t, text, maskCPF(r.ConsumerCPF))
			}
			assert.Equal(t, r.Offline, r.PaperDraft(s).Protocol == "")
			if !r.Offline {
				assert.Contains(t, squeezed, r.Protocol)
			}
			discounts := 0
			for _, it := range truth.Items {
				if it.Discount > 0 {
					discounts++
					assert.Contains(t, text, " -"+amount(it.Discount))
				}
			}
			if s.ItemDiscount != "" {
				assert.Equal(t, discounts, strings.Count(text, "\n    "+s.ItemDiscount+" "))
			}
		}
	})
}

func TestPaperOfAKnownReceipt(t *testing.T) {
	t.Parallel()
	style, ok := StyleNamed("80-two-line")
	require.True(t, ok)
	r := Generate(NewRand(3), Options{Items: 2, Plain: true, Issue: IssueOnline})
	r.Items[0].Discount = 0
	lines := strings.Join(r.Paper(style), "\n")
	first := r.Items[0]
	assert.Contains(t, lines, "\n001 "+style.code(first)+" "+first.Product.Description+"\n    ")
	assert.Contains(t, lines, first.Product.Unit+" X "+number(first.UnitPrice, 2))
	assert.Contains(t, lines, "Consulte pela Chave de Acesso em:")
}

func TestWrapKeepsEveryCharacter(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"um dois", "três"}, wrap("um  dois três", 8))
	assert.Equal(t, []string{"a", "ãããã", "ã b"}, wrap("a ããããã b", 4))
	assert.Empty(t, wrap(" ", 4))
}
