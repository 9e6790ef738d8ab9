package providers

import (
	"context"
	"errors"
	"time"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Run runs fn when the provider of this name has room for one more call, and returns fn's error; or ctx's, when ctx ends while
// waiting. It is how the worker's pools bound the calls of the chain.
type Run func(ctx context.Context, provider string, fn func(ctx context.Context) error) error

// limit has each call wait for its turn. A nil run lets all of them through.
func limit(run Run, provider string, next call) call {
	if run == nil {
		return next
	}
	return func(ctx context.Context, req sdk.Request, observe func(items int)) (res reply, err error) {
		err = run(ctx, provider, func(ctx context.Context) error {
			var err error
			res, err = next(ctx, req, observe)
			return err
		})
		return res, err
	}
}

// within ends a call after d. Time spent waiting for a turn does not count when it is inside limit.
func within(d time.Duration, next call) call {
	return func(ctx context.Context, req sdk.Request, observe func(items int)) (reply, error) {
		inner, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		res, err := next(inner, req, observe)
		// The provider may call the end of its time whatever it likes; only here is it known whose end it was.
		if err != nil && ctx.Err() == nil && errors.Is(inner.Err(), context.DeadlineExceeded) {
			err = &sdk.Error{Kind: sdk.KindTimeout, Blame: sdk.BlameDownstream, Message: "no reply within " + d.String()}
		}
		return res, err
	}
}
