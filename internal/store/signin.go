package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/schema"
)

// SignIns implements account.Store.
func (s *Accounts) SignIns(ctx context.Context, userID string, now time.Time) ([]account.SignIn, error) {
	userID, ok := canonical(userID)
	if !ok {
		return nil, nil
	}
	var rows []schema.Session
	err := s.db.read.NewSelect().Model(&rows).Where("user_id = ?", userID).
		Where("family_id IN (?)", s.db.read.NewSelect().Model((*schema.Session)(nil)).Column("family_id").Where("user_id = ?", userID).
			Where("replaced_at IS NULL").Where("revoked_at IS NULL").Where("expires_at > ?", micros(now))).
		Order("created_at").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read sign-ins: %w", err)
	}
	at := map[string]int{}
	var list []account.SignIn
	for _, r := range rows { // oldest first: a family begins with its sign-in
		i, ok := at[r.FamilyID]
		if !ok {
			i = len(list)
			at[r.FamilyID] = i
			list = append(list, account.SignIn{ID: r.FamilyID, Device: r.Device, SignedInAt: micros(r.CreatedAt)})
		}
		list[i].LastUsedAt, list[i].ExpiresAt = micros(r.CreatedAt), micros(r.ExpiresAt)
	}
	slices.SortStableFunc(list, func(a, b account.SignIn) int { return b.LastUsedAt.Compare(a.LastUsedAt) })
	return list, nil
}

// RevokeOtherFamilies implements account.Store.
func (s *Accounts) RevokeOtherFamilies(ctx context.Context, userID, keepID string, at time.Time) error {
	userID, ok := canonical(userID)
	if !ok {
		return nil
	}
	return s.db.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := s.serialise(ctx, tx, userID); err != nil {
			return err
		}
		q := tx.NewUpdate().Model((*schema.Session)(nil)).Set("revoked_at = ?", micros(at)).
			Where("user_id = ?", userID).Where("revoked_at IS NULL")
		if keep, ok := canonical(keepID); ok {
			q.Where("family_id <> ?", keep)
		}
		if _, err := q.Exec(ctx); err != nil {
			return fmt.Errorf("revoke other sessions: %w", err)
		}
		return nil
	})
}
