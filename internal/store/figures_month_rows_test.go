package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/schema"
)

// monthLedger is what purchases of several users are made of, as rows.
type monthLedger struct {
	Invoices  []schema.Invoice
	Products  []schema.Product
	Purchases []schema.Purchase
	Lines     []schema.PurchaseLine
	Insights  []schema.Insight
}

// write puts the rows into the tables, some hundreds at a time.
func (l *monthLedger) write(tb testing.TB, db *store.DB) {
	tb.Helper()
	var b *bun.DB
	if db.Dialect() == schema.Postgres {
		b = bun.NewDB(db.SQL(), pgdialect.New())
	} else {
		b = bun.NewDB(db.SQL(), sqlitedialect.New())
	}
	require.NoError(tb, b.RunInTx(tb.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		insertMonthRows(ctx, tb, tx, l.Invoices)
		insertMonthRows(ctx, tb, tx, l.Products)
		insertMonthRows(ctx, tb, tx, l.Purchases)
		insertMonthRows(ctx, tb, tx, l.Lines)
		insertMonthRows(ctx, tb, tx, l.Insights)
		return nil
	}))
}

func insertMonthRows[T any](ctx context.Context, tb testing.TB, tx bun.Tx, rows []T) {
	tb.Helper()
	for chunk := range slices.Chunk(rows, 500) {
		_, err := tx.NewInsert().Model(&chunk).Exec(ctx)
		require.NoError(tb, err)
	}
}

// monthRowID is the same for the same number, and in another order than it.
func monthRowID(r *rand.Rand) string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(r.UintN(256))
	}
	return id.String()
}

// addProducts gives the user products of all food groups and of none.
func (l *monthLedger) addProducts(r *rand.Rand, user string, n int) []schema.Product {
	groups := []product.FoodGroup{
		"", product.GroupGrains, product.GroupLegumes, product.GroupVegetables, product.GroupFruits, product.GroupDairy, product.GroupProteins,
		product.GroupFats, product.GroupSweets, product.GroupDrinks,
	}
	for i := range n {
		l.Products = append(l.Products, schema.Product{
			ID: monthRowID(r), UserID: user, Key: fmt.Sprintf("label:p%d", i), Name: fmt.Sprintf("Produto %d", i), Measure: "UN",
			Category: fmt.Sprintf("category-%d", r.IntN(12)), FoodGroup: string(groups[i%len(groups)]),
		})
	}
	return l.Products[len(l.Products)-n:]
}

// addPurchase gives the user a purchase of some of the products on the day.
func (l *monthLedger) addPurchase(r *rand.Rand, user string, on time.Time, products []schema.Product, lines int) {
	shop := r.IntN(5)
	p := schema.Purchase{
		InvoiceID: monthRowID(r), UserID: user, BoughtOn: on.Format(time.DateOnly), BoughtAt: on, Merchant: fmt.Sprintf("name:shop %d", shop),
		MerchantName: fmt.Sprintf("Mercado %d", shop), MerchantCategory: "supermarket", ItemCount: lines, TotalCentavos: r.Int64N(6000),
	}
	l.Invoices = append(l.Invoices, schema.Invoice{ID: p.InvoiceID, UserID: user, Status: "COMPLETED", CreatedAt: on, UpdatedAt: on})
	l.Purchases = append(l.Purchases, p)
	for range lines {
		line := schema.PurchaseLine{
			ItemID: monthRowID(r), InvoiceID: p.InvoiceID, UserID: user, ProductID: products[r.IntN(len(products))].ID, BoughtOn: p.BoughtOn,
			Merchant: p.Merchant, QuantityMicro: 1_000_000, PaidCentavos: r.Int64N(40), // few amounts, so that some are equal
		}
		if r.IntN(4) > 0 {
			line.PriceMicro = new(r.Int64N(100_000_000)) // 0 too
		}
		l.Lines = append(l.Lines, line)
	}
	for range r.IntN(3) {
		kinds := []insight.Kind{insight.KindSummary, insight.KindPriceAlert, insight.KindSavingsPotential, insight.KindBudgetHealth}
		l.Insights = append(l.Insights, schema.Insight{
			ID: monthRowID(r), UserID: user, InvoiceID: p.InvoiceID, Kind: string(kinds[r.IntN(len(kinds))]), Priority: "LOW", PriorityRank: 1,
			Details: json.RawMessage("{}"), Categories: []string{}, Merchants: []string{}, ItemIDs: []string{}, CreatedAt: on,
		})
	}
}

// history is half a year of one user and of another, until the tenth of December.
func (l *monthLedger) history(r *rand.Rand, users ...string) {
	last := time.Date(2026, 12, 10, 12, 0, 0, 0, time.UTC)
	for _, user := range users {
		products := l.addProducts(r, user, 30)
		for range 90 {
			l.addPurchase(r, user, last.AddDate(0, 0, -r.IntN(180)), products, 1+r.IntN(9))
		}
	}
}

// in are the rows of the user that were bought in the period.
func (l *monthLedger) in(user string, p insight.Period) (purchases []schema.Purchase, lines []schema.PurchaseLine) {
	for _, row := range l.Purchases {
		if row.UserID == user && insight.Day(row.BoughtOn) >= p.From && insight.Day(row.BoughtOn) <= p.To {
			purchases = append(purchases, row)
		}
	}
	for _, row := range l.Lines {
		if row.UserID == user && insight.Day(row.BoughtOn) >= p.From && insight.Day(row.BoughtOn) <= p.To {
			lines = append(lines, row)
		}
	}
	return purchases, lines
}

func (l *monthLedger) product(id string) schema.Product {
	return l.Products[slices.IndexFunc(l.Products, func(p schema.Product) bool { return p.ID == id })]
}
