package insight

import (
	"cmp"
	"context"
	"slices"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// summaryItems is how many items make a purchase worth a summary.
const summaryItems = 3

// SummaryFacts is what a SUMMARY knows.
type SummaryFacts struct {
	TotalValue Amount          `json:"total_value"` // what was paid
	ItemCount  int             `json:"item_count"`
	Merchant   string          `json:"merchant"`
	Categories []CategoryTotal `json:"categories"` // the largest first
}

// CategoryTotal is what lines of a category cost together, before discounts of the whole purchase.
type CategoryTotal struct {
	Category string `json:"category"` // its name, for people
	Total    Amount `json:"total"`
}

// summary: every purchase of three items or more, in short. It is good to know, no more.
type summary struct{ names Names }

func (summary) Kind() Kind { return KindSummary }

func (summary) Monthly() bool { return false }

func (r summary) Find(_ context.Context, s Subject) ([]Finding, *Gap, error) {
	if len(s.Lines) < summaryItems {
		return nil, nil, nil
	}
	ids, totals := categoriesOf(s.Lines), map[string]fiscal.Money{}
	for _, l := range s.Lines {
		totals[l.Product.Category] = totals[l.Product.Category].Add(l.Paid)
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Or(cmp.Compare(totals[b], totals[a]), cmp.Compare(a, b)) })
	categories := make([]CategoryTotal, 0, len(ids))
	for _, id := range ids {
		categories = append(categories, CategoryTotal{categoryName(r.names, id), Amount(totals[id])})
	}
	return []Finding{{
		Kind: KindSummary, Priority: PriorityLow,
		Facts: SummaryFacts{
			TotalValue: Amount(s.Total), ItemCount: len(s.Lines), Merchant: s.Merchant.Name, Categories: categories,
		},
		Period: s.thatDay(), Categories: ids, Merchants: []string{s.Merchant.Name}, ItemIDs: itemIDs(s.Lines),
	}}, nil, nil
}
