// Package sefaz asks the states' public pages for the record of a consumer invoice (NFC-e): it builds the address from the
// validated fields of a QR code, fetches one page, politely, and reads the purchase from it. What the record is worth, and what
// happens when there is none, is left to internal/invoice.
//
// An address is never taken from a QR code: its host and path come from states.json, its query from fiscal.QR.Lookup. Names lead
// to public addresses alone. No page, key or address is logged.
package sefaz
