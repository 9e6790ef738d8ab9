package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// CreateUser makes an account for somebody else, also where sign-up is closed: for operators, from the shell. CONFLICT says that
// the e-mail has an account already.
func (s *Service) CreateUser(ctx context.Context, in SignUpInput, role Role, plan Plan) (*User, error) {
	user, err := s.createUser(ctx, in, role, plan)
	if err != nil {
		return nil, err
	}
	// Afterwards, for the entry names the account.
	err = s.Audit(ctx, AuditEntry{SubjectID: user.ID, Action: AuditUserCreated, Detail: detail(role, plan)})
	return user, err
}

// detail says what an account became.
func detail(role Role, plan Plan) string { return string(role) + ", " + string(plan) }

func (s *Service) createUser(ctx context.Context, in SignUpInput, role Role, plan Plan) (*User, error) {
	email, err := normalEmail(in.Email)
	if err != nil {
		return nil, err
	}
	name, err := normalName(in.Name)
	if err != nil {
		return nil, err
	}
	password, ok := normalPassword(in.Password)
	if !ok {
		return nil, badInput("password", passwordMessage)
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("make a user id: %w", err)
	}
	now := s.clock().UTC()
	user := &User{
		ID: id.String(), Email: email, Name: name, PasswordHash: hash, Role: role, Plan: plan,
		Household: Household{Adults: 1}, Consents: map[string]time.Time{}, CreatedAt: now, UpdatedAt: now,
	}
	if err := s.store.InsertUser(ctx, user); errors.Is(err, ErrEmailTaken) {
		return nil, &Error{Code: CodeConflict, Message: "Já existe uma conta com este e-mail.", Field: "email", Cause: err}
	} else if err != nil {
		return nil, fmt.Errorf("insert a user: %w", err)
	}
	return user, nil
}

// SetRoleAndPlan changes what an account may do, for operators, from the shell. It counts from the user's next request on. NOT_FOUND says that
// the e-mail has no account.
func (s *Service) SetRoleAndPlan(ctx context.Context, email string, role Role, plan Plan) (*User, error) {
	user, err := s.byEmail(ctx, email)
	if err != nil {
		return nil, err
	}
	err = s.Audit(ctx, AuditEntry{SubjectID: user.ID, Action: AuditPlanChanged, Detail: detail(role, plan)})
	if err != nil {
		return nil, err
	}
	user.Role, user.Plan, user.UpdatedAt = role, plan, s.clock().UTC()
	if err := s.store.SaveUser(ctx, user); err != nil {
		return nil, fmt.Errorf("save a user: %w", err)
	}
	return user, nil
}

func (s *Service) byEmail(ctx context.Context, email string) (*User, error) {
	normal, err := normalEmail(email)
	if err != nil {
		return nil, err
	}
	user, err := s.store.UserByEmail(ctx, normal)
	if errors.Is(err, ErrNoUser) {
		return nil, &Error{Code: CodeNotFound, Message: "Nenhuma conta tem este e-mail.", Field: "email", Cause: err}
	}
	if err != nil {
		return nil, fmt.Errorf("find a user: %w", err)
	}
	return user, nil
}
