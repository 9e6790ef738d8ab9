package insight_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mercadoesperto/smarket/internal/insight"
)

func TestSavingsPotentialThresholds(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		kinds map[insight.Kind]int64
		want  insight.Priority
	}{
		"four":            {map[insight.Kind]int64{insight.KindSummary: 4}, ""},
		"five":            {map[insight.Kind]int64{insight.KindSummary: 5}, insight.PriorityMedium},
		"four of kinds":   {map[insight.Kind]int64{insight.KindSummary: 3, insight.KindPriceAlert: 1}, ""},
		"five of kinds":   {map[insight.Kind]int64{insight.KindSummary: 3, insight.KindPriceAlert: 2}, insight.PriorityMedium},
		"fourteen":        {map[insight.Kind]int64{insight.KindSummary: 14}, insight.PriorityMedium},
		"fifteen and two": {map[insight.Kind]int64{insight.KindSummary: 13, insight.KindPriceAlert: 2}, insight.PriorityHigh},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &monthFigures{found: insight.Found{Kinds: tc.kinds}}
			assert.Equal(t, tc.want, monthPriority(findMonthly(t, insight.KindSavingsPotential, f, onThe23rd(familyOf(2, 0, 0)))))
		})
	}
}

func TestSavingsPotentialFacts(t *testing.T) {
	t.Parallel()
	f := &monthFigures{found: insight.Found{
		Kinds: map[insight.Kind]int64{insight.KindSummary: 4, insight.KindPriceAlert: 2}, Month: insight.Paid{Purchases: 2, Total: 12_345},
		Evidence: monthEvidence(),
	}}
	got := findMonthly(t, insight.KindSavingsPotential, f, onThe23rd(familyOf(2, 1, 300_000)))
	assertMonthFacts(t, `{
		"month_spent": {"centavos": 12345, "formatted": "R$ 123,45"},
		"household_income": {"centavos": 300000, "formatted": "R$ 3.000,00"},
		"analyses_count": 6,
		"family_size_weighted": "2.7",
		"analysis_types": {"SUMMARY": 4, "PRICE_ALERT": 2}
	}`, got)
	assertMonthEvidence(t, *got)
	assert.Equal(t, insight.Period{From: "2026-09-25", To: "2026-11-23"}, got.Period)
	assert.Equal(t, insight.FoundFilter{
		Purchases: got.Period, ExceptKind: insight.KindSavingsPotential, ExceptInvoiceID: "inv",
		Month: insight.Period{From: "2026-11-01", To: "2026-11-23"},
	}, f.filter)

	got = findMonthly(t, insight.KindSavingsPotential, f, onThe23rd(familyOf(1, 0, 0)))
	assertMonthFacts(t, `{
		"month_spent": {"centavos": 12345, "formatted": "R$ 123,45"}, "analyses_count": 6, "family_size_weighted": "1",
		"analysis_types": {"SUMMARY": 4, "PRICE_ALERT": 2}
	}`, got)
}
