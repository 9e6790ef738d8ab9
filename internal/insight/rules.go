package insight

// Rules are those of all kinds, in the order of the kinds.
func Rules(purchase PurchaseFigures, month MonthFigures, seasons Seasons, names Names) []Rule {
	return append(PurchaseRules(purchase, seasons, names), MonthRules(month)...)
}
