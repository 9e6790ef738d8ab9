package graph

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/mercadoesperto/smarket/graph/scalar"
	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// requestError says that a request is not one that can be executed.
type requestError struct {
	status  int          // of HTTP; 400 when it is refused only once it was parsed
	code    invoice.Code // "" is BAD_USER_INPUT
	message string       // English: for who writes the client. It repeats nothing of the request.
}

func (e *requestError) Error() string { return e.message }

// panicError is a panic on its way to the log.
type panicError struct {
	value any
	stack string
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

func recoverPanic(_ context.Context, value any) error {
	return &panicError{value: value, stack: string(debug.Stack())}
}

// presentError is the only place where an error gets the form that clients see. What was made for the caller is shown; any other
// error is logged in full and shown as "Internal error" with the request's id.
func (h *Handler) presentError(ctx context.Context, err error) *gqlerror.Error {
	out := &gqlerror.Error{}
	own, isOwn := errors.AsType[*gqlerror.Error](err)
	if isOwn {
		out.Path, out.Locations = own.Path, own.Locations
	}
	switch shown := shownError(err, own); {
	case shown.code != "" && shown.code != invoice.CodeInternal:
		out.Message = shown.message
		out.Extensions = map[string]any{"code": shown.code}
		if shown.field != "" {
			out.Extensions["field"] = shown.field
		}
		if shown.retryAfter > 0 {
			out.Extensions["retryAfterSeconds"] = int(math.Ceil(shown.retryAfter.Seconds()))
		}
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		out.Message = "The request was cancelled." // nobody is there to read it
		out.Extensions = map[string]any{"code": invoice.CodeUnavailable}
	case errors.Is(err, context.DeadlineExceeded):
		h.logError(ctx, out, err)
		out.Message = "A resposta demorou demais. Tente de novo daqui a pouco."
		out.Extensions = map[string]any{"code": invoice.CodeUnavailable}
	default:
		h.logError(ctx, out, err)
		out.Message = "Internal error"
		out.Extensions = map[string]any{"code": invoice.CodeInternal, "requestId": requestID(ctx)}
	}
	return out
}

// shown is what of an error was made for the caller.
type shown struct {
	code       invoice.Code
	message    string
	field      string
	retryAfter time.Duration
}

func shownError(err error, own *gqlerror.Error) shown {
	if e, ok := errors.AsType[*invoice.Error](err); ok {
		return shown{e.Code, e.Message, e.Field, e.RetryAfter}
	}
	if e, ok := errors.AsType[*account.Error](err); ok {
		return shown{invoice.Code(e.Code), e.Message, e.Field, e.RetryAfter}
	}
	if e, ok := errors.AsType[*requestError](err); ok {
		code := e.code
		if code == "" {
			code = invoice.CodeBadUserInput
		}
		return shown{code: code, message: e.message}
	}
	if e, ok := errors.AsType[*scalar.Error](err); ok {
		return shown{code: invoice.CodeBadUserInput, message: e.Message}
	}
	if own != nil && (own.Extensions["code"] == errcode.ValidationFailed || own.Extensions["code"] == errcode.ParseFailed) {
		return shown{code: invoice.CodeBadUserInput, message: withoutSuggestion(own.Message)}
	}
	return shown{}
}

// withoutSuggestion takes from a validation message what would tell the schema's names, and bounds what it repeats of the query.
func withoutSuggestion(message string) string {
	const most = 200 // bytes
	message, _, _ = strings.Cut(message, " Did you mean")
	if len(message) > most {
		message = message[:most]
	}
	return strings.ToValidUTF8(message, "")
}

func (h *Handler) logError(ctx context.Context, out *gqlerror.Error, err error) {
	args := []any{"request_id", requestID(ctx), "operation", operationName(ctx), "path", out.Path.String(), "error", err.Error()}
	if p, ok := errors.AsType[*panicError](err); ok {
		args = append(args, "stack", p.stack)
	}
	h.Log.ErrorContext(ctx, "request failed", args...)
}

// operationName is what the client called its operation, bounded.
func operationName(ctx context.Context) string {
	const most = 64 // bytes
	if !graphql.HasOperationContext(ctx) {
		return ""
	}
	op := graphql.GetOperationContext(ctx)
	name := op.OperationName
	if name == "" && op.Operation != nil {
		name = op.Operation.Name
	}
	return strings.ToValidUTF8(name[:min(len(name), most)], "")
}
