// Package model holds the inputs and payloads of the API, which gqlgen makes, and what the domain does not have in their form.
package model

import "github.com/mercadoesperto/smarket/internal/invoice"

// File is a file that knows its invoice, which the domain's does not: its address is made of both.
type File struct {
	invoice.File

	InvoiceID string
}
