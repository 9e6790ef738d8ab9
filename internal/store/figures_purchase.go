package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/schema"
)

var _ insight.PurchaseFigures = (*Figures)(nil)

// PricesPaid implements insight.PurchaseFigures.
func (s *Figures) PricesPaid(ctx context.Context, h insight.History, productIDs []string) ([]insight.PaidPrice, error) {
	q, ok := s.linesOf(h, productIDs)
	if !ok {
		return nil, nil
	}
	var rows []schema.PurchaseLine
	err := q.Column("product_id", "invoice_id", "quantity_micro", "price_micro").
		Where("price_micro > 0").Where("quantity_micro > 0").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read prices paid: %w", err)
	}
	prices := make([]insight.PaidPrice, 0, len(rows))
	for _, r := range rows {
		prices = append(prices, insight.PaidPrice{
			ProductID: r.ProductID, InvoiceID: r.InvoiceID, QuantityMicro: r.QuantityMicro, PriceMicro: *r.PriceMicro,
		})
	}
	return prices, nil
}

// LowestPrices implements insight.PurchaseFigures. Lines without a quantity have no price that could be compared.
func (s *Figures) LowestPrices(ctx context.Context, h insight.History, productIDs []string) (map[string]insight.LowestPrice, error) {
	q, ok := s.linesOf(h, productIDs)
	if !ok {
		return nil, nil
	}
	var rows []struct {
		ProductID string `bun:"product_id"`
		Price     int64  `bun:"price"`
		Measure   int64  `bun:"measure"`
	}
	err := q.Column("product_id").
		ColumnExpr("MIN(price_micro) AS price").
		ColumnExpr("COALESCE(MIN(CASE WHEN measure_price_micro > 0 THEN measure_price_micro END), 0) AS measure").
		Where("price_micro > 0").Where("quantity_micro > 0").Group("product_id").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read lowest prices: %w", err)
	}
	lowest := make(map[string]insight.LowestPrice, len(rows))
	for _, r := range rows {
		lowest[r.ProductID] = insight.LowestPrice{PriceMicro: r.Price, MeasurePriceMicro: r.Measure}
	}
	return lowest, nil
}

// linesOf is the history's lines of some products. False says that there are none.
func (s *Figures) linesOf(h insight.History, productIDs []string) (*bun.SelectQuery, bool) {
	ids := make([]string, 0, len(productIDs))
	for _, id := range productIDs {
		if c, ok := canonical(id); ok {
			ids = append(ids, c)
		}
	}
	q, ok := s.within(s.db.read.NewSelect().Model((*schema.PurchaseLine)(nil)), "l", h)
	return q.Where("l.product_id IN (?)", bun.List(ids)), ok && len(ids) > 0
}

// monthTotalRow is what was spent in a month.
type monthTotalRow struct {
	Category string `bun:"category"`
	Month    string `bun:"month"`
	Paid     int64  `bun:"paid"`
}

func (r monthTotalRow) total() insight.MonthTotal {
	return insight.MonthTotal{Month: r.Month, Paid: fiscal.Money(r.Paid)}
}

// CategoryMonths implements insight.PurchaseFigures.
func (s *Figures) CategoryMonths(ctx context.Context, h insight.History, categories []string) (map[string][]insight.MonthTotal, error) {
	if len(categories) == 0 {
		return nil, nil
	}
	names := make([]string, 0, len(categories))
	for _, c := range categories {
		names = append(names, clean(c))
	}
	q, ok := s.monthTotals(h)
	if !ok {
		return nil, nil
	}
	var rows []monthTotalRow
	err := q.Column("p.category").Where("p.category IN (?)", bun.List(names)).
		GroupExpr("p.category, month").OrderExpr("p.category, month").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("add up categories by month: %w", err)
	}
	months := map[string][]insight.MonthTotal{}
	for _, r := range rows {
		months[r.Category] = append(months[r.Category], r.total())
	}
	return months, nil
}

// ChildMonths implements insight.PurchaseFigures.
func (s *Figures) ChildMonths(ctx context.Context, h insight.History) ([]insight.MonthTotal, error) {
	q, ok := s.monthTotals(h)
	if !ok {
		return nil, nil
	}
	var rows []monthTotalRow
	if err := q.Where("p.child").GroupExpr("month").OrderExpr("month").Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("add up products for children by month: %w", err)
	}
	months := make([]insight.MonthTotal, 0, len(rows))
	for _, r := range rows {
		months = append(months, r.total())
	}
	return months, nil
}

// monthTotals is the history's lines with their products, added up; what they are grouped by is the caller's.
func (s *Figures) monthTotals(h insight.History) (*bun.SelectQuery, bool) {
	q := s.db.read.NewSelect().Model((*schema.PurchaseLine)(nil)).
		ColumnExpr("substr(l.bought_on, 1, 7) AS month").
		ColumnExpr("CAST(SUM(l.paid_centavos) AS bigint) AS paid"). // PostgreSQL's sums of bigint are numeric
		Join("JOIN products AS p ON p.id = l.product_id")
	return s.within(q, "l", h)
}

// MerchantTickets implements insight.PurchaseFigures.
func (s *Figures) MerchantTickets(ctx context.Context, h insight.History, m insight.Merchant) (insight.MerchantTickets, error) {
	key, category := clean(m.Key), clean(m.Category)
	q, ok := s.within(s.db.read.NewSelect().Model((*schema.Purchase)(nil)), "pu", h)
	if !ok {
		return insight.MerchantTickets{}, nil
	}
	var rows []struct {
		Here  bool  `bun:"here"`
		Count int   `bun:"count"`
		Paid  int64 `bun:"paid"`
	}
	err := q.ColumnExpr("merchant = ? AS here", key).ColumnExpr("COUNT(*) AS count").
		ColumnExpr("CAST(SUM(total_centavos) AS bigint) AS paid").
		Where("(merchant = ? OR merchant_category = ?)", key, category).Where("total_centavos > 0").
		GroupExpr("here").Scan(ctx, &rows)
	if err != nil {
		return insight.MerchantTickets{}, fmt.Errorf("add up tickets: %w", err)
	}
	var t insight.MerchantTickets
	for _, r := range rows {
		if r.Here {
			t.Here, t.PaidHere = r.Count, fiscal.Money(r.Paid)
			continue
		}
		t.Others, t.PaidOthers = r.Count, fiscal.Money(r.Paid)
	}
	return t, nil
}

// within narrows a query of the ledger to a history. False says that it has nothing.
func (s *Figures) within(q *bun.SelectQuery, table string, h insight.History) (*bun.SelectQuery, bool) {
	user, ok := canonical(h.UserID)
	q = q.Where("?.user_id = ?", bun.Ident(table), user).
		Where("?.bought_on >= ?", bun.Ident(table), clean(string(h.From))).
		Where("?.bought_on <= ?", bun.Ident(table), clean(string(h.To)))
	if except, ok := canonical(h.ExceptID); ok {
		q = q.Where("?.invoice_id <> ?", bun.Ident(table), except)
	}
	return q, ok
}
