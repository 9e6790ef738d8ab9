package privacy

import (
	"context"
	"fmt"
	"log/slog"
)

// Service is the use cases.
type Service struct {
	Deps
}

// Deps is what a Service works with. All are needed.
type Deps struct {
	Store     Store
	Blobs     Blobs
	Jobs      Jobs
	Cache     Cache
	Accounts  Accounts
	Purchases Purchases
	Log       *slog.Logger
}

// NewService makes the use cases.
func NewService(d Deps) *Service { return &Service{Deps: d} }

// Delete removes the account and everything that is kept of it: files, cached readings, rows, jobs, events. It may be called
// again when it failed or the process died on the way: files go first, so that as long as there is an account, the account can
// be used to finish. Whoever is just submitting something may store a file in between: files go once more at the end.
func (s *Service) Delete(ctx context.Context, userID, password string) error {
	if err := s.Accounts.Confirm(ctx, userID, password); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // half a deletion is nobody's wish
	if err := s.leftovers(ctx, userID); err != nil {
		return err
	}
	if err := s.Store.Erase(ctx, userID, s.Jobs.Forget); err != nil {
		return fmt.Errorf("erase an account: %w", err)
	}
	if err := s.leftovers(ctx, userID); err != nil {
		return err
	}
	s.Log.InfoContext(ctx, "account deleted")
	return nil
}

// leftovers removes what no row's deletion takes along.
func (s *Service) leftovers(ctx context.Context, userID string) error {
	if err := s.Blobs.DeleteAll(ctx, userID+"/"); err != nil {
		return fmt.Errorf("delete an account's files: %w", err)
	}
	if err := s.Cache.Forget(ctx, userID); err != nil {
		// What is cached holds no name and ends by itself within CACHE_TTL_HOURS; Redis being down is no reason to keep the rest.
		s.Log.WarnContext(ctx, "cached readings of a deleted account stay until they expire", "error", err)
	}
	return nil
}
