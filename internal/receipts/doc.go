// Package receipts makes fictional Brazilian consumer invoices (NFC-e) together with the truth about them: their XML, the
// lines a thermal printer would print, pictures and PDFs of that paper, and pictures as a hurried hand would take them.
// Every shop, taxpayer number, key and product number is made up; check digits and arithmetic are right. The same seed
// gives the same receipt and, on one version of Go, the same bytes.
//
// It is test machinery: it measures the readers, fills the samples of the first run, and shares no code with any reader
// beyond internal/fiscal and the types of internal/invoice, so that a reader's mistake cannot hide in its own fixtures.
package receipts
