package insight

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/product"
)

const (
	// seasonalAlertProduce is how many items of fruit and vegetables a purchase has at least.
	seasonalAlertProduce = 3
	// seasonalAlertPercent of a product's lowest price is passed by what is told.
	seasonalAlertPercent = 130
	// seasonalAlertMedium is the premium from which on it is worth a look.
	seasonalAlertMedium fiscal.Money = 10_00
)

// SeasonalAlertFacts is what a SEASONAL_ALERT knows.
type SeasonalAlertFacts struct {
	OffSeasonItems []OffSeasonItem `json:"off_season_items"` // the largest premium first
	TotalPremium   Amount          `json:"total_premium"`
	CurrentMonth   string          `json:"current_month"` // "novembro"
	ProduceCount   int             `json:"produce_count"` // items of fruit and vegetables in the purchase
}

// OffSeasonItem is a product out of its season.
type OffSeasonItem struct {
	Product string `json:"product"`
	// Measure is what both prices are for; where it is left out, they are for one printed unit.
	Measure           product.Measure `json:"measure,omitempty"`
	CurrentPrice      Amount          `json:"current_price"`
	LowestPrice       Amount          `json:"lowest_price"` // that the user paid in the last twelve months
	DifferencePercent Percent         `json:"difference_percent"`
	Premium           Amount          `json:"premium"` // what was paid above the lowest price
}

// seasonalAlert: of a purchase with three or more items of fruit and vegetables, one or more is out of season and costs above
// 1.3 times the lowest price that the user paid for that product in other purchases of the last twelve months. Prices for the
// measure are compared where both are known, else those for the printed unit. It is good to know, and worth a look from a
// premium of R$ 10 on.
type seasonalAlert struct {
	figures PurchaseFigures
	seasons Seasons
}

func (seasonalAlert) Kind() Kind { return KindSeasonalAlert }

func (seasonalAlert) Monthly() bool { return false }

// offSeason is a finding's part that is one product.
type offSeason struct {
	*purchased
	item OffSeasonItem
}

func (r seasonalAlert) Find(ctx context.Context, s Subject) ([]Finding, *Gap, error) {
	today, err := s.day()
	if err != nil {
		return nil, nil, err
	}
	produce := slices.DeleteFunc(slices.Clone(s.Lines), func(l Line) bool { return l.Product.Produce == "" })
	if len(produce) < seasonalAlertProduce {
		return nil, nil, nil
	}
	late := slices.DeleteFunc(basket(produce), func(p *purchased) bool {
		return r.seasons.InSeason(p.product.Produce, today.Month())
	})
	if len(late) == 0 {
		return nil, nil, nil
	}
	h, err := s.history(yearBefore)
	if err != nil {
		return nil, nil, err
	}
	lowest, err := r.figures.LowestPrices(ctx, h, productIDs(late))
	if err != nil {
		return nil, nil, err
	}
	var found []offSeason
	for _, p := range late {
		if item, ok := offSeasonItem(p, lowest[p.product.ID]); ok {
			found = append(found, offSeason{p, item})
		}
	}
	if len(found) == 0 {
		return nil, nil, nil
	}
	return []Finding{seasonalFinding(s, found, today.Month(), len(produce))}, nil, nil
}

// offSeasonItem is false where the product does not cost enough more.
func offSeasonItem(p *purchased, lowest LowestPrice) (OffSeasonItem, bool) {
	item := OffSeasonItem{Product: p.product.Name}
	price, least := p.price.price(), lowest.PriceMicro
	if p.exact && lowest.MeasurePriceMicro > 0 {
		item.Measure = p.product.Measure
		price, least = p.measure.price(), lowest.MeasurePriceMicro
	}
	now, low := just(price), just(decimal.NewFromInt(least))
	if !now.above(low, seasonalAlertPercent) {
		return item, false
	}
	item.CurrentPrice, item.LowestPrice, item.DifferencePercent = now.price(), low.price(), now.change(low)
	premium := decimal.NewFromInt(int64(p.paid)).Mul(now.less(low, 0)).DivRound(price, 0)
	item.Premium = Amount(premium.IntPart())
	return item, true
}

func seasonalFinding(s Subject, found []offSeason, month time.Month, produce int) Finding {
	slices.SortFunc(found, func(a, b offSeason) int {
		return cmp.Or(cmp.Compare(b.item.Premium, a.item.Premium), cmp.Compare(a.product.ID, b.product.ID))
	})
	facts := SeasonalAlertFacts{CurrentMonth: monthName(month), ProduceCount: produce}
	var evidence, categories []string
	var total fiscal.Money
	for _, f := range found {
		facts.OffSeasonItems = append(facts.OffSeasonItems, f.item)
		total = total.Add(fiscal.Money(f.item.Premium))
		evidence = append(evidence, f.itemIDs...)
		if !slices.Contains(categories, f.product.Category) {
			categories = append(categories, f.product.Category)
		}
	}
	facts.TotalPremium = Amount(total)
	priority := PriorityLow
	if total >= seasonalAlertMedium {
		priority = PriorityMedium
	}
	return Finding{
		Kind: KindSeasonalAlert, Priority: priority, Facts: facts, Period: s.thatDay(), Categories: categories,
		Merchants: []string{s.Merchant.Name}, ItemIDs: evidence,
	}
}

// monthName is a month for people.
func monthName(m time.Month) string {
	return [...]string{
		"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro",
	}[m-1]
}
