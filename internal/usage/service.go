package usage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

const (
	// lostAfter is when a call that nobody settled counts as lost: well above the longest call.
	lostAfter = 10 * time.Minute
	// sweep bounds how many lost calls one look settles.
	sweep = 200
	// busyWait is when to come back when calls under way take up a budget.
	busyWait = 15 * time.Second
	// settleTime bounds storing how a call ended, whose own context may have ended with it.
	settleTime = 10 * time.Second
	// maxWarned bounds the memory of models that were warned of: their names come from outside.
	maxWarned = 1000
)

// Config is what a Service needs.
type Config struct {
	Store  Store
	Prices *Prices
	Limits Limits
	Now    func() time.Time // nil is time.Now
	Log    *slog.Logger     // nil is none
	// Settled is told of each call that has ended and is settled, in the goroutine that settles it; nil is nobody. Calls of a
	// process that died are not told of.
	Settled func(Call, Settlement)
}

// Service books, settles and reports what calls cost.
type Service struct {
	store  Store
	prices *Prices
	limits Limits
	now    func() time.Time
	log    *slog.Logger
	told   func(Call, Settlement)

	mu     sync.Mutex
	warned map[string]bool // models without a price, by provider and name
}

// NewService fails without a store or prices.
func NewService(c Config) (*Service, error) {
	if c.Store == nil || c.Prices == nil {
		return nil, errors.New("usage service needs a store and prices")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Settled == nil {
		c.Settled = func(Call, Settlement) {}
	}
	return &Service{
		told: c.Settled, store: c.Store, prices: c.Prices, limits: c.Limits, now: c.Now, log: c.Log, warned: map[string]bool{},
	}, nil
}

// Reserve books the estimate of a call in the budgets of the day and writes its record. QUOTA_EXCEEDED says that a budget is
// spent, until midnight in Brasília; UNAVAILABLE that calls under way take up what is left of it, for some seconds; NOT_FOUND
// that the account was deleted. The call must then not be made, nor on any other error.
func (s *Service) Reserve(ctx context.Context, c Call) (*Booking, error) {
	if c.StartedAt.IsZero() {
		c.StartedAt = s.now()
	}
	b := &Booking{service: s, call: c, estimate: s.prices.estimate(&c, c.most())}
	r := s.record(&c)
	r.Outcome, r.Charged = OutcomeReserved, b.estimate
	err := s.store.Reserve(ctx, &r, s.limits)
	if spent, ok := errors.AsType[*SpentError](err); ok {
		return nil, s.refusal(ctx, spent, c.StartedAt)
	}
	if errors.Is(err, ErrNoUser) {
		return nil, &invoice.Error{Code: invoice.CodeNotFound, Message: "Conta não encontrada.", Cause: err}
	}
	if err != nil {
		return nil, fmt.Errorf("book a call: %w", err)
	}
	b.id = r.ID
	return b, nil
}

func (s *Service) record(c *Call) Record {
	return Record{
		UserID: c.UserID, InvoiceID: c.InvoiceID, Day: DayOf(c.StartedAt), Task: c.Task, Provider: c.Provider, Model: c.Model,
		Attempt: c.Attempt, StartedAt: c.StartedAt,
	}
}

// refusal is what the user is told.
func (s *Service) refusal(ctx context.Context, spent *SpentError, at time.Time) error {
	e := &invoice.Error{Code: invoice.CodeQuotaExceeded, RetryAfter: untilMidnight(at), Cause: spent}
	switch {
	case spent.Busy:
		// What takes up the room may be calls of a process that died, which nobody else will settle.
		if err := s.Expire(ctx); err != nil {
			s.log.WarnContext(ctx, "settle lost calls", "error", err)
		}
		e.Code, e.RetryAfter = invoice.CodeUnavailable, busyWait
		e.Message = "O limite diário de leituras está ocupado por leituras em andamento. Tente de novo em instantes."
	case spent.Installation:
		e.Message = "O serviço atingiu o limite diário de leituras. Tente de novo depois da meia-noite, no horário de Brasília."
		s.log.WarnContext(ctx, "the installation's daily budget is spent", "limit_usd", s.limits.Installation.USD())
	default:
		e.Message = "Você atingiu o limite diário de leituras. Tente de novo depois da meia-noite, no horário de Brasília."
	}
	return e
}

// Booking is one call under way.
type Booking struct {
	service  *Service
	id       string
	call     Call
	estimate MicroUSD
}

// Settle says how the call ended; of several the first counts. It works when ctx has ended too, as it has when the caller left.
func (b *Booking) Settle(ctx context.Context, end End) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	s := b.service
	if end.EndedAt.IsZero() {
		end.EndedAt = s.now()
	}
	if end.Model == "" {
		end.Model = b.call.Model
	}
	if end.Outcome == "" || end.Outcome == OutcomeReserved || end.Outcome == OutcomeCached {
		end.Outcome = "internal" // no such end of a call: the caller's bug
	}
	end.Tokens = end.Tokens.sane()
	out := Settlement{
		Model: end.Model, Outcome: end.Outcome, Tokens: end.Tokens, Latency: max(end.EndedAt.Sub(b.call.StartedAt), 0),
		EndedAt: end.EndedAt,
	}
	out.Cost, out.Charged = s.cost(ctx, &b.call, end, b.estimate)
	if err := s.store.Settle(ctx, b.id, out); err != nil {
		return fmt.Errorf("settle a call: %w", err)
	}
	s.told(b.call, out)
	return nil
}

// cost is what a call has cost, nil when that is not known, and what it counts for in budgets.
func (s *Service) cost(ctx context.Context, c *Call, end End, estimate MicroUSD) (*MicroUSD, MicroUSD) {
	if c.Local {
		return new(MicroUSD(0)), 0
	}
	if end.Figure != nil && *end.Figure >= 0 {
		billed := s.prices.Billed(c.Provider, *end.Figure)
		return &billed, billed
	}
	if end.Tokens.none() {
		return silent(end.Outcome, estimate, s.prices.estimate(c, c.input()))
	}
	if cost, ok := s.price(c, end.Model, end.Tokens); ok {
		return &cost, cost
	}
	s.warn(ctx, c.Provider, end.Model)
	return nil, s.prices.Dearest(c.Provider, c.StartedAt, end.Tokens)
}

// price is by the model that answered, or by the one that was asked where that has no price.
func (s *Service) price(c *Call, model string, t Tokens) (MicroUSD, bool) {
	if cost, ok := s.prices.Cost(c.Provider, model, c.StartedAt, t); ok {
		return cost, true
	}
	return s.prices.Cost(c.Provider, c.Model, c.StartedAt, t)
}

// silent is the cost of a call that nobody counted tokens of. Vendors bill no refusal and no fault of theirs; but a call that was
// left was most likely read by then, and a reply was written, whatever it was worth.
func silent(outcome string, all, input MicroUSD) (*MicroUSD, MicroUSD) {
	switch outcome {
	case "timeout", "cancelled":
		return nil, input
	case OutcomeOK, "invalid_reply", "truncated", "blocked", "empty":
		return nil, all
	}
	return new(MicroUSD(0)), 0
}

// warn says once for each model that it has no price.
func (s *Service) warn(ctx context.Context, provider, model string) {
	s.mu.Lock()
	key := provider + " " + model
	fresh := !s.warned[key] && len(s.warned) < maxWarned
	if fresh {
		s.warned[key] = true
	}
	s.mu.Unlock()
	if fresh {
		s.log.WarnContext(ctx, "a model has no price: add it to PRICES_FILE", "provider", provider, "model", model)
	}
}

// Saved records a reply that came from the cache. What was saved is what the reply once cost, by today's prices; 0 where that
// is not known.
func (s *Service) Saved(ctx context.Context, c Call, t Tokens, figure *MicroUSD) error {
	if c.StartedAt.IsZero() {
		c.StartedAt = s.now()
	}
	now, r := s.now(), s.record(&c)
	r.Outcome, r.Tokens, r.EndedAt, r.Cost = OutcomeCached, t.sane(), &now, new(MicroUSD(0))
	r.Latency = max(now.Sub(c.StartedAt), 0)
	switch {
	case c.Local:
	case figure != nil && *figure >= 0:
		r.Saved = s.prices.Billed(c.Provider, *figure)
	default:
		saved, ok := s.prices.Cost(c.Provider, c.Model, c.StartedAt, r.Tokens)
		if !ok {
			s.warn(ctx, c.Provider, c.Model)
		}
		r.Saved = saved
	}
	if err := s.store.Insert(ctx, &r); err != nil {
		return fmt.Errorf("record a cached reply: %w", err)
	}
	return nil
}

// Expire ends calls that nobody has settled in ten minutes, because their process died. The vendor may well have billed them:
// they count as spent with their estimate, and a process that dies again and again stays within the budget. A call that is
// settled later than that still gets its own cost.
func (s *Service) Expire(ctx context.Context) error {
	now := s.now()
	stale, err := s.store.Stale(ctx, now.Add(-lostAfter), sweep)
	if err != nil {
		return fmt.Errorf("find lost calls: %w", err)
	}
	for _, r := range stale {
		lost := Settlement{Model: r.Model, Outcome: OutcomeLost, Charged: r.Charged, Latency: now.Sub(r.StartedAt), EndedAt: now}
		if r.Charged == 0 {
			lost.Cost = new(MicroUSD(0))
		}
		if err := s.store.Settle(ctx, r.ID, lost); err != nil {
			return fmt.Errorf("settle a lost call: %w", err)
		}
	}
	if len(stale) > 0 {
		s.log.WarnContext(ctx, "calls of a process that died count as spent", "calls", len(stale))
	}
	return nil
}
