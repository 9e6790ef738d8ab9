package app_test

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// oracle says what a family is told of its purchases, from the rules as they are written and the receipts as they were printed.
// It is as plain as can be: it looks at every earlier purchase each time, and calculates in fractions. It shares nothing with the
// service but the taxonomy.
type oracle struct {
	taxonomy *product.Taxonomy
	income   *big.Rat // centavos
	family   *big.Rat // adults and 0.7 for each child
	children int64
	past     []purchase // the one that is looked at is the last
	spoke    map[string]time.Time
}

type purchase struct {
	day    time.Time
	shop   string // its CNPJ
	kind   string // of shop
	total  int64
	lines  []line
	told   int // insights
	saving int // insights of SAVINGS_POTENTIAL among them
}

type line struct {
	label    string
	paid     int64
	quantity *big.Rat
	product.Class
}

// expectation is what is told of one purchase.
type expectation struct {
	receipt  receipts.Receipt
	analyzed bool
	found    []finding
	figures  map[string]map[string]string // by kind: of some details
}

// finding is a kind and its subject. A product is named by its label: only the service knows what it calls it.
type finding struct{ kind, label, category string }

// keys are "KIND subject", sorted.
func (e expectation) keys(names map[string]string) []string {
	keys := []string{}
	for _, f := range e.found {
		keys = append(keys, f.kind+" "+names[f.label]+f.category)
	}
	slices.Sort(keys)
	return keys
}

func newOracle(t *testing.T, income, adults, children int64) *oracle {
	t.Helper()
	taxonomy, err := product.LoadTaxonomy()
	require.NoError(t, err)
	return &oracle{
		taxonomy: taxonomy, income: whole(income), family: big.NewRat(10*adults+7*children, 10), children: children,
		spoke: map[string]time.Time{},
	}
}

func whole(n int64) *big.Rat { return big.NewRat(n, 1) }

func times(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }

func over(a, b *big.Rat) *big.Rat { return new(big.Rat).Quo(a, b) }

// exceeds says that a > percent of b.
func exceeds(a *big.Rat, percent int64, b *big.Rat) bool {
	return times(a, whole(100)).Cmp(times(b, whole(percent))) > 0
}

func mean(of []*big.Rat) *big.Rat {
	sum := new(big.Rat)
	for _, r := range of {
		sum.Add(sum, r)
	}
	return over(sum, whole(int64(len(of))))
}

// rounded is half away from zero, as all figures are.
func rounded(r *big.Rat, places int) string { return r.FloatString(places) }

func percentOf(part, of *big.Rat) string { return rounded(over(times(part, whole(100)), of), 1) }

func changeOf(now, before *big.Rat) string { return percentOf(new(big.Rat).Sub(now, before), before) }

// expect looks at the next purchase.
func (o *oracle) expect(r receipts.Receipt) expectation {
	p := purchase{
		day: time.Date(r.IssuedAt.Year(), r.IssuedAt.Month(), r.IssuedAt.Day(), 0, 0, 0, 0, time.UTC), shop: r.Store.CNPJ,
		kind: o.taxonomy.MerchantCategory(r.Store.Name), total: int64(r.Due()),
	}
	for _, it := range r.Items {
		quantity, _ := new(big.Rat).SetString(it.Quantity.String())
		label := it.Product.Description
		p.lines = append(p.lines, line{
			label: label, paid: int64(it.Total - it.Discount - it.DiscountShare), quantity: quantity,
			Class: o.taxonomy.Classify(o.taxonomy.Labels().Parse(label, it.Product.Unit)),
		})
	}
	o.past = append(o.past, p)
	e := expectation{receipt: r, analyzed: p.total >= 5000, figures: map[string]map[string]string{}}
	if !e.analyzed {
		return e
	}
	for _, look := range []func(*expectation, purchase){
		o.priceAlert, o.categoryInsight, o.merchantPattern, o.summary, o.essentialRatio, o.seasonalAlert, o.childrenSpending,
	} {
		look(&e, p)
	}
	for kind, look := range map[string]func(*expectation, purchase) bool{
		"BUDGET_HEALTH": o.budgetHealth, "INCOME_COMMITMENT": o.incomeCommitment, "PER_CAPITA_SPENDING": o.perCapitaSpending,
		"SHOPPING_FREQUENCY": o.shoppingFrequency, "WHOLESALE_OPPORTUNITY": o.wholesaleOpportunity,
		"SAVINGS_POTENTIAL": o.savingsPotential, "FAMILY_NUTRITION": o.familyNutrition,
	} {
		if last, ok := o.spoke[kind]; ok && p.day.Sub(last) < 30*24*time.Hour {
			continue
		}
		if look(&e, p) {
			e.found = append(e.found, finding{kind: kind})
			o.spoke[kind] = p.day
		}
	}
	now := &o.past[len(o.past)-1]
	now.told = len(e.found)
	for _, f := range e.found {
		if f.kind == "SAVINGS_POTENTIAL" {
			now.saving++
		}
	}
	return e
}

// since are the purchases from a day to another, the one that is looked at included.
func (o *oracle) since(from, to time.Time) []purchase {
	var found []purchase
	for _, p := range o.past {
		if !p.day.Before(from) && !p.day.After(to) {
			found = append(found, p)
		}
	}
	return found
}

// before are the purchases since a day, but for the one that is looked at.
func (o *oracle) before(from, to time.Time) []purchase {
	found := o.since(from, to)
	return found[:len(found)-1]
}

// priceOf is what one unit cost, in centavos; nil when it was not bought. The ledger keeps prices in millionths of a real.
func priceOf(p purchase, label string) (price, quantity *big.Rat) {
	paid, quantity := new(big.Rat), new(big.Rat)
	for _, l := range p.lines {
		if l.label == label {
			paid.Add(paid, whole(l.paid))
			quantity.Add(quantity, l.quantity)
		}
	}
	if quantity.Sign() == 0 {
		return nil, nil
	}
	price, _ = new(big.Rat).SetString(rounded(over(paid, quantity), 4))
	return price, quantity
}

func labelsOf(p purchase) []string {
	var labels []string
	for _, l := range p.lines {
		if !slices.Contains(labels, l.label) {
			labels = append(labels, l.label)
		}
	}
	return labels
}

// most takes the findings with the largest weights.
func (e *expectation) most(n int, weights map[finding]*big.Rat) {
	var all []finding
	for f := range weights {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b finding) int { return weights[b].Cmp(weights[a]) })
	e.found = append(e.found, all[:min(n, len(all))]...)
}

func (o *oracle) priceAlert(e *expectation, p purchase) {
	weights, details := map[finding]*big.Rat{}, map[finding]map[string]string{}
	for _, label := range labelsOf(p) {
		price, quantity := priceOf(p, label)
		var earlier []*big.Rat
		for _, b := range o.before(p.day.AddDate(0, 0, -90), p.day) {
			if then, _ := priceOf(b, label); then != nil {
				earlier = append(earlier, then)
			}
		}
		if len(earlier) < 2 || !exceeds(price, 120, mean(earlier)) {
			continue
		}
		f := finding{kind: "PRICE_ALERT", label: label}
		weights[f] = times(new(big.Rat).Sub(price, mean(earlier)), quantity)
		details[f] = map[string]string{
			"current_price": rounded(price, 0), "average_price": rounded(mean(earlier), 0),
			"price_difference_percent": changeOf(price, mean(earlier)), "history_count": strconv.Itoa(len(earlier)),
		}
	}
	e.most(5, weights)
	if len(details) == 1 { // which is which is not known otherwise
		for _, d := range details {
			e.figures["PRICE_ALERT"] = d
		}
	}
}

// spentIn is what lines cost that are meant, in a calendar month so far.
func (o *oracle) spentIn(month time.Time, meant func(line) bool) int64 {
	var sum int64
	for _, p := range o.past {
		if p.day.Year() == month.Year() && p.day.Month() == month.Month() {
			sum += paid(p, meant)
		}
	}
	return sum
}

func paid(p purchase, meant func(line) bool) (sum int64) {
	for _, l := range p.lines {
		if meant(l) {
			sum += l.paid
		}
	}
	return sum
}

// meanOfThree is the mean of those of the three months before in which something was spent; nil when there is none.
func (o *oracle) meanOfThree(day time.Time, meant func(line) bool) (*big.Rat, int) {
	first := time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC)
	var months []*big.Rat
	for n := 1; n <= 3; n++ {
		if sum := o.spentIn(first.AddDate(0, -n, 0), meant); sum > 0 {
			months = append(months, whole(sum))
		}
	}
	if len(months) == 0 {
		return nil, 0
	}
	return mean(months), len(months)
}

func (o *oracle) categoryInsight(e *expectation, p purchase) {
	weights, details := map[finding]*big.Rat{}, map[finding]map[string]string{}
	for _, l := range p.lines {
		of := func(other line) bool { return other.Category == l.Category }
		before, months := o.meanOfThree(p.day, of)
		month := whole(o.spentIn(p.day, of))
		if before == nil || paid(p, of) < 5000 || !exceeds(month, 130, before) {
			continue
		}
		c, _ := o.taxonomy.Category(l.Category)
		f := finding{kind: "CATEGORY_INSIGHT", category: c.Name}
		weights[f] = new(big.Rat).Sub(month, before)
		details[f] = map[string]string{
			"category": c.Name, "current_month_total": rounded(month, 0), "average_monthly": rounded(before, 0),
			"difference_percent": changeOf(month, before), "months_analyzed": strconv.Itoa(months),
		}
	}
	e.most(3, weights)
	if len(details) == 1 {
		for _, d := range details {
			e.figures["CATEGORY_INSIGHT"] = d
		}
	}
}

func (o *oracle) merchantPattern(e *expectation, p purchase) {
	var here, others []*big.Rat
	for _, b := range o.since(p.day.AddDate(0, 0, -90), p.day) {
		switch {
		case b.shop == p.shop:
			here = append(here, whole(b.total))
		case b.kind == p.kind:
			others = append(others, whole(b.total))
		}
	}
	if len(here) < 3 || len(others) == 0 || !exceeds(mean(here), 120, mean(others)) {
		return
	}
	e.found = append(e.found, finding{kind: "MERCHANT_PATTERN"})
	e.figures["MERCHANT_PATTERN"] = map[string]string{
		"current_avg_ticket": rounded(mean(here), 0), "category_avg_ticket": rounded(mean(others), 0),
		"difference_percent": changeOf(mean(here), mean(others)), "visit_count": strconv.Itoa(len(here)),
	}
}

func (o *oracle) summary(e *expectation, p purchase) {
	if len(p.lines) >= 3 {
		e.found = append(e.found, finding{kind: "SUMMARY"})
		e.figures["SUMMARY"] = map[string]string{"total_value": strconv.FormatInt(p.total, 10), "item_count": strconv.Itoa(len(p.lines))}
	}
}

func (o *oracle) essentialRatio(e *expectation, p purchase) {
	needed := paid(p, func(l line) bool { return l.Essential })
	other := paid(p, func(l line) bool { return !l.Essential })
	if len(p.lines) < 5 || 100*other < 35*(needed+other) {
		return
	}
	e.found = append(e.found, finding{kind: "ESSENTIAL_RATIO"})
	e.figures["ESSENTIAL_RATIO"] = map[string]string{
		"essential_total": strconv.FormatInt(needed, 10), "non_essential_total": strconv.FormatInt(other, 10),
		"non_essential_percent": percentOf(whole(other), whole(needed+other)),
	}
}

func (o *oracle) seasonalAlert(e *expectation, p purchase) {
	produce, late := 0, map[string]bool{}
	for _, l := range p.lines {
		if l.Produce == "" {
			continue
		}
		produce++
		if o.taxonomy.InSeason(l.Produce, p.day.Month()) {
			continue
		}
		price, _ := priceOf(p, l.label)
		for _, b := range o.before(p.day.AddDate(-1, 0, 0), p.day) {
			// Dearer than 1.3 times any earlier price is dearer than 1.3 times the lowest.
			if then, _ := priceOf(b, l.label); then != nil && exceeds(price, 130, then) {
				late[l.label] = true
			}
		}
	}
	if produce >= 3 && len(late) > 0 {
		e.found = append(e.found, finding{kind: "SEASONAL_ALERT"})
		e.figures["SEASONAL_ALERT"] = map[string]string{"produce_count": strconv.Itoa(produce)}
	}
}

func (o *oracle) childrenSpending(e *expectation, p purchase) {
	forThem := func(l line) bool { return l.Child }
	items := 0
	for _, l := range p.lines {
		if l.Child {
			items++
		}
	}
	total := paid(p, forThem)
	if o.children == 0 || items < 2 || total <= 0 {
		return
	}
	e.found = append(e.found, finding{kind: "CHILDREN_SPENDING"})
	month := whole(o.spentIn(p.day, forThem))
	figures := map[string]string{
		"child_items_count": strconv.Itoa(items), "child_total": strconv.FormatInt(total, 10), "month_total": rounded(month, 0),
		"cost_per_child": rounded(big.NewRat(total, o.children), 0), "income_percent": percentOf(whole(total), o.income),
	}
	if before, n := o.meanOfThree(p.day, forThem); n > 0 {
		figures["avg_previous_months"], figures["change_percent"] = rounded(before, 0), changeOf(month, before)
	}
	e.figures["CHILDREN_SPENDING"] = figures
}

// threshold is base percent, and two for each person of the family but the first.
func (o *oracle) threshold(base int64) *big.Rat {
	further := times(new(big.Rat).Sub(o.family, whole(1)), whole(2))
	return further.Add(further, whole(base))
}

func totalOf(purchases []purchase) *big.Rat {
	sum := new(big.Rat)
	for _, p := range purchases {
		sum.Add(sum, whole(p.total))
	}
	return sum
}

func firstOf(day time.Time) time.Time { return day.AddDate(0, 0, 1-day.Day()) }

func (o *oracle) budgetHealth(e *expectation, p purchase) bool {
	spent := totalOf(o.since(firstOf(p.day), p.day))
	e.figures["BUDGET_HEALTH"] = map[string]string{
		"month_spent": rounded(spent, 0), "percent_of_income": percentOf(spent, o.income), "threshold_percent": rounded(o.threshold(25), 1),
		"family_size_weighted": rounded(o.family, 1),
	}
	return times(spent, whole(100)).Cmp(times(o.income, o.threshold(25))) >= 0
}

func (o *oracle) incomeCommitment(e *expectation, p purchase) bool {
	spent := totalOf(o.since(firstOf(p.day), p.day))
	days := firstOf(p.day).AddDate(0, 1, -1).Day()
	projected := times(spent, big.NewRat(int64(days), int64(p.day.Day())))
	e.figures["INCOME_COMMITMENT"] = map[string]string{
		"accumulated": rounded(spent, 0), "percent_accumulated": percentOf(spent, o.income), "projected_total": rounded(projected, 0),
		"projected_percent": percentOf(projected, o.income), "days_elapsed": strconv.Itoa(p.day.Day()),
		"days_remaining": strconv.Itoa(days - p.day.Day()),
	}
	return times(spent, whole(5)).Cmp(o.income) >= 0 || times(projected, whole(100)).Cmp(times(o.income, o.threshold(30))) >= 0
}

func (o *oracle) perCapitaSpending(e *expectation, p purchase) bool {
	now := totalOf(o.since(p.day.AddDate(0, 0, -29), p.day))
	var spans []*big.Rat
	for n := 1; n <= 3; n++ {
		from, to := p.day.AddDate(0, 0, -29-30*n), p.day.AddDate(0, 0, -30*n)
		if total := totalOf(o.since(from, to)); total.Sign() > 0 && !o.past[0].day.After(from) {
			spans = append(spans, total)
		}
	}
	if len(spans) == 0 {
		return false
	}
	before := mean(spans)
	change := new(big.Rat).Sub(now, before)
	e.figures["PER_CAPITA_SPENDING"] = map[string]string{
		"per_capita_current": rounded(over(now, o.family), 0), "per_capita_avg_3m": rounded(over(before, o.family), 0),
		"change_percent": changeOf(now, before), "income_per_capita": rounded(over(o.income, o.family), 0),
	}
	size := change.Abs(change)
	return times(size, whole(5)).Cmp(before) >= 0 || size.Cmp(times(whole(500_00), o.family)) >= 0
}

func (o *oracle) shoppingFrequency(e *expectation, p purchase) bool {
	month := o.since(firstOf(p.day), p.day)
	small, shops := 0, map[string]bool{}
	for _, m := range month {
		shops[m.shop] = true
		if m.total < 3000 {
			small++
		}
	}
	e.figures["SHOPPING_FREQUENCY"] = map[string]string{
		"invoice_count": strconv.Itoa(len(month)), "merchant_count": strconv.Itoa(len(shops)), "small_purchase_count": strconv.Itoa(small),
		"avg_ticket": rounded(over(totalOf(month), whole(int64(len(month)))), 0),
	}
	return len(month) >= 8
}

func (o *oracle) wholesaleOpportunity(e *expectation, p purchase) bool {
	days, prices := map[string][]time.Time{}, map[string][]*big.Rat{}
	for _, b := range o.since(p.day.AddDate(0, 0, -59), p.day) {
		for _, label := range labelsOf(b) {
			price, _ := priceOf(b, label)
			prices[label] = append(prices[label], price)
			if known := days[label]; len(known) == 0 || !known[len(known)-1].Equal(b.day) {
				days[label] = append(known, b.day)
			}
		}
	}
	recurring, often, savings := 0, false, int64(0)
	for label, on := range days {
		if len(on) < 3 {
			continue
		}
		recurring++
		span := on[len(on)-1].Sub(on[0]).Hours() / 24
		times4or2 := int64(0)
		switch interval := span / float64(len(on)-1); {
		case interval <= 9:
			times4or2 = 4
		case interval <= 18:
			times4or2 = 2
		}
		often = often || times4or2 > 0
		saved, _ := strconv.ParseInt(rounded(times(mean(prices[label]), big.NewRat(15*times4or2, 100)), 0), 10, 64)
		savings += saved
	}
	e.figures["WHOLESALE_OPPORTUNITY"] = map[string]string{
		"pattern_count": strconv.Itoa(recurring), "estimated_monthly_savings": strconv.FormatInt(savings, 10),
		"savings_percent_income": percentOf(whole(savings), o.income),
	}
	return recurring >= 3 && often
}

func (o *oracle) savingsPotential(e *expectation, p purchase) bool {
	count := 0
	for _, b := range o.before(p.day.AddDate(0, 0, -59), p.day) {
		count += b.told - b.saving
	}
	e.figures["SAVINGS_POTENTIAL"] = map[string]string{
		"analyses_count": strconv.Itoa(count), "month_spent": rounded(totalOf(o.since(firstOf(p.day), p.day)), 0),
	}
	return count >= 5
}

func (o *oracle) familyNutrition(e *expectation, p purchase) bool {
	groups, categories, total := map[product.FoodGroup]int64{}, map[string]bool{}, int64(0)
	for _, b := range o.since(p.day.AddDate(0, 0, -29), p.day) {
		for _, l := range b.lines {
			if l.Group != "" {
				groups[l.Group] += l.paid
				categories[l.Category] = true
				total += l.paid
			}
		}
	}
	missing := []product.FoodGroup{}
	for _, g := range []product.FoodGroup{
		product.GroupFruits, product.GroupVegetables, product.GroupProteins, product.GroupDairy, product.GroupGrains, product.GroupLegumes,
	} {
		if 100*groups[g] < 5*total {
			missing = append(missing, g)
		}
	}
	e.figures["FAMILY_NUTRITION"] = map[string]string{
		"missing_groups": fmt.Sprint(missing), "total_food_spending": strconv.FormatInt(total, 10), "has_children": strconv.FormatBool(o.children > 0),
	}
	return len(categories) >= 3 && len(missing) > 0
}
