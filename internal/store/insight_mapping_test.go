package store

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/store/storetest"
	"github.com/mercadoesperto/smarket/schema"
)

func TestConversionsOfInsightsAreComplete(t *testing.T) {
	t.Parallel()
	user, inv := storetest.NewID(t), storetest.NewID(t)
	i := storetest.FilledInsight(t, user, inv)
	insightRow, err := toInsightRow(&i)
	require.NoError(t, err)
	a := storetest.FilledAnalysis(t, user, inv)
	analysisRow, err := toAnalysisRow(a)
	require.NoError(t, err)
	analysis, err := fromAnalysisRow(&analysisRow)
	require.NoError(t, err)
	bought, err := fromProductRow(&schema.Product{
		ID: "1", UserID: "2", Key: "3", GTIN: "4", Name: "5", Brand: "6", Size: "7", Measure: "L", Category: "8", FoodGroup: "9",
		Essential: true, Child: true, Produce: "10", Taught: true, CreatedAt: storetest.At(1), UpdatedAt: storetest.At(2),
	})
	require.NoError(t, err)
	for name, value := range map[string]any{
		"insight as filled": i, "insight row": insightRow, "insight": fromInsightRow(&insightRow),
		"analysis as filled": a, "analysis row": analysisRow, "analysis": analysis, "product": bought,
	} {
		assert.Empty(t, zeros(reflect.ValueOf(value), name))
	}
}

func TestDetailsAreComparedByValue(t *testing.T) {
	t.Parallel()
	assert.True(t, sameJSON([]byte(`{"a":1.50,"b":[1]}`), []byte(` {"b":[1], "a":1.50}`)))
	assert.False(t, sameJSON([]byte(`{"a":9007199254740993}`), []byte(`{"a":9007199254740992}`)), "numbers are not rounded")
	assert.False(t, sameJSON([]byte(`{`), []byte(`{`)), "what is no JSON is equal to nothing")
}
