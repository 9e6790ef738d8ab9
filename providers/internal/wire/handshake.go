package wire

import (
	"context"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/mercadoesperto/smarket/providers/internal/providerpb"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

const (
	// ProtocolVersion is that of provider.proto.
	ProtocolVersion = 1
	// PluginName is what the host dispenses: a process serves one provider.
	PluginName = "provider"
	// MaxMessage is the largest gRPC message in bytes, either way.
	MaxMessage = 16 << 20
)

// Handshake tells a plugin that it was started by a host of ours, and not by hand. It is no security measure.
func Handshake() goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{
		ProtocolVersion:  ProtocolVersion,
		MagicCookieKey:   "SMARKET_PROVIDER_PLUGIN",
		MagicCookieValue: "8f1d0f0c-2c0e-4f6a-9a3e-6a1f5a0b7c11",
	}
}

// Plugins is the set that both sides name in their configuration. The host passes nil.
func Plugins(p sdk.Provider, report PanicReport) goplugin.PluginSet {
	return goplugin.PluginSet{PluginName: &grpcPlugin{provider: p, report: report}}
}

// DialOptions are the host's: the message cap, and no proxy between two processes of one machine.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)),
		grpc.WithNoProxy(),
	}
}

// NewGRPCServer is the plugin's server with the message cap.
func NewGRPCServer(opts []grpc.ServerOption) *grpc.Server {
	return grpc.NewServer(append(opts, grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage))...)
}

// grpcPlugin plugs our service into go-plugin.
type grpcPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
	provider sdk.Provider // nil on the host's side
	report   PanicReport
}

var _ goplugin.GRPCPlugin = (*grpcPlugin)(nil)

func (p *grpcPlugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	providerpb.RegisterProviderServiceServer(s, NewServer(p.provider, p.report))
	return nil
}

func (p *grpcPlugin) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return NewClient(conn), nil
}
