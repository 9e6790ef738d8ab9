// Package spending answers where a family's money goes: reports by category, shop, month and product, the history of a price,
// what a basket costs at the shops the family knows, and all purchases as a file. It reads the ledger of purchases that package
// product keeps, and computes nothing that SQL can.
package spending
