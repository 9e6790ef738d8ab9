package providers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/providers/prompts"
	"github.com/mercadoesperto/smarket/providers/sdk"
	"github.com/mercadoesperto/smarket/providers/sdk/sdktest"
)

const testKey = "k3y-of-the-test-with+odd/chars="

// syncBuffer is a log that the test may read while the host writes it.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// bundle is a host with its plugins, which are all copies of the actor.
type bundle struct {
	*Host
	dir, run string
	log      *syncBuffer
}

// shortDir is a temporary folder whose path leaves room for a socket's.
func shortDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("/tmp", "sm") //nolint:usetesting // t.TempDir is longer than a socket's path may be
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, os.RemoveAll(dir)) })
	return dir
}

func install(tb testing.TB, dir string, names ...string) {
	tb.Helper()
	for _, name := range names {
		require.NoError(tb, os.Symlink(actorPath, filepath.Join(dir, BinaryPrefix+name)))
	}
}

// setup prepares a host that is stopped when the test ends; its watch is quick and patient enough for a busy machine.
func setup(tb testing.TB, config HostConfig, names ...string) *bundle {
	tb.Helper()
	b := &bundle{dir: tb.TempDir(), run: shortDir(tb), log: &syncBuffer{}}
	install(tb, b.dir, names...)
	config.Dir, config.RunDir = b.dir, b.run
	config.Log = slog.New(slog.NewJSONHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if config.StartTimeout == 0 {
		config.StartTimeout = 30 * time.Second
	}
	config.CallWait = 30 * time.Second
	b.Host = NewHost(config)
	tb.Cleanup(func() {
		assert.NoError(tb, b.Stop(context.Background()))
		left, err := filepath.Glob(filepath.Join(b.run, "host-*"))
		assert.NoError(tb, err)
		assert.Empty(tb, left, "sockets and temporary files are gone")
	})
	return b
}

func (b *bundle) plugin(tb testing.TB, name string) Plugin {
	tb.Helper()
	for _, p := range b.List() {
		if p.Name == name {
			return p
		}
	}
	require.Fail(tb, "no plugin "+name)
	return Plugin{}
}

// until waits until the plugin "actor" is as wanted.
func (b *bundle) until(tb testing.TB, ok func(Plugin) bool) Plugin {
	tb.Helper()
	require.Eventually(tb, func() bool { return ok(b.plugin(tb, "actor")) }, time.Minute, 2*time.Millisecond, "%v\n%s", b.List(), b.log)
	return b.plugin(tb, "actor")
}

func say(ctx context.Context, p sdk.Provider, input string) (string, error) {
	var text strings.Builder
	_, err := p.Generate(ctx, sdk.Request{Task: sdk.TaskExtract, Input: input}, func(s string) error {
		text.WriteString(s)
		return nil
	})
	return text.String(), err
}

func TestHostedPluginKeepsEveryPromise(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{}, "actor")
	require.NoError(t, b.Start(t.Context()))
	prompt, err := prompts.Extract()
	require.NoError(t, err)
	sdktest.Exercise(t, b.Provider("actor"), sdktest.Options{
		Page: sdk.Page{MediaType: "image/jpeg", Data: []byte("picture")}, Schema: prompt.Schema,
	})
}

func TestStartAndStopBearBeingCalledTwiceAndInAnyOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{}, "actor", "other")
	ctx := t.Context()
	require.NoError(t, b.Stop(ctx), "before the start")
	_, err := say(ctx, b.Provider("actor"), "pid")
	assert.Equal(t, sdk.KindUnavailable, sdk.AsError(err).Kind)
	for range 2 {
		require.NoError(t, b.Start(ctx))
		require.NoError(t, b.Start(ctx))
		p := b.plugin(t, "actor")
		assert.Equal(t, StateRunning, p.State)
		assert.Equal(t, "1.2.3", p.Version)
		assert.Equal(t, "actor-1", p.Model)
		assert.Len(t, p.Checksum, 64)
		assert.False(t, p.Verified)
		got, err := say(ctx, b.Provider("actor"), "pid")
		require.NoError(t, err)
		assert.Equal(t, strconv.Itoa(p.PID), got)
		require.NoError(t, b.Stop(ctx))
		require.NoError(t, b.Stop(ctx))
		assert.False(t, alive(p.PID))
		assert.Equal(t, StateStopped, b.plugin(t, "actor").State)
	}
}

func TestKilledPluginIsReplacedBeneathItsProvider(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{BackoffMin: time.Millisecond}, "actor")
	require.NoError(t, b.Start(t.Context()))
	p := b.Provider("actor")
	before := b.plugin(t, "actor").PID
	require.NoError(t, syscall.Kill(before, syscall.SIGKILL))
	b.until(t, func(p Plugin) bool { return p.PID != before })
	got, err := say(t.Context(), p, "pid")
	require.NoError(t, err)
	assert.NotEqual(t, strconv.Itoa(before), got)
	after := b.plugin(t, "actor")
	assert.Equal(t, 1, after.Restarts)
	assert.Contains(t, after.LastError, "signal: killed")
}

func TestCallThatKillsItsPluginSaysSo(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{BackoffMin: time.Millisecond}, "actor")
	require.NoError(t, b.Start(t.Context()))
	_, err := say(t.Context(), b.Provider("actor"), "exit")
	e := sdk.AsError(err)
	assert.Equal(t, sdk.KindUnavailable, e.Kind)
	assert.Equal(t, sdk.BlamePlugin, e.Blame)
	b.until(t, func(p Plugin) bool { return p.Restarts == 1 })
	_, err = say(t.Context(), b.Provider("actor"), "pid")
	require.NoError(t, err)
}

func TestFrozenPluginIsKilledAndReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{
		BackoffMin: time.Millisecond, HealthInterval: 20 * time.Millisecond, HealthTimeout: 2 * time.Second,
	}, "actor")
	require.NoError(t, b.Start(t.Context()))
	before := b.plugin(t, "actor").PID

	hanging, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := b.Provider("actor").Generate(t.Context(), sdk.Request{Task: sdk.TaskExtract, Input: "hang"}, func(string) error {
			close(hanging)
			return nil
		})
		ended <- err
	}()
	<-hanging
	require.NoError(t, syscall.Kill(before, syscall.SIGSTOP))
	assert.Equal(t, sdk.KindUnavailable, sdk.AsError(<-ended).Kind, "the call it was at")
	got, err := say(t.Context(), b.Provider("actor"), "pid")
	require.NoError(t, err)
	assert.NotEqual(t, strconv.Itoa(before), got)
	assert.False(t, alive(before))
	assert.Contains(t, b.plugin(t, "actor").LastError, "does not answer")
}

func TestStopDoesNotWaitForAFrozenPlugin(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{HealthInterval: time.Hour, StopGrace: 50 * time.Millisecond}, "actor")
	require.NoError(t, b.Start(t.Context()))
	pid := b.plugin(t, "actor").PID
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	require.NoError(t, b.Stop(t.Context()))
	assert.False(t, alive(pid))
}

func TestPluginSeesItsOwnEnvironmentAlone(t *testing.T) {
	t.Setenv("SMARKET_TEST_DATABASE_URL", "postgres://secret")
	b := setup(t, HostConfig{
		SharedEnv: map[string]string{"PATH": "/usr/bin"},
		Env:       map[string]map[string]string{"actor": {"ACTOR_API_KEY": testKey}, "other": {"OTHER_API_KEY": "another"}},
	}, "actor", "other")
	require.NoError(t, b.Start(t.Context()))
	got, err := say(t.Context(), b.Provider("actor"), "environ")
	require.NoError(t, err)
	var environ, names []string
	require.NoError(t, json.Unmarshal([]byte(got), &environ))
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		names = append(names, name)
	}
	assert.ElementsMatch(t, []string{
		"PATH", "TMPDIR", "ACTOR_API_KEY",
		// go-plugin's own
		"SMARKET_PROVIDER_PLUGIN", "PLUGIN_MIN_PORT", "PLUGIN_MAX_PORT", "PLUGIN_PROTOCOL_VERSIONS", "PLUGIN_CLIENT_CERT",
		"PLUGIN_UNIX_SOCKET_DIR",
	}, names)
	assert.Contains(t, environ, "ACTOR_API_KEY="+testKey)
	got, err = say(t.Context(), b.Provider("actor"), "stdin")
	require.NoError(t, err)
	assert.Equal(t, "0 EOF", got, "nor the host's standard input")
}

func TestSecretsStayOutOfLogsAndErrors(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{
		BackoffMin: time.Millisecond,
		Env:        map[string]map[string]string{"actor": {"ACTOR_API_KEY": testKey}},
	}, "actor")
	require.NoError(t, b.Start(t.Context()))
	p := b.Provider("actor")
	before := b.plugin(t, "actor").PID
	for _, input := range []string{"panic", "fail"} {
		_, err := say(t.Context(), p, input)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), testKey)
		assert.NotContains(t, err.Error(), "529.982")
	}
	_, err := say(t.Context(), p, "panic")
	assert.Equal(t, sdk.KindInternal, sdk.AsError(err).Kind)
	assert.Contains(t, err.Error(), "panic in Generate")
	_, err = say(t.Context(), p, "log")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return strings.Contains(b.log.String(), "out [redacted] yyy") && strings.Contains(b.log.String(), "v.example")
	}, time.Minute, time.Millisecond)
	assert.Equal(t, before, b.plugin(t, "actor").PID, "a panic in a method does not end the process")

	_, err = say(t.Context(), p, "panic-elsewhere")
	require.Error(t, err)
	b.until(t, func(p Plugin) bool { return p.Restarts == 1 && p.State == StateRunning })
	require.NoError(t, b.Stop(t.Context()))

	log := b.log.String()
	for _, want := range []string{"panic in provider", "calling with [redacted] for ***", "the key is [redacted]", "v.example/?key=[redacted]", "out [redacted] yyy"} {
		assert.Contains(t, log, want)
	}
	assert.NotContains(t, log, testKey)
	assert.NotContains(t, log, "529.982")
	for part := range strings.SplitSeq(log, "\n") {
		assert.Less(t, len(part), 20_000, "a long line is clipped")
	}
}

func TestChildrenOfAPluginDieWithIt(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{SharedEnv: map[string]string{"PATH": "/usr/bin:/bin"}, BackoffMin: time.Millisecond}, "actor")
	require.NoError(t, b.Start(t.Context()))
	got, err := say(t.Context(), b.Provider("actor"), "child")
	require.NoError(t, err)
	child, err := strconv.Atoi(got)
	require.NoError(t, err)
	require.True(t, alive(child))
	before := b.plugin(t, "actor").PID
	require.NoError(t, syscall.Kill(before, syscall.SIGKILL))
	b.until(t, func(p Plugin) bool { return p.PID != before && p.State == StateRunning })
	require.Eventually(t, func() bool { return !alive(child) }, time.Minute, time.Millisecond)
}

func TestPluginThatCannotStartIsParkedWithAClearError(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ env, want string }{
		"writes on standard output first": {"ACTOR_STDOUT", "hello from a chatty library"},
		"exits":                           {"ACTOR_EXIT", "start "},
		"says it is somebody else":        {"ACTOR_NAME", `describes itself as "yes"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, HostConfig{
				BackoffMin: time.Millisecond, BackoffMax: 5 * time.Millisecond, MaxCrashes: 3, ParkFor: time.Hour,
				Env: map[string]map[string]string{"actor": {tc.env: "yes", "ACTOR_API_KEY": testKey}},
			}, "actor")
			require.NoError(t, b.Start(t.Context()), "the others may run")
			p := b.until(t, func(p Plugin) bool { return p.State == StateParked })
			assert.Equal(t, 3, p.Restarts)
			assert.Contains(t, p.LastError, tc.want)
			_, err := say(t.Context(), b.Provider("actor"), "pid")
			assert.Equal(t, sdk.KindUnavailable, sdk.AsError(err).Kind)
			assert.Contains(t, err.Error(), tc.want)
			assert.NotContains(t, b.log.String(), testKey)
		})
	}
}

func TestParkedPluginGetsOneMoreTry(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{
		BackoffMin: time.Millisecond, MaxCrashes: 1, ParkFor: time.Millisecond, Env: map[string]map[string]string{"actor": {"ACTOR_EXIT": "1"}},
	}, "actor")
	require.NoError(t, b.Start(t.Context()))
	b.until(t, func(p Plugin) bool { return p.Restarts >= 2 })
}

func TestChecksumsDecideWhatIsStarted(t *testing.T) {
	t.Parallel()
	sum, err := checksum(actorPath)
	require.NoError(t, err)
	b := setup(t, HostConfig{}, "good", "changed", "unlisted")
	manifest := fmt.Sprintf("# made by hand\n%s  %sgood\n%064d  %schanged\n", sum, BinaryPrefix, 0, BinaryPrefix)
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, SumsFile), []byte(manifest), 0o600))
	require.NoError(t, b.Start(t.Context()))

	good := b.plugin(t, "good")
	assert.Equal(t, StateRunning, good.State)
	assert.True(t, good.Verified)
	for name, want := range map[string]string{"changed": "does not match plugins.sum", "unlisted": "not listed in plugins.sum"} {
		p := b.plugin(t, name)
		assert.Equal(t, StateRefused, p.State)
		assert.Zero(t, p.PID)
		assert.Contains(t, p.LastError, want)
		_, err := say(t.Context(), b.Provider(name), "pid")
		assert.Equal(t, sdk.KindUnavailable, sdk.AsError(err).Kind)
		assert.Contains(t, err.Error(), want)
	}
}

func TestManifestCanBeRequired(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{RequireSums: true}, "actor")
	require.NoError(t, b.Start(t.Context()))
	assert.Equal(t, StateRefused, b.plugin(t, "actor").State)
}

func TestOnlyEnabledPluginsRun(t *testing.T) {
	t.Parallel()
	b := setup(t, HostConfig{Enabled: []string{"actor", "absent"}}, "actor", "idle")
	require.NoError(t, b.Start(t.Context()))
	states := map[string]State{}
	for _, p := range b.List() {
		states[p.Name] = p.State
	}
	assert.Equal(t, map[string]State{"actor": StateRunning, "absent": StateMissing, "idle": StateDisabled}, states)
}

func TestPluginsDieWithAKilledHostAndTheNextHostSweeps(t *testing.T) {
	t.Parallel()
	dir, run := t.TempDir(), shortDir(t)
	install(t, dir, "actor")
	host := exec.Command(os.Args[0], hostArgument, dir, run)
	out, err := host.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, host.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	require.True(t, alive(pid))

	living := NewHost(HostConfig{Dir: dir, RunDir: run})
	require.NoError(t, living.Start(t.Context()))
	assert.Len(t, globbed(t, run), 2, "a living host's folder is not swept")

	require.NoError(t, host.Process.Kill())
	_ = host.Wait()
	require.Eventually(t, func() bool { return !alive(pid) }, time.Minute, time.Millisecond)
	require.NoError(t, living.Stop(t.Context()))
	assert.Len(t, globbed(t, run), 1, "what the killed host left")
	require.NoError(t, living.Start(t.Context()))
	assert.Len(t, globbed(t, run), 1)
	require.NoError(t, living.Stop(t.Context()))
	assert.Empty(t, globbed(t, run))
}

func globbed(t *testing.T, run string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(run, "host-*"))
	require.NoError(t, err)
	return found
}

// alive says whether a process runs; one that has ended and waits for its parent does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

func TestRunDirThatOthersCanWriteIsRefused(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	require.NoError(t, os.Chmod(dir, 0o777))
	require.ErrorContains(t, NewHost(HostConfig{Dir: dir, RunDir: dir}).Start(t.Context()), "not ours alone")
	require.ErrorContains(t, NewHost(HostConfig{Dir: dir, RunDir: "/tmp/" + strings.Repeat("x", 60)}).Start(t.Context()), "longer than")
}

func BenchmarkHop(b *testing.B) {
	h := setup(b, HostConfig{}, "actor")
	require.NoError(b, h.Start(b.Context()))
	p := h.Provider("actor")
	for _, size := range []int{1 << 10, 300 << 10, 2 << 20} {
		req := sdk.Request{Task: sdk.TaskExtract, Input: "size", Pages: []sdk.Page{{MediaType: "image/jpeg", Data: make([]byte, size)}}}
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := p.Generate(b.Context(), req, func(string) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
