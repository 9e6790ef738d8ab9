package wire

import (
	"context"
	"errors"
	"fmt"
	"io"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/mercadoesperto/smarket/providers/internal/providerpb"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Client is a provider in another process. Every error of it is an *sdk.Error, or the one that the caller's emit returned.
type Client struct {
	service providerpb.ProviderServiceClient
	health  grpc_health_v1.HealthClient
}

var _ sdk.Provider = (*Client)(nil)

// NewClient calls the provider at the other end of conn.
func NewClient(conn grpc.ClientConnInterface) *Client {
	return &Client{service: providerpb.NewProviderServiceClient(conn), health: grpc_health_v1.NewHealthClient(conn)}
}

// Describe asks the plugin what it is.
func (c *Client) Describe(ctx context.Context) (sdk.Description, error) {
	res, err := c.service.Describe(ctx, &providerpb.DescribeRequest{})
	if err != nil {
		return sdk.Description{}, fromStatus(ctx, err)
	}
	if res.GetError() != nil {
		return sdk.Description{}, errorFromProto(res.GetError())
	}
	return descriptionFromProto(res.GetDescription()), nil
}

// Generate sends the request and passes the reply's pieces to emit. It ends when ctx does, also when the plugin does not.
func (c *Client) Generate(ctx context.Context, req sdk.Request, emit func(text string) error) (sdk.Result, error) {
	msg := requestToProto(req)
	if n := proto.Size(msg); n > MaxMessage {
		return sdk.Result{}, &sdk.Error{
			Kind: sdk.KindInvalidRequest, Blame: sdk.BlameHost, Message: fmt.Sprintf("request of %d bytes exceeds %d", n, MaxMessage),
		}
	}
	ctx, cancel := context.WithCancel(ctx) // frees the stream when emit fails
	defer cancel()
	stream, err := c.service.Generate(ctx, msg)
	if err != nil {
		return sdk.Result{}, fromStatus(ctx, err)
	}
	for {
		res, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return sdk.Result{}, pluginFault("the reply ended without an outcome")
		}
		if err != nil {
			return sdk.Result{}, fromStatus(ctx, err)
		}
		switch event := res.GetEvent().(type) {
		case *providerpb.GenerateResponse_Delta:
			if err := emit(event.Delta); err != nil {
				return sdk.Result{}, err
			}
		case *providerpb.GenerateResponse_Outcome:
			result := resultFromProto(event.Outcome.GetResult())
			if event.Outcome.GetError() != nil {
				return result, errorFromProto(event.Outcome.GetError())
			}
			return result, nil
		default: // a later version's event: nothing that this one waits for
		}
	}
}

// Check asks the plugin whether Generate would have a chance.
func (c *Client) Check(ctx context.Context) error {
	res, err := c.service.Check(ctx, &providerpb.CheckRequest{})
	if err != nil {
		return fromStatus(ctx, err)
	}
	if res.GetError() != nil {
		return errorFromProto(res.GetError())
	}
	return nil
}

// Healthy asks the process, not the provider, whether it is alive. Give ctx a deadline: a frozen process never answers.
func (c *Client) Healthy(ctx context.Context) error {
	res, err := c.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName})
	if err != nil {
		return fmt.Errorf("health of plugin process: %w", err)
	}
	if s := res.GetStatus(); s != grpc_health_v1.HealthCheckResponse_SERVING {
		return fmt.Errorf("health of plugin process: %s", s)
	}
	return nil
}

// fromStatus turns what gRPC says about a call into an error of ours. Only the client's own view of ctx tells a cancelled
// caller from a plugin that answers Canceled by itself.
func fromStatus(ctx context.Context, err error) *sdk.Error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &sdk.Error{Kind: sdk.KindTimeout, Blame: sdk.BlameDownstream, Message: "the deadline ended before the reply"}
	case ctx.Err() != nil:
		return &sdk.Error{Kind: sdk.KindCancelled, Blame: sdk.BlameHost, Message: "the caller went away"}
	}
	s := status.Convert(err)
	switch s.Code() {
	case codes.DeadlineExceeded:
		return &sdk.Error{Kind: sdk.KindTimeout, Blame: sdk.BlameDownstream, Message: "the deadline ended before the reply"}
	case codes.Unavailable, codes.Canceled: // Canceled with a caller that waits: the host closed the connection of a dead process
		return &sdk.Error{Kind: sdk.KindUnavailable, Blame: sdk.BlamePlugin, Message: "the plugin process is gone: " + s.Message()}
	default:
		return pluginFault(s.Code().String() + ": " + s.Message())
	}
}

func pluginFault(msg string) *sdk.Error {
	return &sdk.Error{Kind: sdk.KindInternal, Blame: sdk.BlamePlugin, Message: msg}
}
