package schema

import (
	"time"

	"github.com/uptrace/bun"
)

// Purchase is a row of purchases: an invoice that counts.
type Purchase struct {
	bun.BaseModel `bun:"table:purchases,alias:pu"`

	InvoiceID        string    `bun:"invoice_id,pk"`
	UserID           string    `bun:"user_id"`
	BoughtOn         string    `bun:"bought_on"` // 2026-11-23, in Brasília
	BoughtAt         time.Time `bun:"bought_at"`
	Merchant         string    `bun:"merchant"`
	MerchantName     string    `bun:"merchant_name"`
	MerchantCategory string    `bun:"merchant_category"`
	TotalCentavos    int64     `bun:"total_centavos"`
	ItemCount        int       `bun:"item_count"`
}

// PurchaseLine is a row of purchase_lines: one line of a purchase, in whole numbers that SQL can add up.
type PurchaseLine struct {
	bun.BaseModel `bun:"table:purchase_lines,alias:l"`

	ItemID            string `bun:"item_id,pk"`
	InvoiceID         string `bun:"invoice_id"`
	UserID            string `bun:"user_id"`
	ProductID         string `bun:"product_id"`
	BoughtOn          string `bun:"bought_on"`
	Merchant          string `bun:"merchant"`
	Label             string `bun:"label"`
	QuantityMicro     int64  `bun:"quantity_micro"`
	PaidCentavos      int64  `bun:"paid_centavos"`
	PriceMicro        *int64 `bun:"price_micro"`
	MeasurePriceMicro *int64 `bun:"measure_price_micro"`
}
