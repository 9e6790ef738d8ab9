package resolvers_test

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/resolvers"
)

var (
	_ resolvers.Privacy = (*fakePrivacy)(nil)
	_ resolvers.Links   = fakeLinks{}
)

// seedSignIn is a sign-in of a user.
type seedSignIn struct {
	account.SignIn

	UserID string
}

func badPassword(field string) error {
	return &account.Error{Code: account.CodeBadUserInput, Field: field, Message: "A senha não confere."}
}

// SignIns takes the first one for the current one.
func (f *fake) SignIns(_ context.Context, userID, sessionID string) ([]account.SignIn, error) {
	if sessionID != "session-"+userID {
		return nil, errors.New("another session asks")
	}
	var list []account.SignIn
	for _, in := range f.seed.SignIns {
		if in.UserID == userID {
			in.Current = len(list) == 0
			list = append(list, in.SignIn)
		}
	}
	return list, nil
}

func (f *fake) SignOutDevice(ctx context.Context, userID, id string) error {
	list, err := f.SignIns(ctx, userID, "session-"+userID)
	for _, in := range list {
		if in.ID == id {
			return err
		}
	}
	return &account.Error{Code: account.CodeNotFound, Message: "Esta sessão não existe ou já terminou."}
}

func (f *fake) ChangePassword(ctx context.Context, userID, sessionID, current, next string) (*account.User, error) {
	switch {
	case current != "correct horse":
		return nil, badPassword("currentPassword")
	case next == "short":
		return nil, &account.Error{Code: account.CodeBadUserInput, Field: "newPassword", Message: "A senha é curta."}
	case sessionID != "session-"+userID:
		return nil, errors.New("another session asks")
	}
	return f.User(ctx, userID)
}

func (f *fake) LookUp(ctx context.Context, actorID, email string) (*account.User, error) {
	for _, u := range f.seed.Users {
		if u.Email == email {
			return u, f.Audit(ctx, account.AuditEntry{ActorID: actorID, SubjectID: u.ID, Action: account.AuditUserLookedUp})
		}
	}
	return nil, &account.Error{Code: account.CodeNotFound, Field: "email", Message: "Nenhuma conta tem este e-mail."}
}

func (f *fake) SetPlan(ctx context.Context, actorID, email string, plan account.Plan) (*account.User, error) {
	user, err := f.LookUp(ctx, actorID, email)
	if err != nil {
		return nil, err
	}
	changed := *user
	changed.Plan = plan
	return &changed, nil
}

func (f *fake) AuditLog(_ context.Context, _ string, limit int) ([]account.AuditEntry, error) {
	return f.seed.Audit[:min(limit, len(f.seed.Audit))], nil
}

func (f *fake) Audit(_ context.Context, e account.AuditEntry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.audit = append(f.audit, e)
	return nil
}

// fakePrivacy notes whom it deleted.
type fakePrivacy struct{ *fake }

func (f fakePrivacy) Delete(_ context.Context, userID, password string) error {
	if password != "correct horse" {
		return badPassword("password")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deleted = append(f.deleted, userID)
	return nil
}

// fakeLinks tells its arguments.
type fakeLinks struct{}

func (fakeLinks) Export(userID string) (string, time.Time, error) {
	return "/export?ticket=of-" + userID, time.Date(2026, 11, 23, 17, 15, 0, 0, time.UTC), nil
}

func (fakeLinks) File(userID, invoiceID string, position int) (string, error) {
	return "/file?ticket=of-" + userID + "-" + invoiceID + "-" + strconv.Itoa(position), nil
}
