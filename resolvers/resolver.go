// Package resolvers answers the fields of the GraphQL API. A resolver converts what came in, calls one method of a service and
// returns; what went wrong is made presentable by package graph, and everything else is the services' own affair.
package resolvers

import (
	"context"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/usage"
)

// Accounts is what the resolvers need of the accounts. Implemented by account.Service.
type Accounts interface {
	SignUp(ctx context.Context, in account.SignUpInput) (*account.User, account.Tokens, error)
	SignIn(ctx context.Context, email, password string) (*account.User, account.Tokens, error)
	Refresh(ctx context.Context, refreshToken string) (*account.User, account.Tokens, error)
	SignOut(ctx context.Context, sessionID string) error
	User(ctx context.Context, id string) (*account.User, error)
	UpdateHousehold(ctx context.Context, userID string, in account.HouseholdInput) (*account.User, error)
}

// Invoices is what the resolvers need of the invoices. Implemented by invoice.Service.
type Invoices interface {
	Submit(ctx context.Context, in invoice.SubmitInput) (invoice.Submission, error)
	Invoice(ctx context.Context, userID, id string) (*invoice.Invoice, error)
	List(ctx context.Context, q invoice.ListQuery) (invoice.Page, error)
	Retry(ctx context.Context, userID, id string, allowDuplicate bool) (*invoice.Invoice, error)
	Cancel(ctx context.Context, userID, id string) (*invoice.Invoice, error)
	Delete(ctx context.Context, userID, id string) error
	// Watch and WatchAll close the channel when ctx ends.
	Watch(ctx context.Context, userID, id string, afterSeq *int) (<-chan invoice.Event, error)
	WatchAll(ctx context.Context, userID string) (<-chan invoice.Event, error)
}

// Usage is what the resolvers need of the accounts of calls. Implemented by usage.Service.
type Usage interface {
	// Report is everybody's with userID "".
	Report(ctx context.Context, userID string, period usage.Period) (*usage.Report, error)
}

var (
	_ Accounts = (*account.Service)(nil)
	_ Invoices = (*invoice.Service)(nil)
	_ Usage    = (*usage.Service)(nil)
)

// Resolver is the root of all resolvers.
type Resolver struct {
	Accounts Accounts
	Invoices Invoices
	Usage    Usage
}

// viewer is who asks; an UNAUTHENTICATED *account.Error when nobody is signed in.
func viewer(ctx context.Context) (account.Viewer, error) {
	v, ok := account.ViewerFrom(ctx)
	if !ok {
		return v, &account.Error{Code: account.CodeUnauthenticated, Message: "Entre na sua conta para continuar."}
	}
	return v, nil
}

// viewerAndInvoiceID is who asks, and the uuid in the invoice's opaque id.
func viewerAndInvoiceID(ctx context.Context, opaque string) (account.Viewer, string, error) {
	v, err := viewer(ctx)
	if err != nil {
		return v, "", err
	}
	id, err := fromInvoiceID(opaque)
	return v, id, err
}

// mayBeGone is the viewer's invoice that something else names; nil when it was deleted meanwhile.
func (r *Resolver) mayBeGone(ctx context.Context, id string) (*invoice.Invoice, error) {
	v, err := viewer(ctx)
	if err != nil {
		return nil, err
	}
	inv, err := r.Invoices.Invoice(ctx, v.UserID, id)
	if err != nil && invoice.CodeOf(err) == invoice.CodeNotFound {
		return nil, nil //nolint:nilnil // the schema's null
	}
	return inv, err
}
