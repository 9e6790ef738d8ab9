// Package wire carries the sdk's types between the host and a plugin process: the handshake, the gRPC client that the host
// calls, the gRPC server that a plugin runs, and the conversions to and from the protocol's messages. Finding, starting and
// killing processes is left to package providers; what a provider does is left to the plugin.
package wire
