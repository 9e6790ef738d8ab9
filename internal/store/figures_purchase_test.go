package store_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
	"github.com/mercadoesperto/smarket/schema"
)

// neverInSeason is a calendar without seasons.
type neverInSeason struct{}

func (neverInSeason) InSeason(string, time.Month) bool { return false }

// plainNames knows no name: ids stand for themselves.
type plainNames struct{}

func (plainNames) Category(string) (product.Category, bool) { return product.Category{}, false }

func (plainNames) MerchantCategoryName(string) string { return "" }

// TestPurchaseRulesOnARandomHistory compares what rules find through the database with what loops over the same rows find.
func TestPurchaseRulesOnARandomHistory(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, d := open(t), newDiary(7)
			accounts := store.NewAccounts(db)
			first := time.Date(2025, 10, 1, 0, 0, 0, 0, time.UTC)
			for range 2 {
				user := storetest.NewUser(t, accounts)
				products := d.addProducts(user, 14, 5)
				for range 150 {
					d.addPurchase(user, first.AddDate(0, 0, d.rand.IntN(430)).Format(time.DateOnly), 1+d.rand.IntN(12), products)
				}
			}
			d.write(t, db)
			found := map[insight.Kind]int{}
			for _, p := range d.purchases {
				s := d.subject(p, insight.Household{Adults: 2, Children: 2, Income: new(fiscal.Money(1_234_56))})
				for _, r := range insight.PurchaseRules(store.NewFigures(db), neverInSeason{}, plainNames{}) {
					findings, gap, err := r.Find(t.Context(), s)
					require.NoError(t, err)
					require.Nil(t, gap)
					found[r.Kind()] += len(findings)
					expect, ok := d.expectations(s)[r.Kind()]
					if !ok {
						continue // it reads no ledger
					}
					require.JSONEq(t, asJSON(t, expect()), asJSON(t, factsOf(findings)), "%s of %s", r.Kind(), p.InvoiceID)
				}
			}
			for kind, n := range found {
				assert.Greater(t, n, 10, kind)
				t.Log(kind, n)
			}
		})
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

func factsOf(findings []insight.Finding) []any {
	facts := []any{}
	for _, f := range findings {
		facts = append(facts, f.Facts)
	}
	return facts
}

// expectations compute the facts of a kind in the plainest way, with fractions.
func (d *diary) expectations(s insight.Subject) map[insight.Kind]func() []any {
	return map[insight.Kind]func() []any{
		insight.KindPriceAlert:       func() []any { return d.expectPrices(s) },
		insight.KindCategoryInsight:  func() []any { return d.expectCategories(s) },
		insight.KindMerchantPattern:  func() []any { return d.expectMerchant(s) },
		insight.KindSeasonalAlert:    func() []any { return d.expectSeasonal(s) },
		insight.KindChildrenSpending: func() []any { return d.expectChildren(s) },
	}
}

func daysAgo(s insight.Subject, years, days int) string {
	t, _ := time.Parse(time.DateOnly, string(s.Today))
	return t.AddDate(-years, 0, -days).Format(time.DateOnly)
}

// before are the user's lines from a day on until the subject's, its own left out.
func (d *diary) before(s insight.Subject, from string) []schema.PurchaseLine {
	var all []schema.PurchaseLine
	for _, l := range d.lines {
		if l.UserID == s.UserID && l.InvoiceID != s.InvoiceID && l.BoughtOn >= from && l.BoughtOn <= string(s.Today) {
			all = append(all, l)
		}
	}
	return all
}

// meanPrices are those of each product in each purchase, by quantity and rounded to millionths.
func meanPrices(lines []schema.PurchaseLine, of func(schema.PurchaseLine) *int64) map[[2]string]*big.Rat {
	priced, quantity := map[[2]string]*big.Rat{}, map[[2]string]*big.Rat{}
	for _, l := range lines {
		price := of(l)
		if price == nil || *price <= 0 || l.PriceMicro == nil || *l.PriceMicro <= 0 || l.QuantityMicro <= 0 {
			continue
		}
		k := [2]string{l.ProductID, l.InvoiceID}
		if priced[k] == nil {
			priced[k], quantity[k] = new(big.Rat), new(big.Rat)
		}
		q := big.NewRat(l.QuantityMicro, 1)
		quantity[k].Add(quantity[k], q)
		priced[k].Add(priced[k], q.Mul(q, big.NewRat(*price, 1)))
	}
	for k := range priced {
		priced[k].Quo(priced[k], quantity[k])
		priced[k].SetString(priced[k].FloatString(0))
	}
	return priced
}

func (d *diary) own(s insight.Subject) []schema.PurchaseLine {
	return slices.DeleteFunc(slices.Clone(d.lines), func(l schema.PurchaseLine) bool { return l.InvoiceID != s.InvoiceID })
}

func unitPrice(l schema.PurchaseLine) *int64 { return l.PriceMicro }

func measurePrice(l schema.PurchaseLine) *int64 { return l.MeasurePriceMicro }

func ratio(n, d int64) *big.Rat { return big.NewRat(n, d) }

func times(a *big.Rat, n, d int64) *big.Rat { return new(big.Rat).Mul(a, ratio(n, d)) }

func percentAbove(now, mean *big.Rat) string {
	p := new(big.Rat).Sub(now, mean)
	return times(p.Quo(p, mean), 100, 1).FloatString(1)
}

// cents are an amount in facts, of an exact number of centavos.
func cents(r *big.Rat) insight.Amount {
	n, _ := new(big.Int).SetString(r.FloatString(0), 10)
	return insight.Amount(n.Int64())
}

// expected is a finding's facts with its place: the furthest above first, then by key.
type expected struct {
	key   string
	extra *big.Rat
	facts map[string]any
}

func sorted(all []expected, limit int) []any {
	slices.SortFunc(all, func(a, b expected) int { return cmp.Or(b.extra.Cmp(a.extra), cmp.Compare(a.key, b.key)) })
	facts := []any{}
	for _, e := range all[:min(len(all), limit)] {
		facts = append(facts, e.facts)
	}
	return facts
}

func (d *diary) expectPrices(s insight.Subject) []any {
	sum, count := map[string]*big.Rat{}, map[string]int64{}
	for k, price := range meanPrices(d.before(s, daysAgo(s, 0, 90)), unitPrice) {
		if sum[k[0]] == nil {
			sum[k[0]] = new(big.Rat)
		}
		sum[k[0]].Add(sum[k[0]], price)
		count[k[0]]++
	}
	var all []expected
	for k, price := range meanPrices(d.own(s), unitPrice) {
		id := k[0]
		if count[id] < 2 {
			continue
		}
		mean := times(sum[id], 1, count[id])
		if price.Cmp(times(mean, 12, 10)) <= 0 {
			continue
		}
		quantity := new(big.Rat)
		for _, l := range d.own(s) {
			if l.ProductID == id && l.PriceMicro != nil && *l.PriceMicro > 0 {
				quantity.Add(quantity, ratio(l.QuantityMicro, 1_000_000))
			}
		}
		extra := new(big.Rat).Sub(price, mean)
		all = append(all, expected{id, extra.Mul(extra, quantity), map[string]any{
			"product": d.row(id).Name, "current_price": cents(times(price, 1, 10_000)), "average_price": cents(times(mean, 1, 10_000)),
			"price_difference_percent": percentAbove(price, mean), "history_count": count[id],
			"quantity": strings.TrimRight(strings.TrimRight(quantity.FloatString(6), "0"), "."),
		}})
	}
	return sorted(all, 5)
}

// monthsBefore are the sums of the three calendar months before, those of nothing left out, and the month's own before s.
func (d *diary) monthsBefore(s insight.Subject, counts func(schema.Product) bool) (mean *big.Rat, months int64, current int64) {
	today, _ := time.Parse(time.DateOnly, string(s.Today))
	mean = new(big.Rat)
	for back := range 4 {
		month := time.Date(today.Year(), today.Month()-time.Month(back), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
		var sum int64
		for _, l := range d.before(s, month+"-01") {
			if strings.HasPrefix(l.BoughtOn, month) && counts(d.row(l.ProductID)) {
				sum += l.PaidCentavos
			}
		}
		switch {
		case back == 0:
			current = sum
		case sum > 0:
			months++
			mean.Add(mean, ratio(sum, 1))
		}
	}
	if months > 0 {
		mean.Quo(mean, ratio(months, 1))
	}
	return mean, months, current
}

func (d *diary) expectCategories(s insight.Subject) []any {
	here := map[string]int64{}
	for _, l := range s.Lines {
		here[l.Product.Category] += int64(l.Paid)
	}
	var all []expected
	for id, paid := range here {
		mean, months, current := d.monthsBefore(s, func(p schema.Product) bool { return p.Category == id })
		month := ratio(current+paid, 1)
		if paid < 50_00 || months == 0 || month.Cmp(times(mean, 13, 10)) <= 0 {
			continue
		}
		all = append(all, expected{id, new(big.Rat).Sub(month, mean), map[string]any{
			"category": id, "current_month_total": cents(month), "average_monthly": cents(mean),
			"difference_percent": percentAbove(month, mean), "months_analyzed": months,
		}})
	}
	return sorted(all, 3)
}

func (d *diary) expectMerchant(s insight.Subject) []any {
	var here, others, paidHere, paidOthers int64
	for _, p := range d.purchases {
		if p.UserID != s.UserID || p.BoughtOn < daysAgo(s, 0, 90) || p.BoughtOn > string(s.Today) || p.TotalCentavos <= 0 {
			continue
		}
		switch { // with this one
		case p.Merchant == s.Merchant.Key:
			here, paidHere = here+1, paidHere+p.TotalCentavos
		case p.MerchantCategory == s.Merchant.Category:
			others, paidOthers = others+1, paidOthers+p.TotalCentavos
		}
	}
	if s.Total <= 0 || here < 3 || others == 0 || ratio(paidHere, here).Cmp(times(ratio(paidOthers, others), 12, 10)) <= 0 {
		return []any{}
	}
	return []any{map[string]any{
		"merchant_name": s.Merchant.Name, "merchant_category": s.Merchant.Category, "current_avg_ticket": cents(ratio(paidHere, here)),
		"category_avg_ticket": cents(ratio(paidOthers, others)), "visit_count": here,
		"difference_percent": percentAbove(ratio(paidHere, here), ratio(paidOthers, others)),
	}}
}

func (d *diary) expectSeasonal(s insight.Subject) []any {
	year := d.before(s, daysAgo(s, 1, 0))
	produce := 0
	own := slices.DeleteFunc(d.own(s), func(l schema.PurchaseLine) bool { return d.row(l.ProductID).Produce == "" })
	for range own {
		produce++
	}
	var all []expected
	var total insight.Amount
	measured := meanPrices(own, measurePrice)
	for k, price := range meanPrices(own, unitPrice) {
		low, measure := lowest(year, k[0], unitPrice), false
		if m := lowest(year, k[0], measurePrice); m > 0 && measured[k] != nil && allMeasured(own, k[0]) {
			low, price, measure = m, measured[k], true
		}
		if low == 0 || price.Cmp(times(ratio(low, 1), 13, 10)) <= 0 {
			continue
		}
		premium := new(big.Rat).Quo(new(big.Rat).Sub(price, ratio(low, 1)), price)
		amount := cents(premium.Mul(premium, ratio(paidWithPrice(own, k[0]), 1)))
		total += amount
		facts := map[string]any{
			"product": d.row(k[0]).Name, "current_price": cents(times(price, 1, 10_000)), "lowest_price": cents(ratio(low, 10_000)),
			"difference_percent": percentAbove(price, ratio(low, 1)), "premium": amount,
		}
		if measure {
			facts["measure"] = "KG"
		}
		all = append(all, expected{k[0], ratio(int64(amount), 1), facts})
	}
	if produce < 3 || len(all) == 0 {
		return []any{}
	}
	names := strings.Fields("janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro")
	month, _ := time.Parse(time.DateOnly, string(s.Today))
	return []any{map[string]any{
		"off_season_items": sorted(all, len(all)), "total_premium": total, "produce_count": produce, "current_month": names[month.Month()-1],
	}}
}

// lowest is 0 where there is none.
func lowest(lines []schema.PurchaseLine, id string, of func(schema.PurchaseLine) *int64) int64 {
	var low int64
	for _, l := range lines {
		if p := of(l); l.ProductID == id && p != nil && *p > 0 && *l.PriceMicro > 0 && (low == 0 || *p < low) {
			low = *p
		}
	}
	return low
}

func allMeasured(lines []schema.PurchaseLine, id string) bool {
	return !slices.ContainsFunc(lines, func(l schema.PurchaseLine) bool {
		return l.ProductID == id && l.PriceMicro != nil && *l.PriceMicro > 0 && (l.MeasurePriceMicro == nil || *l.MeasurePriceMicro <= 0)
	})
}

func paidWithPrice(lines []schema.PurchaseLine, id string) (sum int64) {
	for _, l := range lines {
		if l.ProductID == id && l.PriceMicro != nil && *l.PriceMicro > 0 {
			sum += l.PaidCentavos
		}
	}
	return sum
}

func (d *diary) expectChildren(s insight.Subject) []any {
	var items, total int64
	for _, l := range s.Lines {
		if l.Product.Child {
			items, total = items+1, total+int64(l.Paid)
		}
	}
	if items < 2 || total == 0 {
		return []any{}
	}
	mean, months, current := d.monthsBefore(s, func(p schema.Product) bool { return p.Child })
	facts := map[string]any{
		"child_items_count": items, "child_total": insight.Amount(total), "cost_per_child": cents(ratio(total, 2)), "children_count": 2,
		"month_total": insight.Amount(total + current), "income_percent": ratio(total*100, int64(*s.Household.Income)).FloatString(1),
	}
	if months > 0 {
		facts["avg_previous_months"], facts["change_percent"] = cents(mean), percentAbove(ratio(total+current, 1), mean)
	}
	return []any{facts}
}

// TestPurchaseFiguresOfNobody asks for what does not exist, and for what is no id.
func TestPurchaseFiguresOfNobody(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, d, ctx := open(t), newDiary(1), t.Context()
			f, user := store.NewFigures(db), storetest.NewUser(t, store.NewAccounts(db))
			products := d.addProducts(user, 3, 1)
			d.addPurchase(user, "2026-11-20", 40, products)
			d.write(t, db)
			ids := []string{products[0].ID, "no id"}
			m := insight.Merchant{Key: d.purchases[0].Merchant, Category: d.purchases[0].MerchantCategory}
			all := insight.Period{From: "2026-11-01", To: "2026-11-30"}
			for name, c := range map[string]struct {
				history insight.History
				found   bool
			}{
				"the user":               {insight.History{UserID: user, Period: all}, true},
				"its id in capitals":     {insight.History{UserID: strings.ToUpper(user), Period: all}, true},
				"a single day":           {insight.History{UserID: user, Period: insight.Period{From: "2026-11-20", To: "2026-11-20"}}, true},
				"another left out":       {insight.History{UserID: user, ExceptID: storetest.NewID(t), Period: all}, true},
				"it is left out":         {insight.History{UserID: user, ExceptID: d.invoices[0].ID, Period: all}, false},
				"another user":           {insight.History{UserID: storetest.NewID(t), Period: all}, false},
				"what is no user":        {insight.History{UserID: "x' OR 1=1 --", Period: all}, false},
				"the days before":        {insight.History{UserID: user, Period: insight.Period{From: "2026-11-01", To: "2026-11-19"}}, false},
				"the days after":         {insight.History{UserID: user, Period: insight.Period{From: "2026-11-21", To: "2026-11-30"}}, false},
				"days that are none":     {insight.History{UserID: user, Period: insight.Period{From: "x\x00'", To: "'\xff"}}, false},
				"a period back to front": {insight.History{UserID: user, Period: insight.Period{From: all.To, To: all.From}}, false},
			} {
				prices, err := f.PricesPaid(ctx, c.history, ids)
				require.NoError(t, err, name)
				assert.Equal(t, c.found, len(prices) > 0, name)
				low, err := f.LowestPrices(ctx, c.history, ids)
				require.NoError(t, err, name)
				assert.Equal(t, c.found, len(low) > 0, name)
				months, err := f.CategoryMonths(ctx, c.history, []string{"category 0", "\x00'"})
				require.NoError(t, err, name)
				assert.Equal(t, c.found, len(months["category 0"]) > 0, name)
				child, err := f.ChildMonths(ctx, c.history)
				require.NoError(t, err, name)
				assert.Equal(t, c.found, len(child) > 0, name)
				tickets, err := f.MerchantTickets(ctx, c.history, m)
				require.NoError(t, err, name)
				assert.Equal(t, c.found, tickets.Here == 1, name)
				assert.Zero(t, tickets.Others, name)
			}
			h := insight.History{UserID: user, Period: all}
			prices, err := f.PricesPaid(ctx, h, nil)
			require.NoError(t, err)
			assert.Empty(t, prices)
			low, err := f.LowestPrices(ctx, h, []string{"no id"})
			require.NoError(t, err)
			assert.Empty(t, low)
			months, err := f.CategoryMonths(ctx, h, nil)
			require.NoError(t, err)
			assert.Empty(t, months)
		})
	}
}

// TestPurchaseFiguresDoNotMixUsers holds even if a line named another user's product.
func TestPurchaseFiguresDoNotMixUsers(t *testing.T) {
	t.Parallel()
	for name, open := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, d, ctx := open(t), newDiary(2), t.Context()
			accounts := store.NewAccounts(db)
			one, two := storetest.NewUser(t, accounts), storetest.NewUser(t, accounts)
			products := d.addProducts(one, 1, 1)
			d.addPurchase(two, "2026-11-20", 30, products)
			d.write(t, db)
			f, h := store.NewFigures(db), insight.History{UserID: one, Period: insight.Period{From: "2026-11-01", To: "2026-11-30"}}
			prices, err := f.PricesPaid(ctx, h, []string{products[0].ID})
			require.NoError(t, err)
			assert.Empty(t, prices)
			low, err := f.LowestPrices(ctx, h, []string{products[0].ID})
			require.NoError(t, err)
			assert.Empty(t, low)
			months, err := f.CategoryMonths(ctx, h, []string{products[0].Category})
			require.NoError(t, err)
			assert.Empty(t, months, fmt.Sprint(months))
		})
	}
}
