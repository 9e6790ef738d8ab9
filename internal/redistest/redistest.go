// Package redistest starts a real redis-server for a test. It serves tests only; what they assert is theirs.
package redistest

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// InstallHint is what makes redis-server available.
const InstallHint = "sudo apt-get install -y redis-server"

// portTries is how often another port is taken when somebody was quicker than redis-server to bind the free one.
const portTries = 5

// Server is a running redis-server on a free loopback port, with a password and nothing written to disk.
type Server struct {
	// Addr is host:port, and Password that of the default user. Both outlive Stop and Restart.
	Addr     string
	Password string

	path   string // of redis-server
	dir    string // its working folder
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process is gone
}

// Start runs redis-server until the test ends. It fails the test when redis-server is not installed: what was not tried
// must not look as if it had worked.
func Start(tb testing.TB) *Server {
	tb.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		tb.Fatalf("redis-server is needed by this test; install it: %s", InstallHint)
	}
	s := &Server{Password: rand.Text(), path: path, dir: tb.TempDir()}
	tb.Cleanup(func() { s.Stop(tb) })
	for range portTries {
		s.Addr = freeAddr(tb)
		if s.launch(tb) {
			return s
		}
	}
	tb.Fatalf("redis-server found no free port in %d tries", portTries)
	return nil
}

// URL is what REDIS_URL would be.
func (s *Server) URL() string { return "redis://:" + s.Password + "@" + s.Addr + "/0" }

// Stop kills the server, as an outage does. What it held is lost. Stopping a stopped server does nothing.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Kill(); err != nil {
		tb.Logf("kill redis-server: %v", err)
	}
	<-s.exited
	s.cmd = nil
}

// Signal sends the server a signal: SIGSTOP freezes it, SIGCONT lets it go on.
func (s *Server) Signal(tb testing.TB, sig os.Signal) {
	tb.Helper()
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Signal(sig); err != nil {
		tb.Logf("signal redis-server: %v", err)
	}
}

// Restart starts an empty server at the same address, stopping the one that runs.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.Stop(tb)
	if !s.launch(tb) {
		tb.Fatalf("redis-server does not start again at %s", s.Addr)
	}
}

// launch says whether the server came up; it returns when it takes connections.
func (s *Server) launch(tb testing.TB) bool {
	tb.Helper()
	_, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		tb.Fatalf("address of redis-server: %v", err)
	}
	// Not the test's own context: that ends before the clean-up, which has to wait for the process.
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), s.path, "-") //nolint:gosec // found on PATH
	cmd.Dir = s.dir
	cmd.Env = []string{"LC_ALL=C"}
	// On standard input, so that the password is in no process list.
	cmd.Stdin = strings.NewReader(fmt.Sprintf(
		"bind 127.0.0.1\nport %s\nrequirepass %s\nsave \"\"\nappendonly no\ndaemonize no\nlogfile \"\"\n", port, s.Password))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatalf("output of redis-server: %v", err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatalf("start redis-server: %v", err)
	}
	ready, exited := make(chan bool, 1), make(chan struct{})
	go func() {
		defer close(exited)
		lines := bufio.NewScanner(out)
		up := false
		for lines.Scan() {
			if !up && strings.Contains(lines.Text(), "Ready to accept connections") {
				up = true
				ready <- true
			}
		}
		_, _ = io.Copy(io.Discard, out) // a line too long for the scanner must not block the server
		_ = cmd.Wait()                  // killed by Stop, or the port was taken
		if !up {
			ready <- false
		}
	}()
	s.cmd, s.exited = cmd, exited
	if !<-ready {
		<-exited
		s.cmd = nil
		return false
	}
	return true
}

func freeAddr(tb testing.TB) string {
	tb.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("find a free port: %v", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
