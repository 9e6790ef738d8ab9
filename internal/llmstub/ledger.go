package llmstub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Call is one request in the ledger. It holds no document, no text and no key.
type Call struct {
	Seq    int           `json:"seq"` // from 1
	Vendor Vendor        `json:"vendor"`
	Path   string        `json:"path"`
	Model  string        `json:"model"`
	Task   sdk.Task      `json:"task"`
	Stream bool          `json:"stream"`
	At     time.Time     `json:"at"`
	Took   time.Duration `json:"took_ns"`

	// KeySHA256 is the beginning of the API key's hash; "" when none came.
	KeySHA256 string `json:"key_sha256"`
	// Headers are the names of those that came, lower case, sorted.
	Headers     []string `json:"headers"`
	BodyBytes   int      `json:"body_bytes"`
	BodySHA256  string   `json:"body_sha256"`
	TextBytes   int      `json:"text_bytes"` // of instructions, text and schema
	Media       []Seen   `json:"media"`
	AccessKey   string   `json:"access_key"` // of the receipt that was recognised
	Schema      bool     `json:"schema"`
	Instruction string   `json:"instructions_sha256"`

	Fault  Fault `json:"fault"`
	Status int   `json:"status"` // HTTP; 0 when the connection broke before it
	// Outcome is open, answered, failed (an error was served), rejected (the request was wrong), broken (the connection was broken
	// by a fault) or left (by the client, or by the stub's end).
	Outcome Outcome `json:"outcome"`
	// Why a request was rejected.
	Why string `json:"why,omitempty"`
	// Usage is what a vendor would bill; zero when it had not begun to answer.
	Usage Usage `json:"usage"`
}

// Paid says that the call used tokens, and would have cost money.
func (c Call) Paid() bool { return c.Usage != Usage{} }

// Outcome is how a call ended.
type Outcome string

// The outcomes.
const (
	OutcomeOpen     Outcome = "open"
	OutcomeAnswered Outcome = "answered"
	OutcomeFailed   Outcome = "failed"
	OutcomeRejected Outcome = "rejected"
	OutcomeBroken   Outcome = "broken"
	OutcomeLeft     Outcome = "left"
)

// Seen is a picture or a PDF as it came.
type Seen struct {
	Type   string `json:"type"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
	EXIF   bool   `json:"exif"` // EXIF or XMP
	GPS    bool   `json:"gps"`
}

// Totals are sums over calls.
type Totals struct {
	Calls    int           `json:"calls"`
	Paid     int           `json:"paid"`
	Answered int           `json:"answered"`
	Rejected int           `json:"rejected"`
	Faults   map[Fault]int `json:"faults"`
	Usage    Usage         `json:"usage"`
}

// Calls are all requests since the start or the last Reset, in the order they came in, as far as they are known now.
func (s *Stub) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := make([]Call, len(s.calls))
	for i, c := range s.calls {
		calls[i] = *c
	}
	return calls
}

// CallsTo are a vendor's.
func (s *Stub) CallsTo(v Vendor) []Call {
	return slices.DeleteFunc(s.Calls(), func(c Call) bool { return c.Vendor != v })
}

// Count is the number of calls to a vendor, and Paid that of those which would have cost money.
func (s *Stub) Count(v Vendor) int { return len(s.CallsTo(v)) }

// Paid is the number of calls to a vendor that used tokens.
func (s *Stub) Paid(v Vendor) int { return s.Totals()[v].Paid }

// Totals are the sums by vendor.
func (s *Stub) Totals() map[Vendor]Totals {
	totals := make(map[Vendor]Totals)
	for _, c := range s.Calls() {
		t := totals[c.Vendor]
		if t.Faults == nil {
			t.Faults = make(map[Fault]int)
		}
		t.Calls++
		if c.Paid() {
			t.Paid++
		}
		switch c.Outcome {
		case OutcomeAnswered:
			t.Answered++
		case OutcomeRejected:
			t.Rejected++
		case OutcomeOpen, OutcomeFailed, OutcomeBroken, OutcomeLeft:
		}
		if c.Fault != "" {
			t.Faults[c.Fault]++
		}
		t.Usage.add(c.Usage)
		totals[c.Vendor] = t
	}
	return totals
}

// Reset empties the ledger, and forgets scripts, prompt caches and which pictures were answered wrongly. Receipts stay known.
func (s *Stub) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
	clear(s.scripts)
	clear(s.prefixes)
	clear(s.wrong)
}

// Await returns when n calls to a vendor have come in (they may still be open), or with an error when ctx ends before.
func (s *Stub) Await(ctx context.Context, v Vendor, n int) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if s.Count(v) >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for %d calls to %s: %w", n, v, ctx.Err())
		}
	}
}

// AwaitDone returns when no call is open, or with an error when ctx ends before: a client has its reply a little earlier than the
// ledger has its outcome.
func (s *Stub) AwaitDone(ctx context.Context) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if !slices.ContainsFunc(s.Calls(), func(c Call) bool { return c.Outcome == OutcomeOpen }) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for calls to end: %w", ctx.Err())
		}
	}
}

// enter adds a call to the ledger.
func (s *Stub) enter(c *Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Seq = len(s.calls) + 1
	s.calls = append(s.calls, c)
	s.tell()
}

// amend changes a call in the ledger.
func (s *Stub) amend(c *Call, change func(*Call)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(c)
	s.tell()
}

// tell wakes those who await a change. The caller holds mu.
func (s *Stub) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
