package app

import (
	"context"
	"fmt"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/providers"
)

// consents asks the accounts which providers abroad a user's documents may go to: none but those that the user has named.
type consents struct{ accounts *account.Service }

var _ providers.Consents = consents{}

// Allowed implements providers.Consents. Without a user it is the operator who reads a document of their own, from the shell:
// whoever can do that chooses the providers too. It fails when the account was deleted, or cannot be looked up: then nothing
// may leave.
func (c consents) Allowed(ctx context.Context, userID string) (func(provider string) bool, error) {
	if userID == "" {
		return func(string) bool { return true }, nil
	}
	user, err := c.accounts.User(ctx, userID)
	if err != nil {
		return nil, fmt.Errorf("look up consents: %w", err)
	}
	return func(provider string) bool {
		_, given := user.Consents[provider]
		return given
	}, nil
}
