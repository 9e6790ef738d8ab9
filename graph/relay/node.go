// Package relay holds what the Relay conventions add to the API: opaque ids, opaque cursors and the Node interface.
package relay

// Node is anything that the node query can answer. It has no methods: domain types do not know that they are nodes.
type Node any
