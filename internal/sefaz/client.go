package sefaz

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// Config of a Client. The zero value is usable.
type Config struct {
	// Timeout bounds one look-up, redirects and waiting for a turn included. Defaults to 10 s.
	Timeout time.Duration
	// Interval is the least time between two look-ups in one state, from this process. Defaults to 1 s.
	Interval time.Duration
	// Breaker says when a state is left alone.
	Breaker Breaker
	// Network is how names are resolved and addresses dialled. Defaults to the internet.
	Network Network
	// Observe is told of every look-up that reached its end. It must be quick. Defaults to nothing.
	Observe func(state string, outcome invoice.RecordOutcome, elapsed time.Duration)
}

// Network is the way out. What it resolves is held against internal/netguard before it is dialled, whatever it is.
type Network struct {
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
	Roots   *x509.CertPool // nil: those of the system
}

func (c *Config) setDefaults() {
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	if c.Interval <= 0 {
		c.Interval = time.Second
	}
	c.Breaker = c.Breaker.withDefaults()
	if c.Network.Resolve == nil {
		c.Network.Resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if c.Network.Dial == nil {
		c.Network.Dial = (&net.Dialer{}).DialContext
	}
	if c.Observe == nil {
		c.Observe = func(string, invoice.RecordOutcome, time.Duration) {}
	}
}

// Client asks the states. It may be used by several goroutines at once; nothing of it runs between look-ups.
type Client struct {
	cfg    Config
	log    *slog.Logger
	states map[string]*state
	gates  map[string]*gate
}

var _ invoice.Official = (*Client)(nil)

// New makes a Client.
func New(cfg Config, log *slog.Logger) (*Client, error) {
	cfg.setDefaults()
	states, err := readStates(statesJSON)
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, log: log, states: states, gates: make(map[string]*gate, len(states))}
	for name := range states {
		c.gates[name] = newGate(cfg.Interval, cfg.Breaker, log.With("state", name))
	}
	return c, nil
}

// Accepts implements invoice.Official.
func (c *Client) Accepts(qr fiscal.QR) error {
	refuse := func(message string) error { return &invoice.Error{Code: invoice.CodeBadUserInput, Message: message} }
	s := c.states[qr.Key.State()]
	const consumerInvoice = 65
	switch {
	case qr.Key.Validate() != nil || s == nil || qr.Key.Month() < 1 || qr.Key.Month() > 12:
		return refuse("Esta chave de acesso não existe: confira os 44 caracteres.")
	case qr.Key.Model() != consumerInvoice:
		return refuse("Só notas de consumidor (NFC-e) podem ser consultadas: envie o XML ou o PDF desta nota.")
	case qr.Test:
		return refuse("Esta nota é um teste, sem valor fiscal: a SEFAZ não a mostra.")
	case qr.Version == 0 && s.needsHash:
		return refuse(fmt.Sprintf("A SEFAZ de %s só mostra a nota pelo QR code: leia o QR code ou envie uma foto.", qr.Key.State()))
	case qr.Lookup() == "":
		return refuse("Falta uma parte deste QR code: leia-o de novo ou envie uma foto da nota.")
	}
	return nil
}

// Lookup implements invoice.Official.
func (c *Client) Lookup(ctx context.Context, qr fiscal.QR) invoice.Record {
	name := qr.Key.State()
	if c.Accepts(qr) != nil {
		return invoice.Record{State: name, Outcome: invoice.RecordRefused}
	}
	started := time.Now()
	record, err := c.lookup(ctx, c.states[name], c.gates[name], qr)
	record.State = name
	if ctx.Err() != nil { // the caller does not wait any more: nothing is known of the state
		return invoice.Record{State: name, Outcome: invoice.RecordUnavailable}
	}
	elapsed := time.Since(started)
	c.cfg.Observe(name, record.Outcome, elapsed)
	log := c.log.With("state", name, "outcome", string(record.Outcome), "elapsed", elapsed)
	if shape, ok := errors.AsType[*shapeError](err); ok {
		log.WarnContext(ctx, "official record of an unknown layout", "shape", shape.hash, "elements", shape.elements, "reason", shape.reason)
	} else if err != nil {
		log.InfoContext(ctx, "official record not read", "error", err)
	} else {
		log.DebugContext(ctx, "official record looked up")
	}
	return record
}

// lookup waits for its turn, fetches the page and reads it. The error says more of an outcome other than FOUND; it repeats nothing
// of the address or of the page.
func (c *Client) lookup(ctx context.Context, s *state, g *gate, qr fiscal.QR) (invoice.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	if err := g.enter(ctx); err != nil {
		return invoice.Record{Outcome: invoice.RecordUnavailable}, err
	}
	page, err := c.fetch(ctx, s, qr.Lookup())
	if ctx.Err() == nil || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		g.leave(err == nil || errors.Is(err, errRefused))
	} else {
		g.leave(true) // given up by the caller
	}
	if errors.Is(err, errRefused) {
		return invoice.Record{Outcome: invoice.RecordRefused}, err
	}
	if err != nil {
		return invoice.Record{Outcome: invoice.RecordUnavailable}, err
	}
	return read(page, qr.Key, s.zone)
}
