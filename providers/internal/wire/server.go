package wire

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"github.com/mercadoesperto/smarket/providers/internal/providerpb"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// maxDelta is the largest piece of a reply in one message, in bytes; larger ones are sent in several.
const maxDelta = 1 << 20

// PanicReport is told of a panic in a provider's method: which method, what kind of value, where, and the stack. The value
// itself is left out: it may hold a key or a piece of a document.
type PanicReport func(method, kind, place string, stack []byte)

// Server answers the host's calls with a provider. A panic of the provider becomes an error; the process lives on.
type Server struct {
	providerpb.UnimplementedProviderServiceServer
	provider sdk.Provider
	report   PanicReport
}

var _ providerpb.ProviderServiceServer = (*Server)(nil)

// NewServer serves p. report may be nil.
func NewServer(p sdk.Provider, report PanicReport) *Server {
	if report == nil {
		report = func(string, string, string, []byte) {}
	}
	return &Server{provider: p, report: report}
}

// Describe answers with the provider's description.
func (s *Server) Describe(ctx context.Context, _ *providerpb.DescribeRequest) (*providerpb.DescribeResponse, error) {
	var d sdk.Description
	err := s.guard("Describe", func() (err error) {
		d, err = s.provider.Describe(ctx)
		return err
	})
	if err != nil {
		return &providerpb.DescribeResponse{Error: errorToProto(asError(ctx, err))}, nil
	}
	return &providerpb.DescribeResponse{Description: descriptionToProto(d)}, nil
}

// Check answers with the provider's own check.
func (s *Server) Check(ctx context.Context, _ *providerpb.CheckRequest) (*providerpb.CheckResponse, error) {
	if err := s.guard("Check", func() error { return s.provider.Check(ctx) }); err != nil {
		return &providerpb.CheckResponse{Error: errorToProto(asError(ctx, err))}, nil
	}
	return &providerpb.CheckResponse{}, nil
}

// Generate streams the provider's reply.
func (s *Server) Generate(msg *providerpb.GenerateRequest, stream providerpb.ProviderService_GenerateServer) error {
	ctx := stream.Context()
	pieces := deltas{send: func(text string) error {
		return stream.Send(&providerpb.GenerateResponse{Event: &providerpb.GenerateResponse_Delta{Delta: text}})
	}}
	var result sdk.Result
	err := s.guard("Generate", func() (err error) {
		result, err = s.provider.Generate(ctx, requestFromProto(msg), func(text string) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return pieces.emit(text)
		})
		return err
	})
	if err == nil {
		err = pieces.flush()
	}
	outcome := &providerpb.Outcome{Result: resultToProto(result)}
	if err != nil {
		outcome.Error = errorToProto(asError(ctx, err))
	}
	return stream.Send(&providerpb.GenerateResponse{Event: &providerpb.GenerateResponse_Outcome{Outcome: outcome}})
}

// guard runs fn and turns its panic into an error that names the place and the type of the value, never the value.
func (s *Server) guard(method string, fn func() error) (err error) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		kind, place := fmt.Sprintf("%T", v), panicPlace()
		s.report(method, kind, place, debug.Stack())
		err = &sdk.Error{
			Kind: sdk.KindInternal, Blame: sdk.BlamePlugin,
			Message: fmt.Sprintf("panic in %s: a value of type %s at %s", method, kind, place),
		}
	}()
	return fn()
}

// panicPlace is the file and line that panicked: the first frame below the runtime's own.
func panicPlace() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	below := false
	for {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic" || f.Function == "runtime.panicmem" || f.Function == "runtime.sigpanic":
			below = true
		case below && !strings.HasPrefix(f.Function, "runtime."):
			return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
		}
		if !more {
			return "unknown place"
		}
	}
}

// asError is sdk.AsError with the ends of a context told apart from bugs.
func asError(ctx context.Context, err error) *sdk.Error {
	if e, ok := errors.AsType[*sdk.Error](err); ok {
		return e
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
		return &sdk.Error{Kind: sdk.KindTimeout, Blame: sdk.BlameDownstream, Message: "the deadline ended before the reply"}
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return &sdk.Error{Kind: sdk.KindCancelled, Blame: sdk.BlameHost, Message: "the caller went away"}
	}
	return sdk.AsError(err)
}

// deltas cuts a reply into messages: none larger than maxDelta, and none that ends inside a character, because a message with
// half a character cannot be sent.
type deltas struct {
	send func(text string) error
	rest string // the beginning of a character whose end has not come yet
}

func (d *deltas) emit(text string) error {
	text = d.rest + text
	d.rest = ""
	for len(text) > 0 {
		n := min(len(text), maxDelta)
		n -= partialRune(text[:n])
		if n == 0 {
			d.rest = text
			return nil
		}
		if err := d.send(strings.ToValidUTF8(text[:n], "\uFFFD")); err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}

// flush sends what is left: the reply ended inside a character.
func (d *deltas) flush() error {
	if d.rest == "" {
		return nil
	}
	rest := d.rest
	d.rest = ""
	return d.send(strings.ToValidUTF8(rest, "\uFFFD"))
}

// partialRune counts the bytes at the end of s that begin a character without ending it.
func partialRune(s string) int {
	for n := 1; n < utf8.UTFMax && n <= len(s); n++ {
		if c := s[len(s)-n]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRuneInString(s[len(s)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}
