package insight

import (
	"context"
	"time"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// Rank orders priorities: 1 is the lowest, 4 the highest; 0 is none of them.
func (p Priority) Rank() int {
	switch p {
	case PriorityLow:
		return 1
	case PriorityMedium:
		return 2
	case PriorityHigh:
		return 3
	case PriorityCritical:
		return 4
	}
	return 0
}

// List is a page of the user's insights.
func (s *Service) List(ctx context.Context, q ListQuery) (Page, error) {
	return s.Store.Insights(ctx, q)
}

// Insight is one of the user's. A NOT_FOUND *invoice.Error when there is none.
func (s *Service) Insight(ctx context.Context, userID, id string) (*Insight, error) {
	return s.Store.Insight(ctx, userID, id)
}

// Mark notes what the user did with an insight, or takes it back. A mark that is set already keeps its moment.
func (s *Service) Mark(ctx context.Context, userID, id string, m Mark, set bool) (*Insight, error) {
	switch m {
	case MarkRead, MarkActedUpon, MarkDismissed:
	default:
		return nil, &invoice.Error{Code: invoice.CodeBadUserInput, Message: "Esta marcação não existe.", Field: "mark"}
	}
	var at *time.Time
	if set {
		at = new(s.Now())
	}
	return s.Store.Mark(ctx, userID, id, m, at)
}

// InsightsOf are those of the user's invoices, the most important first, by invoice.
func (s *Service) InsightsOf(ctx context.Context, userID string, invoiceIDs []string) (map[string][]*Insight, error) {
	return s.Store.InsightsOf(ctx, userID, invoiceIDs)
}

// Analyses are how the user's invoices were analysed last, by invoice.
func (s *Service) Analyses(ctx context.Context, userID string, invoiceIDs []string) (map[string]*Analysis, error) {
	return s.Store.Analyses(ctx, userID, invoiceIDs)
}
