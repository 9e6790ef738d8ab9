package spending_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/spending"
)

// fake is a store with prepared answers; the real one is tried with the service in internal/store.
type fake struct {
	sums             spending.Sums
	points           []spending.PricePoint
	prices           []spending.LastPrice
	lines            []spending.Purchase
	err              error
	previous, period spending.Period // of the last sums
	ids              []string        // of the last basket
	limit            int
}

func (f *fake) Sums(_ context.Context, _ string, previous, period spending.Period, _ spending.Group) (spending.Sums, error) {
	f.previous, f.period = previous, period
	return f.sums, f.err
}

func (f *fake) Prices(_ context.Context, _, _ string, _ *spending.Period, limit int) ([]spending.PricePoint, error) {
	f.limit = limit
	return f.points, f.err
}

func (f *fake) LastPrices(_ context.Context, _ string, ids []string) ([]spending.LastPrice, error) {
	f.ids = ids
	return f.prices, f.err
}

func (f *fake) Lines(_ context.Context, _ string, _ *spending.Period, limit int) ([]spending.Purchase, error) {
	f.limit = limit
	return f.lines, f.err
}

type categories struct{}

func (categories) Category(id string) product.Category {
	if id == "unnamed" {
		return product.Category{ID: id}
	}
	return product.Category{ID: id, Name: strings.ToUpper(id)}
}

func service(t *testing.T, f *fake) *spending.Service {
	t.Helper()
	s, err := spending.NewService(spending.Config{Store: f, Categories: categories{}})
	require.NoError(t, err)
	return s
}

func requireBad(t *testing.T, err error, field string) {
	t.Helper()
	var bad *invoice.Error
	require.ErrorAs(t, err, &bad)
	assert.Equal(t, invoice.CodeBadUserInput, bad.Code)
	assert.Equal(t, field, bad.Field)
	assert.NotEmpty(t, bad.Message)
}

func TestAServiceNeedsItsParts(t *testing.T) {
	t.Parallel()
	_, err := spending.NewService(spending.Config{Categories: categories{}})
	require.Error(t, err)
	_, err = spending.NewService(spending.Config{Store: &fake{}})
	require.Error(t, err)
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ from, to, previousFrom, previousTo string }{
		"a month":                    {"2026-11-01", "2026-11-30", "2026-10-01", "2026-10-31"},
		"a month after a short one":  {"2026-03-01", "2026-03-31", "2026-02-01", "2026-02-28"},
		"a month after a leap month": {"2024-03-01", "2024-03-31", "2024-02-01", "2024-02-29"},
		"a leap February":            {"2024-02-01", "2024-02-29", "2024-01-01", "2024-01-31"},
		"a leap February but a day":  {"2024-02-01", "2024-02-28", "2024-01-04", "2024-01-31"},
		"a quarter":                  {"2026-01-01", "2026-03-31", "2025-10-01", "2025-12-31"},
		"a year":                     {"2024-01-01", "2024-12-31", "2023-01-01", "2023-12-31"},
		"a day":                      {"2026-11-23", "2026-11-23", "2026-11-22", "2026-11-22"},
		"a first day":                {"2026-03-01", "2026-03-01", "2026-02-28", "2026-02-28"},
		"a week over a leap day":     {"2024-02-26", "2024-03-03", "2024-02-19", "2024-02-25"},
		"all but a month's first":    {"2026-11-02", "2026-11-30", "2026-10-04", "2026-11-01"},
		"the most days":              {"2023-01-02", "2028-01-02", "2018-01-01", "2023-01-01"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{}
			r, err := service(t, f).Report(t.Context(), "u", spending.Period{From: test.from, To: test.to}, spending.GroupByCategory)
			require.NoError(t, err)
			assert.Equal(t, spending.Period{From: test.from, To: test.to}, r.Period)
			assert.Equal(t, spending.Period{From: test.previousFrom, To: test.previousTo}, r.Previous)
			assert.Equal(t, r.Period, f.period)
			assert.Equal(t, r.Previous, f.previous)
		})
	}
}

func TestPeriodsThatAreNone(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]spending.Period{
		"ends before it begins": {From: "2026-11-02", To: "2026-11-01"},
		"no such day":           {From: "2026-11-01", To: "2026-11-31"},
		"no leap year":          {From: "2026-02-29", To: "2026-03-31"},
		"no day":                {From: "", To: "2026-11-30"},
		"a time":                {From: "2026-11-01T00:00:00Z", To: "2026-11-30"},
		"another order":         {From: "01/11/2026", To: "30/11/2026"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := service(t, &fake{})
			_, err := s.Report(t.Context(), "u", p, spending.GroupByMonth)
			requireBad(t, err, "period")
			_, err = s.History(t.Context(), "u", "p", &p)
			requireBad(t, err, "period")
			_, err = s.Export(t.Context(), "u", &p)
			requireBad(t, err, "period")
		})
	}
}

func TestAReportIsBounded(t *testing.T) {
	t.Parallel()
	s := service(t, &fake{})
	for _, p := range []spending.Period{
		{From: "2023-01-02", To: "2028-01-03"}, {From: "0001-01-01", To: "0001-01-01"}, {From: "0001-01-01", To: "9999-12-31"},
	} {
		_, err := s.Report(t.Context(), "u", p, spending.GroupByMonth)
		requireBad(t, err, "period")
	}
	_, err := s.Report(t.Context(), "u", spending.Period{From: "0001-01-02", To: "0001-01-02"}, spending.GroupByMonth)
	require.NoError(t, err)
	_, err = s.History(t.Context(), "u", "p", &spending.Period{From: "0001-01-01", To: "9999-12-31"})
	require.NoError(t, err, "a history is bounded by its points")
}

func TestFailuresOfTheStoreAreKept(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	s := service(t, &fake{err: down})
	_, err := s.Report(t.Context(), "u", spending.Period{From: "2026-11-01", To: "2026-11-30"}, spending.GroupByMonth)
	require.ErrorIs(t, err, down)
	_, err = s.History(t.Context(), "u", "p", nil)
	require.ErrorIs(t, err, down)
	_, err = s.Basket(t.Context(), "u", []spending.BasketLine{{ProductID: "p", Quantity: decimal.New(1, 0)}})
	require.ErrorIs(t, err, down)
	_, err = s.Export(t.Context(), "u", nil)
	require.ErrorIs(t, err, down)
}

func TestGroupsAreSortedAndNamed(t *testing.T) {
	t.Parallel()
	f := &fake{sums: spending.Sums{Total: 1000, Divided: 900, Groups: []spending.GroupSum{
		{Key: "b", Total: 100}, {Key: "unnamed", Total: 100}, {Key: "a", Total: 100, Previous: 1}, {Key: "d", Total: 600}, {Key: "c"},
	}}}
	r, err := service(t, f).Report(t.Context(), "u", spending.Period{From: "2026-11-01", To: "2026-11-30"}, spending.GroupByCategory)
	require.NoError(t, err)
	var names, shares []string
	for _, g := range r.Groups {
		names, shares = append(names, g.Name), append(shares, g.Share.String())
	}
	assert.Equal(t, []string{"D", "A", "B", "unnamed", "C"}, names)
	assert.Equal(t, []string{"66.7", "11.1", "11.1", "11.1", "0"}, shares)
	assert.EqualValues(t, 100, r.Unassigned)
}

func TestMonthsWithoutPurchasesAppear(t *testing.T) {
	t.Parallel()
	f := &fake{sums: spending.Sums{Divided: 30, Groups: []spending.GroupSum{
		{Key: "2026-01-31", Total: 10, Purchases: 1},
		{Key: "2026-01-02", Total: 5, Purchases: 2},
		{Key: "2026-03-01", Total: 15, Purchases: 1},
		{Key: "2025-12-31", Previous: 7},
		{Key: "2025-10-01", Previous: 9},
	}}}
	r, err := service(t, f).Report(t.Context(), "u", spending.Period{From: "2026-01-01", To: "2026-03-31"}, spending.GroupByMonth)
	require.NoError(t, err)
	require.Len(t, r.Groups, 3)
	assert.Equal(t, spending.GroupTotal{
		Key: "2026-01", Name: "janeiro de 2026", Total: 15, PreviousTotal: 9, Purchases: 3, Share: r.Groups[0].Share,
	}, r.Groups[0])
	assert.Equal(t, "50", r.Groups[0].Share.String())
	assert.Equal(t, "fevereiro de 2026", r.Groups[1].Name)
	assert.Zero(t, r.Groups[1].Total)
	assert.Equal(t, "março de 2026", r.Groups[2].Name)
	assert.EqualValues(t, 7, r.Groups[2].PreviousTotal)

	f.sums.Groups = []spending.GroupSum{{Key: "2027-01-01", Total: 1}}
	_, err = service(t, f).Report(t.Context(), "u", spending.Period{From: "2026-01-01", To: "2026-03-31"}, spending.GroupByMonth)
	require.Error(t, err, "a day that nobody asked for")
}

func price(s string) *decimal.Decimal {
	if s == "" {
		return nil
	}
	return new(decimal.RequireFromString(s))
}

func TestTheCheapestPriceIsMarked(t *testing.T) {
	t.Parallel()
	type prices = [][2]string // price and measure price
	for name, test := range map[string]struct {
		prices prices
		want   []bool
	}{
		"by measure":                     {prices{{"1", "9"}, {"5", "8"}, {"6", "8.5"}}, []bool{false, true, false}},
		"all that are equal":             {prices{{"1", "8.0"}, {"5", "8"}}, []bool{true, true}},
		"most have a measure":            {prices{{"1", ""}, {"5", "8"}, {"6", "9"}}, []bool{false, true, false}},
		"half have a measure":            {prices{{"5", "8"}, {"4", ""}}, []bool{false, true}},
		"none has a measure":             {prices{{"5", ""}, {"4", ""}, {"", ""}}, []bool{false, true, false}},
		"a gift is no price":             {prices{{"0", "0"}, {"4", "8"}}, []bool{false, true}},
		"nothing has a price":            {prices{{"", ""}, {"0", ""}}, []bool{false, false}},
		"a measure without a price wins": {prices{{"", "2"}}, []bool{true}},
		"no points have no cheapest one": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{}
			for _, p := range test.prices {
				f.points = append(f.points, spending.PricePoint{Price: price(p[0]), MeasurePrice: price(p[1])})
			}
			points, err := service(t, f).History(t.Context(), "u", "p", nil)
			require.NoError(t, err)
			assert.Equal(t, 500, f.limit)
			var got []bool
			for _, p := range points {
				got = append(got, p.Cheapest)
			}
			assert.Equal(t, test.want, got)
		})
	}
}
