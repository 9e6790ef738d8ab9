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
