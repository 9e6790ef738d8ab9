package providers

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// drop puts a binary into the plugin folder the way operators should: beside the old name, then renamed over it.
func drop(tb testing.TB, dir, name, target string) {
	tb.Helper()
	fresh := filepath.Join(dir, ".new")
	require.NoError(tb, os.Symlink(target, fresh))
	require.NoError(tb, os.Rename(fresh, filepath.Join(dir, BinaryPrefix+name)))
}

// script writes an executable that is no plugin.
func script(tb testing.TB, text string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "script")
	require.NoError(tb, os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700))
	return path
}

func (b *bundle) reload(tb testing.TB) Reloaded {
	tb.Helper()
	report, err := b.Reload(tb.Context())
	require.NoError(tb, err)
	require.Len(tb, report.Plugins, 1)
	return report.Plugins[0]
}

func version(tb testing.TB, p sdk.Provider) string {
	tb.Helper()
	got, err := say(tb.Context(), p, "version")
	require.NoError(tb, err)
	return got
}

func TestNewBinaryTakesOverAndTheOldOneFinishesItsCall(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{}, "actor")
	require.NoError(t, b.Start(t.Context()))
	p, before := b.Provider("actor"), b.plugin(t, "actor")
	same := b.reload(t)
	assert.Equal(t, ReloadUnchanged, same.Outcome)
	assert.Equal(t, "1.2.3", same.Version)

	sign, begun, ended := filepath.Join(t.TempDir(), "sign"), make(chan string, 1), make(chan error, 1)
	go func() {
		_, err := p.Generate(t.Context(), sdk.Request{Task: sdk.TaskExtract, Input: "until " + sign}, func(s string) error {
			begun <- s
			return nil
		})
		ended <- err
	}()
	assert.Equal(t, "1.2.3", <-begun)
	drop(t, b.dir, "actor", actor2Path)
	line := b.reload(t)
	assert.Equal(t, ReloadSwapped, line.Outcome)
	assert.Equal(t, "2.0.0", line.Version)
	assert.Equal(t, "1.2.3", line.OldVersion)
	assert.Equal(t, before.Checksum, line.OldChecksum)
	assert.NotEqual(t, before.Checksum, line.Checksum)
	assert.Equal(t, "2.0.0", version(t, p))

	now := b.plugin(t, "actor")
	assert.Equal(t, "2.0.0", now.Version)
	assert.Equal(t, 1, now.Protocol)
	assert.Equal(t, 1, now.InFlight)
	assert.Equal(t, 1, now.Draining)
	assert.Equal(t, 1, now.Swaps)
	assert.Zero(t, now.Restarts)
	assert.True(t, alive(before.PID), "it has a call to finish")
	require.NoError(t, os.WriteFile(sign, nil, 0o600))
	require.NoError(t, <-ended)
	gone := b.until(t, func(p Plugin) bool { return p.Draining == 0 })
	assert.Zero(t, gone.InFlight)
	assert.False(t, alive(before.PID))
	assert.Equal(t, now.PID, gone.PID)
}

func TestOldProcessIsNotWaitedForLongerThanACallMayTake(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{DrainTimeout: 50 * time.Millisecond, StopGrace: 50 * time.Millisecond}, "actor")
	require.NoError(t, b.Start(t.Context()))
	p, old := b.Provider("actor"), b.plugin(t, "actor").PID
	begun, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := p.Generate(t.Context(), sdk.Request{Task: sdk.TaskExtract, Input: "until /nothing"}, func(string) error {
			close(begun)
			return nil
		})
		ended <- err
	}()
	<-begun
	drop(t, b.dir, "actor", actor2Path)
	assert.Equal(t, ReloadSwapped, b.reload(t).Outcome)
	require.Error(t, <-ended)
	b.until(t, func(p Plugin) bool { return p.Draining == 0 })
	assert.False(t, alive(old))
	assert.Equal(t, "2.0.0", version(t, p))
}

func TestBinaryThatIsNotFitLeavesTheOldOneServing(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		prepare func(t *testing.T, b *bundle)
		env     map[string]string
		code    ReloadCode
		reason  string
	}{
		"another checksum than in the manifest": {code: RefusedChecksum, reason: "does not match", prepare: func(t *testing.T, b *bundle) {
			t.Helper()
			sums := fmt.Sprintf("%s  %sactor\n", b.plugin(t, "actor").Checksum, BinaryPrefix)
			require.NoError(t, os.WriteFile(filepath.Join(b.dir, SumsFile), []byte(sums), 0o600))
			drop(t, b.dir, "actor", actor2Path)
		}},
		"not in the manifest": {code: RefusedUnlisted, reason: "not listed", prepare: func(t *testing.T, b *bundle) {
			t.Helper()
			require.NoError(t, os.WriteFile(filepath.Join(b.dir, SumsFile), nil, 0o600))
			drop(t, b.dir, "actor", actor2Path)
		}},
		"gone": {code: RefusedMissing, reason: "no smarket-provider-actor", prepare: func(t *testing.T, b *bundle) {
			t.Helper()
			require.NoError(t, os.Remove(filepath.Join(b.dir, BinaryPrefix+"actor")))
		}},
		"crashes": {code: RefusedStart, reason: "start ", prepare: func(t *testing.T, b *bundle) {
			t.Helper()
			drop(t, b.dir, "actor", script(t, "exit 3"))
		}},
		"no program at all": {code: RefusedStart, reason: "start ", prepare: func(t *testing.T, b *bundle) {
			t.Helper()
			path := filepath.Join(t.TempDir(), "noise")
			require.NoError(t, os.WriteFile(path, []byte{0x7f, 'E', 'L', 'F', 0, 1, 2}, 0o700))
			drop(t, b.dir, "actor", path)
		}},
		"another protocol": {code: RefusedProtocol, reason: "ncompatible", prepare: func(t *testing.T, b *bundle) {
			t.Helper()
			drop(t, b.dir, "actor", script(t, "echo '1|2|unix|/nowhere|grpc|'; sleep 60"))
		}},
		"fails its check": {
			env: map[string]string{"ACTOR_CHECK_2.0.0": "fail"}, code: RefusedCheck, reason: "key [redacted] refused",
			prepare: func(t *testing.T, b *bundle) { t.Helper(); drop(t, b.dir, "actor", actor2Path) },
		},
		"dies in its check": {
			env: map[string]string{"ACTOR_CHECK_2.0.0": "exit"}, code: RefusedCheck, reason: "the new process", // ended or does not answer, whichever is seen first
			prepare: func(t *testing.T, b *bundle) { t.Helper(); drop(t, b.dir, "actor", actor2Path) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{"ACTOR_API_KEY": testKey, "PATH": "/usr/bin:/bin"}
			maps.Copy(env, tc.env)
			b := setup(t, HostConfig{StartTimeout: 10 * time.Second, Env: map[string]map[string]string{"actor": env}}, "actor")
			require.NoError(t, b.Start(t.Context()))
			before := b.plugin(t, "actor")
			tc.prepare(t, b)
			line := b.reload(t)
			assert.Equal(t, ReloadRefused, line.Outcome)
			assert.Equal(t, tc.code, line.Code, line.Reason)
			assert.Contains(t, line.Reason, tc.reason)
			assert.Equal(t, "1.2.3", line.Version)
			assert.NotContains(t, line.Reason+b.log.String(), testKey)
			assert.Equal(t, "1.2.3", version(t, b.Provider("actor")))
			after := b.plugin(t, "actor")
			assert.Equal(t, before.PID, after.PID)
			assert.Zero(t, after.Draining)
		})
	}
}

func TestCheckThatFailsForBothIsNoReasonAgainstTheNewOne(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{Env: map[string]map[string]string{"actor": {
		"ACTOR_CHECK_1.2.3": "fail", "ACTOR_CHECK_2.0.0": "fail",
	}}}, "actor")
	require.NoError(t, b.Start(t.Context()))
	drop(t, b.dir, "actor", actor2Path)
	assert.Equal(t, ReloadSwapped, b.reload(t).Outcome)
}

func TestHighestVersionBesideTheOthersWins(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{}, "actor", "actor@1.9.0")
	require.NoError(t, b.Start(t.Context()))
	assert.Equal(t, BinaryPrefix+"actor@1.9.0", filepath.Base(b.plugin(t, "actor").Path))
	for _, file := range []string{"actor@1.10.0-rc.1", "actor@latest", "actor@"} {
		drop(t, b.dir, file, actor2Path)
	}
	assert.Equal(t, ReloadSwapped, b.reload(t).Outcome)
	assert.Equal(t, BinaryPrefix+"actor@1.10.0-rc.1", filepath.Base(b.plugin(t, "actor").Path))

	sum, err := checksum(actorPath)
	require.NoError(t, err)
	sums := sum + "  " + BinaryPrefix + "actor@1.10.0\n"
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, SumsFile), []byte(sums), 0o600))
	drop(t, b.dir, "actor@1.10.0", actorPath)
	drop(t, b.dir, "actor@2.0.0", actor2Path)
	line := b.reload(t)
	assert.Equal(t, RefusedUnlisted, line.Code, "the newest is not vouched for")
	assert.Equal(t, "2.0.0", version(t, b.Provider("actor")), "what served serves")

	require.NoError(t, b.Stop(t.Context()))
	require.NoError(t, b.Start(t.Context()))
	assert.Equal(t, BinaryPrefix+"actor@1.10.0", filepath.Base(b.plugin(t, "actor").Path), "a start takes the newest that may run")
}

func TestReloadRevivesWhatDoesNotRun(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{Enabled: []string{"actor", "idle"}, BackoffMin: time.Hour, BackoffMax: time.Hour, MaxCrashes: 1, ParkFor: time.Hour})
	require.NoError(t, b.Start(t.Context()))
	assert.Equal(t, StateMissing, b.plugin(t, "actor").State)
	install(t, b.dir, "actor", "unwanted")
	report, err := b.Reload(t.Context())
	require.NoError(t, err)
	require.Len(t, report.Plugins, 2)
	assert.Equal(t, ReloadStarted, report.Plugins[0].Outcome)
	assert.Equal(t, RefusedMissing, report.Plugins[1].Code)
	assert.Equal(t, StateDisabled, b.plugin(t, "unwanted").State)

	require.NoError(t, syscall.Kill(b.plugin(t, "actor").PID, syscall.SIGKILL))
	b.until(t, func(p Plugin) bool { return p.State == StateParked })
	report, err = b.Reload(t.Context())
	require.NoError(t, err)
	assert.Equal(t, ReloadStarted, report.Plugins[0].Outcome)
	assert.Equal(t, "1.2.3", version(t, b.Provider("actor")))
	assert.Empty(t, b.plugin(t, "actor").LastError)
}

func TestReplacementIsWatchedLikeTheFirst(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{BackoffMin: time.Millisecond}, "actor")
	require.NoError(t, b.Start(t.Context()))
	drop(t, b.dir, "actor", actor2Path)
	b.reload(t)
	pid := b.plugin(t, "actor").PID
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	b.until(t, func(p Plugin) bool { return p.PID != pid && p.State == StateRunning })
	assert.Equal(t, "2.0.0", version(t, b.Provider("actor")))
}

func TestReloadNeedsAHostThatRuns(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{}, "actor")
	_, err := b.Reload(t.Context())
	require.ErrorIs(t, err, ErrNotRunning)
	require.NoError(t, b.Start(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.reloading <- struct{}{} // another one is under way
	_, err = b.Reload(ctx)
	require.ErrorIs(t, err, context.Canceled)
	<-b.reloading
	require.NoError(t, b.Stop(t.Context()))
	_, err = b.Reload(t.Context())
	require.ErrorIs(t, err, ErrNotRunning)
}

func TestReloadsAtOnceTakeTurns(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{}, "actor")
	require.NoError(t, b.Start(t.Context()))
	drop(t, b.dir, "actor", actor2Path)
	var swapped atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			report, err := b.Reload(t.Context())
			if assert.NoError(t, err) && report.Plugins[0].Outcome == ReloadSwapped {
				swapped.Add(1)
			}
		})
	}
	wg.Wait()
	assert.EqualValues(t, 1, swapped.Load())
	assert.Equal(t, 1, b.plugin(t, "actor").Swaps)
}

func TestStopDuringAReloadLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{}, "actor")
	for range 5 {
		require.NoError(t, b.Start(t.Context()))
		drop(t, b.dir, "actor", actor2Path)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = b.Reload(t.Context()) // whichever comes first
		}()
		require.NoError(t, b.Stop(t.Context()))
		<-done
		assert.Zero(t, b.plugin(t, "actor").PID)
		assert.NotEqual(t, StateRunning, b.plugin(t, "actor").State)
		drop(t, b.dir, "actor", actorPath)
	}
}

// billing counts what is booked and how it ended.
type billing struct{ booked, ok, failed atomic.Int32 }

func (b *billing) Reserve(context.Context, Call) (Booking, error) {
	b.booked.Add(1)
	return b, nil
}

func (b *billing) Saved(context.Context, Call, sdk.Usage) error { return nil }

func (b *billing) Settle(_ context.Context, end CallEnd) error {
	if end.Outcome == outcomeOK {
		b.ok.Add(1)
	} else {
		b.failed.Add(1)
	}
	return nil
}

// TestTwentySwapsUnderFiftyRequestsLoseNothing keeps fifty extractions under way while versions come and go.
func TestTwentySwapsUnderFiftyRequestsLoseNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{}, "actor")
	require.NoError(t, b.Start(t.Context()))
	bills := &billing{}
	chain, err := NewChain(ChainConfig{
		Order: []Named{{Name: "actor", Provider: b.Provider("actor")}}, Ledger: bills, Checks: acceptAll, Log: b.config.Log,
	})
	require.NoError(t, err)
	var requests, attempts atomic.Int32
	seen, stop := &sync.Map{}, make(chan struct{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			for {
				req := onePicture()
				req.Pages[0].Data = []byte("picture " + strconv.Itoa(int(requests.Add(1)))) // another document each time
				got, err := chain.Extract(t.Context(), req, ignore)
				if err != nil {
					assert.Fail(t, "an extraction failed", err.Error())
					return
				}
				attempts.Add(int32(len(got.Attempts)))
				seen.Store(got.Draft.Issuer.Name, true)
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for i := range 20 {
		drop(t, b.dir, "actor", []string{actor2Path, actorPath}[i%2])
		line := b.reload(t)
		assert.Equal(t, ReloadSwapped, line.Outcome, line.Reason)
	}
	close(stop)
	wg.Wait()
	for _, v := range []string{"1.2.3", "2.0.0"} {
		_, ok := seen.Load(v)
		assert.True(t, ok, "version %s has answered", v)
	}
	t.Logf("%d extractions, %d calls", requests.Load(), bills.booked.Load())
	assert.GreaterOrEqual(t, requests.Load(), int32(50))
	assert.Equal(t, requests.Load(), bills.booked.Load(), "each was billed once")
	assert.Equal(t, requests.Load(), bills.ok.Load())
	assert.Zero(t, bills.failed.Load())
	assert.Equal(t, requests.Load(), attempts.Load())
	b.until(t, func(p Plugin) bool { return p.Draining == 0 && p.InFlight == 0 })
	assert.Equal(t, 20, b.plugin(t, "actor").Swaps)
	assert.Zero(t, b.plugin(t, "actor").Restarts)
}

func TestProviderSwitchedOffFinishesItsCall(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{}, "actor", "other")
	require.NoError(t, b.Start(t.Context()))
	chain, err := NewChain(ChainConfig{Order: []Named{
		{Name: "actor", Provider: b.Provider("actor")}, {Name: "other", Provider: b.Provider("other")},
	}, Checks: acceptAll, Retry: Retry{Tries: 1}})
	require.NoError(t, err)
	names := func() []string {
		got, err := chain.Extract(t.Context(), onePicture(), ignore)
		require.NoError(t, err)
		return outcomes(got)
	}
	assert.Equal(t, []string{"actor ok"}, names())

	// Through the chain the actor says its version, which is no receipt, so the other one answers in the end.
	sign, begun, ended := filepath.Join(t.TempDir(), "sign"), make(chan struct{}, 1), make(chan []string, 1)
	go func() {
		req := onePicture()
		req.Pages[0].Text = "until " + sign
		got, _ := chain.Extract(context.WithoutCancel(t.Context()), req, func(invoice.Progress) {
			select {
			case begun <- struct{}{}:
			default:
			}
		})
		ended <- outcomes(got)
	}()
	<-begun
	b.until(t, func(p Plugin) bool { return p.InFlight == 1 })
	chain.Arrange([]string{"other", "nobody", "other"})
	assert.Equal(t, []string{"other ok"}, names())
	require.NoError(t, os.WriteFile(sign, nil, 0o600))
	assert.Equal(t, []string{"actor invalid_reply", "other invalid_reply"}, <-ended, "the order that it began with")

	chain.Arrange([]string{"other", "actor"})
	assert.Equal(t, []string{"other ok"}, names())
	chain.Arrange(nil)
	_, err = chain.Extract(t.Context(), onePicture(), ignore)
	require.Error(t, err)
	assert.Len(t, chain.Breakers(), 2)
}
