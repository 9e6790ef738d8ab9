// Package security_test attacks the running service: the real binary and real plugins as child processes, over real sockets.
// Each line of the list of attacks is a test of that name, which says what the service should answer. While it runs, every
// answer is looked at for a 5xx, the log for panics, faults and secrets, and the process for its memory.
//
// go test -args -table prints what was tried, expected and got.
package security_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/mercadoesperto/smarket/providers"
)

var (
	table = flag.Bool("table", false, "print the table of attacks")
	bin   string // the folder of the built binary; its plugins are in the folder plugins beside it
	wire  = &watch{next: transport()}
	known = &markers{}
)

// TestMain builds the binaries as make build does.
func TestMain(m *testing.M) {
	flag.Parse()
	http.DefaultClient.Transport = wire // apitest's too
	os.Exit(build(m))
}

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "smarket-security-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	bin = dir
	for out, pkg := range map[string]string{
		"smarket": "../../cmd/smarket", "plugins/smarket-provider-gemini": "../../cmd/smarket-provider-gemini",
		"evil/smarket-provider-evil": "./testdata/plugins/evil",
	} {
		cmd := exec.Command("go", "build", "-tags", "nodynamic", "-o", filepath.Join(dir, out), pkg)
		if text, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", pkg, err, text)
			return 1
		}
	}
	for _, plugins := range []string{"plugins", "evil"} {
		if _, err := providers.Trust(filepath.Join(dir, plugins)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

func transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	return t
}

// watch is every client's connection to the services: it notes answers that blame the service.
type watch struct {
	next   http.RoundTripper
	mu     sync.Mutex
	faults []string
}

func (w *watch) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(r)
	if err == nil && resp.StatusCode >= http.StatusInternalServerError {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.faults = append(w.faults, fmt.Sprintf("%s %s: %d", r.Method, r.URL.Path, resp.StatusCode))
	}
	return resp, err
}

func (w *watch) seen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.faults...)
}

// markers are what no log may hold: keys, tokens, passwords, addresses, CPFs.
type markers struct {
	mu   sync.Mutex
	list []string
}

func (m *markers) add(secrets ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = append(m.list, slices.DeleteFunc(secrets, func(s string) bool { return s == "" })...)
}

func (m *markers) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.list...)
}
