// Package graph speaks GraphQL with the outside: the schema (*.graphqls), the transports, their limits, who is asking, and how
// an error looks. What a field answers is the business of package resolvers.
//
// The transports are our own, over gqlgen's executor. Those that gqlgen has kill the process when a stream's client leaves at
// the wrong moment, hold a client that does not read for ever, trust Content-Length, and answer with statuses and close codes
// that clients of GraphQL over HTTP, graphql-sse and graphql-transport-ws do not expect.
package graph

//go:generate go tool gqlgen generate
//go:generate go run ./cmd/schemadoc -dir . -o ../schema.graphql
