package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"time"

	"github.com/google/uuid"
)

const (
	minTokenSecret = 32 // bytes
	maxAccessTTL   = 15 * time.Minute
)

// Config is what a Service needs.
type Config struct {
	Store Store
	// TokenSecret signs access tokens: at least 32 bytes, the same for all processes.
	TokenSecret []byte
	AccessTTL   time.Duration // at most 15 minutes
	RefreshTTL  time.Duration // above AccessTTL; each refresh starts it anew
	// SignUpEnabled lets anybody make an account; without it SignUp is FORBIDDEN.
	SignUpEnabled bool
	// HashSlots is how many passwords are hashed at once. 0 means the number of CPUs.
	HashSlots int
	Clock     func() time.Time // nil means time.Now
	Logger    *slog.Logger     // nil means none
}

// Service is what can be done with accounts. Its errors are *Error where the caller is to blame.
type Service struct {
	store      Store
	signer     *signer
	hasher     *hasher
	refreshTTL time.Duration
	signUp     bool
	clock      func() time.Time
	log        *slog.Logger
}

// NewService fails when the secret is short or the durations make no sense.
func NewService(c Config) (*Service, error) {
	if c.Store == nil {
		return nil, errors.New("account service needs a store")
	}
	if len(c.TokenSecret) < minTokenSecret {
		return nil, fmt.Errorf("token secret has fewer than %d bytes", minTokenSecret)
	}
	if c.AccessTTL < time.Second || c.AccessTTL > maxAccessTTL || c.RefreshTTL <= c.AccessTTL {
		return nil, errors.New("access tokens must live between 1 s and 15 min, and refresh tokens longer")
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.HashSlots <= 0 {
		c.HashSlots = runtime.GOMAXPROCS(0)
	}
	h, err := newHasher(c.HashSlots)
	if err != nil {
		return nil, err
	}
	return &Service{
		store: c.Store, signer: newSigner(c.TokenSecret, c.AccessTTL, c.Clock), hasher: h,
		refreshTTL: c.RefreshTTL, signUp: c.SignUpEnabled, clock: c.Clock, log: c.Logger,
	}, nil
}

// SignUpInput is what a new user tells. Device is where they sign in, see DeviceOf.
type SignUpInput struct{ Email, Password, Name, Device string }

// SignUp makes an account and signs it in. CONFLICT says that the e-mail has an account already.
func (s *Service) SignUp(ctx context.Context, in SignUpInput) (*User, Tokens, error) {
	if !s.signUp {
		return nil, Tokens{}, &Error{Code: CodeForbidden, Message: "O cadastro de novas contas está fechado."}
	}
	user, err := s.createUser(ctx, in, RoleUser, PlanFree)
	if err != nil {
		return nil, Tokens{}, err
	}
	tokens, err := s.openSession(ctx, user.ID, in.Device)
	if err != nil {
		return nil, Tokens{}, err
	}
	return user, tokens, nil
}

// SignIn opens a session on a device, see DeviceOf. An unknown e-mail and a wrong password get the same words after the same work.
func (s *Service) SignIn(ctx context.Context, email, password, device string) (*User, Tokens, error) {
	user, err := s.userToSignIn(ctx, email)
	if err != nil {
		return nil, Tokens{}, err
	}
	hash := s.hasher.dummy
	if user != nil {
		hash = user.PasswordHash
	}
	normal, allowed := normalPassword(password) // of a length no password has: hashed all the same, as ""
	matches, err := s.hasher.matches(ctx, normal, hash)
	if err != nil {
		return nil, Tokens{}, fmt.Errorf("check a password: %w", err)
	}
	if user == nil || !allowed || !matches {
		return nil, Tokens{}, badCredentials()
	}
	tokens, err := s.openSession(ctx, user.ID, device)
	if err != nil {
		return nil, Tokens{}, err
	}
	return user, tokens, nil
}

// userToSignIn is nil, without an error, when the e-mail has no account or is none.
func (s *Service) userToSignIn(ctx context.Context, email string) (*User, error) {
	normal, err := normalEmail(email)
	if err != nil {
		normal = "" // looked up all the same, for the time it takes
	}
	user, err := s.store.UserByEmail(ctx, normal)
	if errors.Is(err, ErrNoUser) {
		return nil, nil //nolint:nilnil // the caller goes on with the dummy hash
	}
	if err != nil {
		return nil, fmt.Errorf("find a user by e-mail: %w", err)
	}
	return user, nil
}

// Refresh trades a refresh token for a new pair. A token is good for one refresh; the sessions that follow one another so
// are a family.
//
// A token that was replaced and comes back is in two hands, and nobody can tell which are the owner's: its family is
// revoked and both must sign in again. The price is paid by an honest client that repeats a refresh whose answer was lost,
// or that refreshes from two tabs one after the other. Of two refreshes that truly overlap one wins, and the other is turned
// away without revoking anything. Clients should refresh from one place at a time.
func (s *Service) Refresh(ctx context.Context, refreshToken string) (*User, Tokens, error) {
	old, err := s.store.SessionByRefreshHash(ctx, refreshHash(refreshToken))
	if errors.Is(err, ErrNoSession) {
		return nil, Tokens{}, unauthenticated(err)
	}
	if err != nil {
		return nil, Tokens{}, fmt.Errorf("find a session: %w", err)
	}
	if err := s.checkRefreshable(ctx, old); err != nil {
		return nil, Tokens{}, err
	}
	user, err := s.store.User(ctx, old.UserID)
	if errors.Is(err, ErrNoUser) {
		return nil, Tokens{}, unauthenticated(err)
	}
	if err != nil {
		return nil, Tokens{}, fmt.Errorf("find a session's user: %w", err)
	}
	next, tokens, err := s.newSession(old.UserID, old.FamilyID, old.Device)
	if err != nil {
		return nil, Tokens{}, err
	}
	if err := s.store.ReplaceSession(ctx, old.ID, next); errors.Is(err, ErrSessionReplaced) {
		return nil, Tokens{}, unauthenticated(err)
	} else if err != nil {
		return nil, Tokens{}, fmt.Errorf("replace a session: %w", err)
	}
	return user, tokens, nil
}

// checkRefreshable revokes the family of a session that was replaced already.
func (s *Service) checkRefreshable(ctx context.Context, old *Session) error {
	now := s.clock().UTC()
	switch {
	case old.RevokedAt != nil:
		return unauthenticated(errors.New("session was revoked"))
	case old.ReplacedAt != nil:
		// The thief may be the one who hangs up: the revocation is carried through.
		if err := s.store.RevokeFamily(context.WithoutCancel(ctx), old.FamilyID, now); err != nil {
			return fmt.Errorf("revoke a session family: %w", err)
		}
		s.log.WarnContext(ctx, "refresh token used twice: session family revoked", "user_id", old.UserID, "family_id", old.FamilyID)
		return unauthenticated(errors.New("refresh token was used before"))
	case !now.Before(old.ExpiresAt):
		return unauthenticated(errors.New("session has expired"))
	}
	return nil
}

// SignOut ends the session and all of its family; the access tokens of the family are refused from then on. A session that
// is gone is no error.
func (s *Service) SignOut(ctx context.Context, sessionID string) error {
	session, err := s.store.Session(ctx, sessionID)
	if errors.Is(err, ErrNoSession) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find a session: %w", err)
	}
	if err := s.store.RevokeFamily(ctx, session.FamilyID, s.clock().UTC()); err != nil {
		return fmt.Errorf("revoke a session family: %w", err)
	}
	return nil
}

// Authenticate says who an access token speaks for. It reads the session and the user, two look-ups by primary key: thus a
// sign-out, a stolen refresh token, a deleted user and a changed role or plan count with the next request, and not only when
// the token expires. A session that was merely replaced still counts: requests under way while a client refreshes go on.
func (s *Service) Authenticate(ctx context.Context, accessToken string) (Viewer, error) {
	c, err := s.signer.verify(accessToken)
	if err != nil {
		return Viewer{}, unauthenticated(err)
	}
	session, err := s.store.Session(ctx, c.SessionID)
	if errors.Is(err, ErrNoSession) {
		return Viewer{}, unauthenticated(err)
	}
	if err != nil {
		return Viewer{}, fmt.Errorf("find a session: %w", err)
	}
	if session.RevokedAt != nil || session.UserID != c.Subject {
		return Viewer{}, unauthenticated(errors.New("session was revoked or is another user's"))
	}
	user, err := s.store.User(ctx, c.Subject)
	if errors.Is(err, ErrNoUser) {
		return Viewer{}, unauthenticated(err)
	}
	if err != nil {
		return Viewer{}, fmt.Errorf("find a session's user: %w", err)
	}
	return Viewer{UserID: user.ID, SessionID: session.ID, Role: user.Role, Plan: user.Plan, ExpiresAt: c.ExpiresAt.Time}, nil
}

// User is the account; NOT_FOUND when there is none.
func (s *Service) User(ctx context.Context, id string) (*User, error) {
	user, err := s.store.User(ctx, id)
	if errors.Is(err, ErrNoUser) {
		return nil, &Error{Code: CodeNotFound, Message: "Usuário não encontrado.", Cause: err}
	}
	if err != nil {
		return nil, fmt.Errorf("find a user: %w", err)
	}
	return user, nil
}

// UpdateHousehold changes what the input names. A consent that is given again keeps its first date.
func (s *Service) UpdateHousehold(ctx context.Context, userID string, in HouseholdInput) (*User, error) {
	if err := in.validate(); err != nil {
		return nil, err
	}
	stored, err := s.User(ctx, userID)
	if err != nil {
		return nil, err
	}
	user := *stored
	user.UpdatedAt = s.clock().UTC()
	if in.Income != nil {
		income := *in.Income
		user.Household.Income = &income
	}
	if in.ForgetIncome {
		user.Household.Income = nil
	}
	if in.Adults != nil {
		user.Household.Adults = *in.Adults
	}
	if in.Children != nil {
		user.Household.Children = *in.Children
	}
	user.Consents = consents(stored.Consents, in.Consents, user.UpdatedAt)
	if err := s.store.SaveUser(ctx, &user); err != nil {
		return nil, fmt.Errorf("save a user: %w", err)
	}
	return &user, nil
}

// consents is what was agreed to after the changes.
func consents(before map[string]time.Time, changes map[string]bool, now time.Time) map[string]time.Time {
	after := map[string]time.Time{}
	maps.Copy(after, before)
	for provider, given := range changes {
		if _, had := after[provider]; !given {
			delete(after, provider)
		} else if !had {
			after[provider] = now
		}
	}
	return after
}

// openSession starts a family.
func (s *Service) openSession(ctx context.Context, userID, device string) (Tokens, error) {
	session, tokens, err := s.newSession(userID, "", device)
	if err != nil {
		return Tokens{}, err
	}
	if err := s.store.InsertSession(ctx, session); err != nil {
		return Tokens{}, fmt.Errorf("insert a session: %w", err)
	}
	return tokens, nil
}

// newSession makes a session of the family, or the first one of its own when family is "", and its tokens.
func (s *Service) newSession(userID, family, device string) (*Session, Tokens, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, Tokens{}, fmt.Errorf("make a session id: %w", err)
	}
	refresh, hash, err := newRefreshToken()
	if err != nil {
		return nil, Tokens{}, err
	}
	access, expires, err := s.signer.sign(userID, id.String())
	if err != nil {
		return nil, Tokens{}, err
	}
	if family == "" {
		family = id.String()
	}
	now := s.clock().UTC()
	session := &Session{
		ID: id.String(), FamilyID: family, UserID: userID, RefreshHash: hash, CreatedAt: now, ExpiresAt: now.Add(s.refreshTTL),
		Device: device,
	}
	return session, Tokens{AccessToken: access, RefreshToken: refresh, ExpiresAt: expires}, nil
}
