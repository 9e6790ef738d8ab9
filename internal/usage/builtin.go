package usage

import _ "embed" // prices.yaml

//go:embed prices.yaml
var prices string

// BuiltInPrices is the price file that is used when the operator names none, for pricefile.Parse.
func BuiltInPrices() string { return prices }
