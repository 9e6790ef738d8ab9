package insight

import (
	"encoding/json"

	"github.com/shopspring/decimal"
)

// percentPlaces is how many decimals a percentage has in facts.
const percentPlaces = 1

// Percent is a percentage in facts, rounded half away from zero to one decimal: "23.4". Thresholds are compared before rounding.
type Percent decimal.Decimal

// PercentOf is part in percent of whole. Of nothing it is 0.
func PercentOf(part, whole int64) Percent {
	return percentOf(decimal.NewFromInt(part), decimal.NewFromInt(whole))
}

func percentOf(part, whole decimal.Decimal) Percent {
	if whole.IsZero() {
		return Percent{}
	}
	return Percent(part.Shift(2).DivRound(whole, percentPlaces)) // rounds once
}

// percentChange is by how many percent of before now differs from it: 130 after 100 is 30. From nothing it is 0.
func percentChange(now, before decimal.Decimal) Percent { return percentOf(now.Sub(before), before) }

// String is the percentage as it stands in facts.
func (p Percent) String() string { return decimal.Decimal(p).StringFixed(percentPlaces) }

// MarshalJSON implements json.Marshaler.
func (p Percent) MarshalJSON() ([]byte, error) { return json.Marshal(p.String()) }
