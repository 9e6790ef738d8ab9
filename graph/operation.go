package graph

import (
	"context"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// prepare parses and validates an operation and holds it against the limits. On failure there is nothing to execute, and the
// response says why. The returned context is the operation's.
func (h *Handler) prepare(ctx context.Context, params *graphql.RawParams) (
	opCtx context.Context, op *graphql.OperationContext, failed *graphql.Response,
) {
	var parsed *graphql.OperationContext
	defer func() {
		if p := recover(); p != nil {
			failed = h.failure(ctx, recoverPanic(ctx, p))
		}
		if failed != nil {
			h.refused(ctx, parsed, failed)
		}
	}()
	if len(params.Query) > maxQueryBytes {
		return ctx, nil, h.failure(ctx, &requestError{message: "The query is too long."})
	}
	keep, err := h.findPersisted(ctx, params)
	if err != nil {
		return ctx, nil, h.failure(ctx, err)
	}
	ctx = graphql.StartOperationTrace(ctx) // the executor insists
	op, errs := h.exec.CreateOperationContext(ctx, params)
	if len(errs) != 0 {
		list := make([]error, len(errs))
		for i, err := range errs {
			list[i] = err
		}
		return ctx, nil, h.failure(ctx, list...)
	}
	parsed = op
	op.DisableIntrospection = !h.Introspection
	opCtx = graphql.WithOperationContext(ctx, op)
	if err := h.checkLimits(opCtx, op); err != nil {
		return ctx, nil, h.failure(opCtx, err)
	}
	if err := h.limitRate(opCtx, op.Operation); err != nil {
		return ctx, nil, h.failure(opCtx, err)
	}
	h.keepPersisted(opCtx, keep, params.Query)
	return opCtx, op, nil
}

// failure is the response to what was not executed: errors and no data.
func (h *Handler) failure(ctx context.Context, errs ...error) *graphql.Response {
	const most = 10 // errors shown
	resp := &graphql.Response{}
	for _, err := range errs[:min(len(errs), most)] {
		resp.Errors = append(resp.Errors, h.presentError(ctx, err))
	}
	return resp
}

// execute runs an operation and hands each response to send, one for queries and mutations, until there are no more, ctx ends,
// or send says false. A response is good until send returns: the executor uses its memory again.
func (h *Handler) execute(ctx context.Context, op *graphql.OperationContext, send func(*graphql.Response) bool) {
	var cancel context.CancelFunc // also ends a subscription's resolver when send says false
	if op.Operation.Operation == ast.Subscription {
		ctx, cancel = context.WithCancel(ctx)
	} else {
		ctx, cancel = context.WithTimeout(ctx, h.Timing.Request)
	}
	defer cancel()
	ctx, send, ended := h.observed(ctx, op, send)
	defer ended()
	defer func() {
		if p := recover(); p != nil {
			send(h.failure(ctx, recoverPanic(ctx, p)))
		}
	}()
	next, ctx := h.exec.DispatchOperation(ctx, op)
	for {
		resp := next(ctx)
		if resp == nil || !send(resp) {
			return
		}
		if op.Operation.Operation != ast.Subscription {
			return
		}
	}
}

// serveParams answers a query or mutation with one JSON document, and a subscription with events where the client takes them.
func (h *Handler) serveParams(w http.ResponseWriter, r *http.Request, params *graphql.RawParams) {
	ctx, op, failed := h.prepare(r.Context(), params)
	if failed != nil {
		writeFailure(w, r, failed)
		return
	}
	if err := methodError(w, r, op); err != nil {
		h.refuse(w, r, 0, err)
		return
	}
	if op.Operation.Operation == ast.Subscription && accepts(r, typeEvents) {
		h.streamEvents(ctx, w, r, op, nil)
		return
	}
	if op.Operation.Operation == ast.Subscription {
		h.refuse(w, r, http.StatusBadRequest, &requestError{
			message: "Subscribe over text/event-stream or over a graphql-transport-ws websocket.",
		})
		return
	}
	var resp *graphql.Response
	h.execute(ctx, op, func(r *graphql.Response) bool {
		resp = r
		return false
	})
	if resp == nil { // the time was up before there was one, or nobody waits for it any more
		resp = h.failure(ctx, context.DeadlineExceeded)
	}
	writeResponse(w, r, http.StatusOK, resp)
}

// methodError refuses a mutation by GET: links and pictures on foreign pages make such requests.
func methodError(w http.ResponseWriter, r *http.Request, op *graphql.OperationContext) error {
	if r.Method == http.MethodGet && op.Operation.Operation == ast.Mutation {
		w.Header().Set("Allow", "POST")
		return &requestError{status: http.StatusMethodNotAllowed, message: "Use POST for mutations."}
	}
	return nil
}
