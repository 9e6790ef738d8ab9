package account

import (
	"context"
	"time"
)

// Viewer is who makes a request.
type Viewer struct {
	UserID    string
	SessionID string
	Role      Role
	Plan      Plan
	ExpiresAt time.Time // of the access token: a stream must end then
}

type viewerKey struct{}

// WithViewer hands the viewer down.
func WithViewer(ctx context.Context, v Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

// ViewerFrom is the viewer of a request; false when nobody is signed in.
func ViewerFrom(ctx context.Context) (Viewer, bool) {
	v, ok := ctx.Value(viewerKey{}).(Viewer)
	return v, ok
}
