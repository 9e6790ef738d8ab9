package cost_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/app"
	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/sefaz"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

const (
	password = "correct horse battery"
	admin    = "admin@example.com"
)

// bill is what a run came to.
type bill struct {
	Readings     int   `json:"reading_calls"`
	Words        int   `json:"analysis_calls"`
	Input        int64 `json:"input_tokens"`
	CachedInput  int64 `json:"cached_input_tokens"`
	Output       int64 `json:"output_tokens"`
	CostMicroUSD int64 `json:"cost_micro_usd"`
	Cached       int   `json:"answered_by_cache"`

	ended map[invoice.Stage]int
}

// plus adds another bill.
func (b bill) plus(c bill) bill {
	b.Readings += c.Readings
	b.Words += c.Words
	b.Input += c.Input
	b.CachedInput += c.CachedInput
	b.Output += c.Output
	b.CostMicroUSD += c.CostMicroUSD
	b.Cached += c.Cached
	return b
}

// times is a bill that is so many times as large.
func (b bill) times(n float64) bill {
	whole := func(v int64) int64 { return int64(math.Round(float64(v) * n)) }
	return bill{
		Readings: int(whole(int64(b.Readings))), Words: int(whole(int64(b.Words))), Input: whole(b.Input),
		CachedInput: whole(b.CachedInput), Output: whole(b.Output), CostMicroUSD: whole(b.CostMicroUSD), Cached: int(whole(int64(b.Cached))),
	}
}

// run has families hand in everything to a fresh service, and asks the service what it has cost.
func (w *world) run(t *testing.T, m measures, families []*family) bill {
	t.Helper()
	stub := w.vendors(t, m)
	a := w.start(t, m, stub)
	r := &month{app: a, m: m, ended: map[invoice.Stage]int{}}
	var people sync.WaitGroup
	for _, f := range families {
		people.Go(func() {
			if err := r.live(t.Context(), f); err != nil {
				t.Errorf("family %d: %v", f.number, err)
			}
		})
	}
	people.Wait()
	require.NoError(t, stub.AwaitDone(t.Context()))
	b := report(t, a)
	b.ended = r.ended
	for _, c := range stub.Calls() {
		require.Equal(t, llmstub.OutcomeAnswered, c.Outcome, c.Why)
		switch c.Task {
		case sdk.TaskExtract:
			b.Readings++
		case sdk.TaskAnalyze:
			b.Words++
		case sdk.TaskProbe:
		}
	}
	w.audit(t, stub, b)
	t.Logf("%+v", b)
	return b
}

// audit holds the service's ledger against what the vendors counted.
func (w *world) audit(t *testing.T, stub *llmstub.Stub, b bill) {
	t.Helper()
	var counted llmstub.Usage
	for _, totals := range stub.Totals() {
		counted.Input += totals.Usage.Input
		counted.Cached += totals.Usage.Cached
		counted.Output += totals.Usage.Output
	}
	assert.Equal(t, []int64{counted.Input, counted.Cached, counted.Output}, []int64{b.Input, b.CachedInput, b.Output})
	assert.Zero(t, b.ended[invoice.StageFailed]+b.ended[invoice.StageAnalysisFailed], "nothing fails: %v", b.ended)
}

func (w *world) start(t *testing.T, m measures, stub *llmstub.Stub) *app.App {
	t.Helper()
	order, official, hours := "openrouter,gemini", "off", "0"
	switch {
	case m.Cheapest:
		order = "openai,gemini,openrouter"
	case m.Direct:
		order = "gemini,openrouter"
	}
	if m.Official {
		official = "on"
	}
	if m.Cache {
		hours = "72"
	}
	cfg, err := config.Load([]string{
		"PATH=" + os.Getenv("PATH"), "DATA_DIR=" + t.TempDir(), "HTTP_ADDR=127.0.0.1:0", "PLUGIN_DIR=" + plugins,
		"WORKER_JOBS=16", "EXTRACTION_MAX_ATTEMPTS=1", "PROVIDER_CONCURRENCY=16", "RATE_LIMIT_ENABLED=false", "BUDGET_USER_DAILY_USD=0", "BUDGET_DAILY_USD=0",
		"GEMINI_API_KEY=test-gemini-key-0123456789abcdef", "GEMINI_BASE_URL=" + stub.BaseURL(llmstub.Gemini),
		"OPENROUTER_API_KEY=test-openrouter-key-0123456789", "OPENROUTER_BASE_URL=" + stub.BaseURL(llmstub.OpenRouter),
		"OPENAI_API_KEY=test-openai-key-0123456789", "OPENAI_BASE_URL=" + stub.BaseURL(llmstub.OpenAI),
		"PROVIDER_ORDER=" + order, "SEFAZ_LOOKUP=" + official, "CACHE_TTL_HOURS=" + hours,
		"MIN_INVOICE_VALUE_FOR_ANALYSIS=" + m.least().Decimal().StringFixed(2),
	})
	require.NoError(t, err)
	options := app.Options{
		Role: app.RoleAll, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})), Sefaz: sefaz.Config{Network: w.portal.Network(), Interval: time.Nanosecond},
		Reader: func(own invoice.Reader) invoice.Reader { return &reader{Reader: own, world: w, m: m} },
	}
	if !m.Batching {
		options.Writer = func(own insight.Writer) insight.Writer { return oneByOne{own} }
	}
	a, err := app.New(t.Context(), cfg, options)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		assert.NoError(t, a.Stop(ctx))
	})
	require.NoError(t, a.Start(t.Context()))
	return a
}

// month is people handing in what they bought.
type month struct {
	app *app.App
	m   measures

	door  sync.Mutex // one signs up at a time: the service turns a crowd away
	mu    sync.Mutex
	ended map[invoice.Stage]int
}

// live signs a family up and hands in one document after the other, each when the one before has ended.
func (r *month) live(ctx context.Context, f *family) error {
	var people [2]string
	for i := range f.people() {
		id, err := r.signUp(ctx, f, fmt.Sprintf("familia%d-%d@example.com", f.number, i))
		if err != nil {
			return err
		}
		people[i] = id
	}
	for _, s := range f.submissions {
		user := people[0]
		if s.spouse {
			user = people[1]
		}
		stage, err := r.handIn(ctx, user, s)
		if err != nil {
			return fmt.Errorf("purchase %d: %w", s.serial, err)
		}
		r.mu.Lock()
		r.ended[stage]++
		r.mu.Unlock()
	}
	return nil
}

func (r *month) signUp(ctx context.Context, f *family, email string) (string, error) {
	plan := account.PlanFree
	if f.premium || !r.m.Conditional {
		plan = account.PlanPremium
	}
	r.door.Lock()
	defer r.door.Unlock()
	user, err := r.app.Accounts.CreateUser(ctx, account.SignUpInput{Email: email, Password: password, Name: "Ana"}, account.RoleUser, plan)
	if err != nil {
		return "", fmt.Errorf("sign up: %w", err)
	}
	_, err = r.app.Accounts.UpdateHousehold(ctx, user.ID, account.HouseholdInput{
		Income: &f.income, Adults: &f.adults, Children: &f.children,
		Consents: map[string]bool{"gemini": true, "openrouter": true, "openai": true},
	})
	if err != nil {
		return "", fmt.Errorf("tell of the household: %w", err)
	}
	return user.ID, nil
}

// handIn follows a document to its end.
func (r *month) handIn(ctx context.Context, user string, s submission) (invoice.Stage, error) {
	file, err := s.file()
	if err != nil {
		return "", err
	}
	sub, err := r.app.Invoices.Submit(ctx, invoice.SubmitInput{
		UserID: user, Uploads: []invoice.Upload{{Content: bytes.NewReader(file)}}, AllowDuplicate: !r.m.Duplicates,
	})
	if err != nil {
		return "", err
	}
	if sub.Duplicate != nil {
		return invoice.StageDuplicate, nil
	}
	for {
		events, err := r.app.Invoices.Watch(ctx, user, sub.Invoice.ID, nil)
		if err != nil {
			return "", err
		}
		for e := range events {
			if e.Final() {
				return e.Stage, nil
			}
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
	}
}

// report is what the API says to an admin.
func report(t *testing.T, a *app.App) bill {
	t.Helper()
	_, err := a.Accounts.CreateUser(t.Context(), account.SignUpInput{Email: admin, Password: password, Name: "Ana"},
		account.RoleAdmin, account.PlanFree)
	require.NoError(t, err)
	_, tokens, err := a.Accounts.SignIn(t.Context(), admin, password, "")
	require.NoError(t, err)
	c := apitest.Client{URL: a.URL(), Token: tokens.AccessToken}
	var out struct {
		Usage struct {
			Calls, Failed, Cached, Uncosted              int
			InputTokens, CachedInputTokens, OutputTokens int64
			Cost                                         struct{ MicroUsd int64 }
		}
	}
	today := time.Now()
	c.Query(t, `query($p: DateRangeInput!) { usage(period: $p) {
		calls failed cached uncosted inputTokens cachedInputTokens outputTokens cost { microUsd } } }`,
		map[string]any{"p": map[string]any{
			"from": today.AddDate(0, 0, -2).Format(time.DateOnly), "to": today.AddDate(0, 0, 1).Format(time.DateOnly),
		}}, &out)
	u := out.Usage
	assert.Zero(t, u.Failed)
	assert.Zero(t, u.Uncosted)
	return bill{
		Input: u.InputTokens, CachedInput: u.CachedInputTokens, Output: u.OutputTokens, CostMicroUSD: u.Cost.MicroUsd, Cached: u.Cached,
	}
}
