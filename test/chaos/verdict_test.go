package chaos_test

import (
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// verdict is what was found at the end, each with a word on where.
type verdict struct {
	lost, doubled, stuck, orphaned, unpaid, leaked []string
}

func (v *verdict) String() string {
	return fmt.Sprintf("lost %d, doubled %d, stuck %d, orphaned %d", len(v.lost), len(v.doubled), len(v.stuck), len(v.orphaned))
}

func add(list *[]string, format string, args ...any) {
	*list = append(*list, fmt.Sprintf(format, args...))
}

// outcome is one invoice at the end.
type outcome struct {
	ID, Status, Failure string
	Due                 *int64
	Seq                 int
	// Events are counted: all, the first and last number, those that end a reading, and those that end an analysis.
	Events, First, Last, Ends, Analyses int
	Items, Purchases, Lines             int
	Analysis                            string
}

const outcomes = `SELECT i.id::text, i.status, coalesce(i.failure_code, ''), i.due_centavos, i.event_seq,
	e.n, e.first, e.last, e.ends, e.analyses,
	(SELECT count(*) FROM invoice_items x WHERE x.invoice_id = i.id),
	(SELECT count(*) FROM purchases x WHERE x.invoice_id = i.id),
	(SELECT count(*) FROM purchase_lines x WHERE x.invoice_id = i.id),
	coalesce((SELECT status FROM analyses x WHERE x.invoice_id = i.id), '')
	FROM invoices i LEFT JOIN LATERAL (SELECT count(*) AS n, coalesce(min(seq), 0) AS first, coalesce(max(seq), 0) AS last,
		count(*) FILTER (WHERE stage IN ('COMPLETED', 'NEEDS_REVIEW', 'DUPLICATE', 'FAILED', 'CANCELLED')) AS ends,
		count(*) FILTER (WHERE stage IN ('ANALYZED', 'ANALYSIS_FAILED')) AS analyses
		FROM extraction_events WHERE invoice_id = i.id) e ON true`

// invoices holds every invoice against what was accepted.
func (v *verdict) invoices(t *testing.T, w *world, l *load) map[string]int {
	t.Helper()
	statuses, promised := map[string]int{}, l.all()
	for _, o := range must[outcome](t, w, outcomes) {
		statuses[o.Status]++
		want, ok := promised[o.ID]
		delete(promised, o.ID)
		if !ok {
			add(&v.doubled, "%s %s: nobody was told of it", o.ID, o.Status)
			continue
		}
		v.invoice(o, want)
	}
	for id := range promised {
		add(&v.lost, "%s was accepted and is not there", id)
	}
	for _, id := range l.doubled {
		add(&v.doubled, "%s: the same file was accepted twice", id)
	}
	return statuses
}

func (v *verdict) invoice(o outcome, want accepted) {
	read := o.Status == "COMPLETED" || o.Status == "NEEDS_REVIEW"
	switch {
	case o.Status == "QUEUED" || o.Status == "PROCESSING" || o.Analysis == "QUEUED":
		add(&v.stuck, "%s %s, analysis %q", o.ID, o.Status, o.Analysis)
	case !read: // a vendor's fault that lasts ends in FAILED only after five tries, which no run here sees
		add(&v.lost, "%s ended as %s %s", o.ID, o.Status, o.Failure)
	case o.Status == "COMPLETED" && (o.Due == nil || *o.Due != want.due):
		add(&v.lost, "%s has other figures than its receipt", o.ID)
	}
	if o.Ends > 1 || o.Analyses > 1 {
		add(&v.doubled, "%s ended %d times, its analysis %d times", o.ID, o.Ends, o.Analyses)
	}
	if o.First != 1 || o.Last != o.Events || o.Seq != o.Events {
		add(&v.lost, "%s has %d events, numbered %d to %d, counted %d", o.ID, o.Events, o.First, o.Last, o.Seq)
	}
	if read && (o.Purchases != 1 || o.Lines != o.Items) {
		add(&v.doubled, "%s has %d items, and in the ledger %d purchases with %d lines", o.ID, o.Items, o.Purchases, o.Lines)
	}
}

// orphans compares files with rows, and rows with jobs.
func (v *verdict) orphans(t *testing.T, w *world) {
	t.Helper()
	type row struct{ Key string }
	named := map[string]bool{}
	for _, r := range must[row](t, w, `SELECT blob_key FROM invoice_files WHERE removed_at IS NULL`) {
		named[r.Key] = true
	}
	err := filepath.WalkDir(w.files, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		key, err := filepath.Rel(w.files, path)
		if !named[key] {
			add(&v.orphaned, "file %s without a row", key)
		}
		delete(named, key)
		return err
	})
	require.NoError(t, err)
	for key := range named {
		add(&v.lost, "row without its file %s", key)
	}
	for _, r := range must[row](t, w, `SELECT kind || ' ' || id FROM river_job j WHERE kind <> 'sweep' AND NOT EXISTS
		(SELECT 1 FROM invoices WHERE id::text = j.args->>'invoice_id')`) {
		add(&v.orphaned, "job %s without its invoice", r.Key)
	}
}

// costs holds the stub's ledger against the rows of calls: each call that a vendor saw was booked before it was made, and each
// booking that nobody settled is of a time at which something died.
func (v *verdict) costs(t *testing.T, c *chaos) (calls, rows, unsettled int) {
	t.Helper()
	require.NoError(t, c.stub.AwaitDone(c.ctx))
	type row struct {
		Provider, Outcome string
		N                 int
	}
	booked := map[string]int{}
	for _, r := range must[row](t, c.world, `SELECT provider, outcome, count(*) FROM provider_calls WHERE outcome <> 'cached' GROUP BY 1, 2`) {
		booked[r.Provider] += r.N
		rows += r.N
		if r.Outcome == "reserved" {
			unsettled += r.N
		}
	}
	for vendor, total := range c.stub.Totals() {
		calls += total.Calls
		if total.Calls > booked[string(vendor)] {
			add(&v.unpaid, "%s saw %d calls, and %d are booked", vendor, total.Calls, booked[string(vendor)])
		}
	}
	// What can leave a booking open: the death of the process, of its plugin or of the database.
	excuses := 0
	for name, n := range c.struck {
		if strings.HasPrefix(name, "worker") || strings.HasPrefix(name, "PostgreSQL") {
			excuses += n
		}
	}
	const inHandAtOnce = 6 // WORKER_JOBS of both workers
	if unsettled > excuses*inHandAtOnce {
		add(&v.unpaid, "%d bookings are open after %d blows", unsettled, excuses)
	}
	return calls, rows, unsettled
}

// leaks looks at what the processes hold when there is nothing to do, and at what they leave behind.
func (v *verdict) leaks(t *testing.T, w *world, quiet map[*process]int) {
	t.Helper()
	known := map[int]bool{}
	for _, p := range w.processes() {
		known[p.pid()] = true
		for _, child := range children(p.pid()) {
			known[child] = true
		}
		const most = 40 // connections to the database, Redis, clients and plugins come and go
		if n := descriptors(p.pid()); n > quiet[p]+most {
			add(&v.leaked, "%s has %d descriptors, and began with %d", p.name, n, quiet[p])
		}
	}
	for _, pid := range ours() {
		if !known[pid] {
			add(&v.leaked, "process %d is nobody's child", pid)
		}
	}
	// Half of the processes end as they do in a roll-out, and half show their goroutines.
	for _, p := range []*process{w.apis[0], w.workers[0]} {
		require.NoError(t, p.terminate(t))
	}
	for _, p := range []*process{w.apis[1], w.workers[1]} {
		old := p.goroutines(t)
		p.start(t)
		fresh := p.goroutines(t)
		const most = 60
		if old > fresh+most {
			add(&v.leaked, "%s had %d goroutines, and has %d when fresh", p.name, old, fresh)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if !until(ctx, func(context.Context) bool { return len(ours()) == 0 }) {
		add(&v.leaked, "processes %v outlive the service", ours())
	}
}

// doctor is what an operator does at the end: files that a killed submission left behind are removed. It says what it did.
func (w *world) doctor(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "smarket"), "doctor", "--repair", "--min-age=1s")
	cmd.Env = append(slices.Clone(w.env), "DATA_DIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

// times are how long invoices stood still after their worker's death: those whose worker came back, from then on, and those
// whose worker did not.
func (c *chaos) times(t *testing.T) (back, gone []time.Duration) {
	t.Helper()
	type row struct {
		ID string
		At time.Time
	}
	for _, d := range c.deaths {
		for _, r := range must[row](t, c.world, `SELECT invoice_id::text, min(at) FROM extraction_events
			WHERE invoice_id = ANY($1::uuid[]) AND at > $2 GROUP BY 1`, d.invoices, d.at) {
			if d.restart.IsZero() {
				gone = append(gone, r.At.Sub(d.at))
			} else {
				back = append(back, r.At.Sub(d.restart))
			}
		}
	}
	slices.Sort(back)
	slices.Sort(gone)
	return back, gone
}

func spread(list []time.Duration) string {
	if len(list) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d, median %.1f s, most %.1f s", len(list), list[len(list)/2].Seconds(), list[len(list)-1].Seconds())
}
