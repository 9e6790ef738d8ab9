package spending

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

const (
	// maxLines bounds a basket.
	maxLines = 100
	// maxQuantity and minQuantity, in thousandths, bound what is asked of one product.
	maxQuantity = 9_999_000
	minQuantity = 1
	// maxExponent bounds a quantity before it is calculated with: 1e999999999 is short here and a gigabyte once compared.
	maxExponent = 40
)

func badLines(message string) error {
	return &invoice.Error{Code: invoice.CodeBadUserInput, Field: "lines", Message: message}
}

// Basket is what the lines cost at each shop where the user has bought one of them, by the last price paid there: complete
// offers first, then by total and name. A price of zero was a gift and is none. Lines of one product are added up.
func (s *Service) Basket(ctx context.Context, userID string, lines []BasketLine) ([]BasketOffer, error) {
	lines, err := merge(lines)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(lines))
	for _, l := range lines {
		ids = append(ids, l.ProductID)
	}
	prices, err := s.store.LastPrices(ctx, userID, ids)
	if err != nil {
		return nil, fmt.Errorf("compare a basket: %w", err)
	}
	known := make(map[string]bool, len(lines))
	for i := range prices {
		known[prices[i].ProductID] = true
	}
	for _, id := range ids {
		if !known[id] {
			return nil, badLines("Um dos produtos da lista não foi encontrado.")
		}
	}
	return offers(lines, prices), nil
}

// merge checks the lines and adds up those of one product, in the order in which products first come.
func merge(lines []BasketLine) ([]BasketLine, error) {
	switch {
	case len(lines) == 0:
		return nil, badLines("Escolha pelo menos um produto.")
	case len(lines) > maxLines:
		return nil, badLines("A lista pode ter no máximo 100 produtos.")
	}
	badQuantity := badLines("A quantidade de um produto deve ser de 0,001 a 9999.")
	var merged []BasketLine
	at := map[string]int{}
	for _, l := range lines {
		if e := l.Quantity.Exponent(); e < -maxExponent || e > maxExponent || l.Quantity.LessThan(decimal.New(minQuantity, -3)) {
			return nil, badQuantity
		}
		i, ok := at[l.ProductID]
		if !ok {
			i = len(merged)
			at[l.ProductID] = i
			merged = append(merged, BasketLine{ProductID: l.ProductID})
		}
		merged[i].Quantity = merged[i].Quantity.Add(l.Quantity)
		if merged[i].Quantity.GreaterThan(decimal.New(maxQuantity, -3)) {
			return nil, badQuantity
		}
	}
	return merged, nil
}

// offers has one offer for each shop with a price.
func offers(lines []BasketLine, prices []LastPrice) []BasketOffer {
	type shelf map[string]*LastPrice // by product
	shelves, names := map[string]shelf{}, map[string]string{}
	for i := range prices {
		p := &prices[i]
		if p.MerchantKey == "" {
			continue
		}
		if shelves[p.MerchantKey] == nil {
			shelves[p.MerchantKey], names[p.MerchantKey] = shelf{}, p.MerchantName
		}
		shelves[p.MerchantKey][p.ProductID] = p
	}
	found := make([]BasketOffer, 0, len(shelves))
	for key, products := range shelves {
		o := BasketOffer{MerchantKey: key, MerchantName: names[key]}
		for _, l := range lines {
			o.take(l, products[l.ProductID])
		}
		o.Complete = len(o.Missing) == 0
		if len(o.Found) > 0 {
			found = append(found, o)
		}
	}
	slices.SortFunc(found, func(a, b BasketOffer) int {
		if a.Complete != b.Complete {
			if a.Complete {
				return -1
			}
			return 1
		}
		return cmp.Or(
			cmp.Compare(a.Total, b.Total), strings.Compare(a.MerchantName, b.MerchantName), strings.Compare(a.MerchantKey, b.MerchantKey),
		)
	})
	return found
}

// take adds a line to the offer, at its price or as missing when that is nil.
func (o *BasketOffer) take(l BasketLine, price *LastPrice) {
	if price != nil {
		// A price so absurd that the total is out of range was read wrong: it is no price.
		if total, err := fiscal.LineTotal(l.Quantity, price.Price); err == nil {
			o.Found = append(o.Found, BasketPrice{ProductID: l.ProductID, Price: price.Price, Total: total, On: price.On})
			o.Total = o.Total.Add(total)
			return
		}
	}
	o.Missing = append(o.Missing, l.ProductID)
}
