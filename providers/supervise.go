package providers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
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
	name string

	mu       sync.Mutex // guards what follows
	changed  chan struct{}
	binary   Binary
	state    State
	since    time.Time
	proc     *process         // nil unless running
	desc     *sdk.Description // of the last process that ran
	restarts int
	lastErr  string
	retryAt  time.Time // of the next start, while restarting or parked
}

func newSlot(name string) *slot {
	return &slot{name: name, state: StateStarting, since: time.Now(), changed: make(chan struct{})}
}

// update changes the slot and wakes whoever waits for it.
func (s *slot) update(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.state
	fn()
	if s.state != before {
		s.since = time.Now()
	}
	close(s.changed)
	s.changed = make(chan struct{})
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
		Verified: s.binary.Verified, LastError: s.lastErr,
	}
	if s.desc != nil {
		p.Version, p.Model = s.desc.Version, s.desc.Model
	}
	if s.proc != nil {
		p.PID = s.proc.command.cmd.Process.Pid
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

// acquire is the process that runs now. While one is being started it waits, but no longer than most.
func (s *slot) acquire(ctx context.Context, most time.Duration) (*process, error) {
	deadline := time.Now().Add(most)
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		s.mu.Lock()
		state, proc, changed, lastErr, retryAt := s.state, s.proc, s.changed, s.lastErr, s.retryAt
		s.mu.Unlock()
		switch state {
		case StateRunning:
			select {
			case <-proc.gone(): // its supervisor is about to notice
			default:
				return proc, nil
			}
		case StateStarting:
		case StateRestarting:
			if retryAt.After(deadline) {
				return nil, unavailable(s.name, lastErr)
			}
		case StateParked, StateRefused, StateMissing:
			return nil, unavailable(s.name, lastErr)
		case StateDisabled, StateStopped:
			return nil, unavailable(s.name, string(state))
		}
		select {
		case <-changed:
		case <-timer.C:
			return nil, unavailable(s.name, "not running: "+lastErr)
		case <-ctx.Done():
			kind := sdk.KindCancelled
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				kind = sdk.KindTimeout
			}
			return nil, &sdk.Error{Kind: kind, Blame: sdk.BlameHost, Message: "waiting for plugin " + s.name}
		}
	}
}

// kill kills the running process without ceremony; its supervisor does the rest.
func (s *slot) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil {
		s.proc.command.kill()
	}
}

// supervise keeps one plugin running until ctx ends.
func (h *Host) supervise(ctx context.Context, s *slot, dir string) {
	// Linux kills a child when the thread that started it ends, so the thread must stay: with Pdeathsig it would otherwise be
	// a matter of luck which of Go's threads that is.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	log := h.config.Log.With("plugin", s.name)
	defer s.update(func() {
		if s.state != StateRefused {
			s.state = StateStopped
		}
	})
	crashes := 0
	for ctx.Err() == nil {
		lived, err := h.run(ctx, s, filepath.Join(dir, "p"+strconv.FormatInt(h.launches.Add(1), 36)))
		if ctx.Err() != nil {
			return
		}
		lastErr := clip(h.redact.Text(err.Error()), maxErrorMessage)
		if errors.Is(err, ErrChecksumMismatch) || errors.Is(err, ErrNotListed) {
			s.update(func() { s.state, s.lastErr = StateRefused, lastErr })
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
		s.update(func() {
			s.state, s.lastErr, s.retryAt = state, lastErr, time.Now().Add(wait)
			s.restarts++
		})
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
			// Callers wait for a restart, and for the try that ends a parking.
			s.update(func() { s.state, s.retryAt = StateRestarting, time.Now() })
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// run starts one process and returns when it has ended, with how long it lived and why it ended. When ctx ends it ends the
// process.
func (h *Host) run(ctx context.Context, s *slot, dir string) (lived time.Duration, err error) {
	// Read anew at every start: the binary may have been replaced since.
	sums, err := readSums(h.config.Dir)
	if err != nil {
		return 0, err
	}
	b := inspect(s.name, filepath.Join(h.config.Dir, BinaryPrefix+s.name), sums, h.config.RequireSums)
	if b.Err != nil {
		return 0, b.Err
	}
	log := h.config.Log.With("plugin", s.name)
	if !b.Verified {
		log.WarnContext(ctx, "plugin is not verified", "no_file", SumsFile, "checksum", b.Checksum)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, fmt.Errorf("folder for plugin: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p, err := startProcess(ctx, launch{
		binary: b, env: h.environment(s.name, dir), dir: dir, startTimeout: h.config.StartTimeout, redact: h.redact, log: log,
	})
	if err != nil {
		return 0, err
	}
	s.update(func() { s.state, s.binary, s.proc, s.desc = StateRunning, b, p, &p.desc })
	log.InfoContext(ctx, "plugin running", "version", p.desc.Version, "model", p.desc.Model,
		"pid", p.command.cmd.Process.Pid, "checksum", b.Checksum, "took", time.Since(p.started))

	err = h.watch(ctx, p)
	s.update(func() {
		s.proc = nil
		if ctx.Err() != nil {
			s.state = StateStopped
		} else {
			s.state, s.retryAt = StateRestarting, time.Now()
		}
	})
	grace := h.config.StopGrace
	if ctx.Err() == nil {
		grace = 0 // dead or frozen: nobody there to ask
	}
	p.stop(grace)
	return time.Since(p.started), err
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
