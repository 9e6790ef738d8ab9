// Package resolvers answers the fields of the GraphQL API. A resolver converts what came in, calls one method of a service and
// returns; what went wrong is made presentable by package graph, and everything else is the services' own affair.
package resolvers

import (
	"context"
	"errors"
	"time"

	"github.com/mercadoesperto/smarket/graph/relay"
	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/fleet"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/privacy"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/spending"
	"github.com/mercadoesperto/smarket/internal/usage"
)

// Accounts is what the resolvers need of the accounts. Implemented by account.Service.
type Accounts interface {
	SignUp(ctx context.Context, in account.SignUpInput) (*account.User, account.Tokens, error)
	SignIn(ctx context.Context, email, password, device string) (*account.User, account.Tokens, error)
	Refresh(ctx context.Context, refreshToken string) (*account.User, account.Tokens, error)
	SignOut(ctx context.Context, sessionID string) error
	User(ctx context.Context, id string) (*account.User, error)
	UpdateHousehold(ctx context.Context, userID string, in account.HouseholdInput) (*account.User, error)
	// SignIns marks the one of sessionID as the current one.
	SignIns(ctx context.Context, userID, sessionID string) ([]account.SignIn, error)
	SignOutDevice(ctx context.Context, userID, signInID string) error
	ChangePassword(ctx context.Context, userID, sessionID, current, next string) (*account.User, error)
	// LookUp, SetPlan and AuditLog are for admins, and write down who asks; Audit does that for what other services answer.
	LookUp(ctx context.Context, actorID, email string) (*account.User, error)
	SetPlan(ctx context.Context, actorID, email string, plan account.Plan) (*account.User, error)
	AuditLog(ctx context.Context, actorID string, limit int) ([]account.AuditEntry, error)
	Audit(ctx context.Context, e account.AuditEntry) error
}

// Privacy is what the resolvers need for the LGPD. Implemented by privacy.Service.
type Privacy interface {
	// Delete fails with BAD_USER_INPUT when the password is not the user's.
	Delete(ctx context.Context, userID, password string) error
}

// Links makes addresses that browsers fetch without a token, good for minutes. Implemented in internal/app.
type Links interface {
	Export(userID string) (url string, expires time.Time, err error)
	File(userID, invoiceID string, position int) (url string, err error)
}

// Invoices is what the resolvers need of the invoices. Implemented by invoice.Service.
type Invoices interface {
	Submit(ctx context.Context, in invoice.SubmitInput) (invoice.Submission, error)
	Invoice(ctx context.Context, userID, id string) (*invoice.Invoice, error)
	List(ctx context.Context, q invoice.ListQuery) (invoice.Page, error)
	Retry(ctx context.Context, userID, id string, allowDuplicate bool) (*invoice.Invoice, error)
	Cancel(ctx context.Context, userID, id string) (*invoice.Invoice, error)
	Delete(ctx context.Context, userID, id string) error
	Correct(ctx context.Context, userID string, c invoice.Correction) (*invoice.Invoice, error)
	Confirm(ctx context.Context, userID, id string, expectedVersion int) (*invoice.Invoice, error)
	// InvoicesByID, ItemsByID and Revisions find many at once, and leave out what is not the user's.
	InvoicesByID(ctx context.Context, userID string, ids []string) (map[string]*invoice.Invoice, error)
	ItemsByID(ctx context.Context, userID string, ids []string) (map[string]invoice.Item, error)
	Revisions(ctx context.Context, userID string, ids []string) (map[string][]invoice.Revision, error)
	// Watch and WatchAll close the channel when ctx ends.
	Watch(ctx context.Context, userID, id string, afterSeq *int) (<-chan invoice.Event, error)
	WatchAll(ctx context.Context, userID string) (<-chan invoice.Event, error)
}

// Products is what the resolvers need of the products. Implemented by product.Catalogue.
type Products interface {
	List(ctx context.Context, q product.ListQuery) (product.Page, error)
	// Products are those of the ids that are the user's.
	Products(ctx context.Context, userID string, ids []string) (map[string]*product.Product, error)
	Categories() []product.Category
	Category(id string) product.Category
}

// Spending is what the resolvers need of the reports. Implemented by spending.Service. A nil period is all days.
type Spending interface {
	Report(ctx context.Context, userID string, period spending.Period, by spending.Group) (*spending.Report, error)
	History(ctx context.Context, userID, productID string, period *spending.Period) ([]spending.PricePoint, error)
	Basket(ctx context.Context, userID string, lines []spending.BasketLine) ([]spending.BasketOffer, error)
	Export(ctx context.Context, userID string, period *spending.Period) ([]spending.Purchase, error)
}

// Insights is what the resolvers need of the insights and analyses. Implemented by insight.Service.
type Insights interface {
	List(ctx context.Context, q insight.ListQuery) (insight.Page, error)
	Insight(ctx context.Context, userID, id string) (*insight.Insight, error)
	Mark(ctx context.Context, userID, id string, mark insight.Mark, set bool) (*insight.Insight, error)
	// Request answers how the invoice will be analysed, or why it will not, which is not always what is stored.
	Request(ctx context.Context, userID, invoiceID string) (*insight.Analysis, error)
	InsightsOf(ctx context.Context, userID string, invoiceIDs []string) (map[string][]*insight.Insight, error)
	Analyses(ctx context.Context, userID string, invoiceIDs []string) (map[string]*insight.Analysis, error)
}

// Usage is what the resolvers need of the accounts of calls. Implemented by usage.Service.
type Usage interface {
	// Report is everybody's with userID "".
	Report(ctx context.Context, userID string, period usage.Period) (*usage.Report, error)
}

// Providers is what the resolvers need of the providers. Implemented by fleet.Service.
type Providers interface {
	Providers(ctx context.Context, admin bool) ([]*fleet.Provider, error)
	Set(ctx context.Context, actorID string, c fleet.Change) (*fleet.Provider, error)
	Reload(ctx context.Context, actorID string) (*fleet.Reloading, error)
}

var (
	_ Accounts  = (*account.Service)(nil)
	_ Invoices  = (*invoice.Service)(nil)
	_ Products  = (*product.Catalogue)(nil)
	_ Spending  = (*spending.Service)(nil)
	_ Insights  = (*insight.Service)(nil)
	_ Usage     = (*usage.Service)(nil)
	_ Privacy   = (*privacy.Service)(nil)
	_ Providers = (*fleet.Service)(nil)
)

// Resolver is the root of all resolvers.
type Resolver struct {
	Accounts  Accounts
	Invoices  Invoices
	Products  Products
	Spending  Spending
	Insights  Insights
	Usage     Usage
	Privacy   Privacy
	Links     Links
	Providers Providers
}

// viewer is who asks; an UNAUTHENTICATED *account.Error when nobody is signed in.
func viewer(ctx context.Context) (account.Viewer, error) {
	v, ok := account.ViewerFrom(ctx)
	if !ok {
		return v, &account.Error{Code: account.CodeUnauthenticated, Message: "Entre na sua conta para continuar."}
	}
	return v, nil
}

// maxAuditLog is how many entries of the audit log are answered at once.
const maxAuditLog = 200

// admin is who asks; UNAUTHENTICATED when nobody is signed in, FORBIDDEN when they do not look after the service.
func admin(ctx context.Context) (account.Viewer, error) {
	v, err := viewer(ctx)
	if err == nil && v.Role != account.RoleAdmin {
		err = &account.Error{Code: account.CodeForbidden, Message: "Só quem administra o serviço pode fazer isto."}
	}
	return v, err
}

// forAdmin is a user as admins see them: what a family earns is none of the operator's business.
func forAdmin(u *account.User) *account.User {
	shown := *u
	shown.Household.Income = nil
	return &shown
}

// orNobody takes a NOT_FOUND error from a look-up that answers null instead.
func orNobody(err error) error {
	if e, ok := errors.AsType[*account.Error](err); ok && e.Code == account.CodeNotFound {
		return nil
	}
	return err
}

// auditUsage writes down that an admin reads what everybody's calls cost.
func (r *Resolver) auditUsage(ctx context.Context, v account.Viewer) error {
	if v.Role != account.RoleAdmin {
		return nil
	}
	return r.Accounts.Audit(ctx, account.AuditEntry{ActorID: v.UserID, Action: account.AuditUsageRead})
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

// viewerAndInsightID is who asks, and the uuid in the insight's opaque id.
func viewerAndInsightID(ctx context.Context, opaque string) (account.Viewer, string, error) {
	v, err := viewer(ctx)
	if err != nil {
		return v, "", err
	}
	id, err := fromInsightID(opaque)
	return v, id, err
}

// viewerAndProductID is who asks, and the uuid in the product's opaque id.
func viewerAndProductID(ctx context.Context, opaque string) (account.Viewer, string, error) {
	v, err := viewer(ctx)
	if err != nil {
		return v, "", err
	}
	id, err := fromProductID(opaque)
	return v, id, err
}

// mayBeGone is the viewer's invoice that something else names; nil when it was deleted meanwhile.
func mayBeGone(ctx context.Context, id string) (*invoice.Invoice, error) {
	l, err := loadersOf(ctx)
	if err != nil {
		return nil, err
	}
	return l.invoices.load(ctx, id)
}

// answered is the invoice that an analysis was asked for, which shows that answer and not what is stored: the two differ when the
// invoice was analysed already.
func answered(ctx context.Context, a *insight.Analysis) (*invoice.Invoice, error) {
	l, err := loadersOf(ctx)
	if err != nil {
		return nil, err
	}
	l.analyses.put(a.InvoiceID, a)
	inv, err := l.invoices.load(ctx, a.InvoiceID)
	if inv == nil && err == nil {
		return nil, invoice.NotFound("Nota") // deleted meanwhile
	}
	return inv, err
}

// categories are those of the ids.
func (r *Resolver) categories(ids []string) []*product.Category {
	list := make([]*product.Category, len(ids))
	for i, id := range ids {
		list[i] = new(r.Products.Category(id))
	}
	return list
}

// productOf is the viewer's product; nil when there is none, or no id.
func productOf(ctx context.Context, id string) (*product.Product, error) {
	l, err := loadersOf(ctx)
	if err != nil || id == "" {
		return nil, err
	}
	return l.products.load(ctx, id)
}

// node is the viewer's object of the type; a NOT_FOUND *invoice.Error when there is none.
func (r *Resolver) node(ctx context.Context, v account.Viewer, typ, id string) (relay.Node, error) {
	switch typ {
	case relay.TypeInvoice:
		return r.Invoices.Invoice(ctx, v.UserID, id)
	case relay.TypeInsight:
		return r.Insights.Insight(ctx, v.UserID, id)
	case relay.TypeProduct:
		if p, err := productOf(ctx, id); p != nil || err != nil {
			return p, err
		}
	case relay.TypeUser:
		if id == v.UserID {
			return r.Accounts.User(ctx, id)
		}
	}
	return nil, &invoice.Error{Code: invoice.CodeNotFound, Message: "Não encontrado."}
}
