// Package plugintest runs a plugin's real process against the stub of its vendor, for the tests of the plugins: many tests share
// one process, and each has a stub of its own.
package plugintest

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/providers"
	"github.com/mercadoesperto/smarket/providers/prompts"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// Key is the API key that a plugin under test has. It looks like none, so that only knowing it can keep it out of a message.
const Key = "k3y of+the/test="

// marker is how a request says whose stub is to answer it: it is in the request's input.
const marker = "case-number-"

// Main builds the plugin's binary, runs the package's tests, and looks for goroutines that were left behind. Binary is its path.
func Main(m *testing.M, name string, binary *string) int {
	dir, err := os.MkdirTemp("", "plugin")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	*binary = filepath.Join(dir, providers.BinaryPrefix+name)
	//nolint:noctx // its time is the tests'
	build := exec.Command("go", "build", "-o", *binary, "github.com/mercadoesperto/smarket/cmd/"+providers.BinaryPrefix+name)
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build plugin:", err)
		return 1
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// Front is one address behind which each case has a stub of its own.
type Front struct {
	vendor llmstub.Vendor
	server *httptest.Server
	get    http.HandlerFunc

	mu    sync.Mutex // guards what follows
	cases []*Case
}

// NewFront serves POST requests by the case that they name, the first case's when they name none, and GET requests with get.
func NewFront(t *testing.T, vendor llmstub.Vendor, get http.HandlerFunc) *Front {
	t.Helper()
	f := &Front{vendor: vendor, get: get}
	f.server = httptest.NewServer(f)
	t.Cleanup(func() {
		f.mu.Lock()
		for _, c := range f.cases {
			c.Stub.Close(context.Background())
		}
		f.mu.Unlock()
		f.server.CloseClientConnections()
		f.server.Close()
	})
	f.NewCase(t)
	return f
}

// BaseURL is what the plugin has to be told.
func (f *Front) BaseURL() string { return f.server.URL + f.vendor.BasePath() }

// ServeHTTP implements http.Handler.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		f.get(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client left
	}
	number := 0
	if found := regexp.MustCompile(marker + `(\d+)`).FindSubmatch(body); found != nil {
		number, _ = strconv.Atoi(string(found[1]))
	}
	f.mu.Lock()
	c := f.cases[number]
	f.mu.Unlock()
	c.note(body, r.Header)
	r.Body = io.NopCloser(bytes.NewReader(body))
	c.Stub.ServeHTTP(w, r)
}

// Case is one test's stub, which knows one receipt.
type Case struct {
	Stub *llmstub.Stub
	// Request is an extraction of the receipt's picture by this case's stub.
	Request sdk.Request
	Receipt receipts.Receipt

	mu     sync.Mutex // guards what follows
	body   []byte
	header http.Header
}

// NewCase adds a case. The first one answers requests that name none.
func (f *Front) NewCase(t *testing.T) *Case {
	t.Helper()
	c := &Case{
		Stub: llmstub.New(llmstub.Options{Vendors: map[llmstub.Vendor]llmstub.VendorOptions{
			f.vendor: {Key: Key, ThinkingTokens: 400},
		}}),
		Receipt: receipts.Generate(receipts.NewRand(7), receipts.Options{Items: 4}),
	}
	c.Stub.Know(c.Receipt)
	picture := Picture(t, 1)
	require.NoError(t, c.Stub.KnowPicture(t.Context(), picture, c.Receipt.Key))
	prompt, err := prompts.Extract()
	require.NoError(t, err)
	f.mu.Lock()
	defer f.mu.Unlock()
	c.Request = sdk.Request{
		Task: sdk.TaskExtract, Instructions: prompt.Instructions, Schema: prompt.Schema, SchemaName: prompt.SchemaName,
		Input: marker + strconv.Itoa(len(f.cases)), Pages: []sdk.Page{{MediaType: "image/jpeg", Data: picture}},
	}
	f.cases = append(f.cases, c)
	return c
}

// Picture is a small JPEG; each seed gives another one.
func Picture(t *testing.T, seed int) []byte {
	t.Helper()
	const side = 64
	img := image.NewGray(image.Rect(0, 0, side, side))
	for i := range img.Pix {
		x, y := i%side/8, i/side/8
		img.Pix[i] = uint8(37 * (x*seed + y*y + x*y*(seed+1)) % 256)
	}
	var out bytes.Buffer
	require.NoError(t, jpeg.Encode(&out, img, nil))
	return out.Bytes()
}

func (c *Case) note(body []byte, header http.Header) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.body, c.header = body, header.Clone()
}

// Last is the request that came last.
func (c *Case) Last() (body []byte, header http.Header) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.body, c.header
}

// Start runs the plugin's binary in a host until the test ends. The host's log is returned by the second result.
func Start(t *testing.T, binary, name string, env map[string]string) (sdk.Provider, func() string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Symlink(binary, filepath.Join(dir, providers.BinaryPrefix+name)))
	run, err := os.MkdirTemp("/tmp", "sm") //nolint:usetesting // t.TempDir is longer than a socket's path may be
	require.NoError(t, err)
	log := &buffer{}
	host := providers.NewHost(providers.HostConfig{
		Dir: dir, RunDir: run, Env: map[string]map[string]string{name: env}, StartTimeout: time.Minute,
		HealthTimeout: time.Minute, CallWait: time.Minute,
		Log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	t.Cleanup(func() {
		assert.NoError(t, host.Stop(context.Background()))
		assert.NoError(t, os.RemoveAll(run))
	})
	require.NoError(t, host.Start(t.Context()))
	return host.Provider(name), log.String
}

type buffer struct {
	mu  sync.Mutex // guards what follows
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// Answer is what a call gave.
type Answer struct {
	Text   string
	Pieces int
	Result sdk.Result
	Err    error
}

// Ask calls a provider. piece may be nil; otherwise it is told of each piece.
func Ask(ctx context.Context, p sdk.Provider, req sdk.Request, piece func()) Answer {
	var a Answer
	var text strings.Builder
	a.Result, a.Err = p.Generate(ctx, req, func(s string) error {
		text.WriteString(s)
		a.Pieces++
		if piece != nil {
			piece()
		}
		return nil
	})
	a.Text = text.String()
	return a
}

// Deadline is a context whose deadline passes when the test says so, and not after a span of time.
type Deadline struct {
	context.Context //nolint:containedctx // it is one
	once            sync.Once
	done            chan struct{}
}

// NewDeadline is a Deadline below the test's own context.
func NewDeadline(t *testing.T) *Deadline {
	t.Helper()
	return &Deadline{Context: t.Context(), done: make(chan struct{})}
}

// Pass lets the deadline pass.
func (d *Deadline) Pass() { d.once.Do(func() { close(d.done) }) }

// Done implements context.Context.
func (d *Deadline) Done() <-chan struct{} { return d.done }

// Err implements context.Context.
func (d *Deadline) Err() error {
	select {
	case <-d.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
