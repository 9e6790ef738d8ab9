package fleet_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/fleet"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/usage"
)

// memory is a store, a board, an audit log and the accounts of calls.
type memory struct {
	mu      sync.Mutex
	desired fleet.Desired
	board   map[string][]byte
	audit   []account.AuditEntry
	down    error // of the store
	noBoard error
	noAudit error
}

func (m *memory) Desired(context.Context) (fleet.Desired, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fleet.Desired{Settings: slices.Clone(m.desired.Settings), Reload: m.desired.Reload}, m.down
}

func (m *memory) Change(_ context.Context, fn func([]fleet.Setting) []fleet.Setting) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.desired.Settings = fn(m.desired.Settings)
	return m.down
}

func (m *memory) RequestReload(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.desired.Reload++
	return m.desired.Reload, m.down
}

func (m *memory) Put(_ context.Context, worker string, status []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.board[worker] = status
	return m.noBoard
}

func (m *memory) All(context.Context) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.board), m.noBoard
}

func (m *memory) Remove(_ context.Context, worker string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.board, worker)
	return nil
}

func (m *memory) Audit(_ context.Context, e account.AuditEntry) error {
	m.audit = append(m.audit, e)
	return m.noAudit
}

func (m *memory) Report(context.Context, string, usage.Period) (*usage.Report, error) {
	return &usage.Report{ByModel: []usage.ModelTotals{
		{Provider: "gemini", Model: "a", Totals: usage.Totals{Cost: 5}}, {Provider: "gemini", Model: "b", Totals: usage.Totals{Cost: 2}},
	}}, nil
}

func (m *memory) show(t *testing.T, s fleet.Status) {
	t.Helper()
	value, err := json.Marshal(s)
	require.NoError(t, err)
	require.NoError(t, m.Put(t.Context(), s.Worker, value))
}

func setup(t *testing.T) (*memory, *fleet.Service) {
	t.Helper()
	m := &memory{board: map[string][]byte{}}
	return m, fleet.NewService(fleet.Config{
		Store: m, Board: m, Auditor: m, Costs: m, Configured: []string{"gemini", "offline"},
		Known: []string{"gemini", "openrouter", "openai", "offline"}, AnswerWait: 20 * time.Millisecond,
		Now: func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }, Log: slog.New(slog.DiscardHandler),
	})
}

func names(t *testing.T, s *fleet.Service) []string {
	t.Helper()
	list, err := s.Providers(t.Context(), false)
	require.NoError(t, err)
	var got []string
	for i, p := range list {
		assert.Equal(t, i+1, p.Position)
		name := p.Name
		if !p.Enabled {
			name += " off"
		}
		got = append(got, name)
	}
	return got
}

func TestProvidersAreThoseConfiguredHereOrInAWorker(t *testing.T) {
	t.Parallel()
	m, s := setup(t)
	assert.Equal(t, []string{"gemini", "offline"}, names(t, s))
	m.show(t, fleet.Status{Worker: "w", Providers: []fleet.ProviderStatus{
		{Name: "openai", State: fleet.StateRunning}, {Name: "in-the-folder", State: fleet.StateDisabled}, {Name: "acme", State: fleet.StateParked},
	}})
	assert.Equal(t, []string{"gemini", "openai", "offline", "acme"}, names(t, s), "in the order of the configuration")
	m.board["broken"] = []byte("{")
	assert.Len(t, names(t, s), 4)
	m.noBoard = errors.New("redis is down")
	assert.Equal(t, []string{"gemini", "offline"}, names(t, s))
}

func TestDecisionsAreKeptAndAudited(t *testing.T) {
	t.Parallel()
	m, s := setup(t)
	p, err := s.Set(t.Context(), "admin", fleet.Change{Name: "offline", Position: new(1)})
	require.NoError(t, err)
	assert.Equal(t, 1, p.Position)
	assert.True(t, p.Enabled)
	require.NotNil(t, p.Operations)
	_, err = s.Set(t.Context(), "admin", fleet.Change{Name: "gemini", Enabled: new(false)})
	require.NoError(t, err)
	assert.Equal(t, []string{"offline", "gemini off"}, names(t, s))
	assert.Equal(t, []string{"offline", "anthropic"}, fleet.Active([]string{"gemini", "anthropic", "offline"}, m.desired.Settings),
		"one that was never decided about comes after those that were")
	_, err = s.Set(t.Context(), "admin", fleet.Change{Name: "offline", Position: new(99), Enabled: new(false)})
	require.NoError(t, err)
	assert.Equal(t, []string{"gemini off", "offline off"}, names(t, s))
	var details []string
	for _, e := range m.audit {
		assert.Equal(t, account.AuditProviderChanged, e.Action)
		assert.Equal(t, "admin", e.ActorID)
		details = append(details, e.Detail)
	}
	assert.Equal(t, []string{"offline position=1", "gemini enabled=false", "offline enabled=false position=99"}, details)
}

func TestWhatCannotBeDecided(t *testing.T) {
	t.Parallel()
	m, s := setup(t)
	_, err := s.Set(t.Context(), "admin", fleet.Change{Name: "openrouter", Enabled: new(true)})
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err), "it has no key here, and no worker has it")
	_, err = s.Set(t.Context(), "admin", fleet.Change{Name: "gemini", Position: new(0)})
	assert.Equal(t, invoice.CodeBadUserInput, invoice.CodeOf(err))
	assert.Empty(t, m.audit)
	m.noAudit = errors.New("disk full")
	_, err = s.Set(t.Context(), "admin", fleet.Change{Name: "gemini", Enabled: new(false)})
	require.Error(t, err)
	assert.Empty(t, m.desired.Settings, "what cannot be written down is not done")
	_, err = s.Reload(t.Context(), "admin")
	require.Error(t, err)
	assert.Zero(t, m.desired.Reload)
}

func TestWorkersAreShownTogetherToAdminsAlone(t *testing.T) {
	t.Parallel()
	m, s := setup(t)
	m.show(t, fleet.Status{Worker: "a", Providers: []fleet.ProviderStatus{{
		Name: "gemini", Version: "1.0.0", Described: true, State: fleet.StateRunning, Breaker: fleet.BreakerOpen, InFlight: 2,
		LatenciesMS: []int{10, 20}, Failed: 1, Tasks: []string{"extract"}, Protocol: 1,
	}}})
	m.show(t, fleet.Status{Worker: "b", Providers: []fleet.ProviderStatus{{
		Name: "gemini", Version: "2.0.0", Described: true, State: fleet.StateParked, Breaker: fleet.BreakerClosed, InFlight: 1,
		LatenciesMS: []int{30, 1000}, LastError: "crashed",
	}}})
	list, err := s.Providers(t.Context(), true)
	require.NoError(t, err)
	assert.Equal(t, &fleet.Operations{
		Workers: 2, Version: "1.0.0", Protocol: 1, Tasks: []string{"extract"}, MediaTypes: []string{}, State: fleet.StateParked,
		Breaker: fleet.BreakerOpen, InFlight: 3, Calls: 4, Failed: 1, P50: 20 * time.Millisecond, P95: time.Second, CostToday: 7,
		LastError: "crashed",
	}, list[0].Operations)
	assert.Equal(t, 0, list[1].Operations.Workers)
	assert.Nil(t, list[1].Local, "nobody has said")
	list, err = s.Providers(t.Context(), false)
	require.NoError(t, err)
	assert.Nil(t, list[0].Operations)
	assert.Equal(t, new(false), list[0].Local)
}

// plugins is a worker's.
type plugins struct {
	arranged chan []string
	fault    error
}

func (p *plugins) Arrange(names []string) { p.arranged <- names }

func (p *plugins) Reload(context.Context) ([]fleet.Reloaded, error) {
	return []fleet.Reloaded{{Name: "gemini", Outcome: fleet.OutcomeSwapped}}, p.fault
}

func (p *plugins) Status() []fleet.ProviderStatus {
	return []fleet.ProviderStatus{{Name: "gemini", State: fleet.StateRunning}}
}

func TestWorkersFollowDecisions(t *testing.T) {
	t.Parallel()
	m, s := setup(t)
	_, err := s.Set(t.Context(), "admin", fleet.Change{Name: "gemini", Position: new(2)})
	require.NoError(t, err)
	p := &plugins{arranged: make(chan []string, 10)}
	agent := fleet.NewAgent(fleet.AgentConfig{
		Worker: "w", Plugins: p, Store: m, Board: m, Configured: []string{"gemini", "offline"}, Log: slog.New(slog.DiscardHandler),
	})
	agent.Stop(t.Context()) // before the start
	require.NoError(t, agent.Start(t.Context()))
	require.NoError(t, agent.Start(t.Context()))
	assert.Equal(t, []string{"offline", "gemini"}, <-p.arranged, "as decided before it started")
	_, err = s.Set(t.Context(), "admin", fleet.Change{Name: "offline", Enabled: new(false)})
	require.NoError(t, err)
	agent.Nudge()
	assert.Equal(t, []string{"gemini"}, <-p.arranged)

	answer, err := s.Reload(t.Context(), "admin")
	require.NoError(t, err)
	assert.Equal(t, []string{"w"}, answer.Pending, "it has not looked yet")
	assert.Empty(t, answer.Workers)
	agent.Nudge()
	require.Eventually(t, func() bool {
		all, _ := m.All(t.Context())
		var status fleet.Status
		return json.Unmarshal(all["w"], &status) == nil && status.Reload == 1 && len(status.Reports) == 1
	}, time.Minute, time.Millisecond)

	p.fault = errors.New("no folder")
	require.ErrorContains(t, agent.Reload(t.Context()), "no folder")
	agent.Stop(t.Context())
	agent.Stop(t.Context())
	assert.Empty(t, m.board)

	m.down = errors.New("no database")
	require.Error(t, agent.Start(t.Context()))
}

func TestReloadAnswersWhenAllWorkersHave(t *testing.T) {
	t.Parallel()
	m, s := setup(t)
	m.show(t, fleet.Status{Worker: "b", Reload: 1, Fault: "no folder"})
	m.show(t, fleet.Status{Worker: "a", Reload: 1, Reports: []fleet.Reloaded{{Name: "gemini", Outcome: fleet.OutcomeRefused, Code: "CHECKSUM"}}})
	answer, err := s.Reload(t.Context(), "admin")
	require.NoError(t, err)
	assert.Empty(t, answer.Pending)
	require.Len(t, answer.Workers, 2)
	assert.Equal(t, "CHECKSUM", answer.Workers[0].Reports[0].Code)
	assert.Equal(t, "no folder", answer.Workers[1].Fault)
	assert.Equal(t, "reload", m.audit[0].Detail)
}
