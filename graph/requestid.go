package graph

import (
	"context"
	"crypto/rand"
	"net/http"
	"regexp"
)

// requestIDHeader names a request in logs and in INTERNAL errors. A proxy may set it; what does not look like an id is replaced.
const requestIDHeader = "X-Request-Id"

var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

type requestIDKey struct{}

// withRequestID names the request and repeats the name in the answer's header.
func withRequestID(w http.ResponseWriter, r *http.Request) *http.Request {
	id := r.Header.Get(requestIDHeader)
	if !requestIDForm.MatchString(id) {
		id = rand.Text()
	}
	w.Header().Set(requestIDHeader, id)
	return r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id))
}

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
