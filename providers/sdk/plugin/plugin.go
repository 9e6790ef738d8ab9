// Package plugin turns a provider into a process that the host can start. A plugin's main reads its own key, makes its
// provider, and calls Serve:
//
//	func main() { plugin.Serve(acme.New(os.Getenv("ACME_API_KEY"))) }
//
// Write nothing on standard output before Serve: the host expects the handshake there and gives up on anything else. Log
// with hclog or package log to standard error: the host takes it into its own log.
package plugin

import (
	"os"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/mercadoesperto/smarket/providers/internal/wire"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Serve answers the host's calls with p until the host ends the process. Run by hand it prints what it is and exits with 1.
//
// A panic in one of p's methods becomes a KindInternal error that names the place and not the value; the process lives on.
// A panic in a goroutine that p started ends the process, as in any Go program; the host starts another.
func Serve(p sdk.Provider) {
	log := hclog.New(&hclog.LoggerOptions{
		Level: hclog.Debug, Output: os.Stderr, JSONFormat: true,
		// go-plugin logs its socket and its certificate set-up at every start: of use to nobody.
		Exclude: hclog.ExcludeByPrefix("plugin address").Exclude,
	})
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: wire.Handshake(),
		Plugins: wire.Plugins(p, func(method, kind, place string, stack []byte) {
			log.Error("panic in provider", "method", method, "type", kind, "at", place, "stack", string(stack))
		}),
		GRPCServer: wire.NewGRPCServer,
		Logger:     log,
	})
}
