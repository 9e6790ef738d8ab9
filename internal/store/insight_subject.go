package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/schema"
)

// Lines implements insight.Store, with three statements. The lines are in the order of the receipt.
func (s *Insights) Lines(ctx context.Context, userID, invoiceID string) (subject insight.Subject, err error) {
	user, ids, ok := owned(userID, []string{invoiceID})
	if !ok {
		return insight.Subject{}, notFound()
	}
	err = s.db.snapshot(ctx, func(ctx context.Context, tx bun.IDB) error {
		var row schema.Purchase
		if err := tx.NewSelect().Model(&row).Where("invoice_id = ?", ids[0]).Where("user_id = ?", user).Scan(ctx); err != nil {
			return readFault(err)
		}
		subject = insight.Subject{
			UserID: row.UserID, InvoiceID: row.InvoiceID, Today: insight.Day(row.BoughtOn), Total: fiscal.Money(row.TotalCentavos),
			Merchant: insight.Merchant{Key: row.Merchant, Name: row.MerchantName, Category: row.MerchantCategory},
		}
		subject.Lines, err = subjectLines(ctx, tx, row.InvoiceID)
		return err
	})
	if err != nil {
		return insight.Subject{}, err
	}
	return subject, nil
}

func subjectLines(ctx context.Context, tx bun.IDB, invoiceID string) ([]insight.Line, error) {
	var lines []schema.PurchaseLine
	err := tx.NewSelect().Model(&lines).Join("LEFT JOIN invoice_items AS i ON i.id = l.item_id").
		Where("l.invoice_id = ?", invoiceID).OrderExpr("i.position, l.item_id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read lines: %w", err)
	}
	var products []schema.Product
	err = tx.NewSelect().Model(&products).
		Where("p.id IN (SELECT product_id FROM purchase_lines WHERE invoice_id = ?)", invoiceID).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read products of lines: %w", err)
	}
	byID := make(map[string]product.Product, len(products))
	for i := range products {
		p, err := fromProductRow(&products[i])
		if err != nil {
			return nil, err
		}
		byID[p.ID] = *p
	}
	bought := make([]insight.Line, 0, len(lines))
	for _, l := range lines {
		bought = append(bought, insight.Line{
			ItemID: l.ItemID, Product: byID[l.ProductID], QuantityMicro: l.QuantityMicro, PriceMicro: l.PriceMicro,
			MeasurePriceMicro: l.MeasurePriceMicro, Paid: fiscal.Money(l.PaidCentavos),
		})
	}
	return bought, nil
}
