package account_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/account"
)

func TestDevicesAreListedAndSignedOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u, phone := b.maria(t)
	b.advance(time.Minute)
	_, laptop, err := b.SignIn(t.Context(), u.Email, password, "Firefox, Linux")
	require.NoError(t, err)
	v, err := b.Authenticate(t.Context(), laptop.AccessToken)
	require.NoError(t, err)
	list, err := b.SignIns(t.Context(), u.ID, v.SessionID)
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, "Firefox, Linux", list[0].Device)
	assert.True(t, list[0].Current)
	assert.False(t, list[1].Current)

	requireCode(t, account.CodeNotFound, b.SignOutDevice(t.Context(), "another user", list[1].ID))
	require.NoError(t, b.SignOutDevice(t.Context(), u.ID, list[1].ID))
	_, err = b.Authenticate(t.Context(), phone.AccessToken)
	requireCode(t, account.CodeUnauthenticated, err)
	_, err = b.Authenticate(t.Context(), laptop.AccessToken)
	require.NoError(t, err)
	requireCode(t, account.CodeNotFound, b.SignOutDevice(t.Context(), u.ID, list[1].ID))
}

func TestARefreshKeepsTheDevice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u, _ := b.maria(t)
	_, tokens, err := b.SignIn(t.Context(), u.Email, password, "Chrome, Android")
	require.NoError(t, err)
	b.advance(time.Minute)
	_, _, err = b.Refresh(t.Context(), tokens.RefreshToken)
	require.NoError(t, err)
	list, err := b.SignIns(t.Context(), u.ID, "")
	require.NoError(t, err)
	assert.Equal(t, "Chrome, Android", list[0].Device)
}

func TestANewPasswordSignsTheOthersOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u, thief := b.maria(t)
	_, mine, err := b.SignIn(t.Context(), u.Email, password, "")
	require.NoError(t, err)
	v, err := b.Authenticate(t.Context(), mine.AccessToken)
	require.NoError(t, err)

	_, err = b.ChangePassword(t.Context(), u.ID, v.SessionID, "wrong password", "a new password")
	assert.Equal(t, "currentPassword", errorOf(t, account.CodeBadUserInput, err).Field)
	_, err = b.ChangePassword(t.Context(), u.ID, v.SessionID, password, "short")
	assert.Equal(t, "newPassword", errorOf(t, account.CodeBadUserInput, err).Field)
	_, err = b.Authenticate(t.Context(), thief.AccessToken)
	require.NoError(t, err, "nothing has changed yet")

	_, err = b.ChangePassword(t.Context(), u.ID, v.SessionID, password, "a new password")
	require.NoError(t, err)
	_, err = b.Authenticate(t.Context(), thief.AccessToken)
	requireCode(t, account.CodeUnauthenticated, err)
	_, err = b.Authenticate(t.Context(), mine.AccessToken)
	require.NoError(t, err)
	_, _, err = b.SignIn(t.Context(), u.Email, password, "")
	requireCode(t, account.CodeUnauthenticated, err)
	_, _, err = b.SignIn(t.Context(), u.Email, "a new password", "")
	require.NoError(t, err)
}

func TestDeviceOf(t *testing.T) {
	t.Parallel()
	for ua, want := range map[string]string{
		"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36":                   "Chrome, Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1": "Safari, iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0":           "Edge, Windows",
		"Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0":                                                                  "Firefox, Linux",
		"curl/8.5.0": "",
		"":           "",
	} {
		assert.Equal(t, want, account.DeviceOf(ua), ua)
	}
}

func TestATicketIsGoodForItsPurposeAndItsTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u, tokens := b.maria(t)
	ticket, expires, err := b.Ticket(account.PurposeFile, u.ID, "file-1", 5*time.Minute)
	require.NoError(t, err)
	assert.Equal(t, b.clock().Add(5*time.Minute), expires)
	user, subject, err := b.Redeem(account.PurposeFile, ticket)
	require.NoError(t, err)
	assert.Equal(t, []string{u.ID, "file-1"}, []string{user, subject})
	_, _, err = b.Redeem(account.PurposeExport, ticket)
	requireCode(t, account.CodeUnauthenticated, err)
	_, err = b.Authenticate(t.Context(), ticket)
	requireCode(t, account.CodeUnauthenticated, err)
	_, _, err = b.Redeem(account.PurposeFile, tokens.AccessToken)
	requireCode(t, account.CodeUnauthenticated, err)
	b.advance(5*time.Minute + time.Second)
	_, _, err = b.Redeem(account.PurposeFile, ticket)
	requireCode(t, account.CodeUnauthenticated, err)
}

func TestWhatAdminsDoIsWrittenDownFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u, _ := b.maria(t)
	_, err := b.SetPlan(t.Context(), "admin", u.Email, account.PlanPremium)
	require.NoError(t, err)
	found, err := b.LookUp(t.Context(), "admin", "MARIA@example.com")
	require.NoError(t, err)
	assert.Equal(t, account.PlanPremium, found.Plan)
	log, err := b.AuditLog(t.Context(), "admin", 10)
	require.NoError(t, err)
	var actions []account.AuditAction
	for _, e := range log {
		actions = append(actions, e.Action)
		assert.Equal(t, "admin", e.ActorID)
		assert.NotContains(t, e.Detail, "maria")
	}
	assert.Equal(t, []account.AuditAction{account.AuditAuditLogRead, account.AuditUserLookedUp, account.AuditPlanChanged}, actions)
	_, err = b.SetPlan(t.Context(), "admin", "nobody@example.com", account.PlanPremium)
	requireCode(t, account.CodeNotFound, err)
}
