package graph

import (
	"context"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/complexity"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/mercadoesperto/smarket/graph/generated"
	"github.com/mercadoesperto/smarket/graph/model"
	"github.com/mercadoesperto/smarket/graph/relay"
	"github.com/mercadoesperto/smarket/internal/spending"
)

// What a query may be like. An invoice with everything it has is about 200 fields, 300 tokens and 9 levels.
const (
	maxQueryBytes = 32 << 10
	maxTokens     = 1500 // validation takes time quadratic in them
	maxDepth      = 15   // the playground's introspection query has 14
	maxNodes      = 1000 // fields and fragments, fragments counted where they are spread
	maxAliases    = 50
	maxDirectives = 50
	// maxMutations is how many mutations one request may hold: each has its own price, and aliases would multiply tries of a
	// password.
	maxMutations = 5
	// maxComplexity lets 100 invoices be read with everything that was read from them, or 20 with their insights, products and
	// revisions too.
	maxComplexity = 12_000
	// lookUpCost is finding an object that another one names. It is found together with those of the other objects of its list,
	// but it is a whole one.
	lookUpCost = 10
	// typicalList is how many insights an invoice, pieces of evidence an insight, and revisions a corrected invoice has.
	typicalList = 4
	// usageCost is adding up the calls of up to a year; reportCost adding up purchases.
	usageCost  = 1000
	reportCost = 1000
	// maxPrices and maxGroups are how many prices a history and groups a report have at most.
	maxPrices = 500
	maxGroups = 200
	// exportCost is writing all purchases: one of them fits into a request.
	exportCost = 8000
	// maxBasket is how many lines a basket has at most.
	maxBasket = 100
)

// complexityRoot prices what costs more than its fields.
func complexityRoot() generated.ComplexityRoot {
	var c generated.ComplexityRoot
	c.Query.Invoices = func(
		child int, first *int, _ *string, last *int, _ *string, _ *model.InvoiceFilter, _ *model.InvoiceOrder,
	) int {
		return pageCost(child, first, last)
	}
	c.Query.Insights = func(child int, first *int, _ *string, _ *model.InsightFilter, _ model.InsightOrder) int {
		return pageCost(child, first, nil)
	}
	c.Query.Products = func(child int, _ *string, first *int, _ *string) int { return pageCost(child, first, nil) }
	c.Query.Usage = func(child int, _ model.DateRangeInput) int { return usageCost + child }
	c.Query.Spending = func(child int, _ model.DateRangeInput, _ spending.Group) int { return reportCost + child }
	c.Query.ExportPurchases = func(child int, _ model.ExportFormat, _ *model.DateRangeInput) int { return exportCost + child }
	c.Query.PriceHistory = func(child int, _ string, _ *model.DateRangeInput) int { return 1 + maxPrices*child }
	c.Query.Basket = func(child int, lines []*model.BasketLineInput) int {
		return reportCost + min(max(len(lines), 1), maxBasket)*child
	}
	c.SpendingReport.Groups = func(child int) int { return 1 + maxGroups*child }
	lookUp := func(child int) int { return lookUpCost + child }
	c.Duplicate.Invoice, c.ExtractionEvent.Invoice, c.Insight.Invoice, c.PricePoint.Invoice = lookUp, lookUp, lookUp, lookUp
	list := func(child int) int { return 1 + typicalList*child }
	c.Invoice.Insights, c.Invoice.Revisions, c.Insight.Evidence = list, list, list
	return c
}

// pageCost is the price of a connection: that of one edge for each.
func pageCost(child int, first, last *int) int {
	n := relay.DefaultPage
	if first != nil {
		n = *first
	} else if last != nil {
		n = *last
	}
	return 1 + min(max(n, 1), relay.MaxPage)*child
}

// checkLimits refuses operations that would cost too much to execute. The walk comes first and is bounded itself: pricing
// fragments that spread one another takes exponential time.
func (h *Handler) checkLimits(ctx context.Context, op *graphql.OperationContext) error {
	w := walker{introspection: h.Introspection}
	if op.Operation.Operation == ast.Mutation && len(op.Operation.SelectionSet) > maxMutations {
		return &requestError{message: "The request holds too many mutations."}
	}
	if err := w.walk(op.Operation.SelectionSet, 1); err != nil {
		return err
	}
	if complexity.Calculate(ctx, h.schema, op.Operation, op.Variables) > maxComplexity {
		return &requestError{message: "The operation asks for too much at once."}
	}
	return nil
}

// walker counts what an operation selects, in the order it would be executed.
type walker struct {
	introspection              bool
	nodes, aliases, directives int
}

func (w *walker) walk(set ast.SelectionSet, depth int) error {
	if depth > maxDepth {
		return &requestError{message: "The operation is nested too deeply."}
	}
	for _, s := range set {
		var err error
		switch s := s.(type) {
		case *ast.Field:
			err = w.field(s, depth)
		case *ast.InlineFragment:
			w.directives += len(s.Directives)
			err = w.enter(s.SelectionSet, depth)
		case *ast.FragmentSpread:
			w.directives += len(s.Directives)
			err = w.enter(s.Definition.SelectionSet, depth)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) field(f *ast.Field, depth int) error {
	w.directives += len(f.Directives)
	if f.Alias != f.Name {
		w.aliases++
	}
	if strings.HasPrefix(f.Name, "__") && f.Name != "__typename" && !w.introspection {
		return &requestError{message: "The schema cannot be queried here."}
	}
	for _, a := range f.Arguments {
		if err := checkInts(a.Value); err != nil {
			return err
		}
	}
	return w.enter(f.SelectionSet, depth+1)
}

// checkInts refuses a literal beyond the 32 bits of an Int before anything is executed. Variables were checked when they were read.
func checkInts(v *ast.Value) error {
	if v.Kind == ast.IntValue && v.Definition != nil && v.Definition.Name == "Int" {
		if _, err := strconv.ParseInt(v.Raw, 10, 32); err != nil {
			return &requestError{message: "Int takes a whole number of 32 bits."}
		}
	}
	for _, child := range v.Children {
		if err := checkInts(child.Value); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) enter(set ast.SelectionSet, depth int) error {
	w.nodes++
	if w.nodes > maxNodes || w.aliases > maxAliases || w.directives > maxDirectives {
		return &requestError{message: "The operation has too many fields, aliases or directives."}
	}
	if len(set) == 0 {
		return nil
	}
	return w.walk(set, depth)
}
