package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/schema"
)

// Products implements product.Store.
type Products struct{ db *DB }

var _ product.Store = (*Products)(nil)

// NewProducts keeps products in db.
func NewProducts(db *DB) *Products { return &Products{db: db} }

// Lock implements product.Store. On SQLite the transaction itself keeps others out.
func (s *Products) Lock(ctx context.Context, tx *sql.Tx, userID string) error {
	if s.db.dialect != schema.Postgres {
		return nil
	}
	// Not the user's row: transactions that have locked it for a reason of their own would wait in a circle.
	if _, err := s.db.write.NewRaw("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", "products:"+clean(userID)).Conn(tx).Exec(ctx); err != nil {
		return fmt.Errorf("lock the user's products: %w", err)
	}
	return nil
}

// LabelLinks implements product.Store.
func (s *Products) LabelLinks(ctx context.Context, tx *sql.Tx, userID string, labels []string) ([]product.LabelLink, error) {
	userID, ok := canonical(userID)
	if !ok || len(labels) == 0 {
		return nil, nil
	}
	var rows []schema.ProductLabel
	err := s.db.write.NewSelect().Conn(tx).Model(&rows).Where("user_id = ?", userID).Where("label IN (?)", bun.List(cleaned(labels))).
		OrderExpr("updated_at DESC, merchant").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read labels: %w", err)
	}
	links := make([]product.LabelLink, 0, len(rows))
	for _, r := range rows {
		links = append(links, product.LabelLink{
			Merchant: r.Merchant, Label: r.Label, ProductID: r.ProductID, Taught: r.Taught, UpdatedAt: micros(r.UpdatedAt),
		})
	}
	return links, nil
}

// Known implements product.Store.
func (s *Products) Known(ctx context.Context, tx *sql.Tx, userID string, q product.KnownQuery) ([]*product.Product, error) {
	userID, ok := canonical(userID)
	if !ok {
		return nil, nil
	}
	var names []string
	for _, n := range q.Names {
		names = append(names, fold(n))
	}
	var rows []schema.Product
	sel := s.db.write.NewSelect().Conn(tx).Model(&rows).Where("user_id = ?", userID).
		WhereGroup(" AND ", func(sel *bun.SelectQuery) *bun.SelectQuery {
			sel.Where("1 = 0")
			for column, values := range map[string][]string{"id": q.IDs, "key": cleaned(q.Keys), "gtin": cleaned(q.GTINs), "search_text": names} {
				if len(values) > 0 {
					sel.WhereOr("? IN (?)", bun.Ident(column), bun.List(values))
				}
			}
			return sel
		}).Order("id")
	if err := sel.Scan(ctx); err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	return fromProductRows(rows)
}

// Sized implements product.Store.
func (s *Products) Sized(ctx context.Context, tx *sql.Tx, userID string, sizes []product.Size, limit int) ([]*product.Product, error) {
	userID, ok := canonical(userID)
	if !ok || len(sizes) == 0 {
		return nil, nil
	}
	var rows []schema.Product
	sel := s.db.write.NewSelect().Conn(tx).Model(&rows).Where("user_id = ?", userID).
		WhereGroup(" AND ", func(sel *bun.SelectQuery) *bun.SelectQuery {
			for _, z := range sizes {
				sel.WhereOr("size = ? AND measure = ?", clean(z.Size), string(z.Measure))
			}
			return sel
		}).OrderExpr("id DESC").Limit(int64(limit))
	if err := sel.Scan(ctx); err != nil {
		return nil, fmt.Errorf("read products by size: %w", err)
	}
	return fromProductRows(rows)
}

// Insert implements product.Store.
func (s *Products) Insert(ctx context.Context, tx *sql.Tx, products []*product.Product) error {
	rows, err := toProductRows(products)
	if err != nil || len(rows) == 0 {
		return err
	}
	if _, err := s.db.write.NewInsert().Conn(tx).Model(&rows).On("CONFLICT (user_id, key) DO NOTHING").Exec(ctx); err != nil {
		return fmt.Errorf("insert products: %w", err)
	}
	return nil
}

// Update implements product.Store: an insertion that meets the rows it is about.
func (s *Products) Update(ctx context.Context, tx *sql.Tx, products []*product.Product) error {
	rows, err := toProductRows(products)
	if err != nil || len(rows) == 0 {
		return err
	}
	q := s.db.write.NewInsert().Conn(tx).Model(&rows).On("CONFLICT (id) DO UPDATE")
	for _, column := range []string{
		"key", "gtin", "name", "brand", "size", "measure", "category", "food_group", "essential", "child", "produce", "taught",
		"search_text", "updated_at",
	} {
		q.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
	}
	if _, err := q.Exec(ctx); err != nil {
		return fmt.Errorf("update products: %w", err)
	}
	return nil
}

// Link implements product.Store.
func (s *Products) Link(ctx context.Context, tx *sql.Tx, userID string, links []product.LabelLink) error {
	userID, ok := canonical(userID)
	if !ok || len(links) == 0 {
		return nil
	}
	rows := make([]schema.ProductLabel, 0, len(links))
	for _, l := range links {
		rows = append(rows, schema.ProductLabel{
			UserID: userID, Merchant: clean(l.Merchant), Label: clean(l.Label), ProductID: l.ProductID, Taught: l.Taught,
			UpdatedAt: micros(l.UpdatedAt),
		})
	}
	_, err := s.db.write.NewInsert().Conn(tx).Model(&rows).On("CONFLICT (user_id, merchant, label) DO UPDATE").
		Set("product_id = EXCLUDED.product_id").Set("taught = EXCLUDED.taught").Set("updated_at = EXCLUDED.updated_at").
		Where("EXCLUDED.taught OR NOT pl.taught").Exec(ctx)
	if err != nil {
		return fmt.Errorf("write labels: %w", err)
	}
	return nil
}

// Prune implements product.Store.
func (s *Products) Prune(ctx context.Context, tx *sql.Tx, userID, invoiceID string, productIDs []string) error {
	userID, ok := canonical(userID)
	invoiceID, ok2 := canonical(invoiceID)
	if !ok || !ok2 || len(productIDs) == 0 {
		return nil
	}
	_, err := s.db.write.NewDelete().Conn(tx).Model((*schema.Product)(nil)).
		Where("p.user_id = ?", userID).Where("p.id IN (?)", bun.List(productIDs)).
		Where("NOT EXISTS (SELECT 1 FROM product_labels AS pl WHERE pl.product_id = p.id)").
		Where("NOT EXISTS (SELECT 1 FROM purchase_lines AS l WHERE l.product_id = p.id)").
		Where("NOT EXISTS (SELECT 1 FROM invoice_items AS ii WHERE ii.product_id = p.id AND ii.invoice_id <> ?)", invoiceID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("remove products that nothing names: %w", err)
	}
	return nil
}

// List implements product.Store. The order is that of the names in lower case without accents, byte by byte, on both databases.
func (s *Products) List(ctx context.Context, q product.ListQuery) (page product.Page, err error) {
	userID, ok := canonical(q.UserID)
	if !ok {
		return product.Page{}, nil
	}
	filter := func(sel *bun.SelectQuery) *bun.SelectQuery {
		sel.Where("p.user_id = ?", userID)
		words := strings.Fields(fold(q.Search))
		for _, w := range words[:min(len(words), maxSearchWords)] {
			sel.Where("p.search_text LIKE ? ESCAPE '!'", pattern(w))
		}
		return sel
	}
	var rows []schema.Product
	err = s.db.snapshot(ctx, func(ctx context.Context, tx bun.IDB) error {
		n, err := filter(tx.NewSelect().Model((*schema.Product)(nil))).Count(ctx)
		if err != nil {
			return fmt.Errorf("count: %w", err)
		}
		page.Total = int(n)
		if q.First <= 0 {
			return nil
		}
		sel := filter(tx.NewSelect().Model(&rows))
		order := bun.Safe("p.search_text")
		if s.db.dialect == schema.Postgres {
			order = `p.search_text COLLATE "C"`
		}
		if q.After != nil {
			id, ok := canonical(q.After.ID)
			if !ok {
				return &invoice.Error{Code: invoice.CodeBadUserInput, Message: "O cursor da lista é inválido."}
			}
			// The row knows its place best; where it is gone, its name does.
			sel.Where("(?, p.id) > (COALESCE((SELECT c.search_text FROM products AS c WHERE c.id = ? AND c.user_id = ?), ?), ?)",
				order, id, userID, fold(q.After.Name), id)
		}
		if err := sel.OrderExpr("?, p.id", order).Limit(int64(q.First) + 1).Scan(ctx); err != nil {
			return fmt.Errorf("read rows: %w", err)
		}
		return nil
	})
	if err != nil {
		return product.Page{}, err
	}
	page.HasNext = q.First > 0 && len(rows) > q.First
	page.Products, err = fromProductRows(rows[:min(len(rows), max(q.First, 0))])
	return page, err
}

// maxSearchWords bounds the conditions of a search.
const maxSearchWords = 10

// Products implements product.Store.
func (s *Products) Products(ctx context.Context, userID string, ids []string) (map[string]*product.Product, error) {
	found := map[string]*product.Product{}
	userID, ok := canonical(userID)
	var known []string
	for _, id := range ids {
		if id, ok := canonical(id); ok {
			known = append(known, id)
		}
	}
	if !ok || len(known) == 0 {
		return found, nil
	}
	var rows []schema.Product
	if err := s.db.read.NewSelect().Model(&rows).Where("user_id = ?", userID).Where("id IN (?)", bun.List(known)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	products, err := fromProductRows(rows)
	for _, p := range products {
		found[p.ID] = p
	}
	return found, err
}

func cleaned(texts []string) []string {
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		out = append(out, clean(t))
	}
	return out
}

// toProductRows fails on ids that are none and sizes that no product has.
func toProductRows(products []*product.Product) ([]schema.Product, error) {
	rows := make([]schema.Product, 0, len(products))
	for _, p := range products {
		id, ok := canonical(p.ID)
		userID, ok2 := canonical(p.UserID)
		if !ok || !ok2 {
			return nil, fmt.Errorf("%q of %q are no ids", p.ID, p.UserID)
		}
		if err := storableDecimal(p.Size); err != nil {
			return nil, err
		}
		row := schema.Product{
			ID: id, UserID: userID, Key: clean(p.Key), GTIN: clean(p.GTIN), Name: clean(p.Name), Brand: clean(p.Brand),
			Measure: string(p.Measure), Category: clean(p.Category), FoodGroup: clean(string(p.Group)), Essential: p.Essential,
			Child: p.Child, Produce: clean(p.Produce), Taught: p.Taught, SearchText: fold(p.Name),
			CreatedAt: micros(p.CreatedAt), UpdatedAt: micros(p.UpdatedAt),
		}
		if !p.Size.IsZero() {
			row.Size = p.Size.String()
		}
		if brand := fold(p.Brand); !strings.Contains(row.SearchText, brand) {
			row.SearchText += " " + brand
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func fromProductRows(rows []schema.Product) ([]*product.Product, error) {
	var products []*product.Product
	for i := range rows {
		p, err := fromProductRow(&rows[i])
		if err != nil {
			return nil, err
		}
		products = append(products, p)
	}
	return products, nil
}

func fromProductRow(r *schema.Product) (*product.Product, error) {
	p := &product.Product{
		ID: r.ID, UserID: r.UserID, Key: r.Key, GTIN: r.GTIN, Name: r.Name, Brand: r.Brand, Measure: product.Measure(r.Measure),
		Class: product.Class{
			Category: r.Category, Group: product.FoodGroup(r.FoodGroup), Essential: r.Essential, Child: r.Child, Produce: r.Produce,
		},
		Taught: r.Taught, CreatedAt: micros(r.CreatedAt), UpdatedAt: micros(r.UpdatedAt),
	}
	if r.Size != "" {
		size, err := decimal.NewFromString(r.Size)
		if err != nil {
			return nil, fmt.Errorf("read the size of product %s: %w", r.ID, err)
		}
		p.Size = size
	}
	return p, nil
}
