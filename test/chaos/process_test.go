package chaos_test

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience bounds every wait for a single process: minutes, because a loaded machine may take its time and nothing is gained by
// giving up early.
const patience = 3 * time.Minute

// process is one smarket process, which may be ended and started again under the same address.
type process struct {
	name, role string
	env        []string

	mu   sync.Mutex // guards what follows against readers; only the test itself changes it
	addr string     // of its HTTP server, the same after a restart; "" before the first start
	cmd  *exec.Cmd
	done chan struct{} // closed when the process is gone and its log is read
	log  *os.File
}

var readyLine = regexp.MustCompile(`msg=ready address=(\S+)`)

// start returns when the process is ready.
func (p *process) start(t *testing.T) {
	t.Helper()
	addr := p.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	cmd := exec.Command(filepath.Join(bin, "smarket"), "serve", "--role="+p.role)
	cmd.Env = append(slices.Clone(p.env), "HTTP_ADDR="+addr)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it does not outlive the test, however that ends
	out, err := cmd.StderrPipe()
	require.NoError(t, err)
	ready, started, done := make(chan string, 1), make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // the kernel's word is about the thread that started it
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.follow(out, ready)
		_ = cmd.Wait() // however it ended
	}()
	require.NoError(t, <-started)
	p.mu.Lock()
	p.cmd, p.done = cmd, done
	p.mu.Unlock()
	select {
	case at := <-ready:
		u, err := url.Parse(at)
		require.NoError(t, err)
		p.mu.Lock()
		p.addr = u.Host
		p.mu.Unlock()
	case <-done:
		t.Fatalf("%s ended before it was ready:\n%s", p.name, p.tail())
	case <-time.After(patience):
		t.Fatalf("%s does not become ready:\n%s", p.name, p.tail())
	}
}

// follow keeps the log and tells when the process is ready.
func (p *process) follow(out io.Reader, ready chan<- string) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		_, _ = fmt.Fprintln(p.log, lines.Text()) // for people alone
		if m := readyLine.FindStringSubmatch(lines.Text()); m != nil {
			ready <- m[1]
		}
	}
	_, _ = io.Copy(io.Discard, out)
}

// tail is the end of its log.
func (p *process) tail() string {
	data, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-4000):])
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) url() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return "http://" + p.addr
}

func (p *process) signal(sig syscall.Signal) { _ = p.cmd.Process.Signal(sig) }

// kill is kill -9.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

func (p *process) running() bool {
	if p.done == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// terminate asks the process to end, and says how it did.
func (p *process) terminate(t *testing.T) error {
	t.Helper()
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatalf("%s does not end:\n%s", p.name, p.tail())
	}
	if !p.cmd.ProcessState.Success() {
		return fmt.Errorf("%s: %s", p.name, p.cmd.ProcessState)
	}
	return nil
}

// children are the processes that pid has started and that live, by their number.
func children(pid int) []int {
	var list []int
	threads, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	if err != nil {
		return nil
	}
	for _, thread := range threads {
		data, err := os.ReadFile(thread)
		if err != nil {
			continue // the thread has ended
		}
		for word := range strings.FieldsSeq(string(data)) {
			if n, err := strconv.Atoi(word); err == nil && state(n) != 'Z' {
				list = append(list, n)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// state is the kernel's letter for a process, 0 for one that is gone.
func state(pid int) byte {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	_, rest, ok := strings.Cut(string(data), ") ")
	if !ok || rest == "" {
		return 0
	}
	return rest[0]
}

// ours are the living processes whose program is in the folder of the binaries, by their number.
func ours() []int {
	var list []int
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if exe, err := os.Readlink("/proc/" + e.Name() + "/exe"); err == nil && strings.HasPrefix(exe, bin+"/") && state(pid) != 'Z' {
			list = append(list, pid)
		}
	}
	return list
}

// descriptors is how many a process has open.
func descriptors(pid int) int {
	list, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

// goroutines ends a process by SIGQUIT, which has the runtime print every goroutine, and counts them.
func (p *process) goroutines(t *testing.T) int {
	t.Helper()
	before, err := os.Stat(p.log.Name())
	require.NoError(t, err)
	p.signal(syscall.SIGQUIT)
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatalf("%s does not end by SIGQUIT", p.name)
	}
	data, err := os.ReadFile(p.log.Name())
	require.NoError(t, err)
	return strings.Count(string(data[before.Size():]), "\ngoroutine ")
}
