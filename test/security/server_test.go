package security_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/llmstub"
)

const (
	geminiKey   = "test-gemini-key-0123456789abcdef"
	tokenSecret = "the-secret-that-signs-tokens-in-these-tests"
	// maxMemory is the most that the service may ever hold under all attacks together, in bytes: a picture of 50 megapixels
	// being decoded and the sandboxes of PDF and HEIC make most of it.
	maxMemory = 600 << 20
)

// server is a running smarket process.
type server struct {
	url    string
	dir    string // DATA_DIR
	cmd    *exec.Cmd
	exited chan struct{}
	// mayPanic is for a server with a plugin that does.
	mayPanic bool
	// stopped is for one that the test itself has ended.
	stopped bool

	mu    sync.Mutex
	lines []string
	grown chan struct{} // closed and replaced at each line
}

var readyLine = regexp.MustCompile(`msg=ready address=(\S+)`)

// environ is what production says, on the embedded default.
func environ(dir string, more ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "XDG_CACHE_HOME=" + os.TempDir(), "DATA_DIR=" + dir,
		"HTTP_ADDR=127.0.0.1:0", "LOG_FORMAT=text", "LOG_LEVEL=debug", "INTROSPECTION_ENABLED=false", "PLAYGROUND_ENABLED=false",
		"JWT_SECRET=" + tokenSecret, "PLUGIN_SUMS_REQUIRED=true", "RATE_LIMIT_ENABLED=false",
		"PROVIDER_ORDER=gemini", "EXTRACTION_MAX_ATTEMPTS=1", "SHUTDOWN_TIMEOUT=20s", "WORKER_JOBS=2", "WORKER_PAGES=1",
	}, more...)
}

// withGemini points the plugin at a stub.
func withGemini(stub *llmstub.Stub, more ...string) []string {
	return append([]string{
		"GEMINI_API_KEY=" + geminiKey, "GEMINI_BASE_URL=" + stub.BaseURL(llmstub.Gemini), "BUDGET_USER_DAILY_USD=50",
	}, more...)
}

// start runs the built binary until the test ends.
func start(t *testing.T, more ...string) *server {
	t.Helper()
	s := &server{dir: t.TempDir(), exited: make(chan struct{}), grown: make(chan struct{})}
	s.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(bin, "smarket"), "serve")
	s.cmd.Env = environ(s.dir, more...)
	log, err := s.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, s.cmd.Start())
	go s.follow(log)
	t.Cleanup(func() { s.close(t) })
	line := s.await(t, readyLine.MatchString)
	s.url = readyLine.FindStringSubmatch(line)[1]
	return s
}

// follow keeps the log until the process ends.
func (s *server) follow(log interface{ Read([]byte) (int, error) }) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		s.mu.Lock()
		s.lines = append(s.lines, lines.Text())
		close(s.grown)
		s.grown = make(chan struct{})
		s.mu.Unlock()
	}
	_ = s.cmd.Wait() // how it ended is looked at in close
	close(s.exited)
}

func (s *server) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

// await waits for a line of the log, for a minute at most.
func (s *server) await(t *testing.T, wanted func(string) bool) string {
	t.Helper()
	timeout := time.NewTimer(time.Minute)
	defer timeout.Stop()
	for seen := 0; ; {
		s.mu.Lock()
		fresh, grown := s.lines[seen:], s.grown
		s.mu.Unlock()
		for _, line := range fresh {
			if wanted(line) {
				return line
			}
		}
		seen += len(fresh)
		select {
		case <-grown:
		case <-s.exited:
			require.Fail(t, "the server ended", s.log())
		case <-timeout.C:
			require.Fail(t, "no such line in the log", s.log())
		}
	}
}

// alive says that the process which was started runs.
func (s *server) alive() bool {
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// close stops the server and looks at what it left behind.
func (s *server) close(t *testing.T) {
	t.Helper()
	peak := s.memory(t)
	assert.True(t, s.alive() || s.stopped, "the process that was started is the one that runs")
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may be gone
	select {
	case <-s.exited:
	case <-time.After(time.Minute):
		_ = s.cmd.Process.Kill() // it may be gone
		assert.Fail(t, "the server does not end")
		<-s.exited
	}
	assert.Equal(t, 0, s.cmd.ProcessState.ExitCode(), "it ends well")
	assert.Less(t, peak, int64(maxMemory), "the most memory it held")
	log := s.log()
	for _, word := range []string{"panic", "request failed", "fatal error", "DATA RACE"} {
		if word != "panic" || !s.mayPanic {
			assert.NotContains(t, log, word)
		}
	}
	for _, secret := range known.all() {
		assert.NotContains(t, log, secret, "no secret in the log")
	}
}

// memory is the most bytes that the process has held.
func (s *server) memory(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0 // it has ended, which another check tells
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kib, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0 // a zombie has no memory
	}
	return kib << 10
}

// cpu is how much time of CPUs the process has used.
func (s *server) cpu(t *testing.T) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest) // state is the third field of all
	var ticks int64
	for _, f := range fields[11:13] { // utime, stime
		n, err := strconv.ParseInt(f, 10, 64)
		require.NoError(t, err)
		ticks += n
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 on Linux, whatever the kernel's own clock
	return time.Duration(ticks) * tick
}

// plugin is the process id of the server's plugin; 0 when there is none.
func (s *server) plugin(t *testing.T, name string) int {
	t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, path := range found {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		pid, rest, _ := strings.Cut(string(stat), " (")
		_, rest, _ = strings.Cut(rest, ") ")
		fields := strings.Fields(rest)
		exe, err := os.Readlink("/proc/" + pid + "/exe")
		if err != nil || fields[0] == "Z" || fields[1] != strconv.Itoa(s.cmd.Process.Pid) || filepath.Base(exe) != "smarket-provider-"+name {
			continue
		}
		n, err := strconv.Atoi(pid)
		require.NoError(t, err)
		return n
	}
	return 0
}

// stored are the files that the server keeps of submissions, by their path below DATA_DIR/files.
func (s *server) stored(t *testing.T) map[string][]byte {
	t.Helper()
	root := filepath.Join(s.dir, "files")
	files := map[string][]byte{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := strings.CutPrefix(path, root+"/")
		files[rel] = data
		return err
	}))
	return files
}

// database is the bytes of the embedded database.
func (s *server) database(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, name := range []string{"smarket.db", "smarket.db-wal"} {
		data, err := os.ReadFile(filepath.Join(s.dir, name))
		if !os.IsNotExist(err) {
			require.NoError(t, err)
		}
		all.Write(data)
	}
	return all.String()
}
