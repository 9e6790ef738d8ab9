package account_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/account"
)

func TestAnOperatorMakesAccountsWhereSignUpIsClosed(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *account.Config) { c.SignUpEnabled = false })
	made, err := b.CreateUser(t.Context(), account.SignUpInput{Email: "Ana@Example.com", Password: password, Name: "Ana"},
		account.RoleAdmin, account.PlanPremium)
	require.NoError(t, err)
	user, _, err := b.SignIn(t.Context(), "ana@example.com", password, "")
	require.NoError(t, err)
	assert.Equal(t, made.ID, user.ID)
	assert.Equal(t, account.RoleAdmin, user.Role)
	assert.Equal(t, account.PlanPremium, user.Plan)
}

func TestAChangedRoleCountsForTokensThatAreOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, tokens, err := b.SignUp(t.Context(), account.SignUpInput{Email: "ana@example.com", Password: password, Name: "Ana"})
	require.NoError(t, err)
	_, err = b.SetRoleAndPlan(t.Context(), "ANA@example.com", account.RoleAdmin, account.PlanPremium)
	require.NoError(t, err)
	viewer, err := b.Authenticate(t.Context(), tokens.AccessToken)
	require.NoError(t, err)
	assert.Equal(t, account.RoleAdmin, viewer.Role)
}

func TestChangingTheRoleOfNobodyIsNotFound(t *testing.T) {
	t.Parallel()
	_, err := setup(t).SetRoleAndPlan(t.Context(), "nobody@example.com", account.RoleAdmin, account.PlanFree)
	var e *account.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, account.CodeNotFound, e.Code)
}

func TestWhatIsDoneFromTheShellIsWrittenDownWithoutAnActor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made, err := b.CreateUser(t.Context(), account.SignUpInput{Email: "ana@example.com", Password: password, Name: "Ana"},
		account.RoleUser, account.PlanFree)
	require.NoError(t, err)
	_, err = b.SetRoleAndPlan(t.Context(), "ana@example.com", account.RoleAdmin, account.PlanPremium)
	require.NoError(t, err)
	b.maria(t) // who signs up does so herself
	log, err := b.AuditLog(t.Context(), made.ID, 10)
	require.NoError(t, err)
	require.Len(t, log, 3)
	for i, want := range []account.AuditEntry{
		{ActorID: made.ID, Action: account.AuditAuditLogRead},
		{SubjectID: made.ID, Action: account.AuditPlanChanged, Detail: "ADMIN, PREMIUM"},
		{SubjectID: made.ID, Action: account.AuditUserCreated, Detail: "USER, FREE"},
	} {
		log[i].ID, log[i].At = "", want.At
		assert.Equal(t, want, log[i])
	}
}

func TestLookingForNobodyIsWrittenDownToo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.LookUp(t.Context(), "admin", "nobody@example.com")
	requireCode(t, account.CodeNotFound, err)
	log, err := b.AuditLog(t.Context(), "admin", 10)
	require.NoError(t, err)
	require.Len(t, log, 2)
	assert.Equal(t, account.AuditUserLookedUp, log[1].Action)
	assert.Empty(t, log[1].SubjectID)
	assert.Empty(t, log[1].Detail, "not even the address that was tried")
}
