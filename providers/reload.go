package providers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// ReloadReport is what a reload came to, a line for each plugin that is enabled, in the order of names.
type ReloadReport struct{ Plugins []Reloaded }

// Reloaded is what became of one plugin.
type Reloaded struct {
	Name    string
	Outcome ReloadOutcome
	Code    ReloadCode // why it was refused; "" otherwise
	Reason  string     // the same in an English sentence, redacted
	// Version and Checksum are those that serve now, the others those before. "" when none does or did.
	Version, Checksum       string
	OldVersion, OldChecksum string
}

// ReloadOutcome says what serves after a reload.
type ReloadOutcome string

// The outcomes.
const (
	ReloadSwapped   ReloadOutcome = "swapped"   // a new binary has taken the traffic over
	ReloadStarted   ReloadOutcome = "started"   // one that did not run runs now
	ReloadUnchanged ReloadOutcome = "unchanged" // the binary is the one that runs
	ReloadRefused   ReloadOutcome = "refused"   // the binary is not fit: what served before serves on
)

// ReloadCode says why a binary was refused.
type ReloadCode string

// The codes.
const (
	RefusedMissing  ReloadCode = "missing"      // there is no such file any more
	RefusedChecksum ReloadCode = "checksum"     // not the one in plugins.sum
	RefusedUnlisted ReloadCode = "not_listed"   // not in plugins.sum
	RefusedFile     ReloadCode = "unreadable"   // the file cannot be read
	RefusedProtocol ReloadCode = "protocol"     // it speaks another version of the protocol
	RefusedStart    ReloadCode = "start_failed" // it crashed, shook no hands or cannot describe itself
	RefusedCheck    ReloadCode = "check_failed" // its own check fails, where the one that serves passes
	RefusedStopped  ReloadCode = "stopped"      // the host stopped, or the caller left
)

// ErrNotRunning says that a host has not been started, or was stopped.
var ErrNotRunning = errors.New("the plugin host does not run")

// refusal is why a binary does not take over.
type refusal struct {
	code ReloadCode
	err  error
}

// Reload looks at the plugin folder again and replaces every enabled plugin whose binary is another one by now, or which does
// not run: the new process is started beside the old, verified, and has to pass its check where the old one does; then new
// calls go to it, and the old one ends when its calls have, within DrainTimeout. A binary that is not fit changes nothing. It
// returns when traffic has moved; reloads take turns. It fails when the host does not run or the folder or its manifest cannot
// be read.
func (h *Host) Reload(ctx context.Context) (ReloadReport, error) {
	select {
	case h.reloading <- struct{}{}:
		defer func() { <-h.reloading }()
	case <-ctx.Done():
		return ReloadReport{}, ctx.Err()
	}
	all, err := versions(h.config.Dir, h.config.RequireSums)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ReloadReport{}, err
	}
	newest := map[string]Binary{}
	for _, of := range all {
		newest[of[0].Name] = of[0]
	}
	var wg sync.WaitGroup
	slots := h.admit(newest)
	lines := make([]Reloaded, len(slots))
	for i, s := range slots {
		b, found := newest[s.name]
		wg.Go(func() { lines[i] = h.reloadOne(ctx, s, b, found) })
	}
	wg.Wait()
	report := ReloadReport{Plugins: lines}
	h.life.Lock()
	defer h.life.Unlock()
	if h.cancel == nil {
		return report, ErrNotRunning
	}
	return report, nil
}

// admit is the slots of the enabled plugins in the order of their names, with new ones for those that were not there before.
func (h *Host) admit(found map[string]Binary) []*slot {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, b := range found {
		if h.slots[name] == nil {
			s := newSlot(name)
			s.binary, s.state = b, StateMissing
			if !h.enabled(name) {
				s.state = StateDisabled
			}
			h.slots[name] = s
		}
	}
	var slots []*slot
	for name, s := range h.slots {
		if h.enabled(name) {
			slots = append(slots, s)
		}
	}
	slices.SortFunc(slots, func(a, b *slot) int { return cmp.Compare(a.name, b.name) })
	return slots
}

// reloadOne replaces one plugin by b if there is a reason to, and b is fit.
func (h *Host) reloadOne(ctx context.Context, s *slot, b Binary, found bool) Reloaded {
	old := s.plugin()
	running := old.State == StateRunning
	line := Reloaded{Name: s.name, Outcome: ReloadUnchanged}
	if running {
		line.OldVersion, line.OldChecksum = old.Version, old.Checksum
	}
	var no *refusal
	switch {
	case !found:
		no = &refusal{RefusedMissing, fmt.Errorf("there is no %s%s in the plugin folder", BinaryPrefix, s.name)}
	case b.Err != nil:
		no = &refusal{fileFault(b.Err), b.Err}
	case running && old.Checksum == b.Checksum && old.Path == b.Path:
	default:
		if no = h.install(ctx, s, b); no == nil {
			line.Outcome = ReloadStarted
			if running {
				line.Outcome = ReloadSwapped
			}
		}
	}
	log := h.config.Log.With("plugin", s.name)
	if no != nil {
		line.Outcome, line.Code, line.Reason = ReloadRefused, no.code, clip(h.redact.Text(no.err.Error()), maxErrorMessage)
		log.ErrorContext(ctx, "plugin not replaced", "code", no.code, "reason", line.Reason)
	}
	if now := s.plugin(); now.State == StateRunning {
		line.Version, line.Checksum = now.Version, now.Checksum
	}
	if no == nil && line.Outcome != ReloadUnchanged {
		log.InfoContext(ctx, "plugin replaced", "outcome", line.Outcome, "version", line.Version, "old_version", line.OldVersion,
			"checksum", line.Checksum, "old_checksum", line.OldChecksum)
	}
	return line
}

func fileFault(err error) ReloadCode {
	switch {
	case errors.Is(err, ErrChecksumMismatch):
		return RefusedChecksum
	case errors.Is(err, ErrNotListed):
		return RefusedUnlisted
	}
	return RefusedFile
}

// install starts b beside what is in the slot, and gives it the slot when it is fit. The goroutine that starts it looks after
// it for the whole of its life, as its thread must.
func (h *Host) install(ctx context.Context, s *slot, b Binary) *refusal {
	verdict := make(chan *refusal, 1)
	h.life.Lock()
	if h.cancel == nil {
		h.life.Unlock()
		return &refusal{RefusedStopped, ErrNotRunning}
	}
	h.spawn(func(run context.Context) {
		own, retire := context.WithCancel(run)
		defer retire()
		p, no := h.candidate(ctx, own, s, b)
		if no != nil {
			verdict <- no
			return
		}
		t := &tenure{retire: retire}
		s.adopt(t, p)
		verdict <- nil
		h.supervise(run, own, s, t, p)
	})
	h.life.Unlock()
	return <-verdict
}

// candidate starts a binary and finds out whether it is fit to take over from what is in the slot. own ends when the host
// stops, ctx when nobody waits for the verdict any more.
func (h *Host) candidate(ctx, own context.Context, s *slot, b Binary) (*process, *refusal) {
	own, cancel := context.WithCancel(own)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	p, err := h.launch(own, b)
	if err != nil {
		code := RefusedStart
		if strings.Contains(err.Error(), "ncompatible") { // go-plugin has no error of its own for it
			code = RefusedProtocol
		}
		return nil, &refusal{code, err}
	}
	no := h.unfit(own, s, p)
	if no == nil && own.Err() != nil {
		no = &refusal{RefusedStopped, own.Err()}
	}
	if no != nil {
		p.stop(0)
		no.err = errors.Join(no.err, os.RemoveAll(p.dir))
		return nil, no
	}
	return p, nil
}

// unfit says why a new process must not take over; nil when it may. A check that fails for both says nothing about the new one:
// its vendor may be away.
func (h *Host) unfit(ctx context.Context, s *slot, p *process) *refusal {
	check := func(p *process) error {
		ctx, cancel := context.WithTimeout(ctx, h.config.CheckTimeout)
		defer cancel()
		return p.remote.Check(ctx)
	}
	failed := check(p)
	select {
	case <-p.gone():
		return &refusal{RefusedCheck, fmt.Errorf("the new process ended while it was checked: %w", p.command.ended())}
	default:
	}
	if err := h.healthy(ctx, p); err != nil {
		return &refusal{RefusedCheck, fmt.Errorf("the new process does not answer: %w", err)}
	}
	if failed == nil {
		return nil
	}
	old, _, _ := s.take(time.Now())
	if old == nil {
		return nil // nothing serves: the check is no worse than that
	}
	defer old.release()
	if check(old) != nil {
		return nil
	}
	return &refusal{RefusedCheck, fmt.Errorf("the new version fails its check, which the running one passes: %w", sdk.AsError(failed))}
}
