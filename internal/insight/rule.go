package insight

import (
	"context"
	"time"

	"github.com/mercadoesperto/smarket/internal/product"
)

// Rule looks for one kind. Find answers what it found, at most a few findings, or a gap when the household's profile lacks what it needs.
type Rule interface {
	Kind() Kind
	Monthly() bool
	Find(ctx context.Context, s Subject) ([]Finding, *Gap, error)
}

// Seasons knows when fruit and vegetables are in season.
type Seasons interface {
	// InSeason says whether the fruit or vegetable, product.Class's Produce, is in season in the month.
	InSeason(produce string, m time.Month) bool
}

// Names says how things are called for people: facts have no ids, which nobody should read. Implemented by product.Taxonomy.
type Names interface {
	Category(id string) (product.Category, bool)
	// MerchantCategoryName is the name of a kind of shop, "supermercado", or "" where there is no such kind.
	MerchantCategoryName(id string) string
}

// categoryName is the id itself where there is no such category.
func categoryName(names Names, id string) string {
	if c, ok := names.Category(id); ok {
		return c.Name
	}
	return id
}

// PurchaseRules are those of one purchase, in the order of the kinds.
func PurchaseRules(f PurchaseFigures, seasons Seasons, names Names) []Rule {
	return []Rule{
		priceAlert{f},
		categoryInsight{f, names},
		merchantPattern{f, names},
		summary{names},
		essentialRatio{},
		seasonalAlert{f, seasons},
		childrenSpending{f},
	}
}
