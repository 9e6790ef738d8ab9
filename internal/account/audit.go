package account

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// AuditEntry is what an admin looked at or changed.
type AuditEntry struct {
	ID        string // UUIDv7
	At        time.Time
	ActorID   string // the admin; "" from the shell, or once the account is deleted
	SubjectID string // the user it was about; "" for the service itself, or once the account is deleted
	Action    AuditAction
	Detail    string // without personal data
}

// AuditAction is what was done.
type AuditAction string

// The actions.
const (
	AuditUserCreated     AuditAction = "USER_CREATED"
	AuditPlanChanged     AuditAction = "PLAN_CHANGED" // or role
	AuditUserLookedUp    AuditAction = "USER_LOOKED_UP"
	AuditUsageRead       AuditAction = "USAGE_READ" // of the whole installation
	AuditAuditLogRead    AuditAction = "AUDIT_LOG_READ"
	AuditProviderChanged AuditAction = "PROVIDER_CHANGED"
)

// Audit writes down what an admin does, before it is done: what cannot be written down is not done.
func (s *Service) Audit(ctx context.Context, e AuditEntry) error {
	e.At = s.clock().UTC()
	if err := s.store.InsertAudit(ctx, &e); err != nil {
		return fmt.Errorf("write the audit log: %w", err)
	}
	return nil
}

// AuditLog is the newest entries, at most limit.
func (s *Service) AuditLog(ctx context.Context, actorID string, limit int) ([]AuditEntry, error) {
	if err := s.Audit(ctx, AuditEntry{ActorID: actorID, Action: AuditAuditLogRead}); err != nil {
		return nil, err
	}
	list, err := s.store.AuditLog(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return list, nil
}

// LookUp finds an account by its e-mail, for an admin. NOT_FOUND when there is none, which is written down too.
func (s *Service) LookUp(ctx context.Context, actorID, email string) (*User, error) {
	entry := AuditEntry{ActorID: actorID, Action: AuditUserLookedUp}
	user, err := s.byEmail(ctx, email)
	if err == nil {
		entry.SubjectID = user.ID
	} else if e, ok := errors.AsType[*Error](err); !ok || e.Code != CodeNotFound {
		return nil, err
	}
	if err := s.Audit(ctx, entry); err != nil {
		return nil, err
	}
	return user, err
}

// SetPlan changes what the account with the e-mail pays for, for an admin. It counts from the user's next request on.
func (s *Service) SetPlan(ctx context.Context, actorID, email string, plan Plan) (*User, error) {
	user, err := s.byEmail(ctx, email)
	if err != nil {
		return nil, err
	}
	err = s.Audit(ctx, AuditEntry{ActorID: actorID, SubjectID: user.ID, Action: AuditPlanChanged, Detail: string(plan)})
	if err != nil {
		return nil, err
	}
	user.Plan, user.UpdatedAt = plan, s.clock().UTC()
	if err := s.store.SaveUser(ctx, user); err != nil {
		return nil, fmt.Errorf("save a user: %w", err)
	}
	return user, nil
}
