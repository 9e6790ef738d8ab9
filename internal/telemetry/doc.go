// Package telemetry is what operators see of a running service: metrics for Prometheus, traces by OpenTelemetry, faults for
// Sentry, and the ids that tie log lines together. The other packages know nothing of it: it implements the observers that
// they declare and decorates what they take, and internal/app puts it in between.
//
// Nothing that it gives away says who somebody is or what they bought. A label takes its values from the schema, the code or
// the settings, never from a request, and has at most so many; attributes of spans and events are named here one by one.
package telemetry
