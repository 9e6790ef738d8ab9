package account

import (
	"errors"
	"time"
)

// What a Store answers besides its own failures.
var (
	ErrEmailTaken      = errors.New("e-mail is taken")
	ErrNoUser          = errors.New("no such user")
	ErrNoSession       = errors.New("no such session")
	ErrSessionReplaced = errors.New("session was replaced or revoked")
)

// Code classifies an error for whoever called: those of the contract's extensions.code that this package uses.
type Code string

// The codes.
const (
	CodeBadUserInput    Code = "BAD_USER_INPUT"
	CodeUnauthenticated Code = "UNAUTHENTICATED"
	CodeForbidden       Code = "FORBIDDEN"
	CodeNotFound        Code = "NOT_FOUND"
	CodeConflict        Code = "CONFLICT"
	CodeUnavailable     Code = "UNAVAILABLE"
)

// Error is an error that the caller may see, of the same shape as the invoice domain's, which this package does not import.
// Any other error is the service's own fault.
type Error struct {
	Code    Code
	Message string // pt-BR, one sentence, no personal data
	Field   string // the input field to blame, "" when none
	// RetryAfter is how long to wait before trying again; 0 when waiting does not help.
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

func badInput(field, message string) error {
	return &Error{Code: CodeBadUserInput, Message: message, Field: field}
}

// unauthenticated tells the caller one thing only, whatever was wrong; cause is for the log.
func unauthenticated(cause error) error {
	return &Error{Code: CodeUnauthenticated, Message: "Sessão inválida ou expirada. Entre de novo.", Cause: cause}
}

// badCredentials has the same words for an unknown e-mail and for a wrong password.
func badCredentials() error {
	return &Error{Code: CodeUnauthenticated, Message: "E-mail ou senha incorretos."}
}
