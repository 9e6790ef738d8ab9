// Package fiscal holds the rules of Brazilian invoices that need nothing but their own text: access keys, taxpayer numbers,
// product numbers, the QR code of the consumer invoice, and money. Everything is pure and total: bad text is an error, never a
// panic. Where a figure comes from, and what to do when it is wrong, is left to internal/invoice.
package fiscal
