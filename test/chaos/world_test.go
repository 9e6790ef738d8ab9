package chaos_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/pgtest"
	"github.com/mercadoesperto/smarket/internal/redistest"
)

// world is a whole installation.
type world struct {
	db      *pgtest.Own
	redis   *redistest.Server
	stub    *llmstub.Stub
	apis    []*process
	workers []*process
	env     []string // of all processes
	files   string   // the folder of the submitted files
	logs    string
}

// newWorld starts everything and returns when all of it is ready.
func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	slow := llmstub.Latency{FirstToken: llmstub.Delay{P50: 400 * time.Millisecond, P95: 1200 * time.Millisecond}}
	faults := []llmstub.Chance{
		{P: 0.05, Fault: llmstub.FaultUnavailable}, {P: 0.03, Fault: llmstub.FaultResetMid}, {P: 0.03, Fault: llmstub.FaultWrongOnce},
	}
	options := llmstub.Options{Seed: seed, Vendors: map[llmstub.Vendor]llmstub.VendorOptions{}}
	for _, vendor := range llmstub.Vendors() {
		options.Vendors[vendor] = llmstub.VendorOptions{Latency: slow, Chances: faults}
	}
	w := &world{db: pgtest.Start(t), redis: redistest.Start(t), stub: llmstub.Start(t, options), files: t.TempDir(), logs: t.TempDir()}
	w.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LOG_FORMAT=text",
		"DATABASE_URL=" + w.db.URL, "REDIS_URL=" + w.redis.URL(), "BLOB_URL=file://" + w.files, "JWT_SECRET=" + strings.Repeat("s", 40),
		"PROVIDER_ORDER=gemini,openrouter,openai", "PROVIDER_TIMEOUT=20s", "WORKER_JOBS=3", "RATE_LIMIT_ENABLED=false",
		"BUDGET_DAILY_USD=0", "BUDGET_USER_DAILY_USD=1000", "SHUTDOWN_TIMEOUT=30s",
		"GEMINI_API_KEY=test-gemini-key-0123456789abcdef", "GEMINI_BASE_URL=" + w.stub.BaseURL(llmstub.Gemini),
		"OPENROUTER_API_KEY=test-openrouter-key-0123456789", "OPENROUTER_BASE_URL=" + w.stub.BaseURL(llmstub.OpenRouter),
		"OPENAI_API_KEY=test-openai-key-0123456789", "OPENAI_BASE_URL=" + w.stub.BaseURL(llmstub.OpenAI),
	}
	migrate := exec.CommandContext(t.Context(), filepath.Join(bin, "smarket"), "migrate", "up")
	migrate.Env = append(slices.Clone(w.env), "DATA_DIR="+t.TempDir())
	out, err := migrate.CombinedOutput()
	require.NoError(t, err, string(out))
	for _, name := range []string{"api-1", "api-2"} {
		w.apis = append(w.apis, w.start(t, name, "api"))
	}
	for _, name := range []string{"worker-1", "worker-2"} {
		w.workers = append(w.workers, w.start(t, name, "worker"))
	}
	return w
}

func (w *world) start(t *testing.T, name, role string) *process {
	t.Helper()
	log, err := os.Create(filepath.Join(w.logs, name+".log"))
	require.NoError(t, err)
	p := &process{name: name, role: role, log: log, env: append(slices.Clone(w.env), "DATA_DIR="+t.TempDir(), "WORKER_NAME="+name)}
	t.Cleanup(func() {
		if p.running() {
			p.signal(9)
			<-p.done
		}
		_ = log.Close()
		if t.Failed() {
			t.Logf("end of the log of %s:\n%s", name, p.tail())
		}
	})
	p.start(t)
	return p
}

func (w *world) processes() []*process { return append(slices.Clone(w.apis), w.workers...) }

// ask runs a query for the test's own eyes, and says when the database is away.
func ask[T any](ctx context.Context, w *world, sql string, args ...any) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, w.db.URL)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

// must is ask when nothing is away.
func must[T any](t *testing.T, w *world, sql string, args ...any) []T {
	t.Helper()
	list, err := ask[T](t.Context(), w, sql, args...)
	require.NoError(t, err, sql)
	return list
}

// until waits for a condition, and says whether it was met before ctx ended.
func until(ctx context.Context, met func(ctx context.Context) bool) bool {
	for !met(ctx) {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(100 * time.Millisecond):
		}
	}
	return true
}

// waiting is how many invoices of an account are not read yet; many while that cannot be told.
func (w *world) waiting(ctx context.Context, email string) int {
	type row struct{ N int }
	list, err := ask[row](ctx, w, `SELECT count(*) FROM invoices i JOIN users u ON u.id = i.user_id
		WHERE u.email = $1 AND i.status IN ('QUEUED', 'PROCESSING')`, email)
	if err != nil || len(list) != 1 {
		return inHand
	}
	return list[0].N
}

// unsettled is what is still to be done, in words.
func (w *world) unsettled(ctx context.Context) string {
	type row struct{ Invoices, Analyses, Jobs int }
	list, err := ask[row](ctx, w, `SELECT
		(SELECT count(*) FROM invoices WHERE status IN ('QUEUED', 'PROCESSING')),
		(SELECT count(*) FROM analyses WHERE status = 'QUEUED'),
		(SELECT count(*) FROM river_job WHERE kind <> 'sweep' AND state IN ('available', 'running', 'retryable', 'scheduled', 'pending'))`)
	if err != nil || len(list) != 1 {
		return fmt.Sprint(err)
	}
	if list[0] == (row{}) {
		return ""
	}
	return fmt.Sprintf("%d invoices, %d analyses, %d jobs", list[0].Invoices, list[0].Analyses, list[0].Jobs)
}
