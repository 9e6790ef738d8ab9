package providers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"github.com/mercadoesperto/smarket/providers/internal/wire"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

const (
	// killWait is how long a process may take to be gone after SIGKILL; only the kernel can make it longer.
	killWait = 5 * time.Second
	// pipeWait is how long the pipes of an ended process stay open for what is still in them.
	pipeWait = 2 * time.Second
	// maxLine is the longest line in bytes that is read of a plugin's output; the rest of a longer one is dropped. It stays
	// below the 64 KB at which go-plugin stops reading standard output and cuts a log line in two.
	maxLine = 60 << 10
)

// process is one running plugin process. It is used by one tenure of a slot and never restarted.
type process struct {
	binary  Binary
	dir     string // of its own; removed after it
	client  *goplugin.Client
	command *command
	remote  *wire.Client
	desc    sdk.Description
	started time.Time
	calls   sync.WaitGroup // those under way; begun under the slot's lock, while the process is the slot's
	busy    atomic.Int64   // how many they are
	hangs   atomic.Int64   // calls in a row that ran into their deadline
	stuck   chan struct{}  // of capacity 1: too many did
}

// launch is what it takes to start a process.
type launch struct {
	binary       Binary
	env          []string
	dir          string // for the socket and TMPDIR; exists, and is the process's alone
	startTimeout time.Duration
	dial         []grpc.DialOption
	redact       *Redactor
	log          *slog.Logger
}

// startProcess starts a plugin, shakes hands, and has it describe itself. The caller's goroutine must be locked to its thread,
// and stay so until the process has ended: Linux kills the child when the thread that started it ends.
func startProcess(ctx context.Context, l launch) (_ *process, err error) {
	p := &process{binary: l.binary, dir: l.dir, started: time.Now(), stuck: make(chan struct{}, 1)}
	log := &pluginLog{log: l.log, redact: l.redact}
	p.client = goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig: wire.Handshake(),
		Plugins:         wire.Plugins(nil, nil),
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, _ string) (runner.Runner, error) {
			// The environment of spec is go-plugin's own: the cookie, the certificate and the socket's folder.
			p.command = newCommand(l.binary.Path, append(l.env, spec.Env...))
			return p.command, nil
		},
		SkipHostEnv:      true,
		AutoMTLS:         true,
		StartTimeout:     l.startTimeout,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Logger:           log,
		SyncStdout:       &outputLog{log: log.output("stdout")},
		SyncStderr:       &outputLog{log: log.output("stderr")},
		GRPCDialOptions:  append(wire.DialOptions(), l.dial...),
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: l.dir},
	})
	defer func() {
		if err != nil {
			p.stop(0)
		}
	}()
	conn, err := p.client.Client()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", l.binary.Path, err)
	}
	raw, err := conn.Dispense(wire.PluginName)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", l.binary.Path, err)
	}
	remote, ok := raw.(*wire.Client)
	if !ok {
		return nil, fmt.Errorf("start %s: %T is not our client", l.binary.Path, raw)
	}
	p.remote = remote
	ctx, cancel := context.WithTimeout(ctx, l.startTimeout)
	defer cancel()
	if p.desc, err = p.remote.Describe(ctx); err != nil {
		return nil, fmt.Errorf("describe %s: %w", l.binary.Name, err)
	}
	if p.desc.Name != l.binary.Name {
		return nil, fmt.Errorf("%s%s describes itself as %q", BinaryPrefix, l.binary.Name, p.desc.Name)
	}
	return p, nil
}

// release ends what a call of acquire began.
func (p *process) release() {
	p.busy.Add(-1)
	p.calls.Done()
}

// called takes note of how a call went. One that hangs says little: its vendor may be slow. Many in a row without an answer in
// between say that the process is deadlocked, though its health service answers.
func (p *process) called(ctx context.Context, most int, err error) {
	deadline, ok := ctx.Deadline()
	if err == nil || !ok || sdk.AsError(err).Kind != sdk.KindTimeout || time.Until(deadline) > time.Second {
		p.hangs.Store(0)
		return
	}
	if p.hangs.Add(1) >= int64(most) {
		select {
		case p.stuck <- struct{}{}:
		default:
		}
	}
}

// gone is closed when the process has ended.
func (p *process) gone() <-chan struct{} { return p.command.exited }

// stop asks the process to end, kills it after grace, and returns when it is gone. With no grace it is killed at once:
// go-plugin's own Kill asks first and would wait for ever for one that is frozen.
func (p *process) stop(grace time.Duration) {
	if p.command == nil || p.command.cmd.Process == nil {
		return // it never ran
	}
	if grace <= 0 {
		p.command.kill()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.client.Kill()
	}()
	timer := time.NewTimer(max(grace, time.Millisecond))
	defer timer.Stop()
	select {
	case <-done:
		return
	case <-p.gone():
	case <-timer.C:
		p.command.kill()
	}
	timer.Reset(killWait)
	select {
	case <-done:
	case <-timer.C: // stuck in the kernel; the goroutine ends with it
	}
}

// command runs a plugin's binary for go-plugin. Unlike go-plugin's own runner it gives the plugin no standard input, a process
// group of its own so that its children die with it, and notices the end of a process whose children hold its pipes open.
type command struct {
	cmd    *exec.Cmd
	stdout *os.File
	stderr *os.File
	exited chan struct{} // closed after err is set
	err    error
	close  sync.Once
}

var _ runner.Runner = (*command)(nil)

func newCommand(path string, env []string) *command {
	cmd := exec.Command(path) //nolint:noctx // its life is ended by signal, not by a context
	cmd.Env = env
	cmd.SysProcAttr = processAttributes()
	return &command{cmd: cmd, exited: make(chan struct{})}
}

// Start starts the process.
func (c *command) Start(context.Context) error {
	stdout, outEnd, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("pipe for plugin: %w", err)
	}
	stderr, errEnd, err := os.Pipe()
	if err != nil {
		return errors.Join(fmt.Errorf("pipe for plugin: %w", err), stdout.Close(), outEnd.Close())
	}
	c.stdout, c.stderr, c.cmd.Stdout, c.cmd.Stderr = stdout, stderr, outEnd, errEnd
	err = c.cmd.Start()
	_, _ = outEnd.Close(), errEnd.Close() // the child has its own
	if err != nil {
		c.closePipes()
		return err
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.exited)
		_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) // the children it left behind
	}()
	return nil
}

// kill kills the process and its children, unless it has ended.
func (c *command) kill() {
	select {
	case <-c.exited:
	default:
		_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	}
}

// Wait returns when the process has ended. go-plugin calls it when the pipes are at their end.
func (c *command) Wait(context.Context) error {
	<-c.exited
	c.closePipes()
	return c.err
}

// Kill kills the process and its children.
func (c *command) Kill(context.Context) error {
	c.kill()
	<-c.exited
	time.AfterFunc(pipeWait, c.closePipes) // should a grandchild hold them open
	return nil
}

func (c *command) closePipes() {
	c.close.Do(func() { _, _ = c.stdout.Close(), c.stderr.Close() })
}

// Stdout is read by go-plugin to the end.
func (c *command) Stdout() io.ReadCloser { return shortLines(c.stdout) }

// Stderr is read by go-plugin to the end.
func (c *command) Stderr() io.ReadCloser { return shortLines(c.stderr) }

// Name is the binary's path.
func (c *command) Name() string { return c.cmd.Path }

// ID is the process id, "" before the start.
func (c *command) ID() string {
	if c.cmd.Process == nil {
		return ""
	}
	return strconv.Itoa(c.cmd.Process.Pid)
}

// Diagnose has nothing to add to the errors of Start.
func (c *command) Diagnose(context.Context) string { return "" }

// PluginToHost leaves addresses as they are: both ends are on this machine.
func (c *command) PluginToHost(network, addr string) (string, string, error) {
	return network, addr, nil
}

// HostToPlugin leaves addresses as they are.
func (c *command) HostToPlugin(network, addr string) (string, string, error) {
	return network, addr, nil
}

// shortLines passes lines on and drops what of a line is beyond maxLine: go-plugin stops reading at longer ones, and a plugin
// whose pipe is full stands still.
func shortLines(r io.ReadCloser) io.ReadCloser {
	return &lineReader{Closer: r, lines: bufio.NewReaderSize(r, maxLine)}
}

type lineReader struct {
	io.Closer
	lines *bufio.Reader
	rest  []byte // of the line being passed on
}

func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		line, tooLong, err := r.lines.ReadLine()
		if err != nil {
			return 0, err
		}
		r.rest = append(append(r.rest[:0], line...), '\n')
		for tooLong && err == nil {
			_, tooLong, err = r.lines.ReadLine()
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// ended says how the process ended. Only after exited is closed.
func (c *command) ended() error {
	if c.err != nil {
		return c.err
	}
	return errors.New("exit status 0")
}
