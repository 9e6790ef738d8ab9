package invoice_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/filestore"
	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/schema"
)

// bundle is the use cases on a real store and real files; documents, providers and the queue are what a test says they are.
type bundle struct {
	*invoice.Service

	db     *store.DB
	store  *store.Invoices
	user   string
	shop   *fakeCatalogue
	plans  *fakeAnalyses
	queue  *fakeQueue
	live   *fakeLive
	reader *fakeReader
	ask    func(ctx context.Context, req invoice.ExtractionRequest, observe func(invoice.Progress)) (invoice.Extraction, error)
	states *fakeOfficial
	files  string
	same   invoice.SamePicture
}

func setup(t *testing.T) *bundle {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "test.db")})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	log := slog.New(slog.DiscardHandler)
	require.NoError(t, schema.NewMigrator(db.SQL(), db.Dialect(), log).Up(t.Context()))
	files, err := filestore.OpenDir(filepath.Join(dir, "files"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, files.Close()) })

	b := &bundle{
		db: db, store: store.NewInvoices(db), shop: &fakeCatalogue{}, plans: &fakeAnalyses{}, queue: &fakeQueue{}, live: &fakeLive{}, reader: &fakeReader{}, states: &fakeOfficial{refuse: errors.New("not asked")},
		files: filepath.Join(dir, "files"), same: bytes.Equal,
	}
	b.reader.read = func([]invoice.Content) (invoice.Reading, error) {
		return invoice.Reading{Pages: []invoice.DocumentPage{{MediaType: "image/jpeg", Data: []byte("page")}}}, nil
	}
	b.ask = answer(draft(1))
	b.user = newUser(t, db)
	b.Service = invoice.NewService(invoice.Deps{
		Store: b.store, Files: files, Queue: b.queue, Publisher: b.live, Subscriber: b.live, Reader: b.reader,
		Extractor: extractorFunc(func(ctx context.Context, r invoice.ExtractionRequest, o func(invoice.Progress)) (invoice.Extraction, error) {
			return b.ask(ctx, r, o)
		}),
		Catalogue: b.shop, Analyses: b.plans, Official: b.states,
		SamePicture: func(x, y []byte) bool { return b.same(x, y) },
		NewID:       func() string { return uuid.Must(uuid.NewV7()).String() }, Log: log,
		Now: func() time.Time { return time.Now().Truncate(time.Microsecond) }, // as stores keep it
	})
	return b
}

func newUser(t *testing.T, db *store.DB) string {
	t.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	now := time.Now()
	require.NoError(t, store.NewAccounts(db).InsertUser(t.Context(), &account.User{
		ID: id, Email: id + "@example.com", Name: "Ana", PasswordHash: "x", Role: account.RoleUser, Plan: account.PlanFree,
		Household: account.Household{Adults: 1}, CreatedAt: now, UpdatedAt: now,
	}))
	return id
}

// draft is a fictional purchase whose ledger closes.
func draft(seed uint64) invoice.Draft {
	return receipts.Generate(receipts.NewRand(seed), receipts.Options{Items: 4, Issue: receipts.IssueOnline}).Draft()
}

func answer(d invoice.Draft) func(context.Context, invoice.ExtractionRequest, func(invoice.Progress)) (invoice.Extraction, error) {
	return func(_ context.Context, _ invoice.ExtractionRequest, observe func(invoice.Progress)) (invoice.Extraction, error) {
		observe(invoice.Progress{Provider: "gemini", Attempt: 1, ItemsFound: len(d.Items)})
		return invoice.Extraction{
			Draft: d, Source: invoice.SourceModel,
			Attempts: []invoice.Attempt{{Provider: "gemini", Outcome: "ok", Items: len(d.Items), StartedAt: time.Now(), FinishedAt: time.Now()}},
		}, nil
	}
}

func refuse(err error) func(context.Context, invoice.ExtractionRequest, func(invoice.Progress)) (invoice.Extraction, error) {
	return func(context.Context, invoice.ExtractionRequest, func(invoice.Progress)) (invoice.Extraction, error) {
		return invoice.Extraction{Attempts: []invoice.Attempt{
			{Provider: "gemini", Outcome: "overloaded", StartedAt: time.Now(), FinishedAt: time.Now()},
		}}, err
	}
}

func (b *bundle) submit(t *testing.T, contents ...string) invoice.Submission {
	t.Helper()
	sub, err := b.Submit(t.Context(), b.input(contents...))
	require.NoError(t, err)
	return sub
}

func (b *bundle) input(contents ...string) invoice.SubmitInput {
	in := invoice.SubmitInput{UserID: b.user}
	for _, c := range contents {
		in.Uploads = append(in.Uploads, invoice.Upload{Content: bytes.NewReader([]byte(c))})
	}
	return in
}

func (b *bundle) get(t *testing.T, id string) *invoice.Invoice {
	t.Helper()
	inv, err := b.Invoice(t.Context(), b.user, id)
	require.NoError(t, err)
	return inv
}

func (b *bundle) stages(t *testing.T, id string) []invoice.Stage {
	t.Helper()
	events, err := b.store.Events(t.Context(), id, 0, 100)
	require.NoError(t, err)
	stages := make([]invoice.Stage, 0, len(events))
	for i, e := range events {
		assert.Equal(t, i+1, e.Seq, "events have no gap")
		stages = append(stages, e.Stage)
	}
	return stages
}

func (b *bundle) total(t *testing.T) int {
	t.Helper()
	page, err := b.List(t.Context(), invoice.ListQuery{UserID: b.user, First: 1})
	require.NoError(t, err)
	return page.Total
}

func (b *bundle) storedFiles(t *testing.T) int {
	t.Helper()
	n := 0
	require.NoError(t, filepath.WalkDir(b.files, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	}))
	return n
}

type extractorFunc func(context.Context, invoice.ExtractionRequest, func(invoice.Progress)) (invoice.Extraction, error)

func (f extractorFunc) Extract(
	ctx context.Context, req invoice.ExtractionRequest, observe func(invoice.Progress),
) (invoice.Extraction, error) {
	return f(ctx, req, observe)
}

// fakeQueue counts jobs.
type fakeQueue struct {
	mu        sync.Mutex
	enqueued  int64
	cancelled []int64
	confirm   []confirmation
}

// confirmation is a job that holds an invoice against the state's record.
type confirmation struct {
	id       string
	run, try int
	at       time.Time
}

func (q *fakeQueue) EnqueueConfirmation(_ context.Context, _ *sql.Tx, id string, run, try int, at time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.confirm = append(q.confirm, confirmation{id, run, try, at})
	return nil
}

// fakeOfficial is the states: it answers what it is told, in turn, the last for ever.
type fakeOfficial struct {
	mu      sync.Mutex
	refuse  error
	answers []invoice.Record
	asked   []fiscal.QR
	while   func() // called before it answers; nil for nothing
}

func (o *fakeOfficial) Accepts(fiscal.QR) error { return o.refuse }

func (o *fakeOfficial) Lookup(_ context.Context, qr fiscal.QR) invoice.Record {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, qr)
	if o.while != nil {
		o.while()
	}
	answer := o.answers[0]
	if len(o.answers) > 1 {
		o.answers = o.answers[1:]
	}
	return answer
}

func (q *fakeQueue) EnqueueExtraction(context.Context, *sql.Tx, string) (int64, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.enqueued++
	return q.enqueued, nil
}

func (q *fakeQueue) CancelExtraction(_ context.Context, _ *sql.Tx, jobID int64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.cancelled = append(q.cancelled, jobID)
	return nil
}

// fakeCatalogue classifies every line as fruit, and keeps what it was told as text: the statuses it recorded, and what each
// lesson was for.
type fakeCatalogue struct {
	mu       sync.Mutex
	recorded []invoice.Status
	lessons  []invoice.Lesson
	taught   []string         // the descriptions the lessons were for
	refuse   map[string]error // by method
}

func (c *fakeCatalogue) Record(_ context.Context, _ *sql.Tx, inv *invoice.Invoice) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recorded = append(c.recorded, inv.Status)
	for i := range inv.Items {
		if inv.Items[i].ID == "" {
			return errors.New("an item has no id")
		}
		inv.Items[i].Category, inv.Items[i].ProductID = "fruit", product
	}
	return c.refuse["Record"]
}

// Teach also renames the user, as something to be rolled back.
func (c *fakeCatalogue) Teach(ctx context.Context, tx *sql.Tx, inv *invoice.Invoice, lessons []invoice.Lesson) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lessons = append(c.lessons, lessons...)
	for _, l := range lessons {
		for _, it := range inv.Items {
			if it.ID == l.ItemID {
				c.taught = append(c.taught, it.Description)
			}
		}
	}
	if _, err := tx.ExecContext(ctx, "UPDATE users SET name = 'taught'"); err != nil {
		return err
	}
	return c.refuse["Teach"]
}

const product = "01890a5d-ac96-774b-bcce-b302099a8058"

// fakeAnalyses analyses when it is told to, and counts the versions of items it was asked about.
type fakeAnalyses struct {
	mu      sync.Mutex
	follows bool
	planned []int
}

func (a *fakeAnalyses) Plan(_ context.Context, _ *sql.Tx, inv *invoice.Invoice) (bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.planned = append(a.planned, inv.ItemsVersion)
	return a.follows, nil
}

// fakeLive hands events to at most one subscriber, unless the test has it lose them.
type fakeLive struct {
	mu   sync.Mutex
	ch   chan invoice.Event
	lose bool
}

func (l *fakeLive) Publish(_ context.Context, e invoice.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ch != nil && !l.lose {
		l.ch <- e
	}
}

func (l *fakeLive) Subscribe(context.Context, string) (<-chan invoice.Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ch = make(chan invoice.Event, 100)
	return l.ch, nil
}

// fakeReader takes every file for a photo.
type fakeReader struct {
	refuse error
	key    string
	clean  []byte
	read   func([]invoice.Content) (invoice.Reading, error)
}

func (r *fakeReader) Inspect(context.Context, []byte) (invoice.Inspection, error) {
	return invoice.Inspection{Kind: invoice.FileJPEG, AccessKey: r.key, Clean: r.clean}, r.refuse
}

func (r *fakeReader) Read(_ context.Context, files []invoice.Content, _ func(fiscal.QR)) (invoice.Reading, error) {
	return r.read(files)
}

// endless is an upload that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

var errBroken = errors.New("the line broke")

// broken is an upload whose connection is lost.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

var _ io.Reader = broken{}
