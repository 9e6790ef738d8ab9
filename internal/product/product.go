package product

import (
	"time"

	"github.com/shopspring/decimal"
)

// Product is what a family buys under one name.
type Product struct {
	ID     string // UUIDv7
	UserID string
	// Key identifies it among the user's products: "gtin:7891000100103", or "label:" and its normalised label.
	Key     string
	GTIN    string          // digits, or ""
	Name    string          // for people: "Leite integral Italac 1 L"
	Brand   string          // "" when not known
	Size    decimal.Decimal // of one sold unit in Measure; zero when not known
	Measure Measure
	Class
	Taught    bool // named or classified by the user: rules leave it alone
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Measure is what prices of a product are compared by.
type Measure string

// The measures.
const (
	MeasureKilogram Measure = "KG"
	MeasureLitre    Measure = "L"
	MeasureUnit     Measure = "UN"
)

// Class is what the taxonomy knows of a product.
type Class struct {
	Category  string // the id of a category; never ""
	Group     FoodGroup
	Essential bool
	Child     bool   // for babies and children
	Produce   string // the id of a fruit or vegetable that has a season, or ""
}

// FoodGroup is a part of what a family eats; "" for what is not food.
type FoodGroup string

// The groups.
const (
	GroupGrains     FoodGroup = "GRAINS"     // rice, bread, pasta, flour, roots
	GroupLegumes    FoodGroup = "LEGUMES"    // beans, lentils, nuts
	GroupVegetables FoodGroup = "VEGETABLES" // and greens
	GroupFruits     FoodGroup = "FRUITS"
	GroupDairy      FoodGroup = "DAIRY"
	GroupProteins   FoodGroup = "PROTEINS" // meat, fish, eggs
	GroupFats       FoodGroup = "FATS"     // oils, butter
	GroupSweets     FoodGroup = "SWEETS"   // sugar, sweets, snacks
	GroupDrinks     FoodGroup = "DRINKS"   // but milk
)

// Category is one of the taxonomy's.
type Category struct {
	ID        string // "dairy"
	Name      string // pt-BR, for people
	Group     FoodGroup
	Essential bool
}

// Page is part of a list of products, by name.
type Page struct {
	Products []*Product
	HasNext  bool
	Total    int // of the filtered list
}

// ListQuery asks for a page of a user's products, by name and id.
type ListQuery struct {
	UserID string
	Search string // in name and brand, case and accents do not count; "" is all
	First  int
	After  *Cursor
}

// Cursor is a place in a list of products.
type Cursor struct{ Name, ID string }
