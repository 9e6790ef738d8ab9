package schema

import (
	"time"

	"github.com/uptrace/bun"
)

// InvoiceFile is a row of invoice_files.
type InvoiceFile struct {
	bun.BaseModel `bun:"table:invoice_files,alias:f"`

	ID          string     `bun:"id,pk"`
	InvoiceID   string     `bun:"invoice_id"`
	UserID      string     `bun:"user_id"` // the invoice's, for the index of picture hashes
	Position    int        `bun:"position"`
	Kind        string     `bun:"kind"`
	Size        int64      `bun:"size"` // bytes
	SHA256      string     `bun:"sha256"`
	BlobKey     string     `bun:"blob_key"`
	PictureHash []byte     `bun:"picture_hash"`
	RemovedAt   *time.Time `bun:"removed_at"`
}
