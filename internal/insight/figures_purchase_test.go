package insight_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/product"
)

const (
	today    = insight.Day("2026-11-23")
	here     = "11222333000181"
	analysed = "analysed"
)

// past is a line of an earlier purchase.
type past struct {
	invoice  string
	day      string
	product  product.Product
	quantity int64 // millionths; 0 is one unit
	price    int64 // centavos of one unit
	measure  int64 // centavos of a kilogram
}

// ticket is an earlier purchase.
type ticket struct {
	day, merchant, category string
	total                   fiscal.Money
}

// shopping is the past of one user, which it looks through line by line.
type shopping struct {
	lines   []past
	tickets []ticket
	asked   int
}

var _ insight.PurchaseFigures = (*shopping)(nil)

func (s *shopping) within(h insight.History) []past {
	s.asked++
	return slices.DeleteFunc(slices.Clone(s.lines), func(l past) bool {
		return insight.Day(l.day) < h.From || insight.Day(l.day) > h.To || h.UserID != "user" || h.ExceptID != analysed
	})
}

func (s *shopping) PricesPaid(_ context.Context, h insight.History, ids []string) ([]insight.PaidPrice, error) {
	var all []insight.PaidPrice
	for i, l := range s.within(h) {
		if slices.Contains(ids, l.product.ID) {
			invoice := l.invoice
			if invoice == "" {
				invoice = strconv.Itoa(i)
			}
			all = append(all, insight.PaidPrice{
				ProductID: l.product.ID, InvoiceID: invoice, QuantityMicro: l.micro(), PriceMicro: l.price * 10_000,
			})
		}
	}
	return all, nil
}

func (l past) micro() int64 {
	if l.quantity == 0 {
		return 1_000_000
	}
	return l.quantity
}

func (s *shopping) LowestPrices(_ context.Context, h insight.History, ids []string) (map[string]insight.LowestPrice, error) {
	lowest := map[string]insight.LowestPrice{}
	for _, l := range s.within(h) {
		if !slices.Contains(ids, l.product.ID) {
			continue
		}
		low, ok := lowest[l.product.ID]
		if !ok || l.price*10_000 < low.PriceMicro {
			low.PriceMicro = l.price * 10_000
		}
		if l.measure > 0 && (low.MeasurePriceMicro == 0 || l.measure*10_000 < low.MeasurePriceMicro) {
			low.MeasurePriceMicro = l.measure * 10_000
		}
		lowest[l.product.ID] = low
	}
	return lowest, nil
}

func (s *shopping) CategoryMonths(_ context.Context, h insight.History, ids []string) (map[string][]insight.MonthTotal, error) {
	months := map[string][]insight.MonthTotal{}
	for _, l := range s.within(h) {
		if c := l.product.Category; slices.Contains(ids, c) {
			months[c] = inMonth(months[c], l)
		}
	}
	return months, nil
}

func (s *shopping) ChildMonths(_ context.Context, h insight.History) ([]insight.MonthTotal, error) {
	var months []insight.MonthTotal
	for _, l := range s.within(h) {
		if l.product.Child {
			months = inMonth(months, l)
		}
	}
	return months, nil
}

func inMonth(months []insight.MonthTotal, l past) []insight.MonthTotal {
	for i := range months {
		if months[i].Month == l.day[:7] {
			months[i].Paid += fiscal.Money(l.price)
			return months
		}
	}
	return append(months, insight.MonthTotal{Month: l.day[:7], Paid: fiscal.Money(l.price)})
}

func (s *shopping) MerchantTickets(_ context.Context, h insight.History, m insight.Merchant) (insight.MerchantTickets, error) {
	s.asked++
	var all insight.MerchantTickets
	for _, t := range s.tickets {
		switch {
		case insight.Day(t.day) < h.From || insight.Day(t.day) > h.To:
		case t.merchant == m.Key:
			all.Here, all.PaidHere = all.Here+1, all.PaidHere+t.total
		case t.category == m.Category:
			all.Others, all.PaidOthers = all.Others+1, all.PaidOthers+t.total
		}
	}
	return all, nil
}

// calendar says which produce is in season, and in November alone.
type calendar map[string]bool

func (c calendar) InSeason(produce string, m time.Month) bool {
	return m == time.November && c[produce]
}

type names struct{}

func (names) Category(id string) (product.Category, bool) {
	return product.Category{ID: id, Name: "category " + id}, id != "unknown"
}

func (names) MerchantCategoryName(id string) string { return "kind " + id }

// look runs the rule of a kind.
func look(t *testing.T, kind insight.Kind, f insight.PurchaseFigures, s insight.Subject) []insight.Finding {
	t.Helper()
	for _, r := range insight.PurchaseRules(f, calendar{"manga": true}, names{}) {
		if r.Kind() != kind {
			continue
		}
		require.False(t, r.Monthly())
		findings, gap, err := r.Find(t.Context(), s)
		require.NoError(t, err)
		require.Nil(t, gap)
		for _, f := range findings {
			require.Equal(t, kind, f.Kind)
			require.NotEmpty(t, f.ItemIDs)
			require.NotEmpty(t, f.Categories)
			require.Equal(t, []string{"Mercado"}, f.Merchants)
			require.LessOrEqual(t, f.Period.From, f.Period.To)
			require.Equal(t, s.Today, f.Period.To)
		}
		return findings
	}
	require.Fail(t, "no such rule", kind)
	return nil
}

// basketOf is a subject that was bought at Mercado, with ids of its lines in their order: "1", "2".
func basketOf(lines ...insight.Line) insight.Subject {
	s := insight.Subject{
		UserID: "user", InvoiceID: analysed, Today: today,
		Merchant: insight.Merchant{Key: here, Name: "Mercado", Category: "supermarket"}, Household: insight.Household{Adults: 1},
	}
	for i, l := range lines {
		l.ItemID = strconv.Itoa(i + 1)
		s.Lines = append(s.Lines, l)
		s.Total = s.Total.Add(l.Paid)
	}
	return s
}

// line is one unit of a product for a price in centavos.
func line(p product.Product, price int64) insight.Line { return lineOf(p, 1_000_000, price) }

// lineOf is a quantity in millionths for a price of one in centavos.
func lineOf(p product.Product, quantity, price int64) insight.Line {
	return insight.Line{
		Product: p, QuantityMicro: quantity, PriceMicro: new(price * 10_000), Paid: fiscal.Money(price * quantity / 1_000_000),
	}
}

// called is a product with a category.
func called(id, category string) product.Product {
	return product.Product{ID: id, UserID: "user", Name: "name " + id, Measure: product.MeasureUnit, Class: product.Class{Category: category}}
}

// broken fails whatever it is asked.
type broken struct{}

var errBroken = errors.New("broken")

func (broken) PricesPaid(context.Context, insight.History, []string) ([]insight.PaidPrice, error) {
	return nil, errBroken
}

func (broken) LowestPrices(context.Context, insight.History, []string) (map[string]insight.LowestPrice, error) {
	return nil, errBroken
}

func (broken) CategoryMonths(context.Context, insight.History, []string) (map[string][]insight.MonthTotal, error) {
	return nil, errBroken
}

func (broken) ChildMonths(context.Context, insight.History) ([]insight.MonthTotal, error) {
	return nil, errBroken
}

func (broken) MerchantTickets(context.Context, insight.History, insight.Merchant) (insight.MerchantTickets, error) {
	return insight.MerchantTickets{}, errBroken
}

// everything is a purchase that every rule looks at.
func everything() insight.Subject {
	p := called("p", "toys")
	p.Child, p.Produce = true, "caju"
	s := basketOf(line(p, 100_00), line(p, 100_00), line(p, 100_00), line(p, 100_00), line(p, 100_00))
	s.Household.Children = 1
	return s
}

func TestAFailingLedgerIsAnErrorAndABadDayToo(t *testing.T) {
	t.Parallel()
	asking := 0
	for _, r := range insight.PurchaseRules(broken{}, calendar{}, names{}) {
		switch r.Kind() {
		case insight.KindSummary, insight.KindEssentialRatio:
			continue // they ask nobody
		default:
			asking++
		}
		_, _, err := r.Find(t.Context(), everything())
		require.ErrorIs(t, err, errBroken, r.Kind())
		s := everything()
		s.Today = "23/11/2026"
		_, _, err = r.Find(t.Context(), s)
		require.ErrorContains(t, err, "parsing time", r.Kind())
	}
	assert.Equal(t, 5, asking)
}

func TestRulesComeInTheOrderOfKindsAndAskOnce(t *testing.T) {
	t.Parallel()
	f := &shopping{}
	var kinds []insight.Kind
	for _, r := range insight.PurchaseRules(f, calendar{}, names{}) {
		kinds = append(kinds, r.Kind())
		f.asked = 0
		_, _, err := r.Find(t.Context(), everything())
		require.NoError(t, err)
		require.LessOrEqual(t, f.asked, 1, r.Kind())
	}
	assert.Equal(t, []insight.Kind{
		insight.KindPriceAlert, insight.KindCategoryInsight, insight.KindMerchantPattern, insight.KindSummary,
		insight.KindEssentialRatio, insight.KindSeasonalAlert, insight.KindChildrenSpending,
	}, kinds)
}

func TestAnEmptyPurchaseSaysNothing(t *testing.T) {
	t.Parallel()
	f := &shopping{}
	for _, r := range insight.PurchaseRules(f, calendar{}, names{}) {
		findings, gap, err := r.Find(t.Context(), basketOf())
		require.NoError(t, err, r.Kind())
		require.Empty(t, findings, r.Kind())
		require.Nil(t, gap, r.Kind())
	}
	assert.Zero(t, f.asked, "nobody needs to be asked")
}
