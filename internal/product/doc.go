// Package product says what a line of a receipt is: from a till's label or a bar code to a product with a name, a size, a
// category and a price that can be compared. Rules and a taxonomy file do it, without a model; what a user corrects is learned
// for the shop it was corrected at. It also keeps the ledger of purchases, one row per line, that reports and analyses read.
// Reports are package spending's, analyses package insight's.
package product
