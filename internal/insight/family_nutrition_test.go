package insight_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/product"
)

// foodGroups is R$ 100 of food, with what is left in drinks.
func foodGroups(fruits, vegetables, proteins, dairy, grains, legumes fiscal.Money) map[product.FoodGroup]fiscal.Money {
	return map[product.FoodGroup]fiscal.Money{
		product.GroupFruits: fruits, product.GroupVegetables: vegetables, product.GroupProteins: proteins, product.GroupDairy: dairy,
		product.GroupGrains: grains, product.GroupLegumes: legumes,
		product.GroupDrinks: 10_000 - fruits - vegetables - proteins - dairy - grains - legumes,
	}
}

func TestFamilyNutritionThresholds(t *testing.T) {
	t.Parallel()
	three := []string{"a", "b", "c"}
	for name, tc := range map[string]struct {
		categories []string
		groups     map[product.FoodGroup]fiscal.Money
		missing    []product.FoodGroup
		want       insight.Priority
	}{
		"every group has 5 %":       {three, foodGroups(500, 500, 500, 500, 500, 500), nil, ""},
		"fruits are below":          {three, foodGroups(499, 500, 500, 500, 500, 500), []product.FoodGroup{"FRUITS"}, insight.PriorityLow},
		"vegetables are below":      {three, foodGroups(500, 499, 500, 500, 500, 500), []product.FoodGroup{"VEGETABLES"}, insight.PriorityLow},
		"proteins are below":        {three, foodGroups(500, 500, 499, 500, 500, 500), []product.FoodGroup{"PROTEINS"}, insight.PriorityLow},
		"dairy is below":            {three, foodGroups(500, 500, 500, 499, 500, 500), []product.FoodGroup{"DAIRY"}, insight.PriorityLow},
		"grains are below":          {three, foodGroups(500, 500, 500, 500, 499, 500), []product.FoodGroup{"GRAINS"}, insight.PriorityLow},
		"legumes are below":         {three, foodGroups(500, 500, 500, 500, 500, 499), []product.FoodGroup{"LEGUMES"}, insight.PriorityLow},
		"two are below":             {three, foodGroups(0, 500, 500, 500, 500, 499), []product.FoodGroup{"FRUITS", "LEGUMES"}, insight.PriorityMedium},
		"three are below":           {three, foodGroups(0, 0, 500, 500, 500, 0), []product.FoodGroup{"FRUITS", "VEGETABLES", "LEGUMES"}, insight.PriorityHigh},
		"two categories":            {three[:2], foodGroups(0, 0, 500, 500, 500, 0), nil, ""},
		"no category":               {nil, nil, nil, ""},
		"categories of no cost":     {three, map[product.FoodGroup]fiscal.Money{product.GroupSweets: 0}, nil, ""},
		"discounts beyond the cost": {three, map[product.FoodGroup]fiscal.Money{"FRUITS": -1_000, "GRAINS": 100}, nil, ""},
		"sweets are not missed":     {three, map[product.FoodGroup]fiscal.Money{"FRUITS": 1, "VEGETABLES": 1, "PROTEINS": 1, "DAIRY": 1, "GRAINS": 1, "LEGUMES": 1}, nil, ""},
		"a total that rounds down":  {three, map[product.FoodGroup]fiscal.Money{"FRUITS": 5, "VEGETABLES": 20, "PROTEINS": 20, "DAIRY": 20, "GRAINS": 18, "LEGUMES": 18}, []product.FoodGroup{"FRUITS"}, insight.PriorityLow},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &monthFigures{food: insight.Food{Groups: tc.groups, Categories: tc.categories}}
			got := findMonthly(t, insight.KindFamilyNutrition, f, onThe23rd(familyOf(2, 0, 0)))
			require.Equal(t, tc.want, monthPriority(got))
			if got == nil {
				return
			}
			facts, ok := got.Facts.(insight.FamilyNutritionFacts)
			require.True(t, ok)
			assert.Equal(t, tc.missing, facts.MissingGroups)
			assert.Equal(t, tc.categories, got.Categories)
		})
	}
}

func TestFamilyNutritionFacts(t *testing.T) {
	t.Parallel()
	f := &monthFigures{food: insight.Food{
		Groups: map[product.FoodGroup]fiscal.Money{
			product.GroupSweets: 3_000, product.GroupProteins: 5_500, product.GroupFruits: 1_100, product.GroupDairy: 77,
		},
		Categories: []string{"candy", "fruit", "meat"}, Evidence: monthEvidence(),
	}}
	got := findMonthly(t, insight.KindFamilyNutrition, f, onThe23rd(familyOf(2, 1, 0)))
	assertMonthFacts(t, `{
		"group_totals": {
			"SWEETS": {"centavos": 3000, "formatted": "R$ 30,00"}, "PROTEINS": {"centavos": 5500, "formatted": "R$ 55,00"},
			"FRUITS": {"centavos": 1100, "formatted": "R$ 11,00"}, "DAIRY": {"centavos": 77, "formatted": "R$ 0,77"},
			"VEGETABLES": {"centavos": 0, "formatted": "R$ 0,00"}, "GRAINS": {"centavos": 0, "formatted": "R$ 0,00"},
			"LEGUMES": {"centavos": 0, "formatted": "R$ 0,00"}
		},
		"group_percentages": {
			"SWEETS": "31.0", "PROTEINS": "56.8", "FRUITS": "11.4", "DAIRY": "0.8", "VEGETABLES": "0.0", "GRAINS": "0.0", "LEGUMES": "0.0"
		},
		"missing_groups": ["VEGETABLES", "DAIRY", "GRAINS", "LEGUMES"],
		"total_food_spending": {"centavos": 9677, "formatted": "R$ 96,77"},
		"has_children": true,
		"days_analyzed": 30
	}`, got)
	assert.Equal(t, []string{"i1", "i2", "i3"}, got.ItemIDs)
	assert.Equal(t, []string{"Mercado B", "Mercado A"}, got.Merchants)
	assert.Equal(t, []string{"candy", "fruit", "meat"}, got.Categories)
	assert.Equal(t, insight.Period{From: "2026-10-25", To: "2026-11-23"}, got.Period)
	assert.Equal(t, []insight.Period{got.Period}, f.periods)
}
