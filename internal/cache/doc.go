// Package cache is the way to Redis: the connection that caches, rate limits and live progress share, and the embedded
// server that stands in for Redis where none is configured. What is kept there can always be lost.
package cache
