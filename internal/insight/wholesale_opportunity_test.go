package insight_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/insight"
)

// recurringProduct is a product bought on some days of which the last is so many days after the first, at R$ 10.
func recurringProduct(id string, days, span int) insight.Recurring {
	first := time.Date(2026, 9, 27, 0, 0, 0, 0, time.UTC)
	return insight.Recurring{
		ProductID: id, Name: "Produto " + id, Category: "category-" + id, Days: int64(days),
		First: insight.Day(first.Format(time.DateOnly)), Last: insight.Day(first.AddDate(0, 0, span).Format(time.DateOnly)),
		PriceSumMicro: 30_000_000, Priced: 3, ItemIDs: []string{id + "1", id + "2", id + "3"},
	}
}

func TestWholesaleOpportunityThresholds(t *testing.T) {
	t.Parallel()
	rare := func(n int) (all []insight.Recurring) {
		for i := range n {
			all = append(all, recurringProduct(fmt.Sprintf("r%d", i), 3, 59))
		}
		return all
	}
	for name, tc := range map[string]struct {
		products []insight.Recurring
		savings  insight.Amount // 0 for nothing found
	}{
		"two products, both weekly":                {[]insight.Recurring{recurringProduct("a", 3, 18), recurringProduct("b", 3, 18)}, 0},
		"three products, one at nine days":         {append(rare(2), recurringProduct("a", 3, 18)), 600},
		"three products, one just beyond nine":     {append(rare(2), recurringProduct("a", 3, 19)), 300},
		"three products, one at eighteen days":     {append(rare(2), recurringProduct("a", 3, 36)), 300},
		"three products, one just beyond eighteen": {append(rare(2), recurringProduct("a", 3, 37)), 0},
		"many products, none of them often":        {rare(20), 0},
		"seven days in 54 are weekly":              {append(rare(2), recurringProduct("a", 7, 54)), 600},
		"seven days in 55 are not":                 {append(rare(2), recurringProduct("a", 7, 55)), 300},
		"all weekly":                               {[]insight.Recurring{recurringProduct("a", 3, 2), recurringProduct("b", 9, 59), recurringProduct("c", 8, 50)}, 1800},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := findMonthly(t, insight.KindWholesaleOpportunity, &monthFigures{recurring: tc.products}, onThe23rd(familyOf(2, 0, 0)))
			if tc.savings == 0 {
				assert.Nil(t, got)
				return
			}
			require.NotNil(t, got)
			facts, ok := got.Facts.(insight.WholesaleOpportunityFacts)
			require.True(t, ok)
			assert.Equal(t, tc.savings, facts.EstimatedMonthlySavings)
			assert.Equal(t, len(tc.products), facts.PatternCount)
			assert.Nil(t, facts.SavingsPercentIncome)
		})
	}
}

func TestWholesaleOpportunityPriority(t *testing.T) {
	t.Parallel()
	for priceSum, want := range map[int64]insight.Priority{
		249_974_999:   insight.PriorityLow, // three prices of R$ 83,32: R$ 49,99 of savings
		249_975_000:   insight.PriorityMedium,
		999_974_999:   insight.PriorityMedium,
		999_975_000:   insight.PriorityHigh, // R$ 333,33: R$ 199,995, rounded
		2_000_000_000: insight.PriorityHigh,
	} {
		weekly := recurringProduct("a", 3, 14)
		weekly.PriceSumMicro = priceSum
		f := &monthFigures{recurring: []insight.Recurring{weekly, recurringProduct("b", 3, 59), recurringProduct("c", 3, 59)}}
		assert.Equal(t, want, monthPriority(findMonthly(t, insight.KindWholesaleOpportunity, f, onThe23rd(familyOf(2, 0, 0)))), priceSum)
	}
}

func TestWholesaleOpportunityFacts(t *testing.T) {
	t.Parallel()
	rice := recurringProduct("a", 8, 56)
	rice.PriceSumMicro, rice.Priced = 100_000_000, 7 // R$ 14,2857
	f := &monthFigures{recurring: []insight.Recurring{recurringProduct("c", 3, 50), recurringProduct("b", 4, 30), rice}}
	got := findMonthly(t, insight.KindWholesaleOpportunity, f, onThe23rd(familyOf(2, 1, 100_000)))
	assertMonthFacts(t, `{
		"frequent_products": [
			{"product": "Produto a", "frequency": "weekly", "days_bought": 8,
			 "average_price": {"centavos": 1429, "formatted": "R$ 14,29"}, "monthly_savings": {"centavos": 857, "formatted": "R$ 8,57"}},
			{"product": "Produto b", "frequency": "fortnightly", "days_bought": 4,
			 "average_price": {"centavos": 1000, "formatted": "R$ 10,00"}, "monthly_savings": {"centavos": 300, "formatted": "R$ 3,00"}},
			{"product": "Produto c", "frequency": "occasional", "days_bought": 3,
			 "average_price": {"centavos": 1000, "formatted": "R$ 10,00"}, "monthly_savings": {"centavos": 0, "formatted": "R$ 0,00"}}
		],
		"estimated_monthly_savings": {"centavos": 1157, "formatted": "R$ 11,57"},
		"savings_percent_income": "1.2",
		"family_size_weighted": "2.7",
		"pattern_count": 3
	}`, got)
	assert.Equal(t, []string{"a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "c3"}, got.ItemIDs)
	assert.Equal(t, []string{"category-a", "category-b", "category-c"}, got.Categories)
	assert.Equal(t, insight.Period{From: "2026-09-25", To: "2026-11-23"}, got.Period)
	assert.Equal(t, []insight.Period{got.Period}, f.periods)
}

func TestWholesaleOpportunityNamesTenProductsAndCountsAll(t *testing.T) {
	t.Parallel()
	f := &monthFigures{}
	for i := range 12 {
		f.recurring = append(f.recurring, recurringProduct(fmt.Sprintf("%02d", i), 3, 10))
	}
	got := findMonthly(t, insight.KindWholesaleOpportunity, f, onThe23rd(familyOf(1, 0, 0)))
	require.NotNil(t, got)
	facts, ok := got.Facts.(insight.WholesaleOpportunityFacts)
	require.True(t, ok)
	assert.Len(t, facts.FrequentProducts, 10)
	assert.Equal(t, 12, facts.PatternCount)
	assert.Equal(t, insight.Amount(12*600), facts.EstimatedMonthlySavings)
	assert.Len(t, got.ItemIDs, 10*insight.RecurringEvidence)
}
