package app

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/store"
)

// people tells the analyses for whom a user buys.
type people struct {
	accounts *account.Service
	store    *store.Accounts
}

var _ insight.People = people{}

// Household implements insight.People.
func (p people) Household(ctx context.Context, userID string) (insight.Household, error) {
	user, err := p.accounts.User(ctx, userID)
	if err != nil {
		return insight.Household{}, fmt.Errorf("look up a household: %w", err)
	}
	h := user.Household
	return insight.Household{Income: h.Income, Adults: h.Adults, Children: h.Children}, nil
}

// Premium implements insight.People.
func (p people) Premium(ctx context.Context, tx *sql.Tx, userID string) (bool, error) {
	plan, err := p.store.PlanIn(ctx, tx, userID)
	return plan == account.PlanPremium, err
}
