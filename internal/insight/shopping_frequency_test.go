package insight_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
)

func TestShoppingFrequencyThresholds(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		invoices, small int64
		want            insight.Priority
	}{
		"seven invoices":         {7, 7, ""},
		"eight":                  {8, 0, insight.PriorityLow},
		"eight, three small":     {8, 3, insight.PriorityLow},
		"eight, half are small":  {8, 4, insight.PriorityMedium},
		"nine, less than half":   {9, 4, insight.PriorityLow},
		"nine, more than half":   {9, 5, insight.PriorityMedium},
		"thirty, all are small":  {30, 30, insight.PriorityMedium},
		"thirty, none are small": {30, 0, insight.PriorityLow},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &monthFigures{visits: insight.Visits{Paid: insight.Paid{Purchases: tc.invoices, Total: 10_000}, Small: tc.small}}
			assert.Equal(t, tc.want, monthPriority(findMonthly(t, insight.KindShoppingFrequency, f, onThe23rd(familyOf(2, 0, 0)))))
		})
	}
}

func TestShoppingFrequencyFacts(t *testing.T) {
	t.Parallel()
	f := &monthFigures{visits: insight.Visits{
		Paid: insight.Paid{Purchases: 9, Total: 50_000}, Merchants: 3, Small: 2, Evidence: monthEvidence(),
	}}
	got := findMonthly(t, insight.KindShoppingFrequency, f, onThe23rd(familyOf(2, 2, 0)))
	assertMonthFacts(t, `{
		"invoice_count": 9, "avg_ticket": {"centavos": 5556, "formatted": "R$ 55,56"}, "merchant_count": 3, "small_purchase_count": 2,
		"family_size_weighted": "3.4"
	}`, got)
	assertMonthEvidence(t, *got)
	assert.Equal(t, insight.Period{From: "2026-11-01", To: "2026-11-23"}, got.Period)
	assert.Equal(t, []insight.Period{got.Period}, f.periods)
	assert.Equal(t, fiscal.Money(3_000), f.small)
}
