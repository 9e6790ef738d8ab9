package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/product"
)

var _ insight.MonthFigures = (*Figures)(nil)

// maxPriceMicro is a million reais: a price beyond it was misread, and sums of such would not fit.
const maxPriceMicro = 1_000_000 * 1_000_000

// monthRow is a row of a statement whose branches, named by part, answer different questions: one statement sees one moment and
// costs one round trip. Branches fill the columns that they have a use for.
type monthRow struct {
	Part     string `bun:"part"`
	Key      string `bun:"key"`
	Category string `bun:"category"`
	Merchant string `bun:"merchant"`
	Count    int64  `bun:"n"`
	Centavos int64  `bun:"centavos"`
}

// The parts.
const (
	partPaid      = "paid"
	partFirst     = "first"
	partMerchants = "merchants"
	partSmall     = "small"
	partKind      = "kind"
	partGroup     = "group"
	partLine      = "line"
)

// monthQuery collects the branches of a statement.
type monthQuery struct {
	branches []string
	args     []any
}

func (q *monthQuery) add(branch string, args ...any) {
	q.branches = append(q.branches, branch)
	q.args = append(q.args, args...)
}

// paid adds what purchases of the period cost, under the key. PostgreSQL's sums of bigint are numeric.
func (q *monthQuery) paid(key, user string, p insight.Period) {
	q.add(`SELECT ? AS part, ? AS key, '' AS category, '' AS merchant, COUNT(*) AS n,
			CAST(COALESCE(SUM(total_centavos), 0) AS bigint) AS centavos
		FROM purchases WHERE user_id = ? AND bought_on BETWEEN ? AND ?`, partPaid, key, user, p.From, p.To)
}

// evidence adds the dearest lines of the period. Only they are looked up in the other tables.
func (q *monthQuery) evidence(user string, p insight.Period) {
	q.add(`SELECT ?, CAST(l.item_id AS text), p.category, pu.merchant_name, 0, l.paid_centavos
		FROM (
			SELECT item_id, invoice_id, product_id, paid_centavos FROM purchase_lines
			WHERE user_id = ? AND bought_on BETWEEN ? AND ? ORDER BY paid_centavos DESC, item_id LIMIT ?
		) AS l JOIN products AS p ON p.id = l.product_id JOIN purchases AS pu ON pu.invoice_id = l.invoice_id`,
		partLine, user, p.From, p.To, insight.EvidenceLimit)
}

// scan answers the rows of each part, the dearest first.
func (q *monthQuery) scan(ctx context.Context, db bun.IDB) (map[string][]monthRow, error) {
	var rows []monthRow
	err := db.NewRaw(strings.Join(q.branches, " UNION ALL ")+" ORDER BY part, centavos DESC, key", q.args...).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read a month's figures: %w", err)
	}
	parts := map[string][]monthRow{}
	for _, r := range rows {
		parts[r.Part] = append(parts[r.Part], r)
	}
	return parts, nil
}

func evidenceOf(rows []monthRow) []insight.EvidenceLine {
	lines := make([]insight.EvidenceLine, 0, len(rows))
	for _, r := range rows {
		lines = append(lines, insight.EvidenceLine{ItemID: r.Key, Category: r.Category, Merchant: r.Merchant})
	}
	return lines
}

func paidOf(rows []monthRow, key string) insight.Paid {
	for _, r := range rows {
		if r.Key == key {
			return insight.Paid{Purchases: r.Count, Total: fiscal.Money(r.Centavos)}
		}
	}
	return insight.Paid{}
}

// countOf is of a part that has one row.
func countOf(rows []monthRow) int64 {
	if len(rows) == 0 {
		return 0
	}
	return rows[0].Count
}

// Spending implements insight.MonthFigures.
func (s *Figures) Spending(ctx context.Context, userID string, periods ...insight.Period) (insight.Spending, error) {
	spending := insight.Spending{Periods: make([]insight.Paid, len(periods))}
	user, ok := canonical(userID)
	if !ok || len(periods) == 0 {
		return spending, nil
	}
	var q monthQuery
	for i, p := range periods {
		q.paid(strconv.Itoa(i), user, p)
	}
	q.add("SELECT ?, COALESCE(MIN(bought_on), ''), '', '', 0, 0 FROM purchases WHERE user_id = ?", partFirst, user)
	q.evidence(user, periods[0])
	parts, err := q.scan(ctx, s.db.read)
	if err != nil {
		return insight.Spending{}, err
	}
	for i := range periods {
		spending.Periods[i] = paidOf(parts[partPaid], strconv.Itoa(i))
	}
	for _, r := range parts[partFirst] {
		spending.First = insight.Day(r.Key)
	}
	spending.Evidence = evidenceOf(parts[partLine])
	return spending, nil
}

// Visits implements insight.MonthFigures.
func (s *Figures) Visits(ctx context.Context, userID string, p insight.Period, small fiscal.Money) (insight.Visits, error) {
	user, ok := canonical(userID)
	if !ok {
		return insight.Visits{}, nil
	}
	var q monthQuery
	q.paid("", user, p)
	q.add("SELECT ?, '', '', '', COUNT(DISTINCT merchant), 0 FROM purchases WHERE user_id = ? AND bought_on BETWEEN ? AND ?",
		partMerchants, user, p.From, p.To)
	q.add("SELECT ?, '', '', '', COUNT(*), 0 FROM purchases WHERE user_id = ? AND bought_on BETWEEN ? AND ? AND total_centavos < ?",
		partSmall, user, p.From, p.To, small.Centavos())
	q.evidence(user, p)
	parts, err := q.scan(ctx, s.db.read)
	if err != nil {
		return insight.Visits{}, err
	}
	return insight.Visits{
		Paid: paidOf(parts[partPaid], ""), Merchants: countOf(parts[partMerchants]), Small: countOf(parts[partSmall]),
		Evidence: evidenceOf(parts[partLine]),
	}, nil
}

// Found implements insight.MonthFigures. Insights are reached from the purchases of the period, of which there are few: asked for
// by their user too, SQLite would begin with all that the user ever got.
func (s *Figures) Found(ctx context.Context, userID string, f insight.FoundFilter) (insight.Found, error) {
	found := insight.Found{Kinds: map[insight.Kind]int64{}}
	user, ok := canonical(userID)
	if !ok {
		return found, nil
	}
	var q monthQuery
	q.paid("", user, f.Month)
	branch := `SELECT ?, i.kind, '', '', COUNT(*), 0 FROM purchases AS pu JOIN insights AS i ON i.invoice_id = pu.invoice_id
		WHERE pu.user_id = ? AND pu.bought_on BETWEEN ? AND ? AND i.kind <> ?`
	args := []any{partKind, user, f.Purchases.From, f.Purchases.To, f.ExceptKind}
	if except, ok := canonical(f.ExceptInvoiceID); ok {
		branch, args = branch+" AND pu.invoice_id <> ?", append(args, except)
	}
	q.add(branch+" GROUP BY i.kind", args...)
	q.evidence(user, f.Month)
	parts, err := q.scan(ctx, s.db.read)
	if err != nil {
		return insight.Found{}, err
	}
	for _, r := range parts[partKind] {
		found.Kinds[insight.Kind(r.Key)] = r.Count
	}
	found.Month, found.Evidence = paidOf(parts[partPaid], ""), evidenceOf(parts[partLine])
	return found, nil
}

// Food implements insight.MonthFigures.
func (s *Figures) Food(ctx context.Context, userID string, p insight.Period) (insight.Food, error) {
	food := insight.Food{Groups: map[product.FoodGroup]fiscal.Money{}}
	user, ok := canonical(userID)
	if !ok {
		return food, nil
	}
	// MATERIALIZED: lines and products are joined once for both branches.
	const with = `WITH food AS MATERIALIZED (
			SELECT l.item_id, l.invoice_id, l.paid_centavos, p.category, p.food_group
			FROM purchase_lines AS l JOIN products AS p ON p.id = l.product_id
			WHERE l.user_id = ? AND l.bought_on BETWEEN ? AND ? AND p.food_group <> ''
		) `
	var q monthQuery
	q.add(with+`SELECT ? AS part, food_group AS key, category, '' AS merchant, COUNT(*) AS n, CAST(SUM(paid_centavos) AS bigint) AS centavos
		FROM food GROUP BY food_group, category`, user, p.From, p.To, partGroup)
	q.add(`SELECT ?, CAST(f.item_id AS text), f.category, pu.merchant_name, 0, f.paid_centavos
		FROM (SELECT * FROM food ORDER BY paid_centavos DESC, item_id LIMIT ?) AS f JOIN purchases AS pu ON pu.invoice_id = f.invoice_id`,
		partLine, insight.EvidenceLimit)
	parts, err := q.scan(ctx, s.db.read)
	if err != nil {
		return insight.Food{}, err
	}
	for _, r := range parts[partGroup] {
		group := product.FoodGroup(r.Key)
		food.Groups[group] = food.Groups[group].Add(fiscal.Money(r.Centavos))
		food.Categories = append(food.Categories, r.Category)
	}
	slices.Sort(food.Categories) // a category may be in two groups
	food.Categories = slices.Compact(food.Categories)
	food.Evidence = evidenceOf(parts[partLine])
	return food, nil
}

// recurringRow is a product that recurs.
type recurringRow struct {
	ProductID string `bun:"product_id"`
	Name      string `bun:"name"`
	Category  string `bun:"category"`
	Days      int64  `bun:"days"`
	FirstOn   string `bun:"first_on"`
	LastOn    string `bun:"last_on"`
	PriceSum  int64  `bun:"price_sum"`
	Priced    int64  `bun:"priced"`
	ItemIDs   string `bun:"item_ids"` // between commas
}

// Recurring implements insight.MonthFigures.
func (s *Figures) Recurring(ctx context.Context, userID string, p insight.Period) ([]insight.Recurring, error) {
	user, ok := canonical(userID)
	if !ok {
		return nil, nil
	}
	var rows []recurringRow
	err := s.db.read.NewRaw(`WITH lines AS (
			SELECT product_id, bought_on, item_id, CASE WHEN price_micro BETWEEN 1 AND ? THEN price_micro END AS price,
				ROW_NUMBER() OVER (PARTITION BY product_id ORDER BY bought_on DESC, item_id DESC) AS place
			FROM purchase_lines WHERE user_id = ? AND bought_on BETWEEN ? AND ?
		), recurring AS (
			SELECT product_id, COUNT(DISTINCT bought_on) AS days, MIN(bought_on) AS first_on, MAX(bought_on) AS last_on,
				CAST(SUM(price) AS bigint) AS price_sum, COUNT(price) AS priced,
				STRING_AGG(CAST(item_id AS text), ',') FILTER (WHERE place <= ?) AS item_ids
			FROM lines GROUP BY product_id HAVING COUNT(DISTINCT bought_on) >= ? AND COUNT(price) > 0
		)
		SELECT r.*, p.name, p.category FROM recurring AS r JOIN products AS p ON p.id = r.product_id ORDER BY r.product_id`,
		maxPriceMicro, user, p.From, p.To, insight.RecurringEvidence, insight.RecurringDays).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read recurring products: %w", err)
	}
	products := make([]insight.Recurring, 0, len(rows))
	for _, r := range rows {
		ids := strings.Split(r.ItemIDs, ",")
		slices.Sort(ids) // as they come, the databases differ
		products = append(products, insight.Recurring{
			ProductID: r.ProductID, Name: r.Name, Category: r.Category, Days: r.Days, First: insight.Day(r.FirstOn), Last: insight.Day(r.LastOn),
			PriceSumMicro: r.PriceSum, Priced: r.Priced, ItemIDs: ids,
		})
	}
	return products, nil
}
