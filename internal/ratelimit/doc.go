// Package ratelimit counts what clients ask for against limits, over all processes of an installation: a sliding window in
// Redis, in one atomic step. While Redis does not answer, the same limits hold per process. It does not know who a client is,
// nor what a request is worth: its caller says both.
package ratelimit
