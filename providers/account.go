package providers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// accountTimeout ends what is written down after a call, which its client may have left by then.
const accountTimeout = 5 * time.Second

// accounted books each call before it is made and settles it after, failed ones too. What cannot be booked is not called: a
// budget that is not counted is none.
func (c *Chain) accounted(plan func(sdk.Request) Call, next call) call {
	ledger := c.config.Ledger
	if ledger == nil {
		return next
	}
	return func(ctx context.Context, req sdk.Request, observe func(items int)) (res reply, err error) {
		booking, err := ledger.Reserve(ctx, plan(req))
		if err != nil {
			return reply{}, &notAskedError{&notBookedError{err}}
		}
		err = errUnfinished
		defer func() { // after a panic too: booked money must not stay booked
			c.settle(ctx, booking, CallEnd{
				Model: res.result.Model, Outcome: outcomeOf(err), Usage: res.result.Usage, EndedAt: c.config.Now(),
			})
		}()
		res, err = next(ctx, req, observe)
		return res, err
	}
}

func (c *Chain) settle(ctx context.Context, booking Booking, end CallEnd) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), accountTimeout)
	defer cancel()
	if err := booking.Settle(ctx, end); err != nil {
		c.config.Log.ErrorContext(ctx, "a call was made and not settled", "outcome", end.Outcome, "error", err)
	}
}

// saved tells the ledger of an answer that cost no call: call is the one that was not made, usage what it would have used.
func (c *Chain) saved(ctx context.Context, call Call, usage sdk.Usage) {
	if c.config.Ledger == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), accountTimeout)
	defer cancel()
	if err := c.config.Ledger.Saved(ctx, call, usage); err != nil {
		c.config.Log.WarnContext(ctx, "what was saved is not recorded", "error", err)
	}
}

// notBookedError says that the ledger let no call be made. The request ends there: the next provider costs money too.
type notBookedError struct{ err error }

func (e *notBookedError) Error() string { return "book the call: " + e.err.Error() }
func (e *notBookedError) Unwrap() error { return e.err }

// forCaller is the error of a request that ends with it. A spent budget is the caller's own affair: others who ask the same
// have theirs.
func (e *notBookedError) forCaller() (err error, private bool) {
	if spent, ok := errors.AsType[*invoice.Error](e.err); ok && spent.Code == invoice.CodeQuotaExceeded {
		return &invoice.ExtractionError{
			Code: spent.Code, Message: spent.Message, Permanent: true, RetryAfter: spent.RetryAfter, Cause: e.err,
		}, true
	}
	return &invoice.ExtractionError{
		Code: invoice.CodeUnavailable, Cause: fmt.Errorf("no call was made: %w", e),
	}, false
}
