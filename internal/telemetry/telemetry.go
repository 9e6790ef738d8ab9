package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Config of a Telemetry.
type Config struct {
	Build Build
	// OTLPEndpoint is where traces go, over HTTP; "" sends none. SampleRatio is which part of them, from 0 to 1.
	OTLPEndpoint string
	SampleRatio  float64
	// SentryDSN is where faults go; "" sends none. Environment is what they are filed under.
	SentryDSN   string
	Environment string
	// RequestID names the request that a context belongs to; "" when it belongs to none.
	RequestID func(ctx context.Context) string
	Log       *slog.Logger
}

// Telemetry is all that is told of the service.
type Telemetry struct {
	Metrics *Metrics

	tracing   *tracing  // nil without an endpoint
	faults    *reporter // nil without a DSN
	requestID func(ctx context.Context) string
	log       *slog.Logger
}

// New makes a Telemetry. Stop delivers what is still under way.
func New(ctx context.Context, c Config) (*Telemetry, error) {
	t := &Telemetry{Metrics: NewMetrics(c.Build), requestID: c.RequestID}
	if t.requestID == nil {
		t.requestID = func(context.Context) string { return "" }
	}
	var err error
	if c.SentryDSN != "" {
		if t.faults, err = newReporter(c.SentryDSN, c.Environment, c.Build); err != nil {
			return nil, err
		}
	}
	t.log = t.Logger(c.Log)
	if c.OTLPEndpoint != "" {
		t.tracing, err = newTracing(ctx, c.OTLPEndpoint, c.SampleRatio, c.Build, t.log)
	}
	return t, err
}

// deliverTime is how long the last spans and faults may take to be delivered.
const deliverTime = 5 * time.Second

// Stop delivers what is still under way, within a few seconds. Calling it again does nothing.
func (t *Telemetry) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, deliverTime)
	defer cancel()
	var errs []error
	if t.tracing != nil {
		errs = append(errs, t.tracing.provider.Shutdown(ctx))
	}
	if t.faults != nil {
		t.faults.client.FlushWithContext(ctx) // what is not taken is lost: nobody waits for it
		t.faults.client.Close()
	}
	return errors.Join(errs...)
}
