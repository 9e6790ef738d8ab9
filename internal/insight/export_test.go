package insight

import "github.com/shopspring/decimal"

// PercentChange is percentChange of whole figures.
func PercentChange(now, before int64) Percent {
	return percentChange(decimal.NewFromInt(now), decimal.NewFromInt(before))
}
