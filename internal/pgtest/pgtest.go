// Package pgtest gives tests a real PostgreSQL of their own: one throwaway server per test process, started when the first
// test asks for a database, and a fresh database for each that asks. It is for tests alone. Without PostgreSQL on the machine
// a test fails and says what to install: it is never skipped, because a store that was not tried on PostgreSQL was not tried.
//
//	var pg pgtest.Server
//
//	func TestMain(m *testing.M) { os.Exit(pg.Run(m)) }
//
//	func TestX(t *testing.T) { url := pg.NewDatabase(t); ... }
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// install is what a machine without PostgreSQL needs.
const install = "PostgreSQL's server programs were not found: apt-get install -y postgresql (or put initdb and postgres in PATH)"

// startTimeout bounds one start of the server; it takes well under a second.
const startTimeout = 60 * time.Second

// Server is the server of a test process. The zero value starts on first use; Run or Stop ends it, and so does the death of
// the process, on Linux also by kill -9.
type Server struct {
	start sync.Once
	err   error

	dir  string
	port int
	// strategy is the part of CREATE DATABASE that makes it copy files instead of logging every page: a fifth of the time.
	strategy string
	// durable waits for each commit to be written, as installations do, so that Crash loses none.
	durable bool
	process *os.Process
	done    chan struct{} // closed when the process has ended

	mu        sync.Mutex
	databases int
	templates map[string]*template
}

// template is a prepared database that others are copied from.
type template struct {
	once sync.Once
	name string
	err  error
}

// Run runs the tests, stops the server and returns the exit code for os.Exit.
func (s *Server) Run(m interface{ Run() int }) int {
	defer s.Stop()
	return m.Run()
}

// NewDatabase creates an empty database and returns its URL. It is dropped when the test ends.
func (s *Server) NewDatabase(tb testing.TB) string {
	tb.Helper()
	return s.copyOf(tb, "template1")
}

// Clone is NewDatabase with the contents that prepare gave to the first database of that name: migrations that would take
// longer than a copy. prepare must leave no connection open.
func (s *Server) Clone(tb testing.TB, name string, prepare func(url string) error) string {
	tb.Helper()
	s.ensure(tb)
	s.mu.Lock()
	if s.templates == nil {
		s.templates = map[string]*template{}
	}
	tpl, ok := s.templates[name]
	if !ok {
		tpl = &template{name: "tpl_" + strconv.Itoa(len(s.templates))}
		s.templates[name] = tpl
	}
	s.mu.Unlock()
	tpl.once.Do(func() {
		if tpl.err = s.exec("CREATE DATABASE " + tpl.name); tpl.err == nil {
			tpl.err = prepare(s.url(tpl.name))
		}
	})
	if tpl.err != nil {
		tb.Fatalf("prepare the database %q: %v", name, tpl.err)
	}
	return s.copyOf(tb, tpl.name)
}

func (s *Server) copyOf(tb testing.TB, source string) string {
	tb.Helper()
	s.ensure(tb)
	s.mu.Lock()
	defer s.mu.Unlock() // PostgreSQL refuses two copies of one source at once
	s.databases++
	name := "test_" + strconv.Itoa(s.databases)
	if err := s.exec("CREATE DATABASE " + name + " TEMPLATE " + source + s.strategy); err != nil {
		tb.Fatalf("create a database: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			tb.Errorf("drop the database: %v", err)
		}
	})
	return s.url(name)
}

// Stop ends the server and removes its files. It bears being called twice, and before the server was started.
func (s *Server) Stop() {
	s.start.Do(func() { s.err = errors.New("the server was stopped") })
	if s.process != nil {
		_ = s.process.Signal(syscall.SIGQUIT) // immediate: nothing is worth a checkpoint. It may have ended already
		<-s.done
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

func (s *Server) ensure(tb testing.TB) {
	tb.Helper()
	s.start.Do(func() { s.err = s.boot() })
	if s.err != nil {
		tb.Fatalf("start PostgreSQL: %v", s.err)
	}
}

func (s *Server) url(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

func (s *Server) exec(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// boot makes a cluster in a temporary directory and starts it.
func (s *Server) boot() error {
	initdb, err := find("initdb")
	if err != nil {
		return err
	}
	postgres, err := find("postgres")
	if err != nil {
		return err
	}
	attr, err := unprivileged()
	if err != nil {
		return err
	}
	sweep()
	if s.dir, err = os.MkdirTemp(memory(), fmt.Sprintf("pgtest-%d-", os.Getpid())); err != nil {
		return err
	}
	if attr.Credential != nil {
		if err := os.Chown(s.dir, int(attr.Credential.Uid), int(attr.Credential.Gid)); err != nil {
			return err
		}
	}
	data := filepath.Join(s.dir, "data")
	initialise := exec.Command(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions") //nolint:gosec,noctx // PostgreSQL's own program; it ends by itself
	initialise.Dir, initialise.SysProcAttr = s.dir, attr
	if out, err := initialise.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	for range 5 { // somebody else may take the free port before the server does
		if s.port, err = freePort(); err != nil {
			return err
		}
		if err = s.serve(postgres, data, attr); err == nil {
			return nil
		}
	}
	return err
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a local bind does not wait
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// sweep removes what test processes left behind that were killed, or ended by their timeout, more than an hour ago.
func sweep() {
	root := memory()
	if root == "" {
		root = os.TempDir()
	}
	dirs, err := filepath.Glob(filepath.Join(root, "pgtest-*-*"))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		pid, err := strconv.Atoi(strings.Split(filepath.Base(dir), "-")[1])
		info, statErr := os.Stat(dir)
		if err == nil && statErr == nil && time.Since(info.ModTime()) > time.Hour && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir)
		}
	}
}

// serve starts the server on its port and waits until it answers.
func (s *Server) serve(postgres, data string, attr *syscall.SysProcAttr) error {
	commit := "off"
	if s.durable {
		commit = "on" // without fsync it survives the server's end, if not the machine's
	}
	logs := &tail{}
	cmd := exec.Command(postgres, "-D", data, "-p", strconv.Itoa(s.port), //nolint:gosec,noctx // PostgreSQL's own program; Stop ends it
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "fsync=off", "-c", "synchronous_commit="+commit, "-c", "full_page_writes=off",
		"-c", "wal_level=minimal", "-c", "max_wal_senders=0", "-c", "shared_buffers=32MB", "-c", "max_connections=300", "-c", "autovacuum=off", "-c", "dynamic_shared_memory_type=mmap", "-c", "log_min_messages=fatal")
	cmd.Dir, cmd.SysProcAttr, cmd.Stdout, cmd.Stderr = s.dir, attr, logs, logs
	done := make(chan struct{})
	started := make(chan error, 1)
	go func() {
		// The kernel ends the server when the thread that started it ends: this one stays until the server does.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(done)
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", postgres, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.answers(ctx, data) {
			s.process, s.done = cmd.Process, done
			return nil
		}
		select {
		case <-tick.C:
		case <-done:
			return fmt.Errorf("the server ended: %s", logs)
		case <-ctx.Done():
			_ = cmd.Process.Kill()
			<-done
			return fmt.Errorf("the server does not answer: %w\n%s", ctx.Err(), logs)
		}
	}
}

// answers says whether our server listens on the port, and not one of another test process that took it in between.
func (s *Server) answers(ctx context.Context, data string) bool {
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close(ctx) }()
	var (
		directory string
		version   int
	)
	err = conn.QueryRow(ctx, "SELECT current_setting('data_directory'), current_setting('server_version_num')::int").Scan(&directory, &version)
	if err != nil || directory != data {
		return false
	}
	if version >= 15_00_00 { // those before know no other way
		s.strategy = " STRATEGY FILE_COPY"
	}
	return true
}

// find looks for a program in PATH and where Debian puts the versions that are not in it; the newest wins.
func find(program string) (string, error) {
	if p, err := exec.LookPath(program); err == nil {
		return p, nil
	}
	var found []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/", "/usr/pgsql-*/bin/", "/opt/homebrew/opt/postgresql@*/bin/"} {
		dirs, err := filepath.Glob(pattern + program)
		if err != nil {
			return "", err
		}
		found = append(found, dirs...)
	}
	if len(found) == 0 {
		return "", errors.New(install)
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	return found[len(found)-1], nil
}

// version is the first number in a path: 15 of /usr/lib/postgresql/15/bin/initdb.
func version(path string) int {
	digits := strings.FieldsFunc(path, func(r rune) bool { return r < '0' || r > '9' })
	if len(digits) == 0 {
		return 0
	}
	n, err := strconv.Atoi(digits[0])
	if err != nil {
		return 0
	}
	return n
}

// unprivileged is how PostgreSQL's programs are started: they refuse to run as root, so root becomes the user postgres, whom
// the package of the server made.
func unprivileged() (*syscall.SysProcAttr, error) {
	attr := endWithParent()
	if os.Geteuid() != 0 {
		return attr, nil
	}
	var uid, gid uint64
	u, err := user.Lookup("postgres")
	if err == nil {
		uid, err = strconv.ParseUint(u.Uid, 10, 32)
	}
	if err == nil {
		gid, err = strconv.ParseUint(u.Gid, 10, 32)
	}
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root and there is no user postgres: %w", err)
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, nil
}

// tail keeps what a process wrote last.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

var _ io.Writer = (*tail)(nil)

// Write keeps the last four kilobytes.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	t.buf = t.buf[max(0, len(t.buf)-4096):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
