package store_test

import (
	"context"
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

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
	"github.com/mercadoesperto/smarket/schema"
)

// diary is what users bought, as rows of the ledger.
type diary struct {
	rand      *rand.Rand
	products  []schema.Product
	invoices  []schema.Invoice
	purchases []schema.Purchase
	lines     []schema.PurchaseLine
}

// newDiary is made of the same figures for the same seed.
func newDiary(seed uint64) *diary { return &diary{rand: rand.New(rand.NewPCG(seed, 0))} }

func (d *diary) id() string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(d.rand.UintN(256))
	}
	return id.String()
}

// addProducts gives a user products of the given number of categories; every third is produce, every fourth for children.
func (d *diary) addProducts(user string, n, categories int) []schema.Product {
	first := len(d.products)
	for i := range n {
		p := schema.Product{
			ID: d.id(), UserID: user, Key: fmt.Sprint("label:", i), Name: fmt.Sprint("product ", i), Measure: "KG",
			Category: fmt.Sprint("category ", i%categories), Essential: i%2 == 0, Child: i%4 == 0,
			CreatedAt: storetest.At(0), UpdatedAt: storetest.At(0),
		}
		if i%3 == 0 {
			p.Produce = fmt.Sprint("fruit ", i)
		}
		d.products = append(d.products, p)
	}
	return d.products[first:]
}

// shops of three categories.
const shops = 6

// addPurchase is of some of the products, at one of the shops.
func (d *diary) addPurchase(user, day string, lines int, products []schema.Product) {
	shop := d.rand.IntN(shops)
	at, _ := time.Parse(time.DateOnly, day)
	inv := schema.Invoice{ID: d.id(), UserID: user, Status: "COMPLETED", CreatedAt: at, UpdatedAt: at}
	bought := schema.Purchase{
		InvoiceID: inv.ID, UserID: user, BoughtOn: day, BoughtAt: at, Merchant: fmt.Sprint("name:shop ", shop),
		MerchantName: fmt.Sprint("Shop ", shop), MerchantCategory: fmt.Sprint("kind ", shop%3), ItemCount: lines,
	}
	for range lines {
		l := d.line(bought, products[d.rand.IntN(len(products))].ID)
		bought.TotalCentavos += l.PaidCentavos
		d.lines = append(d.lines, l)
	}
	d.invoices, d.purchases = append(d.invoices, inv), append(d.purchases, bought)
}

// line has now and then no quantity, no size, or a price of nothing.
func (d *diary) line(bought schema.Purchase, productID string) schema.PurchaseLine {
	l := schema.PurchaseLine{
		ItemID: d.id(), InvoiceID: bought.InvoiceID, UserID: bought.UserID, ProductID: productID, BoughtOn: bought.BoughtOn,
		Merchant: bought.Merchant, Label: "label", QuantityMicro: []int64{1_000_000, 2_000_000, 345_000, 7_777}[d.rand.IntN(4)],
	}
	price := 2_000_000 + d.rand.Int64N(18_000_000)
	switch d.rand.IntN(12) {
	case 0:
		price = 0
	case 1:
		l.QuantityMicro, l.PaidCentavos = 0, 777
		return l
	}
	l.PaidCentavos = price / 10_000 * l.QuantityMicro / 1_000_000
	l.PriceMicro = &price
	switch d.rand.IntN(6) {
	case 0:
	case 1:
		l.MeasurePriceMicro = new(int64(0))
	default:
		l.MeasurePriceMicro = new(price * 2)
	}
	return l
}

// write puts the rows into the tables, some hundreds at a time.
func (d *diary) write(tb testing.TB, db *store.DB) {
	tb.Helper()
	b := bun.NewDB(db.SQL(), sqlitedialect.New())
	if db.Dialect() == schema.Postgres {
		b = bun.NewDB(db.SQL(), pgdialect.New())
	}
	require.NoError(tb, b.RunInTx(tb.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		writeRows(ctx, tb, tx, d.products)
		writeRows(ctx, tb, tx, d.invoices)
		writeRows(ctx, tb, tx, d.purchases)
		writeRows(ctx, tb, tx, d.lines)
		return nil
	}))
}

func writeRows[R any](ctx context.Context, tb testing.TB, tx bun.Tx, rows []R) {
	tb.Helper()
	for chunk := range slices.Chunk(rows, 500) {
		_, err := tx.NewInsert().Model(&chunk).Exec(ctx)
		require.NoError(tb, err)
	}
}

// subject is a purchase under analysis.
func (d *diary) subject(p schema.Purchase, h insight.Household) insight.Subject {
	s := insight.Subject{
		UserID: p.UserID, InvoiceID: p.InvoiceID, Today: insight.Day(p.BoughtOn), Total: fiscal.Money(p.TotalCentavos), Household: h,
		Merchant: insight.Merchant{Key: p.Merchant, Name: p.MerchantName, Category: p.MerchantCategory},
	}
	for _, l := range d.lines {
		if l.InvoiceID == p.InvoiceID {
			s.Lines = append(s.Lines, insight.Line{
				ItemID: l.ItemID, QuantityMicro: l.QuantityMicro, PriceMicro: l.PriceMicro, MeasurePriceMicro: l.MeasurePriceMicro,
				Paid: fiscal.Money(l.PaidCentavos), Product: d.product(l.ProductID),
			})
		}
	}
	return s
}

func (d *diary) product(id string) product.Product {
	r := d.row(id)
	return product.Product{
		ID: r.ID, UserID: r.UserID, Name: r.Name, Measure: product.Measure(r.Measure),
		Class: product.Class{Category: r.Category, Essential: r.Essential, Child: r.Child, Produce: r.Produce},
	}
}

func (d *diary) row(id string) schema.Product {
	return d.products[slices.IndexFunc(d.products, func(p schema.Product) bool { return p.ID == id })]
}
