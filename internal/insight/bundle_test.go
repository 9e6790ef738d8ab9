package insight_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/schema"
)

// bundle is the use cases on a real store; rules, the writer and the queue are what a test says they are.
type bundle struct {
	*insight.Service

	db       *store.DB
	invoices *store.Invoices
	insights *store.Insights
	user     string
	queue    *fakeQueue
	live     *fakeLive
	people   *fakePeople
	rules    []*fakeRule
	write    func(ctx context.Context, req insight.WriteRequest) (insight.Words, error)
	written  []insight.WriteRequest
	now      time.Time
}

func setup(t *testing.T, rules ...*fakeRule) *bundle {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "test.db")})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	log := slog.New(slog.DiscardHandler)
	require.NoError(t, schema.NewMigrator(db.SQL(), db.Dialect(), log).Up(t.Context()))
	b := &bundle{
		db: db, invoices: store.NewInvoices(db), insights: store.NewInsights(db), queue: &fakeQueue{}, live: &fakeLive{},
		people: &fakePeople{premium: true}, rules: rules, write: wordsFor, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
	}
	b.user = newUser(t, db)
	deps := insight.Deps{
		Store: b.insights, Invoices: b.invoices, People: b.people, Queue: b.queue, Publisher: b.live, MinValue: 5000,
		Writer: writerFunc(func(ctx context.Context, req insight.WriteRequest) (insight.Words, error) {
			b.written = append(b.written, req)
			return b.write(ctx, req)
		}),
		NewID: newID, Now: func() time.Time { return b.now }, Log: log,
	}
	for _, r := range rules {
		deps.Rules = append(deps.Rules, r)
	}
	b.Service = insight.NewService(deps)
	return b
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func newUser(t *testing.T, db *store.DB) string {
	t.Helper()
	id, now := newID(), time.Now()
	require.NoError(t, store.NewAccounts(db).InsertUser(t.Context(), &account.User{
		ID: id, Email: id + "@example.com", Name: "Ana", PasswordHash: "x", Role: account.RoleUser, Plan: account.PlanPremium,
		Household: account.Household{Adults: 1}, CreatedAt: now, UpdatedAt: now,
	}))
	return id
}

// completed stores a completed invoice of the total with one item, and its purchase in the ledger.
func (b *bundle) completed(t *testing.T, due fiscal.Money) string {
	t.Helper()
	return b.completedOn(t, due, "2026-11-20")
}

// completedOn is completed on a day of its own.
func (b *bundle) completedOn(t *testing.T, due fiscal.Money, day string) string {
	t.Helper()
	inv := &invoice.Invoice{
		ID: newID(), UserID: b.user, Status: invoice.StatusCompleted, Version: 1, ItemsVersion: 1, CreatedAt: b.now, UpdatedAt: b.now,
		Draft: invoice.Draft{
			Totals: invoice.Totals{Due: &due},
			Items:  []invoice.Item{{ID: newID(), Line: 1, Description: "LEITE", Quantity: decimal.NewFromInt(1), UnitPrice: due.Decimal(), Total: due}},
		},
	}
	b.insert(t, inv, day)
	return inv.ID
}

func (b *bundle) insert(t *testing.T, inv *invoice.Invoice, day string) {
	t.Helper()
	require.NoError(t, b.invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
		if err := tx.Insert(ctx, inv); err != nil {
			return err
		}
		db := bun.NewDB(b.db.SQL(), sqlitedialect.New())
		product := schema.Product{ID: newID(), UserID: b.user, Key: newID(), Measure: "UN", Category: "dairy"}
		if _, err := db.NewInsert().Conn(tx.SQL()).Model(&product).Exec(ctx); err != nil {
			return err
		}
		purchase := schema.Purchase{InvoiceID: inv.ID, UserID: inv.UserID, BoughtOn: day, MerchantName: "Mercado", TotalCentavos: 1}
		if _, err := db.NewInsert().Conn(tx.SQL()).Model(&purchase).Exec(ctx); err != nil {
			return err
		}
		for _, it := range inv.Items {
			line := schema.PurchaseLine{ItemID: it.ID, InvoiceID: inv.ID, UserID: inv.UserID, ProductID: product.ID, BoughtOn: day}
			if _, err := db.NewInsert().Conn(tx.SQL()).Model(&line).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	}))
}

// change changes a stored invoice as a correction would.
func (b *bundle) change(t *testing.T, id string, fn func(*invoice.Invoice)) {
	t.Helper()
	require.NoError(t, b.invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
		inv, err := tx.Lock(ctx, "", id)
		if err != nil {
			return err
		}
		fn(inv)
		return tx.Save(ctx, inv)
	}))
}

// plan plans as the invoice's service does.
func (b *bundle) plan(t *testing.T, id string) (follows bool) {
	t.Helper()
	require.NoError(t, b.invoices.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) error {
		inv, err := tx.Lock(ctx, "", id)
		if err != nil {
			return err
		}
		follows, err = b.Plan(ctx, tx.SQL(), inv)
		return err
	}))
	return follows
}

// analyzed plans and analyses, and returns what was found.
func (b *bundle) analyzed(t *testing.T, id string) []*insight.Insight {
	t.Helper()
	require.True(t, b.plan(t, id))
	require.NoError(t, b.Analyze(t.Context(), id, false))
	return b.found(t, id)
}

func (b *bundle) found(t *testing.T, id string) []*insight.Insight {
	t.Helper()
	of, err := b.InsightsOf(t.Context(), b.user, []string{id})
	require.NoError(t, err)
	return of[id]
}

func (b *bundle) analysis(t *testing.T, id string) *insight.Analysis {
	t.Helper()
	of, err := b.Analyses(t.Context(), b.user, []string{id})
	require.NoError(t, err)
	return of[id]
}

func (b *bundle) events(t *testing.T, id string) []invoice.Event {
	t.Helper()
	events, err := b.invoices.Events(t.Context(), id, 0, 100)
	require.NoError(t, err)
	assert.Equal(t, events, b.live.of(id), "what is stored is published")
	return events
}

func (b *bundle) stages(t *testing.T, id string) (stages []invoice.Stage) {
	t.Helper()
	for _, e := range b.events(t, id) {
		stages = append(stages, e.Stage)
	}
	return stages
}

// fakeRule finds what the test says.
type fakeRule struct {
	kind    insight.Kind
	monthly bool
	find    func(ctx context.Context, s insight.Subject) ([]insight.Finding, *insight.Gap, error)

	mu    sync.Mutex
	calls int
}

func (r *fakeRule) Kind() insight.Kind { return r.kind }
func (r *fakeRule) Monthly() bool      { return r.monthly }

func (r *fakeRule) Find(ctx context.Context, s insight.Subject) ([]insight.Finding, *insight.Gap, error) {
	r.mu.Lock()
	r.calls++
	r.mu.Unlock()
	return r.find(ctx, s)
}

// facts are those of fake rules.
type facts struct {
	Product string         `json:"product,omitempty"`
	Price   insight.Amount `json:"price"`
	Count   int            `json:"count"`
}

// finds is a rule that finds one thing for each subject.
func finds(k insight.Kind, subjects ...string) *fakeRule {
	return &fakeRule{kind: k, find: func(_ context.Context, s insight.Subject) ([]insight.Finding, *insight.Gap, error) {
		var found []insight.Finding
		for _, subject := range subjects {
			found = append(found, insight.Finding{
				Kind: k, Subject: subject, Priority: insight.PriorityMedium, Facts: facts{Price: 599, Count: 3},
				Period: insight.Period{From: "2026-11-01", To: s.Today}, Merchants: []string{"Mercado"},
			})
		}
		return found, nil, nil
	}}
}

func monthly(r *fakeRule) *fakeRule {
	r.monthly = true
	return r
}

func fails(k insight.Kind, err error) *fakeRule {
	return &fakeRule{kind: k, find: func(context.Context, insight.Subject) ([]insight.Finding, *insight.Gap, error) { return nil, nil, err }}
}

type writerFunc func(context.Context, insight.WriteRequest) (insight.Words, error)

func (f writerFunc) Write(ctx context.Context, req insight.WriteRequest) (insight.Words, error) {
	return f(ctx, req)
}

// wordsFor says something true of every finding.
func wordsFor(_ context.Context, req insight.WriteRequest) (insight.Words, error) {
	words := insight.Words{Provider: "gemini", Model: "flash"}
	for _, f := range req.Findings {
		words.Entries = append(words.Entries, entry(f.Key, "Título", "Custou R$ 5,99."))
	}
	return words, nil
}

func entry(key, title, text string) json.RawMessage {
	raw, err := json.Marshal(map[string]string{"key": key, "title": title, "description": text})
	if err != nil {
		return nil // texts always encode
	}
	return raw
}

var errAway = errors.New("away")

func refuse(e *invoice.ExtractionError) func(context.Context, insight.WriteRequest) (insight.Words, error) {
	return func(context.Context, insight.WriteRequest) (insight.Words, error) { return insight.Words{}, e }
}

// fakeQueue numbers jobs.
type fakeQueue struct {
	jobs   []string
	refuse error
}

func (q *fakeQueue) EnqueueAnalysis(_ context.Context, _ *sql.Tx, id string) (int64, error) {
	if q.refuse != nil {
		return 0, q.refuse
	}
	q.jobs = append(q.jobs, id)
	return int64(len(q.jobs)), nil
}

// fakeLive keeps what is published.
type fakeLive struct {
	mu     sync.Mutex
	events []invoice.Event
}

func (l *fakeLive) Publish(_ context.Context, e invoice.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

func (l *fakeLive) of(id string) []invoice.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := []invoice.Event{}
	for _, e := range l.events {
		if e.InvoiceID == id {
			found = append(found, e)
		}
	}
	return found
}

// fakePeople is one household for everybody.
type fakePeople struct {
	household insight.Household
	premium   bool
	err       error
}

func (p *fakePeople) Household(context.Context, string) (insight.Household, error) {
	return p.household, p.err
}

func (p *fakePeople) Premium(context.Context, *sql.Tx, string) (bool, error) { return p.premium, p.err }
