package insight

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// percentDone is how far along an invoice is while it is analysed: its extraction is over, and percentages never fall.
const percentDone = 100

// Plan implements invoice.Analyses. The caller holds the invoice.
func (s *Service) Plan(ctx context.Context, tx *sql.Tx, inv *invoice.Invoice) (follows bool, err error) {
	a, err := s.plan(ctx, tx, inv)
	return a.Status == AnalysisQueued, err
}

// Request plans the analysis of a completed invoice because its user asks for it. The answer says whether it follows, or which
// condition failed. A CONFLICT *invoice.Error when the invoice is not complete.
func (s *Service) Request(ctx context.Context, userID, invoiceID string) (*Analysis, error) {
	var a Analysis
	var event invoice.Event
	err := s.Invoices.InTx(ctx, func(ctx context.Context, tx invoice.Tx) error {
		inv, err := tx.Lock(ctx, userID, invoiceID)
		if err != nil {
			return err
		}
		if inv.Status != invoice.StatusCompleted {
			return &invoice.Error{Code: invoice.CodeConflict, Message: "Só dá para analisar uma nota já lida e conferida."}
		}
		if a, err = s.plan(ctx, tx.SQL(), inv); err != nil || a.Status != AnalysisQueued {
			return err
		}
		event, err = tx.AppendEvent(ctx, s.event(inv, invoice.StageAnalyzing, "Na fila para análise."))
		return err
	})
	if err != nil {
		return nil, err
	}
	if a.Status == AnalysisQueued {
		s.Publisher.Publish(ctx, event)
	}
	return &a, nil
}

// plan decides by the three conditions and writes down what was decided. A skip does not replace the analysis of the items as
// they are, done or on its way: it is answered, not stored.
func (s *Service) plan(ctx context.Context, tx *sql.Tx, inv *invoice.Invoice) (Analysis, error) {
	premium, err := s.People.Premium(ctx, tx, inv.UserID)
	if err != nil {
		return Analysis{}, fmt.Errorf("plan analysis: %w", err)
	}
	last, err := s.Store.LockedAnalysis(ctx, tx, inv.ID)
	if err != nil {
		return Analysis{}, fmt.Errorf("plan analysis: %w", err)
	}
	current := last != nil && last.ItemsVersion == inv.ItemsVersion &&
		(last.Status == AnalysisCompleted || last.Status == AnalysisQueued)
	now := s.Now()
	a := Analysis{
		InvoiceID: inv.ID, UserID: inv.UserID, Status: AnalysisSkipped, ItemsVersion: inv.ItemsVersion, RequestedAt: now, FinishedAt: &now,
	}
	switch {
	case !premium:
		a.SkipReason = SkipNotPremium
	case total(inv) < s.MinValue:
		a.SkipReason = SkipBelowMinimum
	case current:
		a.SkipReason = SkipAlreadyCurrent
	default:
		a.Status, a.FinishedAt = AnalysisQueued, nil
		if a.JobID, err = s.Queue.EnqueueAnalysis(ctx, tx, inv.ID); err != nil {
			return Analysis{}, fmt.Errorf("plan analysis: %w", err)
		}
	}
	if current {
		return a, nil
	}
	if err := s.Store.SaveAnalysis(ctx, tx, a); err != nil {
		return Analysis{}, fmt.Errorf("plan analysis: %w", err)
	}
	return a, nil
}

// total is what was to be paid: as printed, or what the lines come to where that could not be read.
func total(inv *invoice.Invoice) fiscal.Money {
	if inv.Totals.Due != nil {
		return *inv.Totals.Due
	}
	var sum fiscal.Money
	for _, it := range inv.Items {
		if !it.NotInTotal {
			sum = sum.Add(it.Total.Sub(it.Discount))
		}
	}
	return sum
}

func (s *Service) event(inv *invoice.Invoice, stage invoice.Stage, message string) invoice.Event {
	return invoice.Event{
		InvoiceID: inv.ID, UserID: inv.UserID, Stage: stage, Status: inv.Status, Percent: percentDone, Message: message, At: s.Now(),
	}
}
