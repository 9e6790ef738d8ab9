package invoice

import (
	"context"
	"errors"
)

// errInOrder leaves a transaction that has nothing to do.
var errInOrder = errors.New("there is nothing to mend")

// Requeue gives an invoice that is to be read, and has lost its job, a new one; false when it has ended meanwhile, or is gone.
// That there is no job is the caller's to know. A run that goes on all the same can write no more.
func (s *Service) Requeue(ctx context.Context, id string) (bool, error) {
	_, err := s.change(ctx, "", id, func(ctx context.Context, tx Tx, inv *Invoice) (_ Event, err error) {
		if inv.Status.Final() {
			return Event{}, errInOrder
		}
		if inv.JobID, err = s.Queue.EnqueueExtraction(ctx, tx.SQL(), id); err != nil {
			return Event{}, err
		}
		inv.Status = StatusQueued
		inv.Run++
		return s.event(inv, StageQueued, 0, "De volta à fila."), nil
	})
	if errors.Is(err, errInOrder) || CodeOf(err) == CodeNotFound {
		return false, nil
	}
	return err == nil, err
}
