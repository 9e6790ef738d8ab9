package providers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/providers/sdk"
)

// soakArgument makes the test binary run soak.
const soakArgument = "run-soak"

func TestPluginThatDeadlocksIsReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{MaxHangs: 3, BackoffMin: time.Millisecond}, "actor")
	require.NoError(t, b.Start(t.Context()))
	p, before := b.Provider("actor"), b.plugin(t, "actor").PID
	hang := func() {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := say(ctx, p, "deadlock")
		assert.Equal(t, sdk.KindTimeout, sdk.AsError(err).Kind)
	}
	hang()
	hang()
	_, err := say(t.Context(), p, "version")
	require.NoError(t, err, "an answer in between shows that it lives")
	hang()
	hang()
	assert.Equal(t, before, b.plugin(t, "actor").PID)
	hang()
	after := b.until(t, func(p Plugin) bool { return p.PID != before && p.State == StateRunning })
	assert.Contains(t, after.LastError, "3 calls in a row")
	assert.False(t, alive(before))
	assert.Equal(t, "1.2.3", version(t, p))
}

func TestGarbageOnStandardOutputHurtsNobody(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{}, "actor")
	require.NoError(t, b.Start(t.Context()))
	before := b.plugin(t, "actor").PID
	for range 5 {
		got, err := say(t.Context(), b.Provider("actor"), "garbage")
		require.NoError(t, err)
		assert.Equal(t, "garbage", got)
	}
	assert.Equal(t, before, b.plugin(t, "actor").PID)
}

func TestHugeReplyIsCutOffAndTheNextCallIsAnswered(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{}, "actor")
	require.NoError(t, b.Start(t.Context()))
	before := b.plugin(t, "actor").PID
	chain, err := NewChain(ChainConfig{
		Order: []Named{{Name: "actor", Provider: b.Provider("actor")}}, Checks: acceptAll, Retry: Retry{Tries: 1},
	})
	require.NoError(t, err)
	req := onePicture()
	req.Pages[0].Text = "huge"
	_, err = chain.Extract(t.Context(), req, ignore)
	require.Error(t, err)
	_, err = chain.Extract(t.Context(), onePicture(), ignore)
	require.NoError(t, err)
	after := b.until(t, func(p Plugin) bool { return p.InFlight == 0 })
	assert.Equal(t, before, after.PID)
}

func TestFiguresAreOfTheLastHundredCalls(t *testing.T) {
	t.Parallel()
	var c callStats
	ctx := t.Context()
	assert.Zero(t, c.snapshot().Quantile(0.5))
	for i := range 250 {
		var err error
		if i%2 == 0 {
			err = &sdk.Error{Kind: sdk.KindOverloaded}
		}
		c.add(ctx, time.Duration(i)*time.Millisecond, err)
	}
	left, cancel := context.WithCancel(ctx)
	cancel()
	c.add(left, time.Hour, errors.New("the client left"))
	s := c.snapshot()
	assert.Len(t, s.Latencies, 100)
	assert.Equal(t, 50, s.Failed)
	assert.Equal(t, 150*time.Millisecond, s.Latencies[0])
	assert.Equal(t, 200*time.Millisecond, s.Quantile(0.5))
	assert.Equal(t, 245*time.Millisecond, s.Quantile(0.95))
	assert.Equal(t, 249*time.Millisecond, s.Quantile(1))
}

// TestManyFaultsLeaveNoGoroutineAndNoFileBehind counts in a process of its own: here other tests run.
func TestManyFaultsLeaveNoGoroutineAndNoFileBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	install(t, dir, "actor")
	cmd := exec.CommandContext(t.Context(), os.Args[0], soakArgument, dir, shortDir(t))
	cmd.Env = append(os.Environ(), "SOAK_SECOND="+actor2Path, "SOAK_FIRST="+actorPath)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("%s", out)
}

// soak hurts a plugin in every way, again and again, and fails when goroutines or open files grow.
func soak(dir, run string) int {
	ctx := context.Background()
	h := NewHost(HostConfig{Dir: dir, RunDir: run, BackoffMin: time.Millisecond, BackoffMax: time.Millisecond, MaxCrashes: 1 << 30, CallWait: time.Minute})
	if err := h.Start(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	goroutines, files := 0, 0
	for round := range 200 {
		if err := soakRound(ctx, h, dir, round); err != nil {
			fmt.Fprintln(os.Stderr, "round", round, err)
			return 1
		}
		if round == 20 { // everything has happened once, so that pools are filled
			goroutines, files = settledCounts(0, 0)
		}
	}
	nowGoroutines, nowFiles := settledCounts(goroutines, files)
	fmt.Fprintf(os.Stdout, "goroutines %d, then %d; open files %d, then %d; restarts %d, swaps %d\n",
		goroutines, nowGoroutines, files, nowFiles, h.List()[0].Restarts, h.List()[0].Swaps)
	if nowGoroutines > goroutines+5 || nowFiles > files+3 {
		return 1
	}
	if err := h.Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func soakRound(ctx context.Context, h *Host, dir string, round int) error {
	p := h.Provider("actor")
	for _, what := range []string{"fail", "panic", "garbage", "log"} {
		_, err := say(ctx, p, what)
		if err != nil && sdk.AsError(err).Kind == sdk.KindUnavailable { // each round ends with one that answers
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	hung, cancel := context.WithTimeout(ctx, time.Millisecond)
	_, _ = say(hung, p, "hang") // it ends when the caller leaves
	cancel()
	switch round % 10 {
	case 0:
		if err := syscall.Kill(h.List()[0].PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	case 3:
		_, _ = say(ctx, p, "exit")
	case 5:
		target := os.Getenv("SOAK_FIRST")
		if round%20 == 5 {
			target = os.Getenv("SOAK_SECOND")
		}
		if err := errors.Join(os.Symlink(target, dir+"/.new"), os.Rename(dir+"/.new", dir+"/"+BinaryPrefix+"actor")); err != nil {
			return err
		}
		report, err := h.Reload(ctx)
		if err != nil || report.Plugins[0].Outcome == ReloadRefused {
			return fmt.Errorf("%v %w", report, err)
		}
	case 7:
		_, _ = say(ctx, p, "panic-elsewhere")
	}
	for try := range 1000 { // a call that comes between a kill and its discovery is lost
		got, err := say(ctx, p, "version")
		if err == nil && strings.Contains(got, ".") {
			return nil
		}
		if try == 999 {
			return fmt.Errorf("it does not answer any more: %w", err)
		}
		<-time.After(time.Millisecond)
	}
	return nil
}

// settledCounts waits for the counts to come down to what is wanted, or to stay the same for a while.
func settledCounts(goroutines, files int) (int, int) {
	var g, f int
	for same := 0; same < 20; {
		entries, _ := os.ReadDir("/proc/self/fd")
		nowG, nowF := runtime.NumGoroutine(), len(entries)
		if nowG == g && nowF == f {
			same++
		} else {
			same = 0
		}
		g, f = nowG, nowF
		if g <= goroutines && f <= files {
			break
		}
		<-time.After(100 * time.Millisecond)
	}
	return g, f
}
