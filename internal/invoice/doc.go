// Package invoice is the domain: what a purchase is, which states it goes through, what the ledger of checks says of it, and
// the use cases that submit, extract, correct, watch and delete it. It decides; storing, queueing, reading documents and calling
// models are behind the interfaces of ports.go, which others implement. It imports the standard library, decimal and
// internal/fiscal alone.
package invoice
