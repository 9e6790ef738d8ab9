package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/usage"
)

const (
	// answerPause is between two looks at the board for the answers to a reload.
	answerPause = 100 * time.Millisecond
	// defaultAnswerWait is how long a reload waits for the workers: for their next look, two starts and a check.
	defaultAnswerWait = 30 * time.Second
)

// Auditor writes down what an admin does. Implemented by account.Service.
type Auditor interface {
	Audit(ctx context.Context, e account.AuditEntry) error
}

// Costs says what providers have cost. Implemented by usage.Service.
type Costs interface {
	Report(ctx context.Context, userID string, period usage.Period) (*usage.Report, error)
}

// Config is what a Service is made of.
type Config struct {
	Store   Store
	Board   Board
	Auditor Auditor
	Costs   Costs
	// Configured is the providers that this process would use, in their order.
	Configured []string
	// Known is all that the configuration names, those without a key too: workers may have keys that this process has not.
	Known []string
	// Nudge has the worker of this process look at once; nil where there is none.
	Nudge func()
	// AnswerWait is how long a reload waits for the workers. Defaults to 30 s
	AnswerWait time.Duration
	Now        func() time.Time
	Log        *slog.Logger
}

// Service is what admins do with providers, from any process.
type Service struct{ config Config }

// NewService makes the service.
func NewService(config Config) *Service {
	if config.AnswerWait <= 0 {
		config.AnswerWait = defaultAnswerWait
	}
	if config.Nudge == nil {
		config.Nudge = func() {}
	}
	return &Service{config}
}

// Providers is all providers in the order in which they are asked, those that are off too. Anybody who is signed in may see
// what there is to consent to; how it fares is for admins.
func (s *Service) Providers(ctx context.Context, admin bool) ([]*Provider, error) {
	desired, err := s.config.Store.Desired(ctx)
	if err != nil {
		return nil, fmt.Errorf("list providers: %w", err)
	}
	statuses := s.statuses(ctx)
	var costs map[string]usage.MicroUSD
	if admin {
		if costs, err = s.costs(ctx); err != nil {
			return nil, err
		}
	}
	var list []*Provider
	for _, setting := range order(s.known(desired.Settings, statuses), desired.Settings) {
		p := &Provider{Name: setting.Name, Enabled: setting.Enabled, Position: setting.Position}
		told := of(setting.Name, statuses)
		for _, t := range told {
			if t.Described {
				p.Local = &t.Local
				break
			}
		}
		if admin {
			p.Operations = merge(told)
			p.Operations.CostToday = costs[setting.Name]
		}
		list = append(list, p)
	}
	return list, nil
}

// Change is what an admin wants of a provider. nil leaves a thing as it is.
type Change struct {
	Name     string
	Enabled  *bool
	Position *int // from 1; beyond the end is the end
}

// Set turns a provider on or off, or moves it in the order. Workers follow within two seconds; calls under way finish. NOT_FOUND
// for a name that neither the configuration nor a worker knows.
func (s *Service) Set(ctx context.Context, actorID string, c Change) (*Provider, error) {
	if c.Position != nil && *c.Position < 1 {
		return nil, &invoice.Error{Code: invoice.CodeBadUserInput, Field: "position", Message: "A posição começa em 1."}
	}
	desired, err := s.config.Store.Desired(ctx)
	if err != nil {
		return nil, fmt.Errorf("set a provider: %w", err)
	}
	known := s.known(desired.Settings, s.statuses(ctx))
	if !slices.Contains(known, c.Name) {
		return nil, noSuchProvider(c.Name)
	}
	if err := s.audit(ctx, actorID, c.String()); err != nil {
		return nil, err
	}
	err = s.config.Store.Change(ctx, func(now []Setting) []Setting { return arrange(order(known, now), c, s.config.Now()) })
	if err != nil {
		return nil, fmt.Errorf("set a provider: %w", err)
	}
	s.config.Nudge()
	list, err := s.Providers(ctx, true)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(list, func(p *Provider) bool { return p.Name == c.Name }); i >= 0 {
		return list[i], nil
	}
	return nil, noSuchProvider(c.Name) // its last worker has gone this moment
}

// String is the change for the audit log.
func (c Change) String() string {
	text := c.Name
	if c.Enabled != nil {
		text += fmt.Sprintf(" enabled=%t", *c.Enabled)
	}
	if c.Position != nil {
		text += fmt.Sprintf(" position=%d", *c.Position)
	}
	return text
}

// arrange carries a change out.
func arrange(list []Setting, c Change, now time.Time) []Setting {
	i := slices.IndexFunc(list, func(s Setting) bool { return s.Name == c.Name })
	one := list[i]
	one.UpdatedAt = now
	if c.Enabled != nil {
		one.Enabled = *c.Enabled
	}
	to := i
	if c.Position != nil {
		to = min(*c.Position, len(list)) - 1
	}
	list = slices.Insert(slices.Delete(list, i, i+1), to, one)
	for i := range list {
		list[i].Position = i + 1
		if list[i].UpdatedAt.IsZero() {
			list[i].UpdatedAt = now
		}
	}
	return list
}

// Reloading is what the workers have answered to a request to load the plugins anew.
type Reloading struct {
	Workers []Status // that have carried it out
	Pending []string // that have not, in time
}

// Reload has every worker load its plugins anew and waits for their answers, for a time.
func (s *Service) Reload(ctx context.Context, actorID string) (*Reloading, error) {
	if err := s.audit(ctx, actorID, "reload"); err != nil {
		return nil, err
	}
	generation, err := s.config.Store.RequestReload(ctx)
	if err != nil {
		return nil, fmt.Errorf("reload providers: %w", err)
	}
	s.config.Nudge()
	wait, cancel := context.WithTimeout(ctx, s.config.AnswerWait)
	defer cancel()
	tick := time.NewTicker(answerPause)
	defer tick.Stop()
	for {
		answer := &Reloading{}
		for _, status := range s.statuses(ctx) {
			if status.Reload >= generation {
				answer.Workers = append(answer.Workers, status)
			} else {
				answer.Pending = append(answer.Pending, status.Worker)
			}
		}
		if len(answer.Pending) == 0 {
			return answer, nil
		}
		select {
		case <-tick.C:
		case <-wait.Done():
			return answer, ctx.Err()
		}
	}
}

func (s *Service) audit(ctx context.Context, actorID, detail string) error {
	return s.config.Auditor.Audit(ctx, account.AuditEntry{ActorID: actorID, Action: account.AuditProviderChanged, Detail: detail})
}

// statuses is what workers say, in the order of their names; nothing while the board cannot be read.
func (s *Service) statuses(ctx context.Context) []Status {
	all, err := s.config.Board.All(ctx)
	if err != nil {
		s.config.Log.WarnContext(ctx, "what workers say of their providers cannot be read", "error", err)
		return nil
	}
	var list []Status
	for _, worker := range slices.Sorted(maps.Keys(all)) {
		var status Status
		if err := json.Unmarshal(all[worker], &status); err != nil {
			s.config.Log.WarnContext(ctx, "a worker of another version says what is not understood", "worker", worker, "error", err)
			continue
		}
		list = append(list, status)
	}
	return list
}

// known is the providers that this process would use, that a worker has, or that are configured and were once decided about, in
// the order of the configuration.
func (s *Service) known(settings []Setting, statuses []Status) []string {
	used := map[string]bool{}
	for _, name := range s.config.Configured {
		used[name] = true
	}
	for _, status := range statuses {
		for _, p := range status.Providers {
			used[p.Name] = used[p.Name] || p.State != StateDisabled // in the folder, and not configured
		}
	}
	for _, setting := range settings {
		used[setting.Name] = used[setting.Name] || slices.Contains(s.config.Known, setting.Name)
	}
	var names []string
	for _, name := range slices.Concat(s.config.Configured, s.config.Known, slices.Sorted(maps.Keys(used))) {
		if used[name] && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return s.rank(a) - s.rank(b) })
	return names
}

// rank is the place of a name in the configuration, the end for one that is not in it.
func (s *Service) rank(name string) int {
	if i := slices.Index(s.config.Known, name); i >= 0 {
		return i
	}
	return len(s.config.Known)
}

// costs is what each provider has cost today.
func (s *Service) costs(ctx context.Context) (map[string]usage.MicroUSD, error) {
	today := usage.DayOf(s.config.Now())
	report, err := s.config.Costs.Report(ctx, "", usage.Period{From: today, To: today})
	if err != nil {
		return nil, fmt.Errorf("costs of providers: %w", err)
	}
	costs := map[string]usage.MicroUSD{}
	for _, m := range report.ByModel {
		costs[m.Provider] = costs[m.Provider].Add(m.Cost)
	}
	return costs, nil
}

func of(name string, statuses []Status) []ProviderStatus {
	var told []ProviderStatus
	for _, status := range statuses {
		for _, p := range status.Providers {
			if p.Name == name {
				told = append(told, p)
			}
		}
	}
	return told
}

// merge is a provider over all workers that tell of it.
func merge(told []ProviderStatus) *Operations {
	o := &Operations{Workers: len(told), Tasks: []string{}, MediaTypes: []string{}}
	var latencies []int
	for _, p := range told {
		if o.Version == "" {
			o.Version, o.Checksum, o.Model, o.Protocol = p.Version, p.Checksum, p.Model, p.Protocol
			o.Tasks, o.MediaTypes = append(o.Tasks, p.Tasks...), append(o.MediaTypes, p.MediaTypes...)
		}
		if worse(states(), p.State, o.State) {
			o.State = p.State
		}
		if worse([]Breaker{"", BreakerClosed, BreakerHalfOpen, BreakerOpen}, p.Breaker, o.Breaker) {
			o.Breaker = p.Breaker
		}
		if p.LastError != "" {
			o.LastError = p.LastError
		}
		o.InFlight += p.InFlight
		o.Failed += p.Failed
		latencies = append(latencies, p.LatenciesMS...)
	}
	slices.Sort(latencies)
	o.Calls, o.P50, o.P95 = len(latencies), quantile(latencies, 50), quantile(latencies, 95)
	return o
}

// states is all states, the best first.
func states() []State {
	return []State{
		"", StateRunning, StateDisabled, StateStopped, StateStarting, StateRestarting, StateMissing, StateParked, StateRefused,
	}
}

func worse[S comparable](order []S, a, b S) bool {
	return slices.Index(order, a) > slices.Index(order, b)
}

// quantile is the latency that percent of the calls did not exceed: the nearest rank.
func quantile(sortedMS []int, percent int) time.Duration {
	if len(sortedMS) == 0 {
		return 0
	}
	rank := (len(sortedMS)*percent + 99) / 100
	return time.Duration(sortedMS[max(rank, 1)-1]) * time.Millisecond
}
