// Package fleet is the providers of an installation as operators see and steer them: which are on, in which order they are
// asked, what each worker process says of its plugins, and loading the plugins anew. What operators decide is kept in the
// database; workers look there every two seconds, so that a decision reaches all of them and survives restarts. How a plugin is
// run and replaced is package providers' business.
package fleet

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/usage"
)

// Setting is what operators decided about one provider.
type Setting struct {
	Name      string
	Enabled   bool
	Position  int // in the chain, from 1
	UpdatedAt time.Time
}

// Desired is what workers are to do.
type Desired struct {
	Settings []Setting // in the order of their positions
	Reload   int64     // grows with each request to load the plugins anew
}

// Store keeps what operators decide, for all processes of an installation.
type Store interface {
	Desired(ctx context.Context) (Desired, error)
	// Change replaces the settings by what fn makes of them. Changes take turns.
	Change(ctx context.Context, fn func(now []Setting) []Setting) error
	// RequestReload raises Desired.Reload and is its new value.
	RequestReload(ctx context.Context) (int64, error)
}

// Board is where workers show their status to the others; what a worker does not renew goes away by itself.
type Board interface {
	Put(ctx context.Context, worker string, status []byte) error
	// All is the statuses by worker.
	All(ctx context.Context) (map[string][]byte, error)
	Remove(ctx context.Context, worker string) error
}

// Status is what a worker says of its providers.
type Status struct {
	Worker    string
	Reload    int64 // the last Desired.Reload that it has carried out
	Reports   []Reloaded
	Fault     string // why that reload could not be done at all; "" when it was
	Providers []ProviderStatus
}

// ProviderStatus is one provider in one worker.
type ProviderStatus struct {
	Name, Version, Checksum, Model string
	Protocol                       int
	Local, Described               bool // Described: it has run, so that Local and what it takes are known
	Tasks, MediaTypes              []string
	State                          State
	Breaker                        Breaker
	InFlight                       int
	LatenciesMS                    []int // of the last calls
	Failed                         int   // of them
	LastError                      string
}

// Reloaded is what a reload did to one plugin.
type Reloaded struct {
	Name            string
	Outcome         Outcome
	Code            string // why it was refused; "" otherwise
	Reason          string // an English sentence for operators; "" otherwise
	Version         string // that serves now
	Checksum        string
	PreviousVersion string
}

// Outcome says what serves after a reload.
type Outcome string

// The outcomes.
const (
	OutcomeSwapped   Outcome = "SWAPPED"   // the new binary
	OutcomeStarted   Outcome = "STARTED"   // one that did not run before
	OutcomeUnchanged Outcome = "UNCHANGED" // the binary is the same
	OutcomeRefused   Outcome = "REFUSED"   // what served before: the new binary is not fit
)

// State is how a plugin fares in a worker.
type State string

// The states.
const (
	StateStarting   State = "STARTING"
	StateRunning    State = "RUNNING"
	StateRestarting State = "RESTARTING"
	StateParked     State = "PARKED"
	StateRefused    State = "REFUSED"
	StateMissing    State = "MISSING"
	StateDisabled   State = "DISABLED"
	StateStopped    State = "STOPPED"
)

// Breaker is the state of a provider's circuit breaker.
type Breaker string

// The states of a breaker.
const (
	BreakerClosed   Breaker = "CLOSED"
	BreakerHalfOpen Breaker = "HALF_OPEN"
	BreakerOpen     Breaker = "OPEN"
)

// Provider is one provider over all workers.
type Provider struct {
	Name     string
	Enabled  bool
	Position int   // in the chain, from 1
	Local    *bool // nil while no worker has run it

	// Operations is for admins; nil for others.
	Operations *Operations
}

// Operations is how a provider fares. Where workers differ it is the worst of them; versions are those of the first worker.
type Operations struct {
	Workers                  int // that tell of it
	Version, Checksum, Model string
	Protocol                 int
	Tasks, MediaTypes        []string
	State                    State // "" without workers
	Breaker                  Breaker
	InFlight                 int
	Calls, Failed            int // the last ones that the figures are about
	P50, P95                 time.Duration
	CostToday                usage.MicroUSD
	LastError                string
}

// order is the known providers as they are asked, with those that are off: by their settings, then as configured.
func order(known []string, settings []Setting) []Setting {
	list := make([]Setting, 0, len(known))
	for i, name := range known {
		s := Setting{Name: name, Enabled: true, Position: len(settings) + len(known) + i}
		if at := slices.IndexFunc(settings, func(s Setting) bool { return s.Name == name }); at >= 0 {
			s = settings[at]
		}
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b Setting) int { return cmp.Compare(a.Position, b.Position) })
	for i := range list {
		list[i].Position = i + 1
	}
	return list
}

// Active is the names of the configured providers that are on, in the order in which they are asked.
func Active(configured []string, settings []Setting) []string {
	var names []string
	for _, s := range order(configured, settings) {
		if s.Enabled {
			names = append(names, s.Name)
		}
	}
	return names
}

func noSuchProvider(name string) error {
	return &invoice.Error{
		Code: invoice.CodeNotFound, Field: "name", Message: "Não há um provedor com este nome.", Cause: fmt.Errorf("provider %q", name),
	}
}
