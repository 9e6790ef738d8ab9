package product

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// Config is what a Catalogue needs.
type Config struct {
	Store    Store
	Taxonomy *Taxonomy
	NewID    func() string    // a UUIDv7
	Now      func() time.Time // nil is time.Now
	Log      *slog.Logger     // nil is none
}

// Catalogue implements invoice.Catalogue, and answers what products there are.
type Catalogue struct {
	store    Store
	taxonomy *Taxonomy
	newID    func() string
	now      func() time.Time
	log      *slog.Logger
}

var _ invoice.Catalogue = (*Catalogue)(nil)

// NewCatalogue fails without a store, a taxonomy or a maker of ids.
func NewCatalogue(c Config) (*Catalogue, error) {
	if c.Store == nil || c.Taxonomy == nil || c.NewID == nil {
		return nil, errors.New("product catalogue needs a store, a taxonomy and a maker of ids")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Catalogue{store: c.Store, taxonomy: c.Taxonomy, newID: c.NewID, now: c.Now, log: c.Log}, nil
}

// Record implements invoice.Catalogue with at most eleven statements, whatever the number of items. Invoices of one user wait
// for each other here until their transactions end.
//
// The items of an invoice that does not count get a category, by the words of their labels, and no product.
func (c *Catalogue) Record(ctx context.Context, tx *sql.Tx, inv *invoice.Invoice) error {
	if !counts(inv) {
		for i := range inv.Items {
			it := &inv.Items[i]
			it.ProductID, it.Category = "", c.taxonomy.Classify(c.taxonomy.labels.Parse(it.Description, it.Unit)).Category
		}
		if err := c.store.Replace(ctx, tx, inv.ID, nil); err != nil {
			return fmt.Errorf("take an invoice out of the ledger: %w", err)
		}
		return nil
	}
	if err := c.store.Lock(ctx, tx, inv.UserID); err != nil {
		return fmt.Errorf("record products: %w", err)
	}
	found, _, err := c.resolve(ctx, tx, inv, inv.Items)
	if err != nil {
		return fmt.Errorf("record products: %w", err)
	}
	for i := range inv.Items {
		inv.Items[i].ProductID, inv.Items[i].Category = found[i].product.ID, found[i].product.Category
	}
	if err := c.store.Link(ctx, tx, inv.UserID, c.links(MerchantKey(inv.Issuer), found, false)); err != nil {
		return fmt.Errorf("record labels: %w", err)
	}
	p := c.purchase(inv, found)
	if err := c.store.Replace(ctx, tx, inv.ID, p); err != nil {
		return fmt.Errorf("record a purchase: %w", err)
	}
	c.log.DebugContext(ctx, "recorded a purchase", "invoice_id", inv.ID, "lines", len(p.Lines))
	return nil
}

// links are what the labels stand for at the merchant. Of two items with one label the first counts.
func (c *Catalogue) links(merchant string, found []resolved, taught bool) []LabelLink {
	links := make([]LabelLink, 0, len(found))
	seen := map[string]bool{}
	now := c.now()
	for _, r := range found {
		if seen[r.label.Key] {
			continue
		}
		seen[r.label.Key] = true
		links = append(links, LabelLink{
			Merchant: merchant, Label: r.label.Key, ProductID: r.product.ID, Taught: taught, UpdatedAt: now,
		})
	}
	slices.SortFunc(links, func(a, b LabelLink) int { return strings.Compare(a.Label, b.Label) })
	return links
}

// List is a page of a user's products, by name and id. Every word of the search must be in the name or the brand.
func (c *Catalogue) List(ctx context.Context, q ListQuery) (Page, error) {
	page, err := c.store.List(ctx, q)
	if err != nil {
		return Page{}, fmt.Errorf("list products: %w", err)
	}
	return page, nil
}

// Products are the user's products with the ids, by id: one statement. What is not the user's is left out.
func (c *Catalogue) Products(ctx context.Context, userID string, ids []string) (map[string]*Product, error) {
	products, err := c.store.Products(ctx, userID, ids)
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	return products, nil
}

// Categories are all of the taxonomy, by name.
func (c *Catalogue) Categories() []Category { return c.taxonomy.Categories() }

// Category is the one with the id; the fallback for what is none, such as one that a newer taxonomy left out.
func (c *Catalogue) Category(id string) Category {
	category, ok := c.taxonomy.Category(id)
	if !ok {
		category, _ = c.taxonomy.Category(c.taxonomy.fallback)
	}
	return category
}

func onePiece() decimal.Decimal { return decimal.NewFromInt(1) }
