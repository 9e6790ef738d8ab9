package vendorhttp

import (
	"io"
	"time"
)

// drainTime is how long an answer whose end is known may take to end on the wire as well.
const drainTime = 250 * time.Millisecond

// Drain reads what is left of a body that has been understood, and closes it. Without it a connection that speaks HTTP/1.1
// cannot be used again: the reply of a stream ends before its bytes do. A vendor that does not end it soon loses the
// connection.
func Drain(body io.ReadCloser) {
	timer := time.AfterFunc(drainTime, func() { _ = body.Close() })
	_, _ = io.Copy(io.Discard, body)
	timer.Stop()
	_ = body.Close()
}
