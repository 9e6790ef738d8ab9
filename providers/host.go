package providers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// HostConfig says which plugins a Host runs, and how it watches them. Zero durations and counts take their defaults.
type HostConfig struct {
	// Dir holds the plugins' binaries. A folder that does not exist is one without plugins.
	Dir string
	// RequireSums refuses plugins without a line in plugins.sum. By default they are run with a warning while there is no
	// such file at all.
	RequireSums bool
	// Enabled names the plugins to run; nil runs all that are found.
	Enabled []string
	// Env is the environment of each plugin, by its name: all of it, but for TMPDIR, which is a folder of its own unless set.
	Env map[string]map[string]string
	// SharedEnv is added to every plugin's: PATH, and no secrets.
	SharedEnv map[string]string
	// RunDir holds sockets and temporary files while plugins run. Defaults to a folder of the user's own under the system's
	// temporary one; at most 42 bytes long, because sockets' paths are bounded.
	RunDir string
	// Dial is added to the options of the connections to plugins.
	Dial []grpc.DialOption

	StartTimeout   time.Duration // for a process to shake hands and describe itself. Defaults to 5 s
	CheckTimeout   time.Duration // for the check of a new version before a swap. Defaults to 15 s
	DrainTimeout   time.Duration // for the calls of a replaced process; as long as a call may take. Defaults to 90 s
	CallWait       time.Duration // how long a call waits for a process that is being restarted. Defaults to 10 s
	StopGrace      time.Duration // between asking a process to end and killing it. Defaults to 3 s
	HealthInterval time.Duration // between two health calls. Defaults to 5 s
	HealthTimeout  time.Duration // for a health call. Defaults to 3 s
	HealthMisses   int           // this many in a row and the process is killed. Defaults to 2
	MaxHangs       int           // this many calls in a row without an answer in their time and it is killed. Defaults to 5
	BackoffMin     time.Duration // before the first restart, doubled for each crash in a row. Defaults to 100 ms
	BackoffMax     time.Duration // the most between restarts. Defaults to 30 s
	StableAfter    time.Duration // a process that lived so long has not crashed in a row. Defaults to 1 min
	MaxCrashes     int           // this many in a row and the plugin is parked. Defaults to 5
	ParkFor        time.Duration // how long a parked plugin rests before one more try. Defaults to 5 min

	Log *slog.Logger
}

func (c HostConfig) withDefaults() HostConfig {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&c.StartTimeout, 5*time.Second)
	def(&c.CheckTimeout, 15*time.Second)
	def(&c.DrainTimeout, 90*time.Second)
	def(&c.CallWait, 10*time.Second)
	def(&c.StopGrace, 3*time.Second)
	def(&c.HealthInterval, 5*time.Second)
	def(&c.HealthTimeout, 3*time.Second)
	def(&c.BackoffMin, 100*time.Millisecond)
	def(&c.BackoffMax, 30*time.Second)
	def(&c.StableAfter, time.Minute)
	def(&c.ParkFor, 5*time.Minute)
	if c.HealthMisses <= 0 {
		c.HealthMisses = 2
	}
	if c.MaxHangs <= 0 {
		c.MaxHangs = 5
	}
	if c.MaxCrashes <= 0 {
		c.MaxCrashes = 5
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Host runs plugins, each in a process of its own, and keeps them running: a process that crashes or freezes is replaced. Make
// one with NewHost.
type Host struct {
	config HostConfig
	redact *Redactor

	launches atomic.Int64 // numbers the folders of processes

	reloading chan struct{} // holds a token while a reload is under way

	life sync.Mutex // held by Start and Stop; guards what follows
	dir  *runDir
	// cancel ends the supervisors; nil while the host is stopped.
	cancel context.CancelFunc
	// spawn runs a supervisor on a thread of its own until run ends. Only while cancel is not nil.
	spawn       func(supervisor func(run context.Context))
	supervisors sync.WaitGroup

	mu    sync.Mutex // guards what follows
	slots map[string]*slot
}

// NewHost prepares a host. Nothing runs before Start.
func NewHost(config HostConfig) *Host {
	var secrets []string
	for _, env := range config.Env {
		for name, value := range env {
			if secretName(name) {
				secrets = append(secrets, value)
			}
		}
	}
	return &Host{config: config.withDefaults(), redact: NewRedactor(secrets...), reloading: make(chan struct{}, 1), slots: map[string]*slot{}}
}

// secretName says whether an environment variable of this name holds a secret.
func secretName(name string) bool {
	name = strings.ToUpper(name)
	return slices.ContainsFunc([]string{"KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"},
		func(part string) bool { return strings.Contains(name, part) })
}

// Start finds and starts the plugins, and returns when each runs or has failed for the first time; ctx bounds that wait only.
// A plugin that cannot be started is no error: it is logged, listed, and tried again where that can help. Start fails when the
// plugin folder or its manifest cannot be read, or RunDir cannot be used. On a host that runs it does nothing.
func (h *Host) Start(ctx context.Context) error {
	h.life.Lock()
	defer h.life.Unlock()
	if h.cancel != nil {
		return nil
	}
	found, err := Discover(h.config.Dir, h.config.RequireSums)
	if errors.Is(err, fs.ErrNotExist) {
		h.config.Log.WarnContext(ctx, "no plugin folder", "dir", h.config.Dir)
	} else if err != nil {
		return err
	}
	dir, err := openRunDir(h.config.RunDir)
	if err != nil {
		return err
	}
	h.dir = dir
	slots := h.fill(ctx, found)
	h.mu.Lock()
	h.slots = slots
	h.mu.Unlock()
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	h.cancel = cancel
	h.spawn = func(supervisor func(run context.Context)) {
		h.supervisors.Go(func() { pinned(func() { supervisor(run) }) })
	}
	for _, s := range slots {
		if s.current() == StateStarting {
			h.begin(s)
		}
	}
	for _, s := range slots {
		s.settled(ctx)
	}
	return nil
}

// begin starts the slot's plugin.
func (h *Host) begin(s *slot) {
	t := &tenure{}
	s.tenure = t
	h.spawn(func(run context.Context) {
		own, retire := context.WithCancel(run)
		defer retire()
		if s.update(t, func() { t.retire = retire }) {
			h.supervise(run, own, s, t, nil)
		}
	})
}

// fill makes a slot for each plugin that was found or is enabled.
func (h *Host) fill(ctx context.Context, found []Binary) map[string]*slot {
	slots := map[string]*slot{}
	for _, b := range found {
		s := newSlot(b.Name)
		s.binary = b
		if !h.enabled(b.Name) {
			s.state = StateDisabled
		}
		slots[b.Name] = s
	}
	for _, name := range h.config.Enabled {
		if slots[name] == nil {
			s := newSlot(name)
			s.state, s.lastErr = StateMissing, fmt.Sprintf("no %s%s in %s", BinaryPrefix, name, h.config.Dir)
			slots[name] = s
			h.config.Log.WarnContext(ctx, "plugin not found", "plugin", name, "dir", h.config.Dir)
		}
	}
	return slots
}

func (h *Host) enabled(name string) bool {
	return h.config.Enabled == nil || slices.Contains(h.config.Enabled, name)
}

// Stop ends all processes and returns when they are gone: asked first, killed after the grace. On a host that is stopped or
// was never started it does nothing. When ctx ends first the processes are killed at once.
func (h *Host) Stop(ctx context.Context) error {
	h.life.Lock()
	defer h.life.Unlock()
	if h.cancel == nil {
		return nil
	}
	h.cancel()
	h.cancel = nil
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.supervisors.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
		for _, s := range h.all() {
			s.kill()
		}
		<-done
	}
	if err := h.dir.remove(); err != nil {
		return fmt.Errorf("remove plugin run directory: %w", err)
	}
	return nil
}

// Provider is the plugin of this name, as long as the host lives: its process may be restarted beneath it. It can be taken
// before Start. Calls to a plugin that is not running fail with KindUnavailable, after waiting for one that is being restarted.
func (h *Host) Provider(name string) sdk.Provider { return &hosted{host: h, name: name} }

// Redactor knows the secrets of all plugins. Give it to the Chain, which cleans replies with it.
func (h *Host) Redactor() *Redactor { return h.redact }

// Plugin is what the host knows of one plugin.
type Plugin struct {
	Name       string
	Version    string // as it describes itself; "" before it has run, as is what follows
	Model      string
	Protocol   int // that was agreed on; 0 when it does not run
	Local      bool
	Tasks      []sdk.Task
	MediaTypes []string
	State      State
	PID        int       // 0 when it does not run
	Restarts   int       // since Start
	Swaps      int       // since Start
	Since      time.Time // of the state
	Path       string
	Checksum   string // SHA-256, hexadecimal
	Verified   bool   // by plugins.sum
	LastError  string // redacted; "" when nothing went wrong since the last swap
	InFlight   int    // calls under way, those of replaced processes too
	Draining   int    // replaced processes that still answer calls
	Calls      CallStats
}

// List is every plugin that was found or is enabled, in the order of names.
func (h *Host) List() []Plugin {
	slots := h.all()
	list := make([]Plugin, 0, len(slots))
	for _, s := range slots {
		list = append(list, s.plugin())
	}
	slices.SortFunc(list, func(a, b Plugin) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func (h *Host) all() []*slot {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Values(h.slots))
}

func (h *Host) slot(name string) *slot {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.slots[name]
}

// hosted is a plugin as callers see it.
type hosted struct {
	host *Host
	name string
}

var _ sdk.Provider = (*hosted)(nil)

// Describe is what the process said when it was last started.
func (p *hosted) Describe(ctx context.Context) (sdk.Description, error) {
	s := p.host.slot(p.name)
	if s != nil {
		if d := s.description(); d != nil {
			return *d, nil
		}
	}
	proc, err := p.process(ctx, s)
	if err != nil {
		return sdk.Description{}, err
	}
	defer proc.release()
	return proc.desc, nil
}

// Generate asks the process that runs now.
func (p *hosted) Generate(ctx context.Context, req sdk.Request, emit func(text string) error) (sdk.Result, error) {
	s := p.host.slot(p.name)
	proc, err := p.process(ctx, s)
	if err != nil {
		return sdk.Result{}, err
	}
	defer proc.release()
	started := time.Now()
	result, err := proc.remote.Generate(ctx, req, emit)
	proc.called(ctx, p.host.config.MaxHangs, err)
	s.stats.add(ctx, time.Since(started), err)
	return result, p.clean(err)
}

// Check asks the process that runs now.
func (p *hosted) Check(ctx context.Context) error {
	proc, err := p.process(ctx, p.host.slot(p.name))
	if err != nil {
		return err
	}
	defer proc.release()
	return p.clean(proc.remote.Check(ctx))
}

// process is the one that runs now; it is to be released.
func (p *hosted) process(ctx context.Context, s *slot) (*process, error) {
	if s == nil {
		return nil, unavailable(p.name, "no such plugin is running")
	}
	return s.acquire(ctx, p.host.config.CallWait)
}

// clean redacts a plugin's error. An error of the caller's own emit passes as it is.
func (p *hosted) clean(err error) error {
	if e, ok := errors.AsType[*sdk.Error](err); ok {
		return p.host.redact.Error(e)
	}
	return err
}

func unavailable(name, why string) *sdk.Error {
	return &sdk.Error{Kind: sdk.KindUnavailable, Blame: sdk.BlamePlugin, Message: "plugin " + name + ": " + why}
}
