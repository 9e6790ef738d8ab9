// Package insight tells a family what a purchase means for it. For each of the fourteen kinds a rule finds, in figures from the
// database, whether there is something to say; a writer then puts all that was found into words, in one call, and nothing that
// it says is believed: a figure that is not among the facts takes its sentence with it. It also decides whether an invoice is
// analysed at all, and keeps what was found. What lines are is package product's; reports are package spending's.
package insight
