package insight

import (
	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/product"
)

// purchased is what a purchase has of one product. Several lines of it are one: what they cost for one printed unit is the mean
// of their prices by quantity. Lines without a price, or with one that is not above zero, are left out of it.
type purchased struct {
	product product.Product
	itemIDs []string
	paid    fiscal.Money
	price   weighted // for one printed unit
	measure weighted // for a kilogram, a litre or a piece; of no use unless every line has it
	exact   bool     // every line has a measure's price
}

// basket is the lines by product, in the order in which products appear.
func basket(lines []Line) []*purchased {
	var all []*purchased
	byID := map[string]*purchased{}
	for _, l := range lines {
		if l.PriceMicro == nil || *l.PriceMicro <= 0 || l.QuantityMicro <= 0 {
			continue
		}
		p := byID[l.Product.ID]
		if p == nil {
			p = &purchased{product: l.Product, exact: true}
			byID[l.Product.ID] = p
			all = append(all, p)
		}
		p.itemIDs = append(p.itemIDs, l.ItemID)
		p.paid = p.paid.Add(l.Paid)
		p.price.add(*l.PriceMicro, l.QuantityMicro)
		if l.MeasurePriceMicro == nil || *l.MeasurePriceMicro <= 0 {
			p.exact = false
			continue
		}
		p.measure.add(*l.MeasurePriceMicro, l.QuantityMicro)
	}
	return all
}

// productIDs are the ids of the products.
func productIDs(all []*purchased) []string {
	ids := make([]string, 0, len(all))
	for _, p := range all {
		ids = append(ids, p.product.ID)
	}
	return ids
}

// weighted is a mean of prices by quantity, both in millionths.
type weighted struct{ priced, quantity decimal.Decimal }

func (w *weighted) add(price, quantity int64) {
	q := decimal.NewFromInt(quantity)
	w.priced = w.priced.Add(decimal.NewFromInt(price).Mul(q))
	w.quantity = w.quantity.Add(q)
}

// price is rounded half away from zero to a millionth, as every price of the ledger is. It needs a quantity.
func (w weighted) price() decimal.Decimal { return w.priced.DivRound(w.quantity, 0) }
