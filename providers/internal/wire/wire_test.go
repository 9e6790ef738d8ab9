package wire

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/mercadoesperto/smarket/providers/internal/providerpb"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a provider whose Generate is the test's.
type fake struct {
	generate func(ctx context.Context, req sdk.Request, emit func(string) error) (sdk.Result, error)
	describe func() (sdk.Description, error)
	check    func() error
}

func (f fake) Describe(context.Context) (sdk.Description, error) { return f.describe() }
func (f fake) Check(context.Context) error                       { return f.check() }
func (f fake) Generate(ctx context.Context, req sdk.Request, emit func(string) error) (sdk.Result, error) {
	return f.generate(ctx, req, emit)
}

func setup(t *testing.T, p sdk.Provider, report PanicReport) *Client {
	t.Helper()
	lis := bufconn.Listen(1 << 20)
	srv := NewGRPCServer(nil)
	providerpb.RegisterProviderServiceServer(srv, NewServer(p, report))
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(lis) }()
	conn, err := grpc.NewClient("passthrough:///test", append(DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }))...)
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, conn.Close())
		srv.Stop()
		<-done
	})
	return NewClient(conn)
}

func TestReplyComesInPiecesThenItsResult(t *testing.T) {
	t.Parallel()
	cost := int64(42)
	c := setup(t, fake{generate: func(_ context.Context, req sdk.Request, emit func(string) error) (sdk.Result, error) {
		for _, piece := range []string{req.Input, "çã"[:1], "çã"[1:], "", strings.Repeat("x", 3*maxDelta)} {
			if err := emit(piece); err != nil {
				return sdk.Result{}, err
			}
		}
		return sdk.Result{Model: "m", FinishReason: sdk.FinishStop, Usage: sdk.Usage{OutputTokens: 3, CostMicroUSD: &cost}}, nil
	}}, nil)
	var got strings.Builder
	res, err := c.Generate(t.Context(), sdk.Request{Task: sdk.TaskExtract, Input: "a"}, func(s string) error {
		assert.LessOrEqual(t, len(s), maxDelta)
		got.WriteString(s)
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, "açã"+strings.Repeat("x", 3*maxDelta), got.String())
	assert.Equal(t, sdk.Result{
		Model: "m", FinishReason: sdk.FinishStop, Usage: sdk.Usage{OutputTokens: 3, CostMicroUSD: &cost},
	}, res)
}

func TestErrorArrivesWholeAndUsageWithIt(t *testing.T) {
	t.Parallel()
	want := &sdk.Error{
		Kind: sdk.KindRateLimited, Blame: sdk.BlameDownstream, Message: "slow down", RetryAfter: 7 * time.Second, HTTPStatus: 429,
	}
	c := setup(t, fake{
		generate: func(context.Context, sdk.Request, func(string) error) (sdk.Result, error) {
			return sdk.Result{Usage: sdk.Usage{InputTokens: 9}}, want
		},
		describe: func() (sdk.Description, error) { return sdk.Description{}, want },
		check:    func() error { return want },
	}, nil)
	res, err := c.Generate(t.Context(), sdk.Request{}, func(string) error { return nil })
	assert.Equal(t, want, err)
	assert.EqualValues(t, 9, res.Usage.InputTokens)
	_, err = c.Describe(t.Context())
	assert.Equal(t, want, err)
	assert.Equal(t, want, c.Check(t.Context()))
}

func TestEndOfTheCallersContextEndsTheCall(t *testing.T) {
	t.Parallel()
	entered, left := make(chan struct{}, 2), make(chan error, 2)
	c := setup(t, fake{generate: func(ctx context.Context, _ sdk.Request, _ func(string) error) (sdk.Result, error) {
		entered <- struct{}{}
		<-ctx.Done()
		left <- ctx.Err()
		return sdk.Result{}, ctx.Err()
	}}, nil)

	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-entered; cancel() }()
	_, err := c.Generate(ctx, sdk.Request{}, func(string) error { return nil })
	assert.Equal(t, sdk.KindCancelled, sdk.AsError(err).Kind)
	require.Error(t, <-left, "the plugin's call ends too")

	// Whether such a call has reached the plugin by then is chance; that it ends here is not.
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = c.Generate(ctx, sdk.Request{}, func(string) error { return nil })
	assert.Equal(t, sdk.KindTimeout, sdk.AsError(err).Kind)
}

func TestRefusedPieceEndsTheCall(t *testing.T) {
	t.Parallel()
	left := make(chan error, 1)
	c := setup(t, fake{generate: func(_ context.Context, _ sdk.Request, emit func(string) error) (sdk.Result, error) {
		for {
			if err := emit("x"); err != nil {
				left <- err
				return sdk.Result{}, err
			}
		}
	}}, nil)
	enough := errors.New("enough")
	var n atomic.Int32
	_, err := c.Generate(t.Context(), sdk.Request{}, func(string) error {
		if n.Add(1) == 2 {
			return enough
		}
		return nil
	})
	require.ErrorIs(t, err, enough)
	require.Error(t, <-left, "the plugin is told")
}

func TestPanicBecomesAnErrorWithoutItsValue(t *testing.T) {
	t.Parallel()
	const secret = "sk-very-secret-value"
	stacks := make(chan string, 3)
	boom := func() { panic(errors.New("boom " + secret)) }
	c := setup(t, fake{
		generate: func(context.Context, sdk.Request, func(string) error) (sdk.Result, error) {
			boom()
			return sdk.Result{}, nil
		},
		describe: func() (sdk.Description, error) { boom(); return sdk.Description{}, nil },
		check:    func() error { var p *fake; _ = p.check; return nil },
	}, func(method, kind, place string, stack []byte) { stacks <- method + kind + place + string(stack) })

	_, err := c.Generate(t.Context(), sdk.Request{}, func(string) error { return nil })
	_, err2 := c.Describe(t.Context())
	for _, err := range []error{err, err2, c.Check(t.Context())} {
		e := sdk.AsError(err)
		assert.Equal(t, sdk.KindInternal, e.Kind)
		assert.Equal(t, sdk.BlamePlugin, e.Blame)
		assert.Contains(t, e.Message, "wire_test.go:")
		assert.NotContains(t, e.Message, secret)
		assert.NotContains(t, <-stacks, secret)
	}
}

func TestOversizeRequestIsTheHostsFault(t *testing.T) {
	t.Parallel()
	c := setup(t, fake{generate: func(context.Context, sdk.Request, func(string) error) (sdk.Result, error) {
		return sdk.Result{}, nil
	}}, nil)
	_, err := c.Generate(t.Context(), sdk.Request{Pages: []sdk.Page{{Data: make([]byte, MaxMessage)}}}, nil)
	assert.Equal(t, sdk.KindInvalidRequest, sdk.AsError(err).Kind)
	assert.Equal(t, sdk.BlameHost, sdk.AsError(err).Blame)
	_, err = c.Generate(t.Context(), sdk.Request{Pages: []sdk.Page{{Data: make([]byte, MaxMessage-100)}}}, nil)
	require.NoError(t, err, "just below the cap")
}

func TestConnectionClosedUnderACallMeansTheProcessIsGone(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{codes.Canceled, codes.Unavailable} {
		e := fromStatus(t.Context(), status.Error(code, "closing"))
		assert.Equal(t, sdk.KindUnavailable, e.Kind)
		assert.Equal(t, sdk.BlamePlugin, e.Blame)
	}
	assert.Equal(t, sdk.KindInternal, fromStatus(t.Context(), status.Error(codes.Unimplemented, "?")).Kind)
}
