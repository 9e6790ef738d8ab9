package privacy

import (
	"context"
	"database/sql"
	"io"

	"github.com/mercadoesperto/smarket/internal/spending"
)

// Store is the rows that are about a user.
type Store interface {
	// Rows gives every row about the user, table by table, as columns by their names. Secrets (hashes of passwords and tokens)
	// are left out. It stops when yield fails, with that error.
	Rows(ctx context.Context, userID string, yield func(table string, row map[string]any) error) error
	// Files are the user's submitted files, by invoice and position.
	Files(ctx context.Context, userID string) ([]File, error)
	// Erase removes the user and every row about them in one transaction, in which before is called first with the ids of the
	// user's invoices. No error when there is no such user.
	Erase(ctx context.Context, userID string, before func(ctx context.Context, tx *sql.Tx, invoiceIDs []string) error) error
}

// File is a submitted file.
type File struct {
	InvoiceID string
	Position  int
	Kind      string // an invoice.FileKind
	BlobKey   string
}

// Blobs keeps the bytes of files.
type Blobs interface {
	Open(ctx context.Context, key string) (io.ReadCloser, error)
	// DeleteAll removes everything whose key begins with prefix.
	DeleteAll(ctx context.Context, prefix string) error
}

// Jobs is the queue.
type Jobs interface {
	// Forget cancels and removes every job about the invoices, finished ones too, inside the caller's transaction.
	Forget(ctx context.Context, tx *sql.Tx, invoiceIDs []string) error
}

// Cache is what was kept of replies to the user's documents.
type Cache interface {
	Forget(ctx context.Context, userID string) error
}

// Accounts checks who deletes.
type Accounts interface {
	// Confirm fails with BAD_USER_INPUT when the password is not the user's.
	Confirm(ctx context.Context, userID, password string) error
}

// Purchases is the ledger as a table.
type Purchases interface {
	Export(ctx context.Context, userID string, period *spending.Period) ([]spending.Purchase, error)
}
