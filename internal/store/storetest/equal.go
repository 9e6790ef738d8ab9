package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// EqualInvoices compares two invoices: times as moments, decimals as numbers.
func EqualInvoices(tb testing.TB, want, got *invoice.Invoice) {
	tb.Helper()
	assert.Equal(tb, normal(tb, want), normal(tb, got))
}

// normal is a copy with times in UTC and decimals in their shortest form.
func normal(tb testing.TB, inv *invoice.Invoice) *invoice.Invoice {
	tb.Helper()
	require.NotNil(tb, inv)
	b, err := json.Marshal(inv)
	require.NoError(tb, err)
	var c invoice.Invoice
	require.NoError(tb, json.Unmarshal(b, &c))
	shorten := func(d decimal.Decimal) decimal.Decimal {
		s, err := decimal.NewFromString(d.String())
		require.NoError(tb, err)
		return s
	}
	for i := range c.Items {
		c.Items[i].Quantity, c.Items[i].UnitPrice = shorten(c.Items[i].Quantity), shorten(c.Items[i].UnitPrice)
	}
	for i := range c.Attempts {
		c.Attempts[i].StartedAt, c.Attempts[i].FinishedAt = c.Attempts[i].StartedAt.UTC(), c.Attempts[i].FinishedAt.UTC()
	}
	times := []**time.Time{&c.IssuedAt, &c.ConfirmedAt}
	for i := range c.Files {
		times = append(times, &c.Files[i].RemovedAt)
	}
	for _, at := range times {
		if *at != nil {
			*at = new((*at).UTC())
		}
	}
	c.CreatedAt, c.UpdatedAt = c.CreatedAt.UTC(), c.UpdatedAt.UTC()
	return &c
}

// equalUsers compares two users, times as moments.
func equalUsers(tb testing.TB, want, got *account.User) {
	tb.Helper()
	w, g := *want, *got
	for _, u := range []*account.User{&w, &g} {
		u.CreatedAt, u.UpdatedAt = u.CreatedAt.UTC(), u.UpdatedAt.UTC()
		consents := make(map[string]time.Time, len(u.Consents))
		for p, at := range u.Consents {
			consents[p] = at.UTC()
		}
		u.Consents = consents
	}
	assert.Equal(tb, w, g)
}

// equalSessions compares two sessions, times as moments.
func equalSessions(tb testing.TB, want, got *account.Session) {
	tb.Helper()
	w, g := *want, *got
	for _, s := range []*account.Session{&w, &g} {
		s.CreatedAt, s.ExpiresAt = s.CreatedAt.UTC(), s.ExpiresAt.UTC()
		for _, at := range []**time.Time{&s.ReplacedAt, &s.RevokedAt} {
			if *at != nil {
				*at = new((*at).UTC())
			}
		}
	}
	assert.Equal(tb, w, g)
}
