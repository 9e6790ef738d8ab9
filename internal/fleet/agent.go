package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	lookEvery = 2 * time.Second // how soon a decision reaches a worker
	showEvery = 5 * time.Second // three shows within the life of a status on the board
	// removeTimeout ends the farewell to the board.
	removeTimeout = time.Second
)

// Plugins is the plugins of this process and the chain over them.
type Plugins interface {
	// Arrange says who is asked from now on, in which order.
	Arrange(names []string)
	// Reload loads the plugins anew.
	Reload(ctx context.Context) ([]Reloaded, error)
	Status() []ProviderStatus
}

// AgentConfig is what an Agent is made of.
type AgentConfig struct {
	Worker  string // unique among the processes of an installation
	Plugins Plugins
	Store   Store
	Board   Board
	// Configured is the providers of this process in their order.
	Configured []string
	Log        *slog.Logger
}

// Agent has a worker process do what operators decided, and shows how its providers fare.
type Agent struct {
	config AgentConfig
	nudge  chan struct{}
	show   chan struct{}

	life   sync.Mutex // held by Start and Stop; guards what follows
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex // guards what follows
	reload  int64      // carried out
	reports []Reloaded
	fault   string
	names   []string // as arranged last
}

// NewAgent makes an agent that does nothing before Start.
func NewAgent(config AgentConfig) *Agent {
	return &Agent{config: config, nudge: make(chan struct{}, 1), show: make(chan struct{}, 1)}
}

// Start arranges the providers as decided, and goes on to follow decisions until Stop. The plugins are as new as can be: what
// was requested before is done. It fails when the decisions cannot be read. An agent that runs it leaves alone.
func (a *Agent) Start(ctx context.Context) error {
	a.life.Lock()
	defer a.life.Unlock()
	if a.cancel != nil {
		return nil
	}
	desired, err := a.config.Store.Desired(ctx)
	if err != nil {
		return fmt.Errorf("read what is decided about providers: %w", err)
	}
	a.mu.Lock()
	a.reload = desired.Reload
	a.mu.Unlock()
	a.arrange(ctx, desired)
	a.put(ctx)
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	a.cancel = cancel
	a.done.Go(func() { a.follow(run) })
	a.done.Go(func() { a.tell(run) })
	return nil
}

// Stop ends what Start began, and takes this worker off the board.
func (a *Agent) Stop(ctx context.Context) {
	a.life.Lock()
	defer a.life.Unlock()
	if a.cancel == nil {
		return
	}
	a.cancel()
	a.done.Wait()
	a.cancel = nil
	ctx, cancel := context.WithTimeout(ctx, removeTimeout)
	defer cancel()
	if err := a.config.Board.Remove(ctx, a.config.Worker); err != nil {
		a.config.Log.DebugContext(ctx, "take a worker off the board", "error", err) // it expires
	}
}

// Nudge has the agent look for decisions at once.
func (a *Agent) Nudge() { wake(a.nudge) }

func wake(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default: // it will look anyway
	}
}

// follow looks for decisions.
func (a *Agent) follow(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-a.nudge:
		}
		desired, err := a.config.Store.Desired(ctx)
		if err != nil {
			if ctx.Err() == nil && !failing {
				a.config.Log.WarnContext(ctx, "what is decided about providers cannot be read", "error", err)
			}
			failing = true
			continue
		}
		failing = false
		a.arrange(ctx, desired)
		a.mu.Lock()
		due := desired.Reload > a.reload
		a.mu.Unlock()
		if due {
			_ = a.carryOut(ctx, desired.Reload) // it is on the board
		}
	}
}

func (a *Agent) arrange(ctx context.Context, desired Desired) {
	names := Active(a.config.Configured, desired.Settings)
	a.mu.Lock()
	same := a.names != nil && slices.Equal(names, a.names)
	a.names = append([]string{}, names...)
	a.mu.Unlock()
	if same {
		return
	}
	a.config.Plugins.Arrange(names)
	a.config.Log.InfoContext(ctx, "order of providers", "providers", names)
	wake(a.show)
}

// Reload loads this process's plugins anew, and no other's.
func (a *Agent) Reload(ctx context.Context) error { return a.carryOut(ctx, 0) }

// carryOut reloads, for the request of this generation; 0 is nobody's.
func (a *Agent) carryOut(ctx context.Context, generation int64) error {
	reports, err := a.config.Plugins.Reload(ctx)
	if ctx.Err() != nil {
		return ctx.Err() // whoever runs next has the new plugins
	}
	a.mu.Lock()
	a.reload, a.reports, a.fault = max(a.reload, generation), reports, ""
	if err != nil {
		a.fault = err.Error()
	}
	a.mu.Unlock()
	if err != nil {
		a.config.Log.ErrorContext(ctx, "plugins not reloaded", "error", err)
	}
	wake(a.show)
	return err
}

// tell shows the status on the board.
func (a *Agent) tell(ctx context.Context) {
	tick := time.NewTicker(showEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-a.show:
		}
		a.put(ctx)
	}
}

func (a *Agent) put(ctx context.Context) {
	a.mu.Lock()
	status := Status{Worker: a.config.Worker, Reload: a.reload, Reports: a.reports, Fault: a.fault}
	a.mu.Unlock()
	status.Providers = a.config.Plugins.Status()
	value, err := json.Marshal(status)
	if err == nil {
		err = a.config.Board.Put(ctx, a.config.Worker, value)
	}
	if err != nil && ctx.Err() == nil {
		a.config.Log.DebugContext(ctx, "show a worker's providers", "error", err) // the board says when it is away
	}
}
