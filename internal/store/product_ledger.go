package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/schema"
)

// repointBatch bounds the text of a statement that rewrites lines: SQLite takes a megabyte.
const repointBatch = 500

// Replace implements product.Store.
func (s *Products) Replace(ctx context.Context, tx *sql.Tx, invoiceID string, p *product.Purchase) error {
	id, ok := canonical(invoiceID)
	if !ok {
		return notFound()
	}
	// The lines go with the purchase.
	if _, err := s.db.write.NewDelete().Conn(tx).Model((*schema.Purchase)(nil)).Where("invoice_id = ?", id).Exec(ctx); err != nil {
		return fmt.Errorf("delete purchase: %w", err)
	}
	if p == nil {
		return nil
	}
	if err := storableTime(p.BoughtAt); err != nil {
		return fmt.Errorf("insert purchase: %w", err)
	}
	userID, ok := canonical(p.UserID)
	if !ok {
		return notFound()
	}
	row := schema.Purchase{
		InvoiceID: id, UserID: userID, BoughtOn: clean(p.BoughtOn), BoughtAt: micros(p.BoughtAt), Merchant: clean(p.Merchant),
		MerchantName: clean(p.MerchantName), MerchantCategory: clean(p.MerchantCategory), TotalCentavos: int64(p.Total),
		ItemCount: len(p.Lines),
	}
	if _, err := s.db.write.NewInsert().Conn(tx).Model(&row).Exec(ctx); err != nil {
		return fmt.Errorf("insert purchase: %w", err)
	}
	rows := make([]schema.PurchaseLine, 0, len(p.Lines))
	for _, l := range p.Lines {
		item, ok := canonical(l.ItemID)
		if !ok {
			return fmt.Errorf("insert purchase: %q is no id", l.ItemID)
		}
		rows = append(rows, schema.PurchaseLine{
			ItemID: item, InvoiceID: id, UserID: userID, ProductID: l.ProductID, BoughtOn: row.BoughtOn, Merchant: row.Merchant,
			Label: clean(l.Label), QuantityMicro: l.QuantityMicro, PaidCentavos: int64(l.Paid), PriceMicro: l.PriceMicro,
			MeasurePriceMicro: l.MeasurePriceMicro,
		})
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := s.db.write.NewInsert().Conn(tx).Model(&rows).Exec(ctx); err != nil {
		return fmt.Errorf("insert purchase lines: %w", err)
	}
	return nil
}

// History implements product.Store.
func (s *Products) History(ctx context.Context, tx *sql.Tx, userID, merchant string, labels, productIDs []string) ([]product.Line, error) {
	userID, ok := canonical(userID)
	if !ok || len(labels)+len(productIDs) == 0 {
		return nil, nil
	}
	var rows []schema.PurchaseLine
	err := s.db.write.NewSelect().Conn(tx).Model(&rows).Where("user_id = ?", userID).
		WhereGroup(" AND ", func(sel *bun.SelectQuery) *bun.SelectQuery {
			if len(labels) > 0 {
				sel.WhereOr("merchant = ? AND label IN (?)", clean(merchant), bun.List(cleaned(labels)))
			}
			if len(productIDs) > 0 {
				sel.WhereOr("product_id IN (?)", bun.List(productIDs))
			}
			return sel
		}).Order("item_id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read purchase lines: %w", err)
	}
	lines := make([]product.Line, 0, len(rows))
	for _, r := range rows {
		lines = append(lines, product.Line{
			ItemID: r.ItemID, ProductID: r.ProductID, Merchant: r.Merchant, Label: r.Label, QuantityMicro: r.QuantityMicro,
			Paid: fiscal.Money(r.PaidCentavos), PriceMicro: r.PriceMicro, MeasurePriceMicro: r.MeasurePriceMicro,
		})
	}
	return lines, nil
}

// Repoint implements product.Store, with three statements for each batch of lines.
func (s *Products) Repoint(ctx context.Context, tx *sql.Tx, lines []product.Line) error {
	for batch := range slices.Chunk(lines, repointBatch) {
		if err := s.repoint(ctx, tx, batch); err != nil {
			return err
		}
	}
	return nil
}

func (s *Products) repoint(ctx context.Context, tx *sql.Tx, lines []product.Line) error {
	byID := map[string]product.Line{}
	ids := make([]string, 0, len(lines))
	for _, l := range lines {
		byID[l.ItemID] = l
		ids = append(ids, l.ItemID)
	}
	var rows []schema.PurchaseLine
	if err := s.db.write.NewSelect().Conn(tx).Model(&rows).Where("item_id IN (?)", bun.List(ids)).Order("item_id").Scan(ctx); err != nil {
		return fmt.Errorf("read purchase lines: %w", err)
	}
	if len(rows) == 0 {
		return nil
	}
	for i := range rows {
		l := byID[rows[i].ItemID]
		rows[i].ProductID, rows[i].MeasurePriceMicro = l.ProductID, l.MeasurePriceMicro
	}
	_, err := s.db.write.NewInsert().Conn(tx).Model(&rows).On("CONFLICT (item_id) DO UPDATE").
		Set("product_id = EXCLUDED.product_id").Set("measure_price_micro = EXCLUDED.measure_price_micro").Exec(ctx)
	if err != nil {
		return fmt.Errorf("rewrite purchase lines: %w", err)
	}
	_, err = s.db.write.NewRaw("UPDATE invoice_items AS ii SET product_id = l.product_id, category = p.category "+
		"FROM purchase_lines AS l JOIN products AS p ON p.id = l.product_id WHERE ii.id = l.item_id AND l.item_id IN (?)", bun.List(ids)).
		Conn(tx).Exec(ctx)
	if err != nil {
		return fmt.Errorf("rewrite items: %w", err)
	}
	return nil
}
