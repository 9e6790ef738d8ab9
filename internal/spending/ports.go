package spending

import (
	"context"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/product"
)

// Store reads the ledger of purchases. What names a user finds nothing of another's; an id that is none finds nothing.
type Store interface {
	// Sums adds up what was spent in two periods, the second of which begins the day after the first ends: at most two
	// statements, which see one state of the ledger.
	Sums(ctx context.Context, userID string, previous, period Period, by Group) (Sums, error)
	// Prices are what a product cost, the newest limit of them, oldest first. A NOT_FOUND *invoice.Error when the product is not
	// userID's.
	Prices(ctx context.Context, userID, productID string, period *Period, limit int) ([]PricePoint, error)
	// LastPrices are the last prices above zero of each product at each shop, newest first: one statement. A product of the
	// user's that has none is there once, without a shop.
	LastPrices(ctx context.Context, userID string, productIDs []string) ([]LastPrice, error)
	// Lines are the oldest limit lines, oldest first, with the ids of their categories and without their names: one statement.
	Lines(ctx context.Context, userID string, period *Period, limit int) ([]Purchase, error)
}

// Categories knows the taxonomy.
type Categories interface {
	// Category is the one of that id, or what stands for those it does not know.
	Category(id string) product.Category
}

// Sums are what was spent in a period and in the one before.
type Sums struct {
	Total     fiscal.Money // of the purchases in the period
	Previous  fiscal.Money
	Purchases int          // in the period
	Divided   fiscal.Money // the part of Total that belongs to groups, those that Groups leaves out included
	// Groups are in no order. By category and by shop they are those of both periods, by product the MaxProducts of the period with
	// the largest totals, and by month they are days, which months of the two periods are made of.
	Groups []GroupSum
}

// GroupSum is one group's part.
type GroupSum struct {
	Key       string // a category's id, a shop's key, a day, a product's id
	Name      string // of a shop: the one on its newest purchase
	Total     fiscal.Money
	Previous  fiscal.Money
	Purchases int // in the period
	Product   *product.Product
}

// LastPrice is the last price of a product at a shop.
type LastPrice struct {
	ProductID    string
	MerchantKey  string // "" says that the product has no price anywhere
	MerchantName string
	Price        decimal.Decimal // for one printed unit
	On           string          // day
}
