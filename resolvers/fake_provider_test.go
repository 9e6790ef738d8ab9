package resolvers_test

import (
	"context"
	"time"

	"github.com/mercadoesperto/smarket/internal/fleet"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/resolvers"
)

var _ resolvers.Providers = fakeProviders{}

// fakeProviders is a provider that runs, one that no worker tells of, and one that is off.
type fakeProviders struct{ *fake }

func (f fakeProviders) Providers(_ context.Context, admin bool) ([]*fleet.Provider, error) {
	list := []*fleet.Provider{
		{Name: "gemini", Enabled: true, Position: 1, Local: new(false), Operations: &fleet.Operations{
			Workers: 2, Version: "1.2.0", Checksum: "ab12", Model: "gemini-3.1-flash-lite", Protocol: 1, Tasks: []string{"extract"},
			MediaTypes: []string{"image/jpeg"}, State: fleet.StateRunning, Breaker: fleet.BreakerHalfOpen, InFlight: 3,
			Calls: 200, Failed: 5, P50: 1234 * time.Millisecond, P95: 4 * time.Second, CostToday: 550, LastError: "plugin process ended",
		}},
		{Name: "openai", Enabled: true, Position: 2, Operations: &fleet.Operations{}},
		{Name: "offline", Position: 3, Local: new(true), Operations: &fleet.Operations{Workers: 1, State: fleet.StateParked}},
	}
	if !admin {
		for _, p := range list {
			p.Operations = nil
		}
	}
	return list, nil
}

func (f fakeProviders) Set(ctx context.Context, _ string, c fleet.Change) (*fleet.Provider, error) {
	list, err := f.Providers(ctx, true)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if p.Name != c.Name {
			continue
		}
		if c.Enabled != nil {
			p.Enabled = *c.Enabled
		}
		if c.Position != nil {
			p.Position = *c.Position
		}
		return p, nil
	}
	return nil, &invoice.Error{Code: invoice.CodeNotFound, Field: "name", Message: "Não há um provedor com este nome."}
}

func (f fakeProviders) Reload(context.Context, string) (*fleet.Reloading, error) {
	return &fleet.Reloading{
		Workers: []fleet.Status{
			{Worker: "a/1", Reports: []fleet.Reloaded{
				{Name: "gemini", Outcome: fleet.OutcomeSwapped, Version: "1.2.0", Checksum: "ab12", PreviousVersion: "1.1.0"},
				{Name: "openai", Outcome: fleet.OutcomeRefused, Code: "CHECKSUM", Reason: "plugin checksum does not match plugins.sum"},
			}},
			{Worker: "b/1", Fault: "find plugins: no such folder"},
		},
		Pending: []string{"c/1"},
	}, nil
}
