package vendorhttp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// maxRetryAfter is the longest hint that is passed on; a longer one is a mistake of its sender.
const maxRetryAfter = 31 * 24 * time.Hour

// Ended is the error of a call whose context has ended, or nil.
func Ended(ctx context.Context) *sdk.Error {
	switch err := ctx.Err(); {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return &sdk.Error{Kind: sdk.KindTimeout, Blame: sdk.BlameDownstream, Message: "the deadline ended before the reply"}
	default:
		return &sdk.Error{Kind: sdk.KindCancelled, Blame: sdk.BlameHost, Message: "the caller went away"}
	}
}

// Broken classifies an error of the connection: no answer, or one that broke off. The words of err are left out, because they
// hold the URL and may hold more.
func Broken(ctx context.Context, err error) *sdk.Error {
	if e := Ended(ctx); e != nil {
		return e
	}
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return &sdk.Error{Kind: sdk.KindInvalidRequest, Blame: sdk.BlamePlugin, Message: "connection " + refused.Error()}
	}
	if errors.Is(err, ErrTooLarge) {
		return &sdk.Error{Kind: sdk.KindTruncated, Blame: sdk.BlameDownstream, Message: ErrTooLarge.Error()}
	}
	e := &sdk.Error{Kind: sdk.KindOverloaded, Blame: sdk.BlameDownstream, Message: "the connection broke"}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		e.Message = "the vendor's name cannot be resolved"
		if dns.IsNotFound {
			e.Message = "the vendor's name does not exist"
		}
	} else if op, ok := errors.AsType[*net.OpError](err); ok {
		e.Message = "the connection broke at " + op.Op
	}
	return e
}

// StatusError is the error of an HTTP status alone; message is for the log and already clean (Clean). A vendor's own codes
// may say more: change Kind then.
func StatusError(status int, header http.Header, message string) *sdk.Error {
	kind := KindOfStatus(status)
	e := &sdk.Error{
		Kind: kind, Blame: BlameOf(kind), Message: fmt.Sprintf("HTTP %d", status), HTTPStatus: status,
		RetryAfter: RetryAfter(header, time.Now()),
	}
	if message != "" {
		e.Message += ": " + message
	}
	return e
}

// KindOfStatus is what an HTTP status that is no success means at every vendor.
func KindOfStatus(status int) sdk.Kind {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return sdk.KindAuth
	case status == http.StatusPaymentRequired:
		return sdk.KindNoCredit
	case status == http.StatusTooManyRequests:
		return sdk.KindRateLimited
	case status == http.StatusRequestTimeout, status == http.StatusConflict, status >= 500:
		return sdk.KindOverloaded
	default: // redirects that were not followed too
		return sdk.KindInvalidRequest
	}
}

// BlameOf is who is to blame for a kind of failed answer: a key or a request that a vendor refuses is the plugin's.
func BlameOf(kind sdk.Kind) sdk.Blame {
	switch kind {
	case sdk.KindInvalidRequest, sdk.KindAuth, sdk.KindInternal:
		return sdk.BlamePlugin
	case sdk.KindUnsupported, sdk.KindCancelled:
		return sdk.BlameHost
	default:
		return sdk.BlameDownstream
	}
}

// RetryAfter is a vendor's hint in retry-after-ms, or in Retry-After as seconds or as a date, which counts from the answer's
// own Date so that two clocks need not agree; now is used when it has none. 0 when there is no hint or it has passed.
func RetryAfter(header http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(strings.TrimSpace(header.Get("Retry-After-Ms")), 64); err == nil {
		return hint(ms / 1000)
	}
	value := strings.TrimSpace(header.Get("Retry-After"))
	if s, err := strconv.ParseFloat(value, 64); err == nil {
		return hint(s)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	return hint(at.Sub(now).Seconds())
}

// hint bounds a number of seconds that somebody else wrote.
func hint(seconds float64) time.Duration {
	if math.IsNaN(seconds) || seconds <= 0 {
		return 0
	}
	return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
}
