package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/spending"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/store/storetest"
	"github.com/mercadoesperto/smarket/schema"
)

// ledger is a user's ledger as rows, kept here and stored by save.
type ledger struct {
	tb   testing.TB
	db   *store.DB
	user string

	products  []schema.Product
	invoices  []schema.Invoice
	items     []schema.InvoiceItem
	purchases []schema.Purchase
	lines     []schema.PurchaseLine
	saved     [5]int // how many of each are stored
}

func newLedger(tb testing.TB, db *store.DB) *ledger {
	tb.Helper()
	return &ledger{tb: tb, db: db, user: storetest.NewUser(tb, store.NewAccounts(db))}
}

// product adds one and gives its id.
func (l *ledger) product(name, category string) string {
	l.tb.Helper()
	id := storetest.NewID(l.tb)
	l.products = append(l.products, schema.Product{
		ID: id, UserID: l.user, Key: "label:" + id, GTIN: "7891000100103", Name: name, Brand: "Marca", Size: "0.5",
		Measure: string(product.MeasureLitre), Category: category, FoodGroup: string(product.GroupDairy), Essential: true, Child: true,
		Produce: "maçã", Taught: true, CreatedAt: storetest.At(1), UpdatedAt: storetest.At(2),
	})
	return id
}

// bought is a line; quantity and prices are in millionths.
type bought struct {
	product  string
	paid     int64
	quantity int64
	price    *int64
	measure  *int64
}

// purchase adds one on a day at noon in Brasília, and gives its id. extra is what was paid beside the lines: freight, less
// discounts.
func (l *ledger) purchase(day, merchant, name string, extra int64, lines ...bought) string {
	l.tb.Helper()
	at, err := time.ParseInLocation(time.DateOnly, day, time.FixedZone("BRT", -3*60*60))
	require.NoError(l.tb, err)
	at = at.Add(12 * time.Hour)
	id := storetest.NewID(l.tb)
	l.invoices = append(l.invoices, schema.Invoice{
		ID: id, UserID: l.user, Status: "COMPLETED", Source: "XML", AccessKey: "35261111222333000181650010000123451876543214",
		IssuedAt: &at, IssuerCNPJ: "11222333000181", IssuerName: name, CreatedAt: at, UpdatedAt: at,
	})
	total := extra
	for i, b := range lines {
		item := storetest.NewID(l.tb)
		l.items = append(l.items, schema.InvoiceItem{
			ID: item, InvoiceID: id, Position: i, Line: i + 1, Description: fmt.Sprintf("ITEM %d", i+1), GTIN: "7891000100103", Unit: "UN",
			Quantity: decimal.New(b.quantity, -6), UnitPrice: decimal.RequireFromString("1.2345678901"), TotalCentavos: b.paid + 7,
			DiscountCentavos: 7, ProductID: b.product,
		})
		l.lines = append(l.lines, schema.PurchaseLine{
			ItemID: item, InvoiceID: id, UserID: l.user, ProductID: b.product, BoughtOn: day, Merchant: merchant, QuantityMicro: b.quantity,
			PaidCentavos: b.paid, PriceMicro: b.price, MeasurePriceMicro: b.measure,
		})
		total += b.paid
	}
	l.purchases = append(l.purchases, schema.Purchase{
		InvoiceID: id, UserID: l.user, BoughtOn: day, BoughtAt: at, Merchant: merchant, MerchantName: name, TotalCentavos: total,
		ItemCount: len(lines),
	})
	return id
}

// save stores what was added since the last time.
func (l *ledger) save() {
	l.tb.Helper()
	db := bun.NewDB(l.db.SQL(), sqlitedialect.New())
	if l.db.Dialect() == schema.Postgres {
		db = bun.NewDB(l.db.SQL(), pgdialect.New())
	}
	insert(l.tb, db, l.products, &l.saved[0])
	insert(l.tb, db, l.invoices, &l.saved[1])
	insert(l.tb, db, l.items, &l.saved[2])
	insert(l.tb, db, l.purchases, &l.saved[3])
	insert(l.tb, db, l.lines, &l.saved[4])
}

func insert[T any](tb testing.TB, db *bun.DB, rows []T, saved *int) {
	tb.Helper()
	for chunk := range slices.Chunk(rows[*saved:], 1000) {
		_, err := db.NewInsert().Model(&chunk).Exec(tb.Context())
		require.NoError(tb, err)
	}
	*saved = len(rows)
}

// service is the spending service on the ledger's database.
func (l *ledger) service() *spending.Service {
	l.tb.Helper()
	s, err := spending.NewService(spending.Config{Store: store.NewSpending(l.db), Categories: categories{}})
	require.NoError(l.tb, err)
	return s
}

// categories names each category by its id.
type categories struct{}

func (categories) Category(id string) product.Category {
	return product.Category{ID: id, Name: "Categoria " + id}
}
