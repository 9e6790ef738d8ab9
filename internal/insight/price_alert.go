package insight

import (
	"cmp"
	"context"
	"slices"

	"github.com/shopspring/decimal"
)

const (
	// priceAlertHistory is how many earlier prices make a mean worth comparing with.
	priceAlertHistory = 2
	// A price is told when it is above these percentages of the mean.
	priceAlertPercent     = 120
	priceAlertHighPercent = 150
	// priceAlertLimit is how many products of one purchase are told.
	priceAlertLimit = 5
)

// PriceAlertFacts is what a PRICE_ALERT knows. Prices are paid for one printed unit, after discounts.
type PriceAlertFacts struct {
	Product                string          `json:"product"`
	CurrentPrice           Amount          `json:"current_price"`
	AveragePrice           Amount          `json:"average_price"`
	PriceDifferencePercent Percent         `json:"price_difference_percent"`
	HistoryCount           int             `json:"history_count"` // earlier purchases with a price
	Quantity               decimal.Decimal `json:"quantity"`      // bought now, of the printed unit
}

// priceAlert: a product costs more than 1.2 times the mean of what the user paid for it in other purchases of the day or of the
// ninety days before, of which there are two at least. Each purchase is one price, whatever its lines. It matters much above
// 1.5 times. Of a purchase the five products are told that took the most money above their mean.
type priceAlert struct{ figures PurchaseFigures }

func (priceAlert) Kind() Kind { return KindPriceAlert }

func (priceAlert) Monthly() bool { return false }

// priceRise is a finding with what it is sorted by.
type priceRise struct {
	finding Finding
	extra   decimal.Decimal // (price - mean) times quantity
}

func (r priceAlert) Find(ctx context.Context, s Subject) ([]Finding, *Gap, error) {
	bought := basket(s.Lines)
	if len(bought) == 0 {
		return nil, nil, nil
	}
	h, err := s.history(daysBefore)
	if err != nil {
		return nil, nil, err
	}
	paid, err := r.figures.PricesPaid(ctx, h, productIDs(bought))
	if err != nil {
		return nil, nil, err
	}
	before := pricesBefore(paid)
	var rises []priceRise
	for _, p := range bought {
		price, mean := just(p.price.price()), before[p.product.ID]
		if mean.count < priceAlertHistory || !price.above(mean, priceAlertPercent) {
			continue
		}
		rises = append(rises, priceRise{priceFinding(s, p, price, mean), price.less(mean, 0).Mul(p.price.quantity)})
	}
	slices.SortFunc(rises, func(a, b priceRise) int {
		return cmp.Or(b.extra.Cmp(a.extra), cmp.Compare(a.finding.Subject, b.finding.Subject))
	})
	var findings []Finding
	for _, rise := range rises[:min(len(rises), priceAlertLimit)] {
		findings = append(findings, rise.finding)
	}
	return findings, nil, nil
}

// pricesBefore is the mean price of each product, over purchases.
func pricesBefore(paid []PaidPrice) map[string]average {
	type key struct{ product, invoice string }
	purchases := map[key]weighted{}
	for _, p := range paid {
		k := key{p.ProductID, p.InvoiceID}
		w := purchases[k]
		w.add(p.PriceMicro, p.QuantityMicro)
		purchases[k] = w
	}
	means := map[string]average{}
	for k, w := range purchases {
		mean := means[k.product]
		mean.add(w.price())
		means[k.product] = mean
	}
	return means
}

func priceFinding(s Subject, p *purchased, price, mean average) Finding {
	priority := PriorityMedium
	if price.above(mean, priceAlertHighPercent) {
		priority = PriorityHigh
	}
	return Finding{
		Kind: KindPriceAlert, Subject: p.product.ID, Priority: priority,
		Facts: PriceAlertFacts{
			Product: p.product.Name, CurrentPrice: price.price(), AveragePrice: mean.price(),
			PriceDifferencePercent: price.change(mean), HistoryCount: int(mean.count), Quantity: p.price.quantity.Shift(-6),
		},
		Period: s.thatDay(), Categories: []string{p.product.Category}, Merchants: []string{s.Merchant.Name}, ItemIDs: p.itemIDs,
	}
}
