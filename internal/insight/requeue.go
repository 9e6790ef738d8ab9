package insight

import (
	"context"
	"fmt"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// Requeue gives an analysis that waits, and has lost its job, a new one; false when it has ended meanwhile, or its invoice is gone.
// That there is no job is the caller's to know.
func (s *Service) Requeue(ctx context.Context, invoiceID string) (requeued bool, err error) {
	err = s.Invoices.InTx(ctx, func(ctx context.Context, tx invoice.Tx) error {
		if _, err := tx.Lock(ctx, "", invoiceID); err != nil {
			return err
		}
		a, err := s.Store.LockedAnalysis(ctx, tx.SQL(), invoiceID)
		if err != nil || a == nil || a.Status != AnalysisQueued {
			return err
		}
		if a.JobID, err = s.Queue.EnqueueAnalysis(ctx, tx.SQL(), invoiceID); err != nil {
			return err
		}
		requeued = true
		return s.Store.SaveAnalysis(ctx, tx.SQL(), *a)
	})
	if invoice.CodeOf(err) == invoice.CodeNotFound {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("queue an analysis anew: %w", err)
	}
	return requeued, nil
}
