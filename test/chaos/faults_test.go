package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// blow is one thing that is done to the installation.
type blow struct {
	name string
	do   func(c *chaos, t *testing.T)
}

// deck holds every blow; those that are the commonest in life are in it twice. It is shuffled anew when it is used up, so that a
// dozen rounds are some of each.
func deck() []blow {
	return []blow{
		{"worker killed", (*chaos).killWorker},
		{"worker killed", (*chaos).killWorker},
		{"worker killed for good", (*chaos).loseWorker},
		{"worker frozen", (*chaos).freezeWorker},
		{"worker thought dead", (*chaos).freezeWorkerLong},
		{"server killed", (*chaos).killServer},
		{"server killed", (*chaos).killServer},
		{"server frozen", (*chaos).freezeServer},
		{"plugin killed", (*chaos).killPlugin},
		{"plugin killed", (*chaos).killPlugin},
		{"plugin frozen", (*chaos).freezePlugin},
		{"PostgreSQL crashed", (*chaos).crashDatabase},
		{"PostgreSQL frozen", (*chaos).freezeDatabase},
		{"Redis killed", (*chaos).killRedis},
		{"Redis frozen", (*chaos).freezeRedis},
	}
}

// chaos is one run.
type chaos struct {
	*world

	ctx  context.Context //nolint:containedctx // the run's: every wait ends with it
	dice *rand.Rand
	// struck counts the blows by name.
	struck map[string]int
	// deaths are the workers' kills and long freezes, with what they were at work on.
	deaths []death
	// vain is what was waited for and did not come; after that no more is struck.
	vain []string
}

// await waits for what must come, far longer than it is promised to take.
func (c *chaos) await(what string, met func(ctx context.Context) bool) {
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	if !until(ctx, met) {
		c.vain = append(c.vain, "waited in vain until "+what)
	}
}

// death is a worker that was killed.
type death struct {
	at       time.Time
	restart  time.Time // zero when it was not restarted before its invoices had gone on
	invoices []string  // that it was at work on
}

// short is a moment of the dice.
func (c *chaos) short(most time.Duration) time.Duration {
	return time.Duration(c.dice.Int64N(int64(most)))
}

func (c *chaos) sleep(d time.Duration) {
	select {
	case <-c.ctx.Done():
	case <-time.After(d):
	}
}

func (c *chaos) worker() *process { return c.workers[c.dice.IntN(len(c.workers))] }
func (c *chaos) server() *process { return c.apis[c.dice.IntN(len(c.apis))] }

// inHandOf are the invoices whose extraction a worker runs now, and has not ended: the queue hears of that a moment later.
func (c *chaos) inHandOf(p *process) []string {
	type row struct{ ID string }
	list, err := ask[row](c.ctx, c.world, `SELECT i.id::text FROM river_job j JOIN invoices i ON i.id::text = j.args->>'invoice_id'
		WHERE j.state = 'running' AND j.kind = 'extract_invoice' AND i.status IN ('QUEUED', 'PROCESSING')
		AND j.attempted_by[array_length(j.attempted_by, 1)] LIKE $1`, fmt.Sprintf("%s/%d/%%", p.name, p.pid()))
	if err != nil {
		return nil
	}
	ids := make([]string, len(list))
	for i, r := range list {
		ids[i] = r.ID
	}
	return ids
}

// busy waits until the worker has something in hand, so that its end matters.
func (c *chaos) busy(p *process) {
	c.await(p.name+" is at work", func(context.Context) bool { return len(c.inHandOf(p)) > 0 })
}

// die kills a worker and notes what it had in hand: what it still has after its end, for it may just have finished something.
func (c *chaos) die(p *process) *death {
	c.busy(p)
	p.kill()
	c.deaths = append(c.deaths, death{at: time.Now(), invoices: c.inHandOf(p)})
	return &c.deaths[len(c.deaths)-1]
}

func (c *chaos) killWorker(t *testing.T) {
	p := c.worker()
	d := c.die(p)
	c.sleep(c.short(2 * time.Second))
	p.start(t)
	d.restart = time.Now()
}

// loseWorker does not start the worker again before another has taken up what it had.
func (c *chaos) loseWorker(t *testing.T) {
	p := c.worker()
	d := c.die(p)
	c.await("another worker goes on", func(ctx context.Context) bool { return c.wentOn(ctx, d) })
	p.start(t)
}

// wentOn says that every invoice of a death has had an event since, or had ended after all.
func (c *chaos) wentOn(ctx context.Context, d *death) bool {
	type row struct{ N int }
	list, err := ask[row](ctx, c.world, `SELECT count(*) FROM invoices i WHERE id = ANY($1::uuid[]) AND
		(status NOT IN ('QUEUED', 'PROCESSING') OR EXISTS (SELECT 1 FROM extraction_events e WHERE e.invoice_id = i.id AND e.at > $2))`,
		d.invoices, d.at)
	return err == nil && len(list) == 1 && list[0].N == len(d.invoices)
}

func (c *chaos) freeze(p *process, d time.Duration) {
	p.signal(syscall.SIGSTOP)
	c.sleep(d)
	p.signal(syscall.SIGCONT)
}

func (c *chaos) freezeWorker(*testing.T) {
	c.freeze(c.worker(), 500*time.Millisecond+c.short(4*time.Second))
}

// asking says that a provider is being asked about one of invoices.
func (c *chaos) asking(ctx context.Context, invoices []string) bool {
	type row struct{ N int }
	list, err := ask[row](ctx, c.world, `SELECT count(*) FROM invoices i JOIN extraction_events e ON e.invoice_id = i.id AND e.seq = i.event_seq
		WHERE i.id = ANY($1::uuid[]) AND i.status = 'PROCESSING' AND e.stage = 'EXTRACTING'`, invoices)
	return err == nil && len(list) == 1 && list[0].N > 0
}

// freezeWorkerLong stops a worker until it is taken for dead and another has taken up its work; then it goes on as if nothing
// had happened. It is stopped while a provider is being asked, so that it has something to write when it wakes up.
func (c *chaos) freezeWorkerLong(*testing.T) {
	p := c.worker()
	c.await(p.name+" asks a provider", func(ctx context.Context) bool {
		if !c.asking(ctx, c.inHandOf(p)) {
			return false
		}
		p.signal(syscall.SIGSTOP)
		if c.asking(ctx, c.inHandOf(p)) {
			return true
		}
		p.signal(syscall.SIGCONT) // it has just had its answer
		return false
	})
	d := &death{at: time.Now(), invoices: c.inHandOf(p)}
	c.await("a frozen worker's invoices go on", func(ctx context.Context) bool { return c.wentOn(ctx, d) })
	p.signal(syscall.SIGCONT)
	c.deaths = append(c.deaths, *d)
}

func (c *chaos) killServer(t *testing.T) {
	p := c.server()
	p.kill()
	c.sleep(c.short(2 * time.Second))
	p.start(t)
}

func (c *chaos) freezeServer(*testing.T) {
	c.freeze(c.server(), 500*time.Millisecond+c.short(4*time.Second))
}

func (c *chaos) plugin(t *testing.T) int {
	t.Helper()
	p := c.worker()
	var list []int
	c.await(p.name+" has plugins", func(context.Context) bool {
		list = children(p.pid())
		return len(list) > 0
	})
	require.NotEmpty(t, list)
	return list[c.dice.IntN(len(list))]
}

func (c *chaos) killPlugin(t *testing.T) { _ = syscall.Kill(c.plugin(t), syscall.SIGKILL) }

func (c *chaos) freezePlugin(t *testing.T) {
	pid := c.plugin(t)
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	c.sleep(500*time.Millisecond + c.short(6*time.Second))
	_ = syscall.Kill(pid, syscall.SIGCONT)
}

func (c *chaos) crashDatabase(t *testing.T) {
	c.db.Crash()
	c.sleep(c.short(3 * time.Second))
	c.db.Restart(t)
}

func (c *chaos) freezeDatabase(*testing.T) {
	c.db.Freeze()
	c.sleep(500*time.Millisecond + c.short(4*time.Second))
	c.db.Thaw()
}

func (c *chaos) killRedis(t *testing.T) {
	c.redis.Stop(t)
	c.sleep(c.short(3 * time.Second))
	c.redis.Restart(t)
}

func (c *chaos) freezeRedis(t *testing.T) {
	c.redis.Signal(t, syscall.SIGSTOP)
	c.sleep(500*time.Millisecond + c.short(3*time.Second))
	c.redis.Signal(t, syscall.SIGCONT)
}

// strike does one round after another.
func (c *chaos) strike(t *testing.T, rounds int) {
	t.Helper()
	var cards []blow
	for n := range rounds {
		if len(cards) == 0 {
			cards = deck()
			c.dice.Shuffle(len(cards), func(i, j int) { cards[i], cards[j] = cards[j], cards[i] })
		}
		b := cards[0]
		cards = cards[1:]
		c.sleep(300*time.Millisecond + c.short(1500*time.Millisecond))
		t.Logf("round %d: %s", n+1, b.name)
		b.do(c, t)
		c.struck[b.name]++
		if c.ctx.Err() != nil || len(c.vain) > 0 {
			return
		}
	}
}
