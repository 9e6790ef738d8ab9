package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shopspring/decimal"
	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/spending"
	"github.com/mercadoesperto/smarket/schema"
)

// Spending implements spending.Store. Its statements are the same on both databases.
type Spending struct{ db *DB }

var _ spending.Store = (*Spending)(nil)

// NewSpending reads the ledger in db.
func NewSpending(db *DB) *Spending { return &Spending{db: db} }

// totalRow is what was spent in both periods.
type totalRow struct {
	Total     int64 `bun:"total"`
	Previous  int64 `bun:"previous"`
	Purchases int   `bun:"purchases"`
}

// groupRow is a group's part of it. Product is there when the report is by product.
type groupRow struct {
	totalRow

	GroupKey string `bun:"group_key"`
	Name     string `bun:"group_name"`
	Divided  int64  `bun:"divided"` // the total of all groups, by product

	schema.Product
}

// Sums implements spending.Store. Where the purchases themselves are grouped, the groups' sums are the totals.
func (s *Spending) Sums(ctx context.Context, userID string, previous, period spending.Period, by spending.Group) (spending.Sums, error) {
	user, ok := canonical(userID)
	if !ok {
		return spending.Sums{}, nil
	}
	q := sumsQuery{args: []any{user, clean(previous.From), clean(period.From), clean(period.To), spending.MaxProducts}}
	var err error
	switch by {
	case spending.GroupByMerchant:
		err = q.groups(ctx, s.db.read, merchantSums)
	case spending.GroupByMonth:
		err = q.groups(ctx, s.db.read, daySums)
	case spending.GroupByCategory:
		err = s.db.snapshot(ctx, func(ctx context.Context, tx bun.IDB) error { return q.totalAndGroups(ctx, tx, categorySums) })
	case spending.GroupByProduct:
		err = s.db.snapshot(ctx, func(ctx context.Context, tx bun.IDB) error { return q.totalAndGroups(ctx, tx, productSums) })
	default:
		err = fmt.Errorf("no group %q", by)
	}
	if err != nil {
		return spending.Sums{}, fmt.Errorf("add up purchases: %w", err)
	}
	return q.sums(by)
}

// sumsQuery is one answer in the making. Its arguments are ?0 the user, ?1 the first day of the period before, ?2 and ?3 the
// first and the last day of the period, ?4 how many products.
type sumsQuery struct {
	args  []any
	total *totalRow // nil when the groups add up to it
	rows  []groupRow
}

func (q *sumsQuery) groups(ctx context.Context, db bun.IDB, query string) error {
	q.rows = nil
	if err := db.NewRaw(query, q.args...).Scan(ctx, &q.rows); err != nil {
		return fmt.Errorf("groups: %w", err)
	}
	return nil
}

func (q *sumsQuery) totalAndGroups(ctx context.Context, db bun.IDB, query string) error {
	q.total = &totalRow{}
	if err := db.NewRaw(totals, q.args...).Scan(ctx, q.total); err != nil {
		return fmt.Errorf("totals: %w", err)
	}
	return q.groups(ctx, db, query)
}

func (q *sumsQuery) sums(by spending.Group) (spending.Sums, error) {
	var sums spending.Sums
	for i := range q.rows {
		r := &q.rows[i]
		g := spending.GroupSum{
			Key: r.GroupKey, Name: r.Name, Total: fiscal.Money(r.Total), Previous: fiscal.Money(r.Previous), Purchases: r.Purchases,
		}
		sums.Divided = sums.Divided.Add(g.Total)
		sums.Total, sums.Previous, sums.Purchases = sums.Divided, sums.Previous.Add(g.Previous), sums.Purchases+g.Purchases
		if by == spending.GroupByProduct {
			p, err := fromProductRow(&r.Product)
			if err != nil {
				return spending.Sums{}, err
			}
			g.Product = p
		}
		sums.Groups = append(sums.Groups, g)
	}
	if q.total != nil {
		sums.Total, sums.Previous, sums.Purchases = fiscal.Money(q.total.Total), fiscal.Money(q.total.Previous), q.total.Purchases
	}
	if by == spending.GroupByProduct && len(q.rows) > 0 {
		sums.Divided = fiscal.Money(q.rows[0].Divided)
	}
	return sums, nil
}

// The sums of purchases and of lines in both periods. PostgreSQL's sums of bigint are numeric.
const (
	purchaseTotals = `
		CAST(COALESCE(SUM(CASE WHEN pu.bought_on >= ?2 THEN pu.total_centavos ELSE 0 END), 0) AS bigint) AS total,
		CAST(COALESCE(SUM(CASE WHEN pu.bought_on < ?2 THEN pu.total_centavos ELSE 0 END), 0) AS bigint) AS previous,
		COUNT(CASE WHEN pu.bought_on >= ?2 THEN 1 END) AS purchases`
	lineTotals = `
		CAST(SUM(CASE WHEN l.bought_on >= ?2 THEN l.paid_centavos ELSE 0 END) AS bigint) AS total,
		CAST(SUM(CASE WHEN l.bought_on < ?2 THEN l.paid_centavos ELSE 0 END) AS bigint) AS previous,
		COUNT(DISTINCT CASE WHEN l.bought_on >= ?2 THEN l.invoice_id END) AS purchases`
)

const fromPurchases = ` FROM purchases AS pu WHERE pu.user_id = ?0 AND pu.bought_on BETWEEN ?1 AND ?3`

const totals = `SELECT` + purchaseTotals + fromPurchases

const daySums = `SELECT pu.bought_on AS group_key,` + purchaseTotals + fromPurchases + ` GROUP BY pu.bought_on`

const merchantSums = `SELECT pu.merchant AS group_key, ` + newestName + ` AS group_name,` + purchaseTotals + fromPurchases + ` GROUP BY pu.merchant`

// newestName is what the shop pu.merchant of the user ?0 is called on its newest purchase: a look into an index for each shop.
const newestName = `(SELECT n.merchant_name FROM purchases AS n WHERE n.user_id = ?0 AND n.merchant = pu.merchant
	ORDER BY n.bought_on DESC, n.bought_at DESC, n.invoice_id DESC LIMIT 1)`

const fromLines = ` FROM purchase_lines AS l JOIN products AS p ON p.id = l.product_id
	WHERE l.user_id = ?0 AND l.bought_on BETWEEN ?1 AND ?3`

const categorySums = `SELECT p.category AS group_key,` + lineTotals + fromLines + ` GROUP BY p.category`

// productSums adds up all before it cuts, so that each row knows the total of those that are cut off.
const productSums = `SELECT g.*, p.* FROM (
		SELECT l.product_id AS group_key,` + lineTotals + `,
			CAST(SUM(SUM(CASE WHEN l.bought_on >= ?2 THEN l.paid_centavos ELSE 0 END)) OVER () AS bigint) AS divided
		FROM purchase_lines AS l WHERE l.user_id = ?0 AND l.bought_on BETWEEN ?1 AND ?3
		GROUP BY l.product_id HAVING MAX(l.bought_on) >= ?2
		ORDER BY 2 DESC, 1 LIMIT ?4
	) AS g JOIN products AS p ON p.id = g.group_key`

// priceRow is what a product cost once.
type priceRow struct {
	InvoiceID    string `bun:"invoice_id"`
	ItemID       string `bun:"item_id"`
	BoughtOn     string `bun:"bought_on"`
	Merchant     string `bun:"merchant"`
	MerchantName string `bun:"merchant_name"`
	Quantity     int64  `bun:"quantity_micro"`
	Price        *int64 `bun:"price_micro"`
	MeasurePrice *int64 `bun:"measure_price_micro"`
}

// Prices implements spending.Store, with two statements.
func (s *Spending) Prices(ctx context.Context, userID, productID string, period *spending.Period, limit int) ([]spending.PricePoint, error) {
	user, ok := canonical(userID)
	id, ok2 := canonical(productID)
	if !ok || !ok2 {
		return nil, noProduct()
	}
	found, err := s.db.read.NewSelect().Model((*schema.Product)(nil)).Where("id = ?", id).Where("user_id = ?", user).Exists(ctx)
	if err != nil {
		return nil, fmt.Errorf("find product: %w", err)
	}
	if !found {
		return nil, noProduct()
	}
	var rows []priceRow
	q := s.db.read.NewSelect().TableExpr("purchase_lines AS l").Join("JOIN purchases AS pu ON pu.invoice_id = l.invoice_id").
		Column("l.invoice_id", "l.item_id", "l.bought_on", "l.merchant", "l.quantity_micro", "l.price_micro", "l.measure_price_micro").
		ColumnExpr(newestName+" AS merchant_name", user).
		Where("l.product_id = ?", id).Where("l.user_id = ?", user).
		OrderExpr("l.bought_on DESC, pu.bought_at DESC, l.item_id DESC").Limit(int64(limit))
	within(q, period)
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("read prices: %w", err)
	}
	slices.Reverse(rows)
	points := make([]spending.PricePoint, 0, len(rows))
	for _, r := range rows {
		points = append(points, spending.PricePoint{
			InvoiceID: r.InvoiceID, ItemID: r.ItemID, On: r.BoughtOn, MerchantKey: r.Merchant, MerchantName: r.MerchantName,
			Quantity: millionths(r.Quantity), Price: millionthsOf(r.Price), MeasurePrice: millionthsOf(r.MeasurePrice),
		})
	}
	return points, nil
}

func noProduct() error {
	return &invoice.Error{Code: invoice.CodeNotFound, Message: "Produto não encontrado."}
}

// within keeps the lines of a period; nil is all, and says so of the days, or SQLite would take an index that is not in their
// order and sort the whole ledger.
func within(q *bun.SelectQuery, period *spending.Period) {
	if period == nil {
		q.Where("l.bought_on >= ''")
		return
	}
	q.Where("l.bought_on BETWEEN ? AND ?", clean(period.From), clean(period.To))
}

func millionths(n int64) decimal.Decimal { return decimal.New(n, -6) }

func millionthsOf(n *int64) *decimal.Decimal {
	if n == nil {
		return nil
	}
	return new(millionths(*n))
}

// lastPriceRow is the last price of a product at a shop; all but the product is null when it has none.
type lastPriceRow struct {
	ProductID    string `bun:"product_id"`
	Merchant     string `bun:"merchant,nullzero"`
	MerchantName string `bun:"merchant_name,nullzero"`
	BoughtOn     string `bun:"bought_on,nullzero"`
	PriceMicro   int64  `bun:"price_micro,nullzero"`
}

// lastPrices has the arguments ?0 the user and ?1 the products.
const lastPrices = `SELECT p.id AS product_id, pu.merchant, pu.bought_on, pu.price_micro,
		CASE WHEN pu.merchant IS NOT NULL THEN ` + newestName + ` END AS merchant_name
	FROM products AS p LEFT JOIN (
		SELECT l.product_id, l.merchant, l.bought_on, l.price_micro,
			ROW_NUMBER() OVER (PARTITION BY l.product_id, l.merchant ORDER BY l.bought_on DESC, b.bought_at DESC, l.item_id DESC) AS age
		FROM purchase_lines AS l JOIN purchases AS b ON b.invoice_id = l.invoice_id
		WHERE l.product_id IN (?1) AND l.user_id = ?0 AND l.price_micro > 0
	) AS pu ON pu.product_id = p.id AND pu.age = 1
	WHERE p.user_id = ?0 AND p.id IN (?1)
	ORDER BY pu.bought_on DESC, p.id, pu.merchant`

// LastPrices implements spending.Store.
func (s *Spending) LastPrices(ctx context.Context, userID string, productIDs []string) ([]spending.LastPrice, error) {
	user, ok := canonical(userID)
	var ids []string
	for _, id := range productIDs {
		if id, ok := canonical(id); ok {
			ids = append(ids, id)
		}
	}
	if !ok || len(ids) == 0 {
		return nil, nil
	}
	var rows []lastPriceRow
	if err := s.db.read.NewRaw(lastPrices, user, bun.List(ids)).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("read last prices: %w", err)
	}
	prices := make([]spending.LastPrice, 0, len(rows))
	for _, r := range rows {
		prices = append(prices, spending.LastPrice{
			ProductID: r.ProductID, MerchantKey: r.Merchant, MerchantName: r.MerchantName, Price: millionths(r.PriceMicro), On: r.BoughtOn,
		})
	}
	return prices, nil
}

// boughtRow is a line with all that an export says of it.
type boughtRow struct {
	InvoiceID    string          `bun:"invoice_id"`
	BoughtAt     time.Time       `bun:"bought_at"`
	MerchantName string          `bun:"merchant_name"`
	MerchantCNPJ string          `bun:"issuer_cnpj"`
	AccessKey    string          `bun:"access_key"`
	Line         int             `bun:"line"`
	Description  string          `bun:"description"`
	Product      string          `bun:"name"`
	Category     string          `bun:"category"`
	GTIN         string          `bun:"gtin"`
	Quantity     decimal.Decimal `bun:"quantity"`
	Unit         string          `bun:"unit"`
	UnitPrice    decimal.Decimal `bun:"unit_price"`
	Total        int64           `bun:"total_centavos"`
	Discount     int64           `bun:"discount_centavos"`
	Paid         int64           `bun:"paid_centavos"`
}

// Lines implements spending.Store.
func (s *Spending) Lines(ctx context.Context, userID string, period *spending.Period, limit int) ([]spending.Purchase, error) {
	user, ok := canonical(userID)
	if !ok {
		return nil, nil
	}
	var rows []boughtRow
	q := s.db.read.NewSelect().TableExpr("purchase_lines AS l").
		Join("JOIN purchases AS pu ON pu.invoice_id = l.invoice_id").Join("JOIN invoices AS i ON i.id = l.invoice_id").
		Join("JOIN invoice_items AS ii ON ii.id = l.item_id").Join("JOIN products AS p ON p.id = l.product_id").
		Column("l.invoice_id", "pu.bought_at", "pu.merchant_name", "i.issuer_cnpj", "i.access_key", "ii.line", "ii.description", "p.name",
			"p.category", "ii.gtin", "ii.quantity", "ii.unit", "ii.unit_price", "ii.total_centavos", "ii.discount_centavos", "l.paid_centavos").
		Where("l.user_id = ?", user).
		OrderExpr("l.bought_on, pu.bought_at, l.invoice_id, ii.position").Limit(int64(limit))
	within(q, period)
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("read lines: %w", err)
	}
	lines := make([]spending.Purchase, 0, len(rows))
	for i := range rows {
		r := &rows[i]
		lines = append(lines, spending.Purchase{
			InvoiceID: r.InvoiceID, BoughtAt: micros(r.BoughtAt), MerchantName: r.MerchantName, MerchantCNPJ: r.MerchantCNPJ,
			AccessKey: r.AccessKey, Line: r.Line, Description: r.Description, Product: r.Product, CategoryID: r.Category, GTIN: r.GTIN,
			Quantity: r.Quantity, Unit: r.Unit, UnitPrice: r.UnitPrice,
			Total: fiscal.Money(r.Total), Discount: fiscal.Money(r.Discount), Paid: fiscal.Money(r.Paid),
		})
	}
	return lines, nil
}
