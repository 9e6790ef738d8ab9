package vendorhttp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		header map[string]string
		want   time.Duration
	}{
		"none":                     {nil, 0},
		"seconds":                  {map[string]string{"Retry-After": "17"}, 17 * time.Second},
		"fraction":                 {map[string]string{"Retry-After": " 0.5 "}, 500 * time.Millisecond},
		"milliseconds come first":  {map[string]string{"Retry-After": "2", "Retry-After-Ms": "1500"}, 1500 * time.Millisecond},
		"no milliseconds":          {map[string]string{"Retry-After": "2", "Retry-After-Ms": "soon"}, 2 * time.Second},
		"date":                     {map[string]string{"Retry-After": "Mon, 23 Nov 2026 16:01:00 GMT"}, time.Minute},
		"date by the sender's own": {map[string]string{"Retry-After": "Mon, 23 Nov 2026 18:00:30 GMT", "Date": "Mon, 23 Nov 2026 18:00:00 GMT"}, 30 * time.Second},
		"date that has passed":     {map[string]string{"Retry-After": "Mon, 23 Nov 2026 15:00:00 GMT"}, 0},
		"negative":                 {map[string]string{"Retry-After": "-3"}, 0},
		"not a number":             {map[string]string{"Retry-After": "NaN"}, 0},
		"for ever":                 {map[string]string{"Retry-After": "Inf"}, maxRetryAfter},
		"huge":                     {map[string]string{"Retry-After": "1e300"}, maxRetryAfter},
		"words":                    {map[string]string{"Retry-After": "later"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{}
			for k, v := range test.header {
				header.Set(k, v)
			}
			assert.Equal(t, test.want, RetryAfter(header, now))
		})
	}
}

func TestStatusesSayWhatCanBeDone(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]sdk.Kind{
		307: sdk.KindInvalidRequest, 400: sdk.KindInvalidRequest, 401: sdk.KindAuth, 402: sdk.KindNoCredit, 403: sdk.KindAuth,
		404: sdk.KindInvalidRequest, 408: sdk.KindOverloaded, 409: sdk.KindOverloaded, 413: sdk.KindInvalidRequest,
		422: sdk.KindInvalidRequest, 429: sdk.KindRateLimited, 500: sdk.KindOverloaded, 503: sdk.KindOverloaded, 529: sdk.KindOverloaded,
	} {
		e := StatusError(status, http.Header{"Retry-After": {"3"}}, "words")
		assert.Equal(t, want, e.Kind, status)
		assert.Equal(t, 3*time.Second, e.RetryAfter)
		assert.Equal(t, fmt.Sprintf("HTTP %d: words", status), e.Message)
		assert.Equal(t, want == sdk.KindAuth || want == sdk.KindInvalidRequest, e.Blame == sdk.BlamePlugin)
	}
}

func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	wrap := func(err error) error { return &url.Error{Op: "Post", URL: "https://secret.example/", Err: err} }
	for name, test := range map[string]struct {
		err  error
		want sdk.Kind
	}{
		"reset":       {wrap(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), sdk.KindOverloaded},
		"no name":     {wrap(&net.OpError{Op: "dial", Err: &net.DNSError{Name: "secret", IsNotFound: true}}), sdk.KindOverloaded},
		"resolver":    {wrap(&net.DNSError{Name: "secret", IsTimeout: true}), sdk.KindOverloaded},
		"refused":     {wrap(&net.OpError{Op: "dial", Err: &RefusedError{Reason: "no"}}), sdk.KindInvalidRequest},
		"too large":   {fmt.Errorf("read: %w", ErrTooLarge), sdk.KindTruncated},
		"anything":    {errors.New("secret"), sdk.KindOverloaded},
		"its timeout": {wrap(context.DeadlineExceeded), sdk.KindOverloaded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := Broken(t.Context(), test.err)
			assert.Equal(t, test.want, e.Kind)
			assert.NotContains(t, e.Message, "secret")
			gone, cancel := context.WithCancel(t.Context())
			cancel()
			assert.Equal(t, sdk.KindCancelled, Broken(gone, test.err).Kind, "the end of the call comes first")
			late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
			defer cancel()
			assert.Equal(t, sdk.KindTimeout, Broken(late, test.err).Kind)
		})
	}
	require.Nil(t, Ended(t.Context()))
}
