package graph

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/complexity"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/mercadoesperto/smarket/graph/generated"
	"github.com/mercadoesperto/smarket/graph/model"
	"github.com/mercadoesperto/smarket/graph/relay"
)

// What a query may be like. An invoice with everything it has is about 100 fields, 150 tokens and 6 levels.
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
	// maxComplexity lets 100 invoices be read with everything they have.
	maxComplexity = 12_000
	// duplicateCost is a look-up of its own.
	duplicateCost = 10
	// usageCost is adding up the calls of up to a year.
	usageCost = 1000
)

// complexityRoot prices what costs more than its fields.
func complexityRoot() generated.ComplexityRoot {
	var c generated.ComplexityRoot
	c.Query.Invoices = func(
		child int, first *int, _ *string, last *int, _ *string, _ *model.InvoiceFilter, _ *model.InvoiceOrder,
	) int {
		n := relay.DefaultPage
		if first != nil {
			n = *first
		} else if last != nil {
			n = *last
		}
		return 1 + min(max(n, 1), relay.MaxPage)*child
	}
	c.Query.Usage = func(child int, _ model.DateRangeInput) int { return usageCost + child }
	c.Duplicate.Invoice = func(child int) int { return duplicateCost + child }
	c.ExtractionEvent.Invoice = func(child int) int { return duplicateCost + child }
	return c
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
	return w.enter(f.SelectionSet, depth+1)
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
