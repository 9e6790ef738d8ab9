// Package evaluate measures how well a document was read: it compares an invoice with the truth about it. It neither reads nor
// judges: whether figures agree with each other is the ledger's business, whether they are the printed ones is this one's.
package evaluate

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/agnivade/levenshtein"
	"github.com/shopspring/decimal"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// alike is how similar a description must be to the printed one, from 0 to 1, without accents, case and blanks.
const alike = 0.85

// Score counts what was read right, over one document or many.
type Score struct {
	Documents int `json:"documents"`
	// Items are those of the truth. Exact have quantity, unit price, total and discount as printed, and a description that is
	// alike. Invented are lines that are not on the paper.
	Items    int `json:"items"`
	Exact    int `json:"itemsExact"`
	Invented int `json:"itemsInvented"`
	// Fields are those of the head and the totals: access key, number, CNPJ, moment, and six amounts.
	Fields      int `json:"fields"`
	FieldsExact int `json:"fieldsExact"`
	Keys        int `json:"accessKeys"` // read right
	Due         int `json:"amountsDue"` // read right
	Completed   int `json:"completed"`  // whose ledger closes
}

// Add adds another score to s.
func (s *Score) Add(o Score) {
	s.Documents += o.Documents
	s.Items += o.Items
	s.Exact += o.Exact
	s.Invented += o.Invented
	s.Fields += o.Fields
	s.FieldsExact += o.FieldsExact
	s.Keys += o.Keys
	s.Due += o.Due
	s.Completed += o.Completed
}

// Compare scores one document.
func Compare(inv *invoice.Invoice, truth receipts.Truth) Score {
	s := Score{Documents: 1, Items: len(truth.Items)}
	s.Exact, s.Invented = items(inv.Items, truth.Items)
	field := func(ok bool) bool {
		s.Fields++
		if ok {
			s.FieldsExact++
		}
		return ok
	}
	if field(inv.AccessKey == truth.AccessKey) {
		s.Keys++
	}
	field(inv.Number == truth.Number)
	field(inv.Issuer.CNPJ == truth.Issuer.CNPJ)
	moment, err := time.Parse(time.RFC3339, truth.IssuedAt)
	field(err == nil && inv.IssuedAt != nil && inv.IssuedAt.Equal(moment))
	t := inv.Totals
	if field(t.Due != nil && *t.Due == truth.Totals.Due) {
		s.Due++
	}
	field(t.Products != nil && *t.Products == truth.Totals.Products)
	field(t.Discount == truth.Totals.Discount)
	field(t.Freight == truth.Totals.Freight)
	field(t.Other == truth.Totals.Other)
	field(t.Change == truth.Totals.Change)
	if inv.Status == invoice.StatusCompleted {
		s.Completed++
	}
	return s
}

// items aligns both lists such that most lines are exact, in their order: the longest common subsequence.
func items(got []invoice.Item, want []receipts.TruthItem) (exact, invented int) {
	longest := make([][]int, len(got)+1)
	for i := range longest {
		longest[i] = make([]int, len(want)+1)
	}
	for i, g := range slices.Backward(got) {
		for j, w := range slices.Backward(want) {
			longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			if isExact(g, w) {
				longest[i][j] = max(longest[i][j], 1+longest[i+1][j+1])
			}
		}
	}
	return longest[0][0], max(0, len(got)-len(want))
}

func isExact(got invoice.Item, want receipts.TruthItem) bool {
	quantity, errQ := decimal.NewFromString(want.Quantity)
	price, errP := decimal.NewFromString(want.UnitPrice)
	return errQ == nil && errP == nil && got.Quantity.Equal(quantity) && got.UnitPrice.Equal(price) &&
		got.Total == want.Total && got.Discount == want.Discount && similarity(got.Description, want.Description) >= alike
}

func similarity(a, b string) float64 {
	a, b = folded(a), folded(b)
	longest := max(len([]rune(a)), len([]rune(b)), 1)
	return 1 - float64(levenshtein.ComputeDistance(a, b))/float64(longest)
}

func folded(s string) string {
	s, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn))), s)
	if err != nil {
		return ""
	}
	return strings.ToUpper(strings.Join(strings.Fields(s), ""))
}
