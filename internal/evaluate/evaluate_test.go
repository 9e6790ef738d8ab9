package evaluate_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"

	"github.com/mercadoesperto/smarket/internal/evaluate"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

func read(seed uint64) (*invoice.Invoice, receipts.Truth) {
	r := receipts.Generate(receipts.NewRand(seed), receipts.Options{Items: 6})
	return &invoice.Invoice{Status: invoice.StatusCompleted, Draft: r.Draft()}, r.Truth()
}

func TestAPerfectReadingScoresInFull(t *testing.T) {
	t.Parallel()
	inv, truth := read(1)
	assert.Equal(t, evaluate.Score{
		Documents: 1, Items: 6, Exact: 6, Fields: 10, FieldsExact: 10, Keys: 1, Due: 1, Completed: 1,
	}, evaluate.Compare(inv, truth))
}

func TestEachWrongFigureCosts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*invoice.Invoice)
		exact  int
		fields int
	}{
		"quantity":               {func(i *invoice.Invoice) { i.Items[2].Quantity = decimal.NewFromInt(99) }, 5, 10},
		"one letter":             {func(i *invoice.Invoice) { i.Items[2].Description += "X" }, 6, 10},
		"a missing line":         {func(i *invoice.Invoice) { i.Items = i.Items[1:] }, 5, 10},
		"lines in another order": {func(i *invoice.Invoice) { i.Items[0], i.Items[1] = i.Items[1], i.Items[0] }, 5, 10},
		"total":                  {func(i *invoice.Invoice) { *i.Totals.Due++ }, 6, 9},
		"nothing":                {func(i *invoice.Invoice) { *i = invoice.Invoice{} }, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inv, truth := read(3)
			test.change(inv)
			s := evaluate.Compare(inv, truth)
			assert.Equal(t, test.exact, s.Exact)
			if name != "nothing" { // zero is right where the truth is zero
				assert.Equal(t, test.fields, s.FieldsExact)
			}
		})
	}
}

func TestInventedLinesAreCounted(t *testing.T) {
	t.Parallel()
	inv, truth := read(1)
	inv.Items = append(inv.Items, inv.Items[0])
	assert.Equal(t, 1, evaluate.Compare(inv, truth).Invented)
}
