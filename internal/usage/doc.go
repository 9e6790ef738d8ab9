// Package usage is what calls to providers cost: the price of a call, the estimate that is booked before it, the budgets that
// bound what a user and the whole installation spend in a day, and the report of it all. Keeping rows is behind Store, reading
// price files is in pricefile; it knows no provider beyond its name.
//
// Amounts are exact: prices are decimals, amounts are whole micro-dollars, and the one rounding, of a call's cost, is up.
package usage
