// Package storetest is what a store of invoices, accounts, usage and products promises, as one suite for every database. Each test asks for a
// store of its own and runs in parallel.
package storetest

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/usage"
)

// Stores are the stores of one empty database.
type Stores struct {
	Invoices invoice.Store
	Accounts account.Store
	Usage    usage.Store
	Products product.Store
	// DeleteUser removes an account with all that goes with it.
	DeleteUser func(tb testing.TB, id string)
	// DeleteInvoice removes an invoice with all that goes with it.
	DeleteInvoice func(tb testing.TB, id string)
}

// Open gives an empty, migrated database, closed when the test ends.
type Open func(tb testing.TB) Stores

// NewID is a UUIDv7.
func NewID(tb testing.TB) string {
	tb.Helper()
	id, err := uuid.NewV7()
	require.NoError(tb, err)
	return id.String()
}

// NewUser stores a user and returns its id.
func NewUser(tb testing.TB, accounts account.Store) string {
	tb.Helper()
	u := FilledUser(tb)
	require.NoError(tb, accounts.InsertUser(tb.Context(), u))
	return u.ID
}

// FilledUser is a user without a zero field, with an e-mail of its own. It is not stored.
func FilledUser(tb testing.TB) *account.User {
	tb.Helper()
	id := NewID(tb)
	return &account.User{
		ID: id, Email: id + "@example.com", Name: "José d'Ávila", PasswordHash: "not a hash",
		Role: account.RoleAdmin, Plan: account.PlanPremium,
		Household: account.Household{Income: new(fiscal.Money(512_345)), Adults: 2, Children: 3},
		Consents:  map[string]time.Time{"gemini": At(1), "openai": At(2)},
		CreatedAt: At(3), UpdatedAt: At(4),
	}
}

// NewInvoice is a queued invoice with one file. It is not stored.
func NewInvoice(tb testing.TB, userID string) *invoice.Invoice {
	tb.Helper()
	return &invoice.Invoice{
		ID: NewID(tb), UserID: userID, Status: invoice.StatusQueued, Version: 1, Run: 1,
		Files:     []invoice.File{{ID: NewID(tb), Kind: invoice.FilePNG, Size: 1, SHA256: "s", BlobKey: "b"}},
		CreatedAt: At(0), UpdatedAt: At(0),
	}
}

// FilledInvoice is an invoice without a zero field, with the given number of items. It is not stored.
func FilledInvoice(tb testing.TB, userID string, items int) *invoice.Invoice {
	tb.Helper()
	inv := &invoice.Invoice{
		ID: NewID(tb), UserID: userID, Status: invoice.StatusNeedsReview, Version: 7, Run: 3, EventSeq: 4, JobID: 1 << 40,
		ItemsVersion: 5, ConfirmedAt: new(At(9)),
		Draft: invoice.Draft{
			AccessKey: "35260811222333000181650010000012341000012349", Model: 65, Number: 123_456_789, Series: new(5), IssuedAt: new(At(5)),
			TestDocument: true, Protocol: "135260000000001",
			Issuer:      invoice.Issuer{Name: "Padaria d'Ávila & Irmãos", CNPJ: "11222333000181", State: "SP"},
			ConsumerCPF: "***.***.247-**", PrintedItemCount: new(30),
			Totals: invoice.Totals{
				Products: new(fiscal.Money(1001)), Discount: 2, Freight: 3, Insurance: 4, Other: 5, Taxes: 6,
				Due: new(fiscal.Money(1007)), Paid: new(fiscal.Money(2000)), Change: 993,
			},
			Payments: []invoice.Payment{{Method: invoice.PaymentPix, Amount: 7}, {Method: invoice.PaymentCash, Amount: 1000}},
		},
		Source: invoice.SourceModel, Confidence: new(0.875),
		Checks: []invoice.Check{
			{Name: "SUM_OF_ITEMS", Passed: true, Expected: "R$ 10,01", Found: "R$ 10,02", Difference: new(fiscal.Money(-1)), Line: 2},
			{Name: "ACCESS_KEY", Passed: true, Expected: "x", Found: "y", Difference: new(fiscal.Money(1)), Line: 1},
		},
		Attempts: []invoice.Attempt{
			{Number: 1, Run: 2, Provider: "gemini", Model: "flash", Outcome: "unavailable", Items: 1, StartedAt: At(6), FinishedAt: At(7)},
			{Number: 2, Run: 3, Provider: "offline", Model: "1", Outcome: "ok", Items: 30, StartedAt: At(8), FinishedAt: At(9)},
		},
		Files: []invoice.File{
			{ID: NewID(tb), Position: 1, Kind: invoice.FileJPEG, Size: 1 << 33, SHA256: "aa", BlobKey: "k/1", PictureHash: []byte{0, 255, 1}, RemovedAt: new(At(8))},
			{ID: NewID(tb), Position: 2, Kind: invoice.FileHEIC, Size: 2, SHA256: "bb", BlobKey: "k/2", PictureHash: []byte{9}, RemovedAt: new(At(7))},
		},
		AllowDuplicate: true,
		Duplicate:      &invoice.Duplicate{Reason: invoice.DuplicateSameAccessKey, InvoiceID: NewID(tb)},
		Failure:        &invoice.Failure{Code: invoice.CodeUnavailable, Message: "Não deu."},
		IdempotencyKey: NewID(tb),
		CreatedAt:      At(10), UpdatedAt: At(11),
	}
	for i := range items {
		inv.Items = append(inv.Items, invoice.Item{
			ID: NewID(tb), Line: i + 1, Description: "Maçã \\ 'Fuji' 100% ?0 {x} \"kg\"", Code: "789", GTIN: "7891000100103", Unit: "KG",
			Quantity: decimal.RequireFromString("0.4560000001"), UnitPrice: decimal.RequireFromString("12345678901.0123456789"),
			Total: fiscal.Money(100 + i), Discount: 1, NotInTotal: true, Uncertain: true, Category: "fruit", ProductID: NewID(tb),
		})
	}
	return inv
}

// At is a moment n hours into a day, with microseconds that end in a zero and a zone that is not UTC.
func At(n int) time.Time {
	return time.Date(2026, 11, 23, n, 4, 5, 678_910_000, time.FixedZone("BRT", -3*60*60))
}
