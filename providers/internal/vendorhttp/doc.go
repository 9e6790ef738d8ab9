// Package vendorhttp is the HTTP under every vendor's SDK: a client that reaches the configured vendor and nothing else, and
// what the vendors' answers have in common when they fail (wait hints, statuses, broken connections, texts fit for a log).
// What a vendor's own error codes mean is left to the plugins.
package vendorhttp
