package account_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/fiscal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "correct horse battery"

var secret = []byte("0123456789abcdef0123456789abcdef")

type bundle struct {
	*account.Service

	store *memory

	mu  sync.Mutex
	now time.Time
}

func (b *bundle) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bundle) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func setup(t *testing.T, change ...func(*account.Config)) *bundle {
	t.Helper()
	b := &bundle{store: newMemory(), now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	c := account.Config{
		Store: b.store, TokenSecret: secret, AccessTTL: 15 * time.Minute, RefreshTTL: 720 * time.Hour, SignUpEnabled: true, Clock: b.clock,
	}
	for _, f := range change {
		f(&c)
	}
	s, err := account.NewService(c)
	require.NoError(t, err)
	b.Service = s
	return b
}

func (b *bundle) maria(t *testing.T) (*account.User, account.Tokens) {
	t.Helper()
	u, tokens, err := b.SignUp(t.Context(), account.SignUpInput{Email: "maria@example.com", Password: password, Name: "Maria"})
	require.NoError(t, err)
	return u, tokens
}

func requireCode(t *testing.T, code account.Code, err error) {
	t.Helper()
	require.NotEmpty(t, errorOf(t, code, err).Message)
}

// errorOf is the error for the caller, which must have the code.
func errorOf(t *testing.T, code account.Code, err error) *account.Error {
	t.Helper()
	var e *account.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code, err)
	return e
}

func TestSignUpThenEverythingWorks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u, tokens, err := b.SignUp(t.Context(), account.SignUpInput{Email: "  Maria@Example.COM ", Password: password, Name: " Maria da Silva "})
	require.NoError(t, err)
	assert.Equal(t, "maria@example.com", u.Email)
	assert.Equal(t, "Maria da Silva", u.Name)
	assert.Equal(t, account.RoleUser, u.Role)
	assert.Equal(t, account.PlanFree, u.Plan)
	assert.Equal(t, 1, u.Household.Adults)
	assert.True(t, strings.HasPrefix(u.PasswordHash, "$argon2id$v=19$m=19456,t=2,p=1$"), u.PasswordHash)
	assert.Equal(t, b.clock().Add(15*time.Minute), tokens.ExpiresAt)

	v, err := b.Authenticate(t.Context(), tokens.AccessToken)
	require.NoError(t, err)
	assert.Equal(t, account.Viewer{UserID: u.ID, SessionID: v.SessionID, Role: account.RoleUser, Plan: account.PlanFree, ExpiresAt: v.ExpiresAt}, v)
	assert.True(t, v.ExpiresAt.Equal(tokens.ExpiresAt))
	assert.NotEmpty(t, v.SessionID)

	again, tokens, err := b.SignIn(t.Context(), "MARIA@example.com", password, "")
	require.NoError(t, err)
	assert.Equal(t, u, again)
	_, err = b.Authenticate(t.Context(), tokens.AccessToken)
	require.NoError(t, err)

	found, err := b.User(t.Context(), u.ID)
	require.NoError(t, err)
	assert.Equal(t, u, found)
	_, err = b.User(t.Context(), "nobody")
	requireCode(t, account.CodeNotFound, err)
}

func TestOnlyHashesAreStored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u, tokens := b.maria(t)
	stored := fmt.Sprintf("%+v %+v", b.store.users, b.store.sessions)
	assert.Contains(t, stored, u.ID)
	assert.NotContains(t, stored, password)
	assert.NotContains(t, stored, tokens.RefreshToken)
	assert.NotContains(t, stored, tokens.AccessToken)
	assert.Len(t, tokens.RefreshToken, 43) // 256 bits
}

func TestSignUpRefusesBadInput(t *testing.T) {
	t.Parallel()
	good := account.SignUpInput{Email: "a@example.com", Password: password, Name: "A"}
	for name, c := range map[string]struct {
		change func(*account.SignUpInput)
		field  string
	}{
		"no e-mail":                 {func(in *account.SignUpInput) { in.Email = "" }, "email"},
		"no domain":                 {func(in *account.SignUpInput) { in.Email = "a@" }, "email"},
		"display name":              {func(in *account.SignUpInput) { in.Email = "A <a@example.com>" }, "email"},
		"angle brackets":            {func(in *account.SignUpInput) { in.Email = "<a@example.com>" }, "email"},
		"comment":                   {func(in *account.SignUpInput) { in.Email = "a@example.com(x)" }, "email"},
		"quoted":                    {func(in *account.SignUpInput) { in.Email = `"a"@example.com` }, "email"},
		"two addresses":             {func(in *account.SignUpInput) { in.Email = "a@example.com,b@example.com" }, "email"},
		"address literal":           {func(in *account.SignUpInput) { in.Email = "a@[127.0.0.1]" }, "email"},
		"header injection":          {func(in *account.SignUpInput) { in.Email = "a@example.com\r\nBcc: b@example.com" }, "email"},
		"letters that look alike":   {func(in *account.SignUpInput) { in.Email = "а@example.com" }, "email"},
		"255 bytes of e-mail":       {func(in *account.SignUpInput) { in.Email = "a@" + strings.Repeat("b", 241) + ".example.com" }, "email"},
		"7 characters of password":  {func(in *account.SignUpInput) { in.Password = "çãoçãoç" }, "password"},
		"129 characters":            {func(in *account.SignUpInput) { in.Password = strings.Repeat("é", 129) }, "password"},
		"longer once normalised":    {func(in *account.SignUpInput) { in.Password = strings.Repeat("ﷺ", 100) }, "password"},
		"shorter once normalised":   {func(in *account.SignUpInput) { in.Password = strings.Repeat("e\u0301", 7) }, "password"},
		"password is not UTF-8":     {func(in *account.SignUpInput) { in.Password = "12345678\xff" }, "password"},
		"blank name":                {func(in *account.SignUpInput) { in.Name = " \t" }, "name"},
		"101 characters of name":    {func(in *account.SignUpInput) { in.Name = strings.Repeat("á", 101) }, "name"},
		"control character in name": {func(in *account.SignUpInput) { in.Name = "A\x00B" }, "name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, in := setup(t), good
			c.change(&in)
			_, _, err := b.SignUp(t.Context(), in)
			assert.Equal(t, c.field, errorOf(t, account.CodeBadUserInput, err).Field)
			assert.Empty(t, b.store.users)
		})
	}
}

func TestPasswordsOfTheExtremeLengthsAreTaken(t *testing.T) {
	t.Parallel()
	for _, p := range []string{"ççãã1234", strings.Repeat("é", 128)} {
		b := setup(t)
		_, _, err := b.SignUp(t.Context(), account.SignUpInput{Email: "a@example.com", Password: p, Name: "A"})
		require.NoError(t, err)
		_, _, err = b.SignIn(t.Context(), "a@example.com", p, "")
		require.NoError(t, err)
	}
}

func TestAPasswordMatchesHoweverItsAccentsWereTyped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, _, err := b.SignUp(t.Context(), account.SignUpInput{Email: "a@example.com", Password: "a\u00e7\u00e3o12345", Name: "A"})
	require.NoError(t, err)
	_, _, err = b.SignIn(t.Context(), "a@example.com", "ac\u0327a\u0303o12345", "")
	require.NoError(t, err)
}

func TestATakenEmailIsAConflict(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.maria(t)
	_, _, err := b.SignUp(t.Context(), account.SignUpInput{Email: "Maria@example.com", Password: password, Name: "Another"})
	assert.Equal(t, "email", errorOf(t, account.CodeConflict, err).Field)
}

func TestClosedSignUpIsForbidden(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *account.Config) { c.SignUpEnabled = false })
	_, _, err := b.SignUp(t.Context(), account.SignUpInput{Email: "a@example.com", Password: password, Name: "A"})
	requireCode(t, account.CodeForbidden, err)
}

func TestEveryFailedSignInLooksTheSame(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.maria(t)
	var want *account.Error
	for name, c := range map[string][2]string{
		"wrong password":   {"maria@example.com", "wrong horse battery"},
		"empty password":   {"maria@example.com", ""},
		"endless password": {"maria@example.com", strings.Repeat("x", 1<<20)},
		"unknown e-mail":   {"joana@example.com", password},
		"no e-mail at all": {"joana", password},
		"nothing":          {"", ""},
	} {
		_, tokens, err := b.SignIn(t.Context(), c[0], c[1], "")
		got := errorOf(t, account.CodeUnauthenticated, err)
		assert.Empty(t, tokens, name)
		if want == nil {
			want = got
		}
		assert.Equal(t, want, got, name)
	}
	assert.Len(t, b.store.sessions, 1)
}

func TestRefreshRotates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u, first := b.maria(t)
	b.advance(time.Minute)
	again, second, err := b.Refresh(t.Context(), first.RefreshToken)
	require.NoError(t, err)
	assert.Equal(t, u.ID, again.ID)
	assert.NotEqual(t, first.RefreshToken, second.RefreshToken)
	assert.NotEqual(t, first.AccessToken, second.AccessToken)
	for _, token := range []string{first.AccessToken, second.AccessToken} { // requests under way go on
		_, err = b.Authenticate(t.Context(), token)
		require.NoError(t, err)
	}
	_, _, err = b.Refresh(t.Context(), second.RefreshToken)
	require.NoError(t, err)
}

func TestAReusedRefreshTokenRevokesItsFamilyAndNoOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, stolen := b.maria(t)
	_, other, err := b.SignIn(t.Context(), "maria@example.com", password, "")
	require.NoError(t, err)
	_, thief, err := b.Refresh(t.Context(), stolen.RefreshToken)
	require.NoError(t, err)

	_, _, err = b.Refresh(t.Context(), stolen.RefreshToken)
	requireCode(t, account.CodeUnauthenticated, err)
	_, _, err = b.Refresh(t.Context(), thief.RefreshToken)
	requireCode(t, account.CodeUnauthenticated, err)
	for _, token := range []string{stolen.AccessToken, thief.AccessToken} {
		_, err = b.Authenticate(t.Context(), token)
		requireCode(t, account.CodeUnauthenticated, err)
	}
	_, _, err = b.Refresh(t.Context(), other.RefreshToken)
	require.NoError(t, err)
}

func TestOfTwoRefreshesAtOnceOneWins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, tokens := b.maria(t)
	var both sync.WaitGroup // each waits until the other has read the session too
	both.Add(2)
	b.store.afterFind = func() { both.Done(); both.Wait() }
	type result struct {
		tokens account.Tokens
		err    error
	}
	results := make(chan result, 2)
	for range 2 {
		go func() {
			_, next, err := b.Refresh(t.Context(), tokens.RefreshToken)
			results <- result{next, err}
		}()
	}
	one, two := <-results, <-results
	if one.err != nil {
		one, two = two, one
	}
	require.NoError(t, one.err)
	requireCode(t, account.CodeUnauthenticated, two.err)
	b.store.afterFind = nil
	_, _, err := b.Refresh(t.Context(), one.tokens.RefreshToken)
	require.NoError(t, err, "the loser must not revoke the winner's session")
}

func TestRefreshRefuses(t *testing.T) {
	t.Parallel()
	t.Run("what it never gave", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, tokens := b.maria(t)
		for _, token := range []string{"", "x", tokens.AccessToken, tokens.RefreshToken + "x", strings.Repeat("x", 1<<20)} {
			_, _, err := b.Refresh(t.Context(), token)
			requireCode(t, account.CodeUnauthenticated, err)
		}
	})
	t.Run("what has expired, to the second", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		_, tokens := b.maria(t)
		b.advance(720*time.Hour - time.Second)
		_, tokens, err := b.Refresh(t.Context(), tokens.RefreshToken)
		require.NoError(t, err, "a refresh starts the life of the session anew")
		b.advance(720 * time.Hour)
		_, _, err = b.Refresh(t.Context(), tokens.RefreshToken)
		requireCode(t, account.CodeUnauthenticated, err)
	})
	t.Run("a deleted user", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		u, tokens := b.maria(t)
		delete(b.store.users, u.ID)
		_, _, err := b.Refresh(t.Context(), tokens.RefreshToken)
		requireCode(t, account.CodeUnauthenticated, err)
	})
}

func TestSignOutEndsTheSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, tokens := b.maria(t)
	v, err := b.Authenticate(t.Context(), tokens.AccessToken)
	require.NoError(t, err)
	require.NoError(t, b.SignOut(t.Context(), v.SessionID))
	_, err = b.Authenticate(t.Context(), tokens.AccessToken)
	requireCode(t, account.CodeUnauthenticated, err)
	_, _, err = b.Refresh(t.Context(), tokens.RefreshToken)
	requireCode(t, account.CodeUnauthenticated, err)
	require.NoError(t, b.SignOut(t.Context(), v.SessionID), "twice")
	require.NoError(t, b.SignOut(t.Context(), "never-was"))
}

func TestAuthenticateFollowsTheUser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u, tokens := b.maria(t)
	u.Role, u.Plan = account.RoleAdmin, account.PlanPremium
	require.NoError(t, b.store.SaveUser(t.Context(), u))
	v, err := b.Authenticate(t.Context(), tokens.AccessToken)
	require.NoError(t, err)
	assert.Equal(t, account.RoleAdmin, v.Role)
	assert.Equal(t, account.PlanPremium, v.Plan)
	delete(b.store.users, u.ID)
	_, err = b.Authenticate(t.Context(), tokens.AccessToken)
	requireCode(t, account.CodeUnauthenticated, err)
}

func TestAccessTokensExpireToTheSecond(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, tokens := b.maria(t)
	b.advance(15*time.Minute - time.Second)
	_, err := b.Authenticate(t.Context(), tokens.AccessToken)
	require.NoError(t, err)
	b.advance(time.Second)
	_, err = b.Authenticate(t.Context(), tokens.AccessToken)
	requireCode(t, account.CodeUnauthenticated, err)
}

func TestForgedAccessTokensAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u, tokens := b.maria(t)
	v, err := b.Authenticate(t.Context(), tokens.AccessToken)
	require.NoError(t, err)
	now := b.clock()
	valid := func() jwt.MapClaims {
		return jwt.MapClaims{
			"iss": "smarket", "aud": "smarket-api", "sub": u.ID, "sid": v.SessionID, "jti": "x",
			"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Minute).Unix(),
		}
	}
	sign := func(method jwt.SigningMethod, key any, c jwt.MapClaims) string {
		token, err := jwt.NewWithClaims(method, c).SignedString(key)
		require.NoError(t, err)
		return token
	}
	with := func(name string, value any) jwt.MapClaims {
		c := valid()
		if c[name] = value; value == nil {
			delete(c, name)
		}
		return c
	}
	_, err = b.Authenticate(t.Context(), sign(jwt.SigningMethodHS256, secret, valid()))
	require.NoError(t, err, "what the cases change must be good to begin with")

	parts := strings.Split(sign(jwt.SigningMethodHS256, secret, valid()), ".")
	other := strings.Split(sign(jwt.SigningMethodHS256, secret, with("sub", "other")), ".")
	for name, token := range map[string]string{
		"alg none":              sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, valid()),
		"alg swapped for HS512": sign(jwt.SigningMethodHS512, secret, valid()),
		"alg swapped for HS384": sign(jwt.SigningMethodHS384, secret, valid()),
		"another secret":        sign(jwt.SigningMethodHS256, []byte("another-secret-another-secret-32"), valid()),
		"no exp":                sign(jwt.SigningMethodHS256, secret, with("exp", nil)),
		"expired":               sign(jwt.SigningMethodHS256, secret, with("exp", now.Unix())),
		"exp is text":           sign(jwt.SigningMethodHS256, secret, with("exp", "tomorrow")),
		"no nbf":                sign(jwt.SigningMethodHS256, secret, with("nbf", nil)),
		"future nbf":            sign(jwt.SigningMethodHS256, secret, with("nbf", now.Add(time.Second).Unix())),
		"no aud":                sign(jwt.SigningMethodHS256, secret, with("aud", nil)),
		"wrong aud":             sign(jwt.SigningMethodHS256, secret, with("aud", "another-api")),
		"no iss":                sign(jwt.SigningMethodHS256, secret, with("iss", nil)),
		"wrong iss":             sign(jwt.SigningMethodHS256, secret, with("iss", "another")),
		"no sub":                sign(jwt.SigningMethodHS256, secret, with("sub", nil)),
		"another user's sub":    sign(jwt.SigningMethodHS256, secret, with("sub", "other")),
		"no sid":                sign(jwt.SigningMethodHS256, secret, with("sid", nil)),
		"unknown sid":           sign(jwt.SigningMethodHS256, secret, with("sid", "never-was")),
		"signature cut off":     parts[0] + "." + parts[1] + ".",
		"another's payload":     parts[0] + "." + other[1] + "." + parts[2],
		"empty":                 "",
		"refresh token":         tokens.RefreshToken,
		"endless":               strings.Repeat("a", 1<<20) + "." + parts[1] + "." + parts[2],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := b.Authenticate(t.Context(), token)
			requireCode(t, account.CodeUnauthenticated, err)
		})
	}
}

func TestUpdateHouseholdChangesWhatItNames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u, _ := b.maria(t)
	given := b.clock()
	got, err := b.UpdateHousehold(t.Context(), u.ID, account.HouseholdInput{
		Income: new(fiscal.Money(500_000)), Adults: new(2), Children: new(3), Consents: map[string]bool{"gemini": true, "openai": true},
	})
	require.NoError(t, err)
	assert.Equal(t, account.Household{Income: new(fiscal.Money(500_000)), Adults: 2, Children: 3}, got.Household)

	b.advance(time.Hour)
	got, err = b.UpdateHousehold(t.Context(), u.ID, account.HouseholdInput{
		Children: new(0), Consents: map[string]bool{"gemini": true, "openai": false},
	})
	require.NoError(t, err)
	assert.Equal(t, account.Household{Income: new(fiscal.Money(500_000)), Adults: 2}, got.Household)
	assert.Equal(t, map[string]time.Time{"gemini": given}, got.Consents, "a consent keeps its first date")
	stored, err := b.User(t.Context(), u.ID)
	require.NoError(t, err)
	assert.Equal(t, got, stored)

	got, err = b.UpdateHousehold(t.Context(), u.ID, account.HouseholdInput{ForgetIncome: true})
	require.NoError(t, err)
	assert.Nil(t, got.Household.Income)

	_, err = b.UpdateHousehold(t.Context(), "nobody", account.HouseholdInput{})
	requireCode(t, account.CodeNotFound, err)
}

func TestUpdateHouseholdRefusesBadInput(t *testing.T) {
	t.Parallel()
	for field, in := range map[string]account.HouseholdInput{
		"income":   {Income: new(fiscal.Money(-1))},
		"adults":   {Adults: new(0)},
		"children": {Children: new(21)},
		"consents": {Consents: map[string]bool{"<script>": true}},
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			u, _ := b.maria(t)
			_, err := b.UpdateHousehold(t.Context(), u.ID, in)
			assert.Equal(t, field, errorOf(t, account.CodeBadUserInput, err).Field)
		})
	}
}

func TestAFailingStoreIsNobodysFault(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u, tokens := b.maria(t)
	b.store.err = errors.New("disk on fire")
	_, _, signUp := b.SignUp(t.Context(), account.SignUpInput{Email: "b@example.com", Password: password, Name: "B"})
	_, _, signIn := b.SignIn(t.Context(), u.Email, password, "")
	_, _, refresh := b.Refresh(t.Context(), tokens.RefreshToken)
	_, authenticate := b.Authenticate(t.Context(), tokens.AccessToken)
	_, user := b.User(t.Context(), u.ID)
	_, household := b.UpdateHousehold(t.Context(), u.ID, account.HouseholdInput{})
	for _, err := range []error{signUp, signIn, refresh, authenticate, user, household, b.SignOut(t.Context(), "s")} {
		require.ErrorIs(t, err, b.store.err)
		var e *account.Error
		assert.NotErrorAs(t, err, &e)
	}
}

func TestNewServiceRefusesAWeakConfiguration(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*account.Config){
		"no store":                    func(c *account.Config) { c.Store = nil },
		"short secret":                func(c *account.Config) { c.TokenSecret = secret[:31] },
		"access tokens for long":      func(c *account.Config) { c.AccessTTL = 16 * time.Minute },
		"access tokens for nothing":   func(c *account.Config) { c.AccessTTL = 0 },
		"sessions shorter than these": func(c *account.Config) { c.RefreshTTL = c.AccessTTL },
	} {
		c := account.Config{Store: newMemory(), TokenSecret: secret, AccessTTL: time.Minute, RefreshTTL: time.Hour}
		change(&c)
		_, err := account.NewService(c)
		require.Error(t, err, name)
	}
}

func TestViewerTravelsInTheContext(t *testing.T) {
	t.Parallel()
	_, ok := account.ViewerFrom(t.Context())
	assert.False(t, ok)
	want := account.Viewer{UserID: "u", Role: account.RoleAdmin}
	got, ok := account.ViewerFrom(account.WithViewer(t.Context(), want))
	assert.True(t, ok)
	assert.Equal(t, want, got)
}

func BenchmarkAuthenticate(b *testing.B) {
	s, err := account.NewService(account.Config{
		Store: newMemory(), TokenSecret: secret, AccessTTL: time.Minute, RefreshTTL: time.Hour, SignUpEnabled: true,
	})
	require.NoError(b, err)
	ctx := context.Background()
	_, tokens, err := s.SignUp(ctx, account.SignUpInput{Email: "a@example.com", Password: password, Name: "A"})
	require.NoError(b, err)
	for b.Loop() {
		if _, err := s.Authenticate(ctx, tokens.AccessToken); err != nil {
			b.Fatal(err)
		}
	}
}
