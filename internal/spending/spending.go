package spending

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/product"
)

// Period is a run of days in Brasília, both included: "2026-11-01" to "2026-11-30".
type Period struct{ From, To string }

// Group is what spending is divided by.
type Group string

// The groups.
const (
	GroupByCategory Group = "CATEGORY"
	GroupByMerchant Group = "MERCHANT"
	GroupByMonth    Group = "MONTH"
	GroupByProduct  Group = "PRODUCT"
)

// Report is what was spent in a period. The previous period is as many days long and ends the day before; for whole months it
// is as many whole months.
type Report struct {
	Period        Period
	Previous      Period
	Total         fiscal.Money // what was paid
	PreviousTotal fiscal.Money
	Purchases     int
	Groups        []GroupTotal // the largest first; months in order. Those of the period before alone too, by category and shop
	// Unassigned is Total less the groups: discounts, freight and surcharges of whole purchases. 0 by shop and by month.
	Unassigned fiscal.Money
}

// GroupTotal is one group's part of a report.
type GroupTotal struct {
	Key           string // a category's id, a shop's key, "2026-11", a product's id
	Name          string // for people
	Total         fiscal.Money
	PreviousTotal fiscal.Money     // by month: of the days as far back as the periods are apart
	Share         decimal.Decimal  // of the groups' sum, in percent, one decimal; products beyond the 200 count in the sum
	Purchases     int              // invoices with something of the group
	Product       *product.Product // by product only
}

// PricePoint is what a product cost once.
type PricePoint struct {
	InvoiceID    string
	ItemID       string
	On           string // day
	MerchantKey  string
	MerchantName string
	Quantity     decimal.Decimal
	// Price paid for one printed unit, and for a kilogram, litre or piece, in reais; nil when it cannot be known.
	Price        *decimal.Decimal
	MeasurePrice *decimal.Decimal
	// Cheapest says that none of the points is lower: by MeasurePrice where more than half of the prices have one, else by Price.
	Cheapest bool
}

// BasketLine is how much of a product a basket has.
type BasketLine struct {
	ProductID string
	Quantity  decimal.Decimal // of what the product is usually sold by
}

// BasketOffer is what a basket costs at one shop, by the last price the user paid there for each product.
type BasketOffer struct {
	MerchantKey  string
	MerchantName string
	Total        fiscal.Money // of the products that have a price there
	Found        []BasketPrice
	Missing      []string // ids of products that the user never bought there
	// Complete says that nothing is missing: only complete offers compare by Total.
	Complete bool
}

// BasketPrice is the last price of a product at a shop.
type BasketPrice struct {
	ProductID string
	Price     decimal.Decimal // for one unit
	Total     fiscal.Money
	On        string // the day it was paid
}

// Purchase is one line of the export of all purchases.
type Purchase struct {
	InvoiceID    string
	BoughtAt     time.Time
	MerchantName string
	MerchantCNPJ string
	AccessKey    string
	Line         int
	Description  string
	Product      string
	CategoryID   string // "dairy"
	Category     string // for people
	GTIN         string
	Quantity     decimal.Decimal
	Unit         string
	UnitPrice    decimal.Decimal
	Total        fiscal.Money
	Discount     fiscal.Money
	Paid         fiscal.Money
}
