package sdk

import (
	"errors"
	"time"
)

// Error is a failed call. It crosses the process boundary whole.
type Error struct {
	Kind Kind
	// Blame says whose fault it is: an operator reads it to know whom to call.
	Blame Blame
	// Message is for the log: no key, no document text, no personal data. The host redacts it all the same.
	Message string
	// RetryAfter is the vendor's own hint; 0 when it gave none.
	RetryAfter time.Duration
	HTTPStatus int // of the vendor's answer; 0 when there was none
}

func (e *Error) Error() string { return string(e.Kind) + ": " + e.Message }

// AsError is the *Error in err's chain; anything else becomes a KindInternal error to blame on the plugin.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Kind: KindInternal, Blame: BlamePlugin, Message: err.Error()}
}

// Kind classifies an error by what can be done about it.
type Kind string

// The kinds.
const (
	KindInvalidRequest Kind = "invalid_request" // 400, 404, 413, 422: the same request fails again
	KindAuth           Kind = "auth"            // 401, 403: no key, a wrong one, or no permission
	KindNoCredit       Kind = "no_credit"       // 402, insufficient_quota, billing_error
	KindQuota          Kind = "quota"           // a daily quota is spent: not before RetryAfter
	KindRateLimited    Kind = "rate_limited"    // 429: later, after RetryAfter
	KindOverloaded     Kind = "overloaded"      // 408, 409, 5xx, 529, broken connections
	KindTimeout        Kind = "timeout"         // the deadline ended while the vendor was working
	KindTruncated      Kind = "truncated"       // the reply ended before its end
	KindBlocked        Kind = "blocked"         // the vendor refused to answer: safety, recitation
	KindEmpty          Kind = "empty"           // a reply without content
	KindUnsupported    Kind = "unsupported"     // the provider cannot take this task or media type
	KindUnavailable    Kind = "unavailable"     // a local tool is not installed, or the process is gone
	KindCancelled      Kind = "cancelled"       // the caller went away
	KindInternal       Kind = "internal"        // a bug
)

// Retryable says that the same request to the same provider may succeed a little later.
func (k Kind) Retryable() bool {
	switch k {
	case KindRateLimited, KindOverloaded, KindTimeout, KindEmpty:
		return true
	case KindInvalidRequest, KindAuth, KindNoCredit, KindQuota, KindTruncated, KindBlocked, KindUnsupported,
		KindUnavailable, KindCancelled, KindInternal:
	}
	return false
}

// Blame says whose fault an error is.
type Blame string

// Who can be to blame.
const (
	BlamePlugin     Blame = "plugin"     // its code or its configuration
	BlameDownstream Blame = "downstream" // the vendor, the model or the network
	BlameHost       Blame = "host"       // the request made no sense
)
