package pgtest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Own is a server of one test's own, which it may crash, freeze and start again. What was committed survives all of that.
type Own struct {
	// URL of its only database. It stays the same.
	URL string

	server Server
}

// Start runs a server until the test ends.
func Start(tb testing.TB) *Own {
	tb.Helper()
	o := &Own{server: Server{durable: true}}
	tb.Cleanup(o.server.Stop)
	o.server.ensure(tb)
	o.URL = o.server.url("postgres")
	return o
}

// Crash ends the server at once, in the middle of whatever it does: recovery is the next start's. A second time it does nothing.
func (o *Own) Crash() {
	if o.server.process == nil {
		return
	}
	o.signal(syscall.SIGCONT) // a frozen one hears nothing
	_ = o.server.process.Signal(syscall.SIGQUIT)
	<-o.server.done
	o.server.process = nil
}

// Restart starts the server again on the same port and data, crashing the one that runs. It returns when the server answers.
func (o *Own) Restart(tb testing.TB) {
	tb.Helper()
	o.Crash()
	postgres, err := find("postgres")
	if err != nil {
		tb.Fatalf("restart PostgreSQL: %v", err)
	}
	attr, err := unprivileged()
	if err != nil {
		tb.Fatalf("restart PostgreSQL: %v", err)
	}
	if err := o.server.serve(postgres, filepath.Join(o.server.dir, "data"), attr); err != nil {
		tb.Fatalf("restart PostgreSQL: %v", err)
	}
}

// Freeze stops all of the server's processes where they are, and Thaw lets them go on. Linux only.
func (o *Own) Freeze() { o.signal(syscall.SIGSTOP) }

// Thaw ends a Freeze.
func (o *Own) Thaw() { o.signal(syscall.SIGCONT) }

func (o *Own) signal(sig syscall.Signal) {
	if o.server.process == nil {
		return
	}
	_ = o.server.process.Signal(sig) // the postmaster first: it starts no more backends then
	pid := o.server.process.Pid
	threads, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	if err != nil {
		return
	}
	for _, thread := range threads {
		list, err := os.ReadFile(thread) //nolint:gosec // of the kernel's
		if err != nil {
			continue
		}
		for child := range strings.FieldsSeq(string(list)) {
			if n, err := strconv.Atoi(child); err == nil {
				_ = syscall.Kill(n, sig) // a backend that has ended needs nothing
			}
		}
	}
}
