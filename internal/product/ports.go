package product

import (
	"context"
	"database/sql"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// Store keeps products, the labels they are sold under, and the ledger of purchases. What names a user finds nothing of
// another's. What takes a transaction works inside the caller's, which the store neither commits nor rolls back; each such
// method is a fixed number of statements, whatever it is given.
type Store interface {
	// Lock keeps other transactions from changing the user's products until tx ends.
	Lock(ctx context.Context, tx *sql.Tx, userID string) error
	// LabelLinks are what the labels stand for at all merchants, the newest first among those that were not taught.
	LabelLinks(ctx context.Context, tx *sql.Tx, userID string, labels []string) ([]LabelLink, error)
	// Known are the user's products with one of the ids, keys or GTINs, or whose name is one of the names, accents and case aside.
	Known(ctx context.Context, tx *sql.Tx, userID string, q KnownQuery) ([]*Product, error)
	// Sized are the user's newest products, at most limit, that are as large as one of sizes.
	Sized(ctx context.Context, tx *sql.Tx, userID string, sizes []Size, limit int) ([]*Product, error)
	// Insert adds products, which are in the order of their keys. One whose key the user already has is left out.
	Insert(ctx context.Context, tx *sql.Tx, products []*Product) error
	// Update writes products back: everything but ID, UserID and CreatedAt.
	Update(ctx context.Context, tx *sql.Tx, products []*Product) error
	// Link writes links, each label of a merchant once, in the order of merchant and label. One that was taught is only
	// overwritten by another that was.
	Link(ctx context.Context, tx *sql.Tx, userID string, links []LabelLink) error
	// Replace puts the purchase in the place of what the ledger holds of the invoice; nil leaves nothing.
	Replace(ctx context.Context, tx *sql.Tx, invoiceID string, p *Purchase) error
	// History is the user's lines in the ledger with the labels at the merchant, and those of the products.
	History(ctx context.Context, tx *sql.Tx, userID, merchant string, labels, productIDs []string) ([]Line, error)
	// Repoint writes the products and comparable prices of lines that are in the ledger, and the products and their categories
	// of the items behind them.
	Repoint(ctx context.Context, tx *sql.Tx, lines []Line) error
	// Prune removes those of the products that nothing but the items of the invoice names any more.
	Prune(ctx context.Context, tx *sql.Tx, userID, invoiceID string, productIDs []string) error

	// List is a page of a user's products.
	List(ctx context.Context, q ListQuery) (Page, error)
	// Products are the user's products with the ids, by id: one statement.
	Products(ctx context.Context, userID string, ids []string) (map[string]*Product, error)
}

// KnownQuery names products.
type KnownQuery struct {
	IDs, Keys, GTINs, Names []string
}

// LabelLink says that a merchant's label stands for a product.
type LabelLink struct {
	Merchant  string
	Label     string
	ProductID string
	Taught    bool
	UpdatedAt time.Time
}

// Size is how much one sold unit has, as Product has it.
type Size struct {
	Size    string // of the decimal; "" when not known
	Measure Measure
}

// Purchase is an invoice that counts, as the ledger has it.
type Purchase struct {
	InvoiceID        string
	UserID           string
	BoughtOn         string // 2026-11-23, in Brasília
	BoughtAt         time.Time
	Merchant         string
	MerchantName     string
	MerchantCategory string
	Total            fiscal.Money
	Lines            []Line
}

// Line is one line of a purchase. Invoice, user and day are the purchase's.
type Line struct {
	ItemID            string
	ProductID         string
	Merchant          string // the purchase's
	Label             string
	QuantityMicro     int64
	Paid              fiscal.Money
	PriceMicro        *int64
	MeasurePriceMicro *int64
}
