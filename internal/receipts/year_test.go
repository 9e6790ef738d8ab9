package receipts_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

func TestAYearIsTheSameEachTimeAndAnotherOfAnotherSeed(t *testing.T) {
	t.Parallel()
	a := receipts.Year(receipts.YearOptions{})
	assert.Equal(t, a, receipts.Year(receipts.YearOptions{}))
	b := receipts.Year(receipts.YearOptions{Seed: 1})
	require.Len(t, b, len(a), "habits are the same")
	assert.NotEqual(t, a[0].Key, b[0].Key)
	assert.NotEqual(t, a[0].Store.CNPJ, b[0].Store.CNPJ)
}

func TestAYearHasTwelveMonthsOfSoundReceipts(t *testing.T) {
	t.Parallel()
	year := receipts.Year(receipts.YearOptions{First: time.Date(2024, time.March, 9, 0, 0, 0, 0, time.UTC)})
	months, keys := map[string]int{}, map[fiscal.AccessKey]bool{}
	for i, r := range year {
		months[r.IssuedAt.Format("2006-01")]++
		require.NoError(t, r.Key.Validate())
		assert.False(t, keys[r.Key])
		keys[r.Key] = true
		assert.Equal(t, r.Due(), r.Paid()-r.Change)
		for _, it := range r.Items {
			assert.Equal(t, it.Quantity.Mul(it.UnitPrice).Round(2).Shift(2).IntPart(), it.Total.Centavos())
			assert.Less(t, it.Discount, it.Total)
			assert.NotEmpty(t, it.Product.Description, "a want that no shop sells")
		}
		if i > 0 {
			assert.True(t, year[i-1].IssuedAt.Before(r.IssuedAt))
		}
	}
	assert.Len(t, months, 12)
	assert.Equal(t, "2024-03", year[0].IssuedAt.Format("2006-01"))
	assert.Equal(t, "2025-02", year[len(year)-1].IssuedAt.Format("2006-01"))
	for month, n := range months {
		assert.GreaterOrEqual(t, n, 5, month)
	}
}

// TestAYearFollowsItsScript looks for what makes one month differ from another.
func TestAYearFollowsItsScript(t *testing.T) {
	t.Parallel()
	type sold struct {
		purchases, small, greens, napkins int
		coffee, strawberries              fiscal.Money
	}
	var months [13]sold
	for _, r := range receipts.Year(receipts.YearOptions{}) {
		m := &months[r.IssuedAt.Month()]
		m.purchases++
		if r.Due() < 3000 {
			m.small++
		}
		for _, it := range r.Items {
			price := fiscal.Money(it.UnitPrice.Shift(2).IntPart())
			switch it.Product.Description {
			case "CAFE PILAO TRAD 500G":
				m.coffee = price
			case "MORANGO":
				m.strawberries = price
			case "ALFACE CRESPA":
				m.greens++
			case "FRALDA PAMPERS G C/30":
				m.napkins++
			}
		}
	}
	for n := 1; n <= 12; n++ {
		m, script := months[n], receipts.ScriptOf(n)
		assert.Equal(t, script == receipts.ScriptGreens, m.greens == 0, n)
		assert.Equal(t, script == receipts.ScriptBaby, m.napkins > 0, n)
		assert.Equal(t, script == receipts.ScriptErrands, m.small >= 6, n)
		assert.Equal(t, script == receipts.ScriptCoffee, m.coffee > 3000, n)
	}
	assert.Greater(t, months[12].coffee, months[1].coffee, "prices drift")
	assert.Greater(t, months[2].strawberries, months[10].strawberries*5/4, "out of season")
	assert.Greater(t, months[8].purchases, months[7].purchases)
}
