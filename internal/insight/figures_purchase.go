package insight

import (
	"context"
	"fmt"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// PurchaseFigures is what the rules of one purchase read from the ledger, one statement each. Only purchases of the history's
// user count. The analysed one never does: rules have it in their Subject.
type PurchaseFigures interface {
	// PricesPaid are the lines of the products that have a price, in no order.
	PricesPaid(ctx context.Context, h History, productIDs []string) ([]PaidPrice, error)
	// LowestPrices are the lowest prices of the products, by product; those that have none are left out.
	LowestPrices(ctx context.Context, h History, productIDs []string) (map[string]LowestPrice, error)
	// CategoryMonths is what was spent in each calendar month, by category; a month without the category is left out.
	CategoryMonths(ctx context.Context, h History, categories []string) (map[string][]MonthTotal, error)
	// ChildMonths is what was spent on products for children in each calendar month; a month without any is left out.
	ChildMonths(ctx context.Context, h History) ([]MonthTotal, error)
	// MerchantTickets compares what was paid at a shop with what was paid at the others of its category.
	MerchantTickets(ctx context.Context, h History, m Merchant) (MerchantTickets, error)
}

// History is which purchases a figure is about.
type History struct {
	UserID   string
	ExceptID string // the analysed invoice, which is left out
	Period
}

// PaidPrice is what a product cost in one line of an earlier purchase. Both figures are more than zero.
type PaidPrice struct {
	ProductID     string
	InvoiceID     string
	QuantityMicro int64
	PriceMicro    int64
}

// LowestPrice is the least that a product cost: for one printed unit, and for its measure. 0 where no such price is known.
type LowestPrice struct {
	PriceMicro        int64
	MeasurePriceMicro int64
}

// MonthTotal is what was spent in a calendar month, or in the part of it that the history has.
type MonthTotal struct {
	Month string // "2026-11"
	Paid  fiscal.Money
}

// MerchantTickets are purchases at a shop and at the others of its category. Those that cost nothing do not count.
type MerchantTickets struct {
	Here, Others         int // purchases
	PaidHere, PaidOthers fiscal.Money
}

// historyDays is how far back prices and visits are looked at: the days before the purchase's own.
const historyDays = 90

// historyMonths is how many calendar months before the purchase's own are compared with it.
const historyMonths = 3

// history is the purchases of the subject's user from a day on, found from the purchase's own, until that day's end: what was
// bought later is not known yet.
func (s Subject) history(from func(today time.Time) time.Time) (History, error) {
	today, err := s.day()
	if err != nil {
		return History{}, err
	}
	return History{
		UserID: s.UserID, ExceptID: s.InvoiceID,
		Period: Period{From: Day(from(today).Format(time.DateOnly)), To: s.Today},
	}, nil
}

// day is the purchase's day, at midnight.
func (s Subject) day() (time.Time, error) {
	day, err := time.Parse(time.DateOnly, string(s.Today))
	if err != nil {
		return time.Time{}, fmt.Errorf("day of the purchase: %w", err)
	}
	return day, nil
}

func daysBefore(today time.Time) time.Time { return today.AddDate(0, 0, -historyDays) }

func yearBefore(today time.Time) time.Time { return today.AddDate(-1, 0, 0) }

// monthsBefore is the first day of the first month that is compared.
func monthsBefore(today time.Time) time.Time {
	return time.Date(today.Year(), today.Month()-historyMonths, 1, 0, 0, 0, 0, time.UTC)
}

// month is the purchase's calendar month, "2026-11".
func (s Subject) month() string { return string(s.Today[:min(len("2026-11"), len(s.Today))]) }

// monthSoFar is the purchase's calendar month up to its day.
func (s Subject) monthSoFar() Period { return Period{From: Day(s.month() + "-01"), To: s.Today} }

// thatDay is the purchase's day alone.
func (s Subject) thatDay() Period { return Period{From: s.Today, To: s.Today} }

// itemIDs are the ids of all lines.
func itemIDs(lines []Line) []string {
	ids := make([]string, 0, len(lines))
	for _, l := range lines {
		ids = append(ids, l.ItemID)
	}
	return ids
}

// paidFor is what lines cost together.
func paidFor(lines []Line) fiscal.Money {
	var sum fiscal.Money
	for _, l := range lines {
		sum = sum.Add(l.Paid)
	}
	return sum
}

// categoriesOf are the categories of lines, in their order.
func categoriesOf(lines []Line) []string {
	var ids []string
	seen := map[string]bool{}
	for _, l := range lines {
		if id := l.Product.Category; !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}
