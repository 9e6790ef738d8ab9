package graph

import (
	"context"
	"fmt"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// Observer is told what is asked for and how it ends. kind is query, mutation or subscription, and field the operation's first
// field at the root: both are the schema's words and never the client's, so that there are so many and no more. code is that of
// the first error, "" without one. Implemented by internal/telemetry.
type Observer interface {
	// Operation begins with an operation, which runs with the context that it returns. ended is called once.
	Operation(ctx context.Context, kind, field string) (_ context.Context, ended func(code string))
	// Refused is told of what was not executed; kind and field are "" when it could not even be read.
	Refused(ctx context.Context, kind, field, code string)
	// Stream is told of a websocket ("websocket") or event stream ("sse"); closed is called once.
	Stream(transport string) (closed func())
}

// unobserved is nobody.
type unobserved struct{}

func (unobserved) Operation(ctx context.Context, _, _ string) (context.Context, func(string)) {
	return ctx, func(string) {}
}
func (unobserved) Refused(context.Context, string, string, string) {}
func (unobserved) Stream(string) func()                            { return func() {} }

// RequestID names the request that ctx belongs to; "" when it belongs to none.
func RequestID(ctx context.Context) string { return requestID(ctx) }

// observed is executed's context and send with the observer in between. ended says that there are no more responses.
func (h *Handler) observed(
	ctx context.Context, op *graphql.OperationContext, send func(*graphql.Response) bool,
) (_ context.Context, _ func(*graphql.Response) bool, ended func()) {
	ctx, done := h.Observer.Operation(ctx, string(op.Operation.Operation), rootField(op.Operation))
	code, answered := "", false
	var once sync.Once
	end := func() { once.Do(func() { done(code) }) }
	note := func(resp *graphql.Response) bool {
		if answered = true; code == "" {
			code = codeOf(resp.Errors)
		}
		if op.Operation.Operation != ast.Subscription {
			end() // before the answer is sent: whoever has it finds it counted
		}
		return send(resp)
	}
	return ctx, note, func() {
		if !answered && op.Operation.Operation != ast.Subscription {
			code = string(invoice.CodeUnavailable) // the time was up, or the client has gone
		}
		end()
	}
}

// refused tells the observer of a response without execution.
func (h *Handler) refused(ctx context.Context, op *graphql.OperationContext, resp *graphql.Response) {
	kind, field := "", ""
	if op != nil && op.Operation != nil {
		kind, field = string(op.Operation.Operation), rootField(op.Operation)
	}
	h.Observer.Refused(ctx, kind, field, codeOf(resp.Errors))
}

// codeOf is the code of the first error; "" without errors.
func codeOf(errs gqlerror.List) string {
	if len(errs) == 0 {
		return ""
	}
	if code, ok := errs[0].Extensions["code"]; ok {
		return fmt.Sprint(code)
	}
	return string(invoice.CodeInternal)
}

// rootField is the schema's name of the first field at the root of an operation that was validated.
func rootField(op *ast.OperationDefinition) string {
	var first func(set ast.SelectionSet, depth int) string
	first = func(set ast.SelectionSet, depth int) string {
		for _, s := range set {
			inner := ast.SelectionSet(nil)
			switch s := s.(type) {
			case *ast.Field:
				if s.Definition != nil {
					return s.Definition.Name
				}
				return ""
			case *ast.InlineFragment:
				inner = s.SelectionSet
			case *ast.FragmentSpread:
				if s.Definition != nil {
					inner = s.Definition.SelectionSet
				}
			}
			if depth < maxDepth { // fragments were not held against the limits yet
				if name := first(inner, depth+1); name != "" {
					return name
				}
			}
		}
		return ""
	}
	return first(op.SelectionSet, 1)
}
