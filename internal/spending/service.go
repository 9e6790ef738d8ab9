package spending

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/shopspring/decimal"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

const (
	// maxPoints bounds a price history: more than nine years of a purchase every week.
	maxPoints = 500
	// maxExport bounds an export, in lines: it is made in memory, at about 300 bytes a line.
	maxExport = 50_000
)

// Config is what a Service needs.
type Config struct {
	Store      Store
	Categories Categories
	Log        *slog.Logger // nil is none
}

// Service answers where the money went.
type Service struct {
	store      Store
	categories Categories
	log        *slog.Logger
}

// NewService fails without a store or categories.
func NewService(c Config) (*Service, error) {
	if c.Store == nil || c.Categories == nil {
		return nil, errors.New("spending service needs a store and categories")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{store: c.Store, categories: c.Categories, log: c.Log}, nil
}

// History is what a product cost each time, oldest first: the newest 500 of the period, or of all time when it is nil. It fails
// with a NOT_FOUND *invoice.Error when the product is not userID's.
func (s *Service) History(ctx context.Context, userID, productID string, period *Period) ([]PricePoint, error) {
	if err := check(period); err != nil {
		return nil, err
	}
	points, err := s.store.Prices(ctx, userID, productID, period, maxPoints)
	if err != nil {
		return nil, fmt.Errorf("history of prices: %w", err)
	}
	markCheapest(points)
	return points, nil
}

// markCheapest marks the points with the lowest price, all of them when several have it. They compare by MeasurePrice when more
// than half of the points with a price have one, and the others do not take part then; by Price otherwise. What cost nothing was
// a gift and does not take part.
func markCheapest(points []PricePoint) {
	priced, measured := 0, 0
	for i := range points {
		if positive(points[i].Price) {
			priced++
		}
		if positive(points[i].MeasurePrice) {
			measured++
		}
	}
	price := func(p *PricePoint) *decimal.Decimal { return p.Price }
	if 2*measured > priced {
		price = func(p *PricePoint) *decimal.Decimal { return p.MeasurePrice }
	}
	var lowest *decimal.Decimal
	for i := range points {
		if p := price(&points[i]); positive(p) && (lowest == nil || p.LessThan(*lowest)) {
			lowest = p
		}
	}
	for i := range points {
		p := price(&points[i])
		points[i].Cheapest = positive(p) && p.Equal(*lowest)
	}
}

func positive(d *decimal.Decimal) bool { return d != nil && d.IsPositive() }

// Export is the lines of the user's purchases, oldest first. It fails with a BAD_USER_INPUT *invoice.Error when there are more
// than 50 000.
func (s *Service) Export(ctx context.Context, userID string, period *Period) ([]Purchase, error) {
	if err := check(period); err != nil {
		return nil, err
	}
	lines, err := s.store.Lines(ctx, userID, period, maxExport+1)
	if err != nil {
		return nil, fmt.Errorf("export purchases: %w", err)
	}
	if len(lines) > maxExport {
		return nil, &invoice.Error{
			Code: invoice.CodeBadUserInput, Field: "period",
			Message: "Há mais de 50.000 linhas de compras: escolha um período menor.",
		}
	}
	for i := range lines {
		lines[i].Category = s.categoryName(lines[i].CategoryID)
	}
	s.log.InfoContext(ctx, "purchases exported", "user_id", userID, "lines", len(lines))
	return lines, nil
}

// categoryName is for people.
func (s *Service) categoryName(id string) string {
	if name := s.categories.Category(id).Name; name != "" {
		return name
	}
	return id
}
