package chaos_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a run may take: generous, for only a run that hangs needs it.
const (
	perRound = time.Minute
	atTheEnd = 10 * time.Minute
)

// The promises about an invoice whose process was killed.
const (
	afterRestart = 10 * time.Second
	withoutOne   = 60 * time.Second
)

func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(*rounds)*perRound+atTheEnd)
	defer cancel()
	began := time.Now()
	w := newWorld(t, *seed)
	c := &chaos{world: w, ctx: ctx, dice: rand.New(rand.NewPCG(*seed, 0)), struck: map[string]int{}}
	quiet := map[*process]int{}
	for _, p := range w.processes() {
		quiet[p] = descriptors(p.pid())
	}
	l := &load{apis: w.apis, stub: w.stub}
	l.start(t, *seed, w.waiting)
	c.strike(t, *rounds)
	l.stop()
	struck := time.Since(began)
	settled(ctx, t, w)

	v := &verdict{stuck: c.vain}
	statuses := v.invoices(t, w, l)
	calls, rows, unsettled := v.costs(t, c)
	back, gone := c.times(t)
	before := &verdict{}
	before.orphans(t, w)
	said := w.doctor(t)
	v.orphans(t, w)
	v.leaks(t, w, quiet)

	var out strings.Builder
	tw := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	line := func(name string, value any) { fmt.Fprintf(tw, "| %s\t| %v\t|\n", name, value) }
	line("seed, rounds, minutes of them", fmt.Sprintf("%d, %d, %.1f", *seed, *rounds, struck.Minutes()))
	for _, name := range slices.Sorted(maps.Keys(c.struck)) {
		line(name, c.struck[name])
	}
	line("invoices accepted", len(l.all()))
	for _, status := range slices.Sorted(maps.Keys(statuses)) {
		line("… "+status, statuses[status])
	}
	line("sent twice and recognised", l.duplicates)
	line("requests that clients repeated", l.failures.Load())
	line("vendor calls seen, booked, open", fmt.Sprintf("%d, %d, %d", calls, rows, unsettled))
	line("files that killed submissions left, before the doctor", len(before.orphaned))
	line("went on after the restart of its worker", spread(back))
	line("went on without one", spread(gone))
	require.NoError(t, tw.Flush())
	t.Logf("\n%s%s", out.String(), v)
	if len(before.orphaned) > 0 {
		t.Logf("the doctor said:\n%s", said)
	}
	for what, list := range map[string][]string{
		"lost": v.lost, "doubled": v.doubled, "stuck": v.stuck, "orphaned": v.orphaned, "not booked": v.unpaid, "leaked": v.leaked,
	} {
		assert.Empty(t, list, what)
	}
	assert.Empty(t, l.faults)
	promise(t, "after the restart of its worker", back, afterRestart)
	promise(t, "without a restart", gone, withoutOne)
}

// promise holds the times against what is promised; a short run, which is made on machines that are busy with other tests, only
// prints them.
func promise(t *testing.T, what string, took []time.Duration, most time.Duration) {
	t.Helper()
	const many = 50 // rounds
	if *rounds >= many && len(took) > 0 {
		assert.LessOrEqual(t, took[len(took)-1], most, what)
	}
}

// settled waits until nothing is left to be done; what does not come to rest in its time is the verdict's to name.
func settled(ctx context.Context, t *testing.T, w *world) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, atTheEnd/2)
	defer cancel()
	left := "?"
	for left != "" {
		left = w.unsettled(ctx)
		select {
		case <-ctx.Done():
			t.Logf("not settled: %s", left)
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}
