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

type deviceKey struct{}

// WithDevice hands down where a request comes from, see DeviceOf.
func WithDevice(ctx context.Context, device string) context.Context {
	return context.WithValue(ctx, deviceKey{}, device)
}

// DeviceFrom is where a request comes from; "" when that is not known.
func DeviceFrom(ctx context.Context) string {
	device, _ := ctx.Value(deviceKey{}).(string)
	return device
}
