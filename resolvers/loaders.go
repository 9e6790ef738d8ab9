package resolvers

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/mercadoesperto/smarket/graph/model"
	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/product"
	"github.com/mercadoesperto/smarket/internal/spending"
)

// loaders find, for the viewer and for one response, what objects of lists have in other places, all of a list at once.
type loaders struct {
	invoices  *loader[*invoice.Invoice]
	items     *loader[invoice.Item]
	products  *loader[*product.Product]
	insights  *loader[[]*insight.Insight] // by invoice
	analyses  *loader[*insight.Analysis]  // by invoice
	revisions *loader[[]invoice.Revision] // by invoice
}

func (r *Resolver) newLoaders(userID string) *loaders {
	l := &loaders{}
	l.invoices = newLoader(func(ctx context.Context, ids []string) (map[string]*invoice.Invoice, error) {
		found, err := r.Invoices.InvoicesByID(ctx, userID, ids)
		for _, inv := range found {
			l.sawInvoice(inv)
		}
		return found, err
	})
	l.items = newLoader(func(ctx context.Context, ids []string) (map[string]invoice.Item, error) {
		found, err := r.Invoices.ItemsByID(ctx, userID, ids)
		for _, item := range found {
			l.products.want(item.ProductID)
		}
		return found, err
	})
	l.products = newLoader(func(ctx context.Context, ids []string) (map[string]*product.Product, error) {
		return r.Products.Products(ctx, userID, ids)
	})
	l.insights = newLoader(func(ctx context.Context, invoiceIDs []string) (map[string][]*insight.Insight, error) {
		found, err := r.Insights.InsightsOf(ctx, userID, invoiceIDs)
		for _, list := range found {
			l.sawInsights(list...)
		}
		return found, err
	})
	l.analyses = newLoader(func(ctx context.Context, invoiceIDs []string) (map[string]*insight.Analysis, error) {
		return r.Insights.Analyses(ctx, userID, invoiceIDs)
	})
	l.revisions = newLoader(func(ctx context.Context, invoiceIDs []string) (map[string][]invoice.Revision, error) {
		return r.Invoices.Revisions(ctx, userID, invoiceIDs)
	})
	return l
}

type loadersKey struct{}

// loadersOf are the loaders of the response. It fails with an UNAUTHENTICATED *account.Error when nobody is signed in.
func loadersOf(ctx context.Context) (*loaders, error) {
	if _, err := viewer(ctx); err != nil {
		return nil, err
	}
	l, ok := ctx.Value(loadersKey{}).(*loaders)
	if !ok {
		return nil, errors.New("the executor does not use the extension Loaders")
	}
	return l, nil
}

// Loaders is what the executor must use for fields to be found in batches.
func (r *Resolver) Loaders() graphql.HandlerExtension { return batching{r} }

// batching gives every response loaders of its own: an event of a subscription must not see what an earlier one found, nor a
// mutation what was there before it.
type batching struct{ resolver *Resolver }

var _ interface {
	graphql.ResponseInterceptor
	graphql.RootFieldInterceptor
	graphql.FieldInterceptor
} = batching{}

// ExtensionName implements graphql.HandlerExtension.
func (batching) ExtensionName() string { return "Loaders" }

// Validate implements graphql.HandlerExtension.
func (batching) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptResponse implements graphql.ResponseInterceptor.
func (b batching) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	return next(b.withLoaders(ctx))
}

// InterceptRootField implements graphql.RootFieldInterceptor: mutations run one after the other.
func (b batching) InterceptRootField(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	if graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation {
		ctx = b.withLoaders(ctx)
	}
	return next(ctx)
}

// InterceptField implements graphql.FieldInterceptor: it notes what is likely to be asked of what a field answered.
func (b batching) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	v, err := next(ctx)
	if l, ok := ctx.Value(loadersKey{}).(*loaders); ok && err == nil {
		l.saw(v)
	}
	return v, err
}

func (b batching) withLoaders(ctx context.Context) context.Context {
	v, ok := account.ViewerFrom(ctx)
	if !ok {
		return ctx
	}
	return context.WithValue(ctx, loadersKey{}, b.resolver.newLoaders(v.UserID))
}

// saw tells the loaders what a field's value leads to. Types that lead nowhere are passed by, and so is what the loaders
// found: they looked at it themselves, all at once.
func (l *loaders) saw(v any) {
	switch v := v.(type) {
	case *model.InvoiceConnection:
		for _, inv := range v.Nodes {
			l.sawInvoice(inv)
		}
		for _, inv := range v.Nodes { // once all are seen: who finds one goes on with what it leads to
			l.invoices.put(inv.ID, inv)
		}
	case *invoice.Invoice:
		if v != nil {
			l.sawInvoice(v)
			l.invoices.put(v.ID, v)
		}
	case *model.InsightConnection:
		l.sawInsights(v.Nodes...)
	case *insight.Insight:
		l.sawInsights(v)
	case []*spending.PricePoint:
		for _, p := range v {
			l.invoices.want(p.InvoiceID)
		}
	case []*spending.BasketOffer:
		for _, o := range v {
			l.sawOffer(o)
		}
	}
}

func (l *loaders) sawInvoice(inv *invoice.Invoice) {
	if inv == nil {
		return
	}
	l.insights.want(inv.ID)
	l.analyses.want(inv.ID)
	l.revisions.want(inv.ID)
	if inv.Duplicate != nil {
		l.invoices.want(inv.Duplicate.InvoiceID)
	}
	for i := range inv.Items {
		l.products.want(inv.Items[i].ProductID)
	}
}

func (l *loaders) sawInsights(list ...*insight.Insight) {
	for _, i := range list {
		if i != nil {
			l.invoices.want(i.InvoiceID)
			l.items.want(i.ItemIDs...)
		}
	}
}

func (l *loaders) sawOffer(o *spending.BasketOffer) {
	l.products.want(o.Missing...)
	for i := range o.Found {
		l.products.want(o.Found[i].ProductID)
	}
}
