// Package scalar marshals the scalars of the API. What comes in is a client's: anything but the documented form fails with an
// *Error, which the caller may see.
package scalar

// Error says that a value is not of its scalar's form. Its text names the scalar and never repeats the value.
type Error struct {
	// Message is English: it is for who writes the client.
	Message string
}

func (e *Error) Error() string { return e.Message }
