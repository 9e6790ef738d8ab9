package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/usage"
	"github.com/mercadoesperto/smarket/providers"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// on is a day on which the built-in prices are in force.
var on = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func filledCall() providers.Call {
	return providers.Call{
		UserID: "u", InvoiceID: "i", Task: sdk.TaskExtract, Provider: "gemini", Model: "m", Local: true, Attempt: 1, InputBytes: 2, Pictures: 3,
		MaxOutputTokens: 4, StartedAt: on,
	}
}

func filledUsage() sdk.Usage {
	return sdk.Usage{
		InputTokens: 1, CachedInputTokens: 2, CacheWriteTokens: 3, OutputTokens: 4, ThinkingTokens: 5, CostMicroUSD: new(int64(6)),
	}
}

func TestNothingOfACallIsLostOnTheWayToTheLedger(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]any{
		"call": filledCall(), "used": filledUsage(), "to call": toCall(filledCall()), "to tokens": toTokens(filledUsage()),
	} {
		value := reflect.ValueOf(v)
		for i := range value.NumField() {
			assert.False(t, value.Field(i).IsZero(), "%s: %s", name, value.Type().Field(i).Name)
		}
	}
}

// setupLedger is the accounts and the ledger of an empty embedded installation.
func setupLedger(t *testing.T, environ ...string) (*account.Service, providers.Ledger, *store.DB) {
	t.Helper()
	cfg, err := config.Load(append(environ, "DATA_DIR="+t.TempDir()))
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	db, err := openStore(t.Context(), cfg, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, prepareSchema(t.Context(), cfg, db, log))
	accounts, err := newAccounts(cfg, db, log)
	require.NoError(t, err)
	service, err := newUsage(cfg, db, nil, log)
	require.NoError(t, err)
	return accounts, ledger{service}, db
}

func signUp(t *testing.T, accounts *account.Service) string {
	t.Helper()
	user, err := accounts.CreateUser(t.Context(), account.SignUpInput{Email: "ana@example.com", Password: "correct horse", Name: "Ana"},
		account.RoleUser, account.PlanFree)
	require.NoError(t, err)
	return user.ID
}

func TestTheLedgerKeepsTheBudgetOfTheSettings(t *testing.T) {
	t.Parallel()
	accounts, l, db := setupLedger(t, "BUDGET_USER_DAILY_USD=0.0206", "BUDGET_DAILY_USD=0")
	call := providers.Call{
		UserID: signUp(t, accounts), Task: sdk.TaskExtract, Provider: "gemini", Model: "gemini-3.5-flash-lite", Attempt: 1,
		InputBytes: 400, StartedAt: on,
	}
	b, err := l.Reserve(t.Context(), call) // 30 + 8192 × 2.5
	require.NoError(t, err)
	end := providers.CallEnd{Outcome: "ok", Usage: sdk.Usage{InputTokens: 1000, OutputTokens: 100}, EndedAt: on.Add(time.Second)}
	require.NoError(t, b.Settle(t.Context(), end))
	require.NoError(t, l.Saved(t.Context(), call, end.Usage))
	refused, err := l.Reserve(t.Context(), call)
	assert.Equal(t, invoice.CodeQuotaExceeded, invoice.CodeOf(err))
	assert.Nil(t, refused)
	sums, err := store.NewUsage(db).Sums(t.Context(), call.UserID, "2000-01-01", "2999-12-31")
	require.NoError(t, err)
	require.Len(t, sums, 1)
	assert.Equal(t, usage.Totals{Calls: 1, Cached: 1, InputTokens: 1000, OutputTokens: 100, Cost: 550, SavedByCache: 550}, sums[0].Totals)
}

func TestAWrongPriceFileStopsTheStart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "prices.yaml")
	require.NoError(t, os.WriteFile(path, []byte("providers: {a: {models: {m: [{input: x}]}}}"), 0o600))
	cfg, err := config.Load([]string{"PRICES_FILE=" + path})
	require.NoError(t, err)
	_, err = newUsage(cfg, nil, nil, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "PRICES_FILE: ")
	require.ErrorContains(t, err, "a m, price 1: input: must be a plain number")
}

func TestOnlyProvidersThatTheUserNamedAreAllowed(t *testing.T) {
	t.Parallel()
	accounts, _, _ := setupLedger(t)
	c := consents{accounts}
	user := signUp(t, accounts)
	allowed, err := c.Allowed(t.Context(), user)
	require.NoError(t, err)
	assert.False(t, allowed("gemini"), "a new user has agreed to nothing")

	_, err = accounts.UpdateHousehold(t.Context(), user, account.HouseholdInput{Consents: map[string]bool{"gemini": true, "openai": true}})
	require.NoError(t, err)
	_, err = accounts.UpdateHousehold(t.Context(), user, account.HouseholdInput{Consents: map[string]bool{"openai": false}})
	require.NoError(t, err)
	allowed, err = c.Allowed(t.Context(), user)
	require.NoError(t, err)
	assert.True(t, allowed("gemini"))
	assert.False(t, allowed("openai"), "withdrawn")
	assert.False(t, allowed("anthropic"))

	allowed, err = c.Allowed(t.Context(), "")
	require.NoError(t, err)
	assert.True(t, allowed("gemini"), "the operator's own document")
	_, err = c.Allowed(t.Context(), "01890000-0000-7000-8000-000000000001")
	require.Error(t, err, "a deleted account")
}
