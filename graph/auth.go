package graph

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/internal/account"
)

type tokenKey struct{}

// authenticate puts the viewer into ctx. Without a token, and with one that is not good, the request goes on as nobody's: the
// fields that need somebody say UNAUTHENTICATED, the others, such as refreshSession, work. An error is the service's own.
func (h *Handler) authenticate(ctx context.Context, header string) (context.Context, error) {
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return ctx, nil
	}
	viewer, err := h.Accounts.Authenticate(ctx, token)
	if isUnauthenticated(err) {
		return ctx, nil
	}
	if err != nil {
		return ctx, fmt.Errorf("authenticate: %w", err)
	}
	return context.WithValue(account.WithViewer(ctx, viewer), tokenKey{}, token), nil
}

func isUnauthenticated(err error) bool {
	e, ok := errors.AsType[*account.Error](err)
	return ok && e.Code == account.CodeUnauthenticated
}

// sessionOver waits until the session of ctx's viewer is over: its token expired, it was signed out, or the user was deleted.
// It returns false when ctx ended first, and waits for nothing else when nobody is signed in.
func (h *Handler) sessionOver(ctx context.Context) bool {
	viewer, ok := account.ViewerFrom(ctx)
	if !ok {
		<-ctx.Done()
		return false
	}
	token, _ := ctx.Value(tokenKey{}).(string)
	expiry := time.NewTimer(time.Until(viewer.ExpiresAt))
	defer expiry.Stop()
	recheck := time.NewTicker(h.Timing.Recheck)
	defer recheck.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-expiry.C:
			return true
		case <-recheck.C:
			// Another error is a fault of the service: it must not throw everybody out.
			if _, err := h.Accounts.Authenticate(ctx, token); isUnauthenticated(err) {
				return true
			}
		}
	}
}

// errSessionOver ends a stream whose session is over.
func errSessionOver() error {
	return &account.Error{Code: account.CodeUnauthenticated, Message: "Sessão inválida ou expirada. Entre de novo."}
}
