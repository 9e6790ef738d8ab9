package providers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// State is how a plugin fares.
type State string

// The states.
const (
	StateStarting   State = "starting"
	StateRunning    State = "running"
	StateRestarting State = "restarting" // crashed, froze or failed to start; another start follows
	StateParked     State = "parked"     // crashed too often in a row: rests before one more try
	StateRefused    State = "refused"    // its checksum is wrong or missing
	StateMissing    State = "missing"    // enabled, but there is no such binary
	StateDisabled   State = "disabled"   // found, but not enabled
	StateStopped    State = "stopped"
)

// slot is the place of one plugin, whatever process is in it.
type slot struct {
	name  string
	stats *callStats

	mu       sync.Mutex // guards what follows
	changed  chan struct{}
	tenure   *tenure // whose process is in the slot, or will be
	binary   Binary
	state    State
	since    time.Time
	proc     *process         // nil unless running
	draining []*process       // replaced, with calls that they still answer
	desc     *sdk.Description // of the last process that ran
	restarts int
	swaps    int
	lastErr  string
	retryAt  time.Time // of the next start, while restarting or parked
}

// tenure is the time in which one goroutine looks after a slot: from the start or the swap that begins it to the swap or the
// stop that ends it. Only the slot's own tenure may change the slot.
type tenure struct {
	retire context.CancelFunc // guarded by the slot's lock; nil before the goroutine runs
}

func newSlot(name string) *slot {
	return &slot{name: name, stats: &callStats{}, state: StateStarting, since: time.Now(), changed: make(chan struct{})}
}

// update changes the slot and wakes whoever waits for it. It does nothing, and says so, when the slot is another tenure's.
func (s *slot) update(t *tenure, fn func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tenure != t {
		return false
	}
	s.change(fn)
	return true
}

// change is update without the lock.
func (s *slot) change(fn func()) {
	before := s.state
	fn()
	if s.state != before {
		s.since = time.Now()
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// adopt gives the slot, with a process that runs, to a new tenure: from here on calls go to that process. The old tenure
// drains its own.
func (s *slot) adopt(t *tenure, p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.tenure
	s.change(func() {
		if s.proc != nil {
			s.draining = append(s.draining, s.proc)
		}
		s.tenure, s.binary, s.proc, s.desc, s.state, s.lastErr = t, p.binary, p, &p.desc, StateRunning, ""
		s.swaps++
	})
	if old != nil && old.retire != nil {
		old.retire()
	}
}

// drained forgets a process that was replaced.
func (s *slot) drained(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = slices.DeleteFunc(s.draining, func(d *process) bool { return d == p })
}

func (s *slot) current() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

func (s *slot) description() *sdk.Description {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.desc
}

func (s *slot) plugin() Plugin {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := Plugin{
		Name: s.name, State: s.state, Restarts: s.restarts, Since: s.since, Path: s.binary.Path, Checksum: s.binary.Checksum,
		Verified: s.binary.Verified, LastError: s.lastErr, Swaps: s.swaps, Draining: len(s.draining), Calls: s.stats.snapshot(),
	}
	if s.desc != nil {
		p.Version, p.Model, p.Local = s.desc.Version, s.desc.Model, s.desc.Local
		p.Tasks, p.MediaTypes = slices.Clone(s.desc.Tasks), slices.Clone(s.desc.MediaTypes)
	}
	if s.proc != nil {
		p.PID, p.Protocol = s.proc.command.cmd.Process.Pid, s.proc.client.NegotiatedVersion()
		p.InFlight = int(s.proc.busy.Load())
	}
	for _, d := range s.draining {
		p.InFlight += int(d.busy.Load())
	}
	return p
}

// settled waits until the first start has come to an end, or ctx has.
func (s *slot) settled(ctx context.Context) {
	for {
		s.mu.Lock()
		state, changed := s.state, s.changed
		s.mu.Unlock()
		if state != StateStarting {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// acquire is the process that runs now, for one call: the caller releases it when the call has ended. While a process is being
// started it waits, but no longer than most.
func (s *slot) acquire(ctx context.Context, most time.Duration) (*process, error) {
	deadline := time.Now().Add(most)
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		proc, changed, err := s.take(deadline)
		if proc != nil || err != nil {
			return proc, err
		}
		select {
		case <-changed:
		case <-timer.C:
			s.mu.Lock()
			defer s.mu.Unlock()
			return nil, unavailable(s.name, "not running: "+s.lastErr)
		case <-ctx.Done():
			kind := sdk.KindCancelled
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				kind = sdk.KindTimeout
			}
			return nil, &sdk.Error{Kind: kind, Blame: sdk.BlameHost, Message: "waiting for plugin " + s.name}
		}
	}
}

// take is acquire without waiting: without a process and an error, one may come before the deadline, and changed then tells.
func (s *slot) take(deadline time.Time) (_ *process, changed <-chan struct{}, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.state {
	case StateRunning:
		select {
		case <-s.proc.gone(): // its supervisor is about to notice
		default:
			s.proc.calls.Add(1)
			s.proc.busy.Add(1)
			return s.proc, nil, nil
		}
	case StateStarting:
	case StateRestarting:
		if s.retryAt.After(deadline) {
			return nil, nil, unavailable(s.name, s.lastErr)
		}
	case StateParked, StateRefused, StateMissing:
		return nil, nil, unavailable(s.name, s.lastErr)
	case StateDisabled, StateStopped:
		return nil, nil, unavailable(s.name, string(s.state))
	}
	return nil, s.changed, nil
}

// kill kills the running processes without ceremony; their supervisors do the rest.
func (s *slot) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.draining {
		p.command.kill()
	}
	if s.proc != nil {
		s.proc.command.kill()
	}
}

// pinned runs fn on a thread of its own. Linux kills a child when the thread that started it ends, so the thread must stay:
// with Pdeathsig it would otherwise be a matter of luck which of Go's threads that is.
func pinned(fn func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	fn()
}

// supervise keeps one plugin running until ctx ends, or another tenure has taken the slot over, which ends own. first is the
// process that it begins with; nil starts one. It runs pinned.
func (h *Host) supervise(ctx, own context.Context, s *slot, t *tenure, first *process) {
	log := h.config.Log.With("plugin", s.name)
	defer s.update(t, func() {
		if s.state != StateRefused {
			s.state = StateStopped
		}
	})
	crashes := 0
	for first != nil || own.Err() == nil {
		lived, err := h.run(ctx, own, s, t, first)
		first = nil
		if own.Err() != nil {
			return
		}
		lastErr := clip(h.redact.Text(err.Error()), maxErrorMessage)
		if errors.Is(err, ErrChecksumMismatch) || errors.Is(err, ErrNotListed) {
			s.update(t, func() { s.state, s.lastErr = StateRefused, lastErr })
			log.ErrorContext(ctx, "plugin refused", "reason", lastErr)
			return
		}
		if lived >= h.config.StableAfter {
			crashes = 0
		}
		crashes++
		state, wait := StateRestarting, backoff(crashes, h.config.BackoffMin, h.config.BackoffMax)
		if crashes >= h.config.MaxCrashes {
			state, wait = StateParked, h.config.ParkFor
		}
		log.ErrorContext(ctx, "plugin down", "reason", lastErr, "lived", lived, "crashes", crashes, "state", state, "next_start_in", wait)
		s.update(t, func() {
			s.state, s.lastErr, s.retryAt = state, lastErr, time.Now().Add(wait)
			s.restarts++
		})
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
			// Callers wait for a restart, and for the try that ends a parking.
			s.update(t, func() { s.state, s.retryAt = StateRestarting, time.Now() })
		case <-own.Done():
			timer.Stop()
		}
	}
}

// run looks after one process, which it starts when p is nil, and returns when it has ended, with how long it lived and why it
// ended. When ctx ends it ends the process; when own alone does, it first lets calls under way finish.
func (h *Host) run(ctx, own context.Context, s *slot, t *tenure, p *process) (lived time.Duration, err error) {
	if p == nil {
		b, err := h.again(s)
		if err != nil {
			return 0, err
		}
		if p, err = h.launch(own, b); err != nil {
			return 0, err
		}
		s.update(t, func() { s.state, s.binary, s.proc, s.desc = StateRunning, b, p, &p.desc })
	}
	h.config.Log.InfoContext(ctx, "plugin running", "plugin", s.name, "version", p.desc.Version, "model", p.desc.Model,
		"pid", p.command.cmd.Process.Pid, "checksum", p.binary.Checksum, "took", time.Since(p.started))

	err = h.watch(own, p)
	s.update(t, func() {
		s.proc = nil
		if own.Err() != nil {
			s.state = StateStopped
		} else {
			s.state, s.retryAt = StateRestarting, time.Now()
		}
	})
	grace := h.config.StopGrace
	switch {
	case own.Err() == nil:
		grace = 0 // dead or frozen: nobody there to ask
	case ctx.Err() == nil:
		h.drain(ctx, p)
	}
	p.stop(grace)
	s.drained(p)
	return time.Since(p.started), errors.Join(err, os.RemoveAll(p.dir))
}

// again is the slot's binary as it is now: it may have been replaced since it was last started.
func (h *Host) again(s *slot) (Binary, error) {
	sums, err := readSums(h.config.Dir)
	if err != nil {
		return Binary{}, err
	}
	s.mu.Lock()
	was := s.binary
	s.mu.Unlock()
	b := inspect(was.Name, was.Path, sums, h.config.RequireSums)
	b.Version = was.Version
	return b, b.Err
}

// launch starts a process in a folder of its own.
func (h *Host) launch(ctx context.Context, b Binary) (*process, error) {
	log := h.config.Log.With("plugin", b.Name)
	if !b.Verified {
		log.WarnContext(ctx, "plugin is not verified", "no_file", SumsFile, "checksum", b.Checksum)
	}
	dir := filepath.Join(h.dir.path, "p"+strconv.FormatInt(h.launches.Add(1), 36))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder for plugin: %w", err)
	}
	p, err := startProcess(ctx, launch{
		binary: b, env: h.environment(b.Name, dir), dir: dir, startTimeout: h.config.StartTimeout, dial: h.config.Dial, redact: h.redact, log: log,
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return p, nil
}

// drain returns when no call is under way any more, or the process is gone or frozen, or it has taken too long.
func (h *Host) drain(ctx context.Context, p *process) {
	ctx, cancel := context.WithTimeout(ctx, h.config.DrainTimeout)
	defer cancel()
	go func() {
		p.calls.Wait() // ends at the latest when the process does
		cancel()
	}()
	err := h.watch(ctx, p)
	if n := p.busy.Load(); n > 0 {
		h.config.Log.WarnContext(ctx, "replaced plugin ends with calls under way", "plugin", p.binary.Name, "calls", n, "reason", err)
	}
}

// watch returns when the process has ended, no longer answers, or ctx ends.
func (h *Host) watch(ctx context.Context, p *process) error {
	tick := time.NewTicker(h.config.HealthInterval)
	defer tick.Stop()
	misses := 0
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.gone():
			return fmt.Errorf("plugin process ended: %w", p.command.ended())
		case <-p.stuck:
			return fmt.Errorf("plugin process does not answer: %d calls in a row", h.config.MaxHangs)
		case <-tick.C:
		}
		if err := h.healthy(ctx, p); err == nil {
			misses = 0
		} else if misses++; misses >= h.config.HealthMisses {
			return fmt.Errorf("plugin process does not answer: %w", err)
		}
	}
}

func (h *Host) healthy(ctx context.Context, p *process) error {
	ctx, cancel := context.WithTimeout(ctx, h.config.HealthTimeout)
	defer cancel()
	return p.remote.Healthy(ctx)
}

// environment is all that a plugin gets to see.
func (h *Host) environment(name, dir string) []string {
	env := []string{"TMPDIR=" + dir}
	for _, vars := range []map[string]string{h.config.SharedEnv, h.config.Env[name]} {
		for k, v := range vars {
			env = append(env, k+"="+v) // exec takes the last of two
		}
	}
	return env
}

// backoff doubles from least up to most with each crash, and strays by a fifth so that plugins that fell together do not rise
// together.
func backoff(crashes int, least, most time.Duration) time.Duration {
	wait := min(most, least<<min(crashes-1, 20))
	if wait <= 0 {
		wait = most // the shift ran over
	}
	return wait - time.Duration(rand.Int64N(int64(wait)/5+1)) //nolint:gosec // spreading starts needs no secrecy
}
