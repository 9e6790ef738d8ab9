package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/account"
)

// ExerciseAccounts holds an account.Store to its promises.
func ExerciseAccounts(t *testing.T, open Open) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, account.Store){
		"a filled user comes back as it was":        userRoundTrip,
		"a minimal user comes back as it was":       minimalUser,
		"an e-mail is taken once":                   emailTaken,
		"sign-ups at once make one user":            concurrentEmail,
		"saving writes all but id and creation":     saveUser,
		"what does not exist is named":              missingAccounts,
		"a filled session comes back as it was":     sessionRoundTrip,
		"sign-ins are families that are still good": signIns,
		"the audit log is read newest first":        auditLog,
		"a session is replaced once":                replaceSession,
		"of twenty refreshes at once one wins":      concurrentReplace,
		"a failed replacement leaves the old":       replaceRollsBack,
		"a family is revoked, and no other":         revokeFamily,
		"all of a user's sessions are revoked":      revokeUser,
		"a revocation misses no successor at once":  revokeWhileReplacing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t).Accounts)
		})
	}
}

func userRoundTrip(t *testing.T, s account.Store) {
	t.Helper()
	want := FilledUser(t)
	require.NoError(t, s.InsertUser(t.Context(), want))
	got, err := s.User(t.Context(), want.ID)
	require.NoError(t, err)
	equalUsers(t, want, got)
	got, err = s.UserByEmail(t.Context(), want.Email)
	require.NoError(t, err)
	equalUsers(t, want, got)
}

func minimalUser(t *testing.T, s account.Store) {
	t.Helper()
	want := &account.User{
		Email: "a'b\x00@example.com", Role: account.RoleUser, Plan: account.PlanFree, Household: account.Household{Adults: 1},
		CreatedAt: At(0), UpdatedAt: At(0),
	}
	require.NoError(t, s.InsertUser(t.Context(), want))
	require.NotEmpty(t, want.ID, "an id was made")
	got, err := s.UserByEmail(t.Context(), "a'b\x00@example.com")
	require.NoError(t, err)
	require.NotNil(t, got.Consents, "it can be written to")
	want.Email = "a'b@example.com"
	equalUsers(t, want, got)
}

func emailTaken(t *testing.T, s account.Store) {
	t.Helper()
	a, b := FilledUser(t), FilledUser(t)
	require.NoError(t, s.InsertUser(t.Context(), a))
	require.NoError(t, s.InsertUser(t.Context(), b))
	c := FilledUser(t)
	c.Email = a.Email
	require.ErrorIs(t, s.InsertUser(t.Context(), c), account.ErrEmailTaken)
	b.Email = a.Email
	require.ErrorIs(t, s.SaveUser(t.Context(), b), account.ErrEmailTaken)
}

func concurrentEmail(t *testing.T, s account.Store) {
	t.Helper()
	made := 0
	for _, err := range parallel(10, func(int) error {
		u := FilledUser(t)
		u.Email = "same@example.com"
		return s.InsertUser(t.Context(), u)
	}) {
		if err == nil {
			made++
		} else {
			require.ErrorIs(t, err, account.ErrEmailTaken)
		}
	}
	assert.Equal(t, 1, made)
}

func saveUser(t *testing.T, s account.Store) {
	t.Helper()
	u := FilledUser(t)
	require.NoError(t, s.InsertUser(t.Context(), u))
	created := u.CreatedAt
	u.Email, u.Name, u.PasswordHash, u.Role, u.Plan = "new@example.com", "N", "P", account.RoleUser, account.PlanFree
	u.Household, u.Consents, u.UpdatedAt, u.CreatedAt = account.Household{Adults: 1}, nil, At(20), At(21)
	require.NoError(t, s.SaveUser(t.Context(), u))
	got, err := s.User(t.Context(), u.ID)
	require.NoError(t, err)
	u.CreatedAt = created
	equalUsers(t, u, got)
}

func missingAccounts(t *testing.T, s account.Store) {
	t.Helper()
	ctx := t.Context()
	for _, id := range []string{NewID(t), "", "x", "\x00"} {
		_, err := s.User(ctx, id)
		require.ErrorIs(t, err, account.ErrNoUser)
		_, err = s.UserByEmail(ctx, id)
		require.ErrorIs(t, err, account.ErrNoUser)
		u := FilledUser(t)
		if u.ID = id; id != "" {
			require.ErrorIs(t, s.SaveUser(ctx, u), account.ErrNoUser)
		}
		_, err = s.Session(ctx, id)
		require.ErrorIs(t, err, account.ErrNoSession)
		_, err = s.SessionByRefreshHash(ctx, id)
		require.ErrorIs(t, err, account.ErrNoSession)
		require.ErrorIs(t, s.InsertSession(ctx, newSession(t, id)), account.ErrNoUser)
		require.ErrorIs(t, s.ReplaceSession(ctx, id, newSession(t, NewID(t))), account.ErrNoSession)
		require.NoError(t, s.RevokeFamily(ctx, id, At(0)))
		require.NoError(t, s.RevokeOtherFamilies(ctx, id, "", At(0)))
	}
}

// newSession is the first of its family. It is not stored.
func newSession(t *testing.T, userID string) *account.Session {
	t.Helper()
	id := NewID(t)
	return &account.Session{ID: id, FamilyID: id, UserID: userID, RefreshHash: "hash of " + id, CreatedAt: At(1), ExpiresAt: At(9), Device: "Firefox, Linux"}
}

// successor follows a session. It is not stored.
func successor(t *testing.T, old *account.Session) *account.Session {
	t.Helper()
	s := newSession(t, old.UserID)
	s.FamilyID, s.CreatedAt = old.FamilyID, At(3)
	return s
}

func sessionRoundTrip(t *testing.T, s account.Store) {
	t.Helper()
	user := NewUser(t, s)
	open, closed := newSession(t, user), newSession(t, user)
	closed.ReplacedAt, closed.RevokedAt = new(At(3)), new(At(4))
	for _, want := range []*account.Session{open, closed} {
		require.NoError(t, s.InsertSession(t.Context(), want))
		got, err := s.Session(t.Context(), want.ID)
		require.NoError(t, err)
		equalSessions(t, want, got)
		got, err = s.SessionByRefreshHash(t.Context(), want.RefreshHash)
		require.NoError(t, err)
		equalSessions(t, want, got)
	}
}

func replaceSession(t *testing.T, s account.Store) {
	t.Helper()
	ctx := t.Context()
	old := newSession(t, NewUser(t, s))
	require.NoError(t, s.InsertSession(ctx, old))
	next := successor(t, old)
	require.NoError(t, s.ReplaceSession(ctx, old.ID, next))
	got, err := s.Session(ctx, old.ID)
	require.NoError(t, err)
	old.ReplacedAt = &next.CreatedAt
	equalSessions(t, old, got)
	got, err = s.Session(ctx, next.ID)
	require.NoError(t, err)
	equalSessions(t, next, got)
	require.ErrorIs(t, s.ReplaceSession(ctx, old.ID, successor(t, old)), account.ErrSessionReplaced)
	require.NoError(t, s.RevokeFamily(ctx, old.FamilyID, At(4)))
	require.ErrorIs(t, s.ReplaceSession(ctx, next.ID, successor(t, old)), account.ErrSessionReplaced)
}

func concurrentReplace(t *testing.T, s account.Store) {
	t.Helper()
	old := newSession(t, NewUser(t, s))
	require.NoError(t, s.InsertSession(t.Context(), old))
	won := 0
	for _, err := range parallel(20, func(int) error { return s.ReplaceSession(t.Context(), old.ID, successor(t, old)) }) {
		if err == nil {
			won++
		} else {
			require.ErrorIs(t, err, account.ErrSessionReplaced)
		}
	}
	assert.Equal(t, 1, won)
}

func replaceRollsBack(t *testing.T, s account.Store) {
	t.Helper()
	old := newSession(t, NewUser(t, s))
	require.NoError(t, s.InsertSession(t.Context(), old))
	next := successor(t, old)
	next.RefreshHash = old.RefreshHash // taken
	require.Error(t, s.ReplaceSession(t.Context(), old.ID, next))
	got, err := s.Session(t.Context(), old.ID)
	require.NoError(t, err)
	assert.Nil(t, got.ReplacedAt)
}

func revokeFamily(t *testing.T, s account.Store) {
	t.Helper()
	ctx, user := t.Context(), NewUser(t, s)
	first, other := newSession(t, user), newSession(t, user)
	require.NoError(t, s.InsertSession(ctx, first))
	require.NoError(t, s.InsertSession(ctx, other))
	second := successor(t, first)
	require.NoError(t, s.ReplaceSession(ctx, first.ID, second))
	require.NoError(t, s.RevokeFamily(ctx, first.FamilyID, At(5)))
	require.NoError(t, s.RevokeFamily(ctx, first.FamilyID, At(6)))
	for _, id := range []string{first.ID, second.ID} {
		assert.True(t, At(5).Equal(*revokedAt(t, s, id)), "the first revocation's time is kept")
	}
	assert.Nil(t, revokedAt(t, s, other.ID))
}

func revokeUser(t *testing.T, s account.Store) {
	t.Helper()
	ctx, user := t.Context(), NewUser(t, s)
	mine, mine2, theirs := newSession(t, user), newSession(t, user), newSession(t, NewUser(t, s))
	for _, session := range []*account.Session{mine, mine2, theirs} {
		require.NoError(t, s.InsertSession(ctx, session))
	}
	require.NoError(t, s.RevokeOtherFamilies(ctx, user, mine.FamilyID, At(4)))
	assert.Nil(t, revokedAt(t, s, mine.ID))
	require.NoError(t, s.RevokeOtherFamilies(ctx, user, "", At(5)))
	assert.NotNil(t, revokedAt(t, s, mine.ID))
	assert.NotNil(t, revokedAt(t, s, mine2.ID))
	assert.Nil(t, revokedAt(t, s, theirs.ID))
}

func revokeWhileReplacing(t *testing.T, s account.Store) {
	t.Helper()
	ctx := t.Context()
	for range 10 {
		old := newSession(t, NewUser(t, s))
		require.NoError(t, s.InsertSession(ctx, old))
		next := successor(t, old)
		errs := parallel(2, func(i int) error {
			if i == 0 {
				return s.RevokeFamily(ctx, old.FamilyID, At(5))
			}
			return s.ReplaceSession(ctx, old.ID, next)
		})
		require.NoError(t, errs[0])
		if errs[1] == nil {
			assert.NotNil(t, revokedAt(t, s, next.ID))
		} else {
			require.ErrorIs(t, errs[1], account.ErrSessionReplaced)
		}
	}
}

func revokedAt(t *testing.T, s account.Store, id string) *time.Time {
	t.Helper()
	session, err := s.Session(t.Context(), id)
	require.NoError(t, err)
	return session.RevokedAt
}

func signIns(t *testing.T, s account.Store) {
	t.Helper()
	ctx, user := t.Context(), NewUser(t, s)
	phone, laptop, over, gone := newSession(t, user), newSession(t, user), newSession(t, user), newSession(t, user)
	laptop.CreatedAt, laptop.Device = At(2), "Safari, macOS"
	over.ExpiresAt = At(7)
	for _, session := range []*account.Session{phone, laptop, over, gone, newSession(t, NewUser(t, s))} {
		require.NoError(t, s.InsertSession(ctx, session))
	}
	require.NoError(t, s.RevokeFamily(ctx, gone.FamilyID, At(4)))
	newest := successor(t, phone)
	newest.ExpiresAt = At(12)
	require.NoError(t, s.ReplaceSession(ctx, phone.ID, newest))
	got, err := s.SignIns(ctx, user, At(8))
	require.NoError(t, err)
	require.Len(t, got, 2, "neither what is revoked, nor what has expired, nor another's")
	assert.Equal(t, phone.FamilyID, got[0].ID, "the last used first")
	assert.Equal(t, "Firefox, Linux", got[0].Device)
	assert.True(t, At(1).Equal(got[0].SignedInAt) && At(3).Equal(got[0].LastUsedAt) && At(12).Equal(got[0].ExpiresAt), got[0])
	assert.Equal(t, laptop.FamilyID, got[1].ID)
}

func auditLog(t *testing.T, s account.Store) {
	t.Helper()
	ctx, admin, user := t.Context(), NewUser(t, s), NewUser(t, s)
	first := account.AuditEntry{At: At(1), ActorID: admin, SubjectID: user, Action: account.AuditPlanChanged, Detail: "PREMIUM"}
	second := account.AuditEntry{At: At(2), Action: account.AuditUsageRead}
	require.NoError(t, s.InsertAudit(ctx, &first))
	require.NoError(t, s.InsertAudit(ctx, &second))
	got, err := s.AuditLog(ctx, 10)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(got), 2)
	i := slices.IndexFunc(got, func(e account.AuditEntry) bool { return e.ID == second.ID })
	require.GreaterOrEqual(t, i, 0)
	assert.Equal(t, utcEntry(second), utcEntry(got[i]))
	assert.Equal(t, utcEntry(first), utcEntry(got[i+1]), "newest first")
	got, err = s.AuditLog(ctx, 1)
	require.NoError(t, err)
	assert.Len(t, got, 1)
}

func utcEntry(e account.AuditEntry) account.AuditEntry {
	e.At = e.At.UTC()
	return e
}
