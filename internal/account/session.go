package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// SignIn is one sign-in that is still good, on one device: a family of sessions.
type SignIn struct {
	ID         string // the family's
	Device     string // "Chrome, Android"; "" when not told
	SignedInAt time.Time
	LastUsedAt time.Time // of its newest refresh
	ExpiresAt  time.Time
	Current    bool // the one that asks
}

// SignIns are the user's that are still good, the newest used first. The one of sessionID is the current one.
func (s *Service) SignIns(ctx context.Context, userID, sessionID string) ([]SignIn, error) {
	list, err := s.signIns(ctx, userID)
	if err != nil {
		return nil, err
	}
	current, err := s.family(ctx, sessionID)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Current = list[i].ID == current
	}
	return list, nil
}

func (s *Service) signIns(ctx context.Context, userID string) ([]SignIn, error) {
	list, err := s.store.SignIns(ctx, userID, s.clock().UTC())
	if err != nil {
		return nil, fmt.Errorf("list sign-ins: %w", err)
	}
	return list, nil
}

// SignOutDevice ends one of the user's sign-ins. NOT_FOUND says that it is over, or somebody else's.
func (s *Service) SignOutDevice(ctx context.Context, userID, signInID string) error {
	list, err := s.signIns(ctx, userID)
	if err != nil {
		return err
	}
	for _, in := range list {
		if in.ID == signInID {
			if err := s.store.RevokeFamily(ctx, in.ID, s.clock().UTC()); err != nil {
				return fmt.Errorf("revoke a session family: %w", err)
			}
			return nil
		}
	}
	return &Error{Code: CodeNotFound, Message: "Esta sessão não existe ou já terminou."}
}

// family is the sign-in that a session belongs to; "" when the session is gone.
func (s *Service) family(ctx context.Context, sessionID string) (string, error) {
	session, err := s.store.Session(ctx, sessionID)
	if errors.Is(err, ErrNoSession) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find a session: %w", err)
	}
	return session.FamilyID, nil
}

// ChangePassword takes a new password and ends all sign-ins but the one of sessionID. BAD_USER_INPUT says that the current one
// is wrong, or that the new one cannot be.
func (s *Service) ChangePassword(ctx context.Context, userID, sessionID, current, next string) (*User, error) {
	user, err := s.confirmed(ctx, userID, current, "currentPassword")
	if err != nil {
		return nil, err
	}
	normal, ok := normalPassword(next)
	if !ok {
		return nil, badInput("newPassword", passwordMessage)
	}
	changed := *user
	if changed.PasswordHash, err = s.hasher.hash(ctx, normal); err != nil {
		return nil, err
	}
	changed.UpdatedAt = s.clock().UTC()
	if err := s.store.SaveUser(ctx, &changed); err != nil {
		return nil, fmt.Errorf("save a user: %w", err)
	}
	family, err := s.family(ctx, sessionID)
	if err != nil {
		return nil, err
	}
	// Carried through: whoever changes a password because it was stolen must not leave the thief signed in by hanging up.
	if err := s.store.RevokeOtherFamilies(context.WithoutCancel(ctx), userID, family, changed.UpdatedAt); err != nil {
		return nil, fmt.Errorf("revoke other sign-ins: %w", err)
	}
	return &changed, nil
}

// Confirm says whether the password is the user's: before what cannot be undone. BAD_USER_INPUT when it is not.
func (s *Service) Confirm(ctx context.Context, userID, password string) error {
	_, err := s.confirmed(ctx, userID, password, "password")
	return err
}

func (s *Service) confirmed(ctx context.Context, userID, password, field string) (*User, error) {
	user, err := s.User(ctx, userID)
	if err != nil {
		return nil, err
	}
	normal, allowed := normalPassword(password)
	matches, err := s.hasher.matches(ctx, normal, user.PasswordHash)
	if err != nil {
		return nil, fmt.Errorf("check a password: %w", err)
	}
	if !allowed || !matches {
		return nil, badInput(field, "A senha não confere.")
	}
	return user, nil
}

// DeviceOf tells browser and system from a user agent, as coarsely as a person needs to know their own devices: "Chrome,
// Android". "" when neither is known.
func DeviceOf(userAgent string) string {
	const most = 1024 // bytes looked at
	ua := userAgent[:min(len(userAgent), most)]
	first := func(words ...[2]string) string {
		for _, w := range words {
			if strings.Contains(ua, w[0]) {
				return w[1]
			}
		}
		return ""
	}
	// The order matters: each browser claims to be the older ones too.
	browser := first([2]string{"Edg", "Edge"}, [2]string{"OPR/", "Opera"}, [2]string{"SamsungBrowser", "Samsung Internet"},
		[2]string{"Firefox", "Firefox"}, [2]string{"FxiOS", "Firefox"}, [2]string{"CriOS", "Chrome"}, [2]string{"Chrome", "Chrome"},
		[2]string{"Safari", "Safari"})
	system := first([2]string{"Android", "Android"}, [2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"},
		[2]string{"Windows", "Windows"}, [2]string{"Mac OS", "macOS"}, [2]string{"CrOS", "ChromeOS"}, [2]string{"Linux", "Linux"})
	return strings.Trim(browser+", "+system, ", ")
}
