package store

// Figures implements insight.PurchaseFigures and insight.MonthFigures: what rules read from the ledger, one statement each.
type Figures struct{ db *DB }

// NewFigures reads the ledger of db.
func NewFigures(db *DB) *Figures { return &Figures{db: db} }
