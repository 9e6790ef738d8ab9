package schema

import (
	"time"

	"github.com/uptrace/bun"
)

// Product is a row of products.
type Product struct {
	bun.BaseModel `bun:"table:products,alias:p"`

	ID        string `bun:"id,pk"`
	UserID    string `bun:"user_id"`
	Key       string `bun:"key"`
	GTIN      string `bun:"gtin"`
	Name      string `bun:"name"`
	Brand     string `bun:"brand"`
	Size      string `bun:"size"` // a decimal, "" when not known
	Measure   string `bun:"measure"`
	Category  string `bun:"category"`
	FoodGroup string `bun:"food_group"`
	Essential bool   `bun:"essential"`
	Child     bool   `bun:"child"`
	Produce   string `bun:"produce"`
	Taught    bool   `bun:"taught"`
	// SearchText is derived: name and brand in lower case and without accents.
	SearchText string    `bun:"search_text"`
	CreatedAt  time.Time `bun:"created_at"`
	UpdatedAt  time.Time `bun:"updated_at"`
}

// ProductLabel is a row of product_labels.
type ProductLabel struct {
	bun.BaseModel `bun:"table:product_labels,alias:pl"`

	UserID    string    `bun:"user_id,pk"`
	Merchant  string    `bun:"merchant,pk"`
	Label     string    `bun:"label,pk"`
	ProductID string    `bun:"product_id"`
	Taught    bool      `bun:"taught"`
	UpdatedAt time.Time `bun:"updated_at"`
}
