package insight

import (
	"context"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/product"
)

const (
	// nutritionDays is how many days of food are looked at.
	nutritionDays = 30
	// nutritionCategories is from how many on food says something about what is missing.
	nutritionCategories = 3
	// missingPercent of the food's cost is below what a group is missing.
	missingPercent = 5
)

// FamilyNutritionFacts are what FAMILY_NUTRITION says. Both maps have the groups that a family needs and those that it bought.
type FamilyNutritionFacts struct {
	GroupTotals       map[product.FoodGroup]Amount  `json:"group_totals"`
	GroupPercentages  map[product.FoodGroup]Percent `json:"group_percentages"` // of TotalFoodSpending
	MissingGroups     []product.FoodGroup           `json:"missing_groups"`
	TotalFoodSpending Amount                        `json:"total_food_spending"`
	HasChildren       bool                          `json:"has_children"`
	DaysAnalyzed      int                           `json:"days_analyzed"`
}

// familyNutrition speaks when the food of the last thirty days is of three categories or more and a group that a family needs has
// less than 5 % of what it cost: fats, sweets and drinks are not needed, but count as food. LOW for one such group, MEDIUM for
// two, HIGH for more.
type familyNutrition struct{ figures MonthFigures }

func (familyNutrition) Kind() Kind    { return KindFamilyNutrition }
func (familyNutrition) Monthly() bool { return true }

// neededGroups are in the order in which they are named.
func neededGroups() []product.FoodGroup {
	return []product.FoodGroup{
		product.GroupFruits, product.GroupVegetables, product.GroupProteins, product.GroupDairy, product.GroupGrains, product.GroupLegumes,
	}
}

func (r familyNutrition) Find(ctx context.Context, s Subject) ([]Finding, *Gap, error) {
	m, err := monthOf(s.Today)
	if err != nil {
		return nil, nil, err
	}
	period := m.last(nutritionDays, 0)
	food, err := r.figures.Food(ctx, s.UserID, period)
	if err != nil {
		return nil, nil, err
	}
	facts := nutritionFacts(food)
	if len(food.Categories) < nutritionCategories || facts.TotalFoodSpending <= 0 || len(facts.MissingGroups) == 0 {
		return nil, nil, nil
	}
	facts.HasChildren = s.Household.Children > 0
	priority := PriorityLow
	switch {
	case len(facts.MissingGroups) > 2:
		priority = PriorityHigh
	case len(facts.MissingGroups) == 2:
		priority = PriorityMedium
	}
	finding := cite(Finding{Kind: r.Kind(), Priority: priority, Period: period, Facts: facts}, food.Evidence)
	finding.Categories = food.Categories
	return []Finding{finding}, nil, nil
}

func nutritionFacts(food Food) FamilyNutritionFacts {
	facts := FamilyNutritionFacts{
		GroupTotals: map[product.FoodGroup]Amount{}, GroupPercentages: map[product.FoodGroup]Percent{}, DaysAnalyzed: nutritionDays,
	}
	var total fiscal.Money
	for group, paid := range food.Groups {
		total = total.Add(paid)
		facts.GroupTotals[group] = Amount(paid)
	}
	facts.TotalFoodSpending = Amount(total)
	for _, group := range neededGroups() {
		paid := food.Groups[group]
		facts.GroupTotals[group] = Amount(paid)
		if !reaches(centavos(paid), centavos(total), decimal.NewFromInt(missingPercent)) {
			facts.MissingGroups = append(facts.MissingGroups, group)
		}
	}
	for group, paid := range facts.GroupTotals {
		facts.GroupPercentages[group] = PercentOf(int64(paid), total.Centavos())
	}
	return facts
}
