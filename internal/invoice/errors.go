package invoice

import (
	"errors"
	"time"
)

// Code classifies an error for whoever called. The codes are the contract's extensions.code.
type Code string

// The codes.
const (
	CodeBadUserInput     Code = "BAD_USER_INPUT"
	CodeUnauthenticated  Code = "UNAUTHENTICATED"
	CodeForbidden        Code = "FORBIDDEN"
	CodeNotFound         Code = "NOT_FOUND"
	CodeConflict         Code = "CONFLICT"
	CodeRateLimited      Code = "RATE_LIMITED"
	CodeQuotaExceeded    Code = "QUOTA_EXCEEDED"
	CodeUnsupportedMedia Code = "UNSUPPORTED_MEDIA"
	CodeTooLarge         Code = "TOO_LARGE"
	CodeUnavailable      Code = "UNAVAILABLE"
	CodeInternal         Code = "INTERNAL"
)

// Error is an error that the caller may see: a code and a sentence. Any other error is the service's own fault, logged in
// full and shown as INTERNAL.
type Error struct {
	Code    Code
	Message string // pt-BR, one sentence, no personal data
	Field   string // the input field to blame, "" when none
	// RetryAfter is how long to wait before trying again; 0 when waiting does not help or is not known.
	RetryAfter time.Duration
	Cause      error // for the log; never shown
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return string(e.Code) + ": " + e.Message + ": " + e.Cause.Error()
	}
	return string(e.Code) + ": " + e.Message
}

func (e *Error) Unwrap() error { return e.Cause }

// CodeOf is the code of the first *Error in err's chain, or CodeInternal.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// NotFound is the answer for what does not exist and for what is somebody else's: they must not differ.
func NotFound(what string) error {
	return &Error{Code: CodeNotFound, Message: what + " não encontrada."}
}

// ErrSuperseded says that a newer run, a cancellation or a deletion has taken the invoice away from the caller. It is not a
// failure of the invoice: whoever sees it stops without writing.
var ErrSuperseded = errors.New("superseded by a newer run")
