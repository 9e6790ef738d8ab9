package store

import (
	"context"
	"fmt"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/schema"
)

// InsertAudit implements account.Store. A missing id is made and set in e.
func (s *Accounts) InsertAudit(ctx context.Context, e *account.AuditEntry) error {
	if err := ownID(&e.ID); err != nil {
		return fmt.Errorf("insert audit entry: %w", err)
	}
	row := toAuditRow(e)
	if _, err := s.db.write.NewInsert().Model(&row).Exec(ctx); err != nil {
		return fmt.Errorf("insert audit entry: %w", err)
	}
	return nil
}

// AuditLog implements account.Store.
func (s *Accounts) AuditLog(ctx context.Context, limit int) ([]account.AuditEntry, error) {
	var rows []schema.AuditEntry
	if err := s.db.read.NewSelect().Model(&rows).OrderExpr("at DESC, id DESC").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	list := make([]account.AuditEntry, len(rows))
	for i := range rows {
		list[i] = fromAuditRow(&rows[i])
	}
	return list, nil
}

func toAuditRow(e *account.AuditEntry) schema.AuditEntry {
	return schema.AuditEntry{
		ID: e.ID, At: micros(e.At), ActorID: e.ActorID, SubjectID: e.SubjectID, Action: clean(string(e.Action)), Detail: clean(e.Detail),
	}
}

func fromAuditRow(r *schema.AuditEntry) account.AuditEntry {
	return account.AuditEntry{
		ID: r.ID, At: micros(r.At), ActorID: r.ActorID, SubjectID: r.SubjectID, Action: account.AuditAction(r.Action), Detail: r.Detail,
	}
}
