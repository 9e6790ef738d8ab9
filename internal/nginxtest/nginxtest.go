// Package nginxtest runs a real nginx for a test. It serves tests only; what they assert, and the configuration, is theirs.
package nginxtest

import (
	"bufio"
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// InstallHint is what makes nginx available.
const InstallHint = "sudo apt-get install -y nginx"

// patience is how long nginx may take to do what takes it milliseconds.
const patience = 5 * time.Minute

// Server is a running nginx.
type Server struct {
	cmd    *exec.Cmd
	out    string        // the file that is its standard output
	exited chan struct{} // closed when the process is gone

	mu    sync.Mutex
	lines []string // of standard error
}

// Program is the path of nginx. It fails the test when nginx is not installed: what was not tried must not look as if it had worked.
func Program(tb testing.TB) string {
	tb.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	tb.Fatalf("nginx is needed by this test; install it: %s", InstallHint)
	return ""
}

// Address is a loopback address of the test's own, so that no other test has its ports: Linux has the whole of 127.0.0.0/8.
func Address(tb testing.TB) string {
	tb.Helper()
	var b [3]byte
	if _, err := rand.Read(b[:]); err != nil {
		tb.Fatalf("a random address: %v", err)
	}
	return netip.AddrFrom4([4]byte{127, 64 + b[0]%128, b[1], 1 + b[2]%254}).String()
}

// Start runs nginx with the configuration file until the test ends, and returns when it takes connections at addr.
func Start(tb testing.TB, conf, addr string) *Server {
	tb.Helper()
	s := &Server{out: filepath.Join(tb.TempDir(), "stdout"), exited: make(chan struct{})}
	out, err := os.Create(s.out)
	if err != nil {
		tb.Fatalf("output of nginx: %v", err)
	}
	// Not the test's own context: that ends before the clean-up, which has to wait for the process.
	s.cmd = exec.CommandContext(context.WithoutCancel(tb.Context()), Program(tb), "-c", conf, "-e", "stderr", "-g", "daemon off;") //nolint:gosec // the test's own file
	s.cmd.Stdout = out
	log, err := s.cmd.StderrPipe()
	if err != nil {
		tb.Fatalf("log of nginx: %v", err)
	}
	if err := s.cmd.Start(); err != nil {
		tb.Fatalf("start nginx: %v", err)
	}
	_ = out.Close() // nginx has its own
	go s.follow(log)
	tb.Cleanup(func() { s.stop(tb) })
	s.awaitListener(tb, addr)
	return s
}

// follow keeps the log until the process ends.
func (s *Server) follow(log io.Reader) {
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		s.mu.Lock()
		s.lines = append(s.lines, lines.Text())
		s.mu.Unlock()
	}
	_ = s.cmd.Wait() // how it ended is in the log
	close(s.exited)
}

func (s *Server) awaitListener(tb testing.TB, addr string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), patience)
	defer cancel()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			_ = conn.Close() // it was only to see
			return
		}
		select {
		case <-again.C:
		case <-s.exited:
			tb.Fatalf("nginx ended:\n%s", s.ErrorLog())
		case <-ctx.Done():
			tb.Fatalf("nginx does not listen at %s:\n%s", addr, s.ErrorLog())
		}
	}
}

// ErrorLog is what nginx has written to standard error.
func (s *Server) ErrorLog() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}

// Output is what nginx has written to standard output: its access log, where that is /dev/stdout.
func (s *Server) Output(tb testing.TB) string {
	tb.Helper()
	data, err := os.ReadFile(s.out)
	if err != nil {
		tb.Fatalf("output of nginx: %v", err)
	}
	return string(data)
}

// stop ends nginx and its workers at once.
func (s *Server) stop(tb testing.TB) {
	tb.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may be gone
	select {
	case <-s.exited:
	case <-time.After(patience):
		_ = s.cmd.Process.Kill() // as above
		tb.Errorf("nginx does not end:\n%s", s.ErrorLog())
	}
}
