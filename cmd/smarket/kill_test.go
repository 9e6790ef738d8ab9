package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/apitest"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/internal/redistest"
)

// server is a running smarket process.
type server struct {
	cmd *exec.Cmd
	url string
}

var readyLine = regexp.MustCompile(`msg=ready address=(\S+)`)

// startServer starts the built binary and returns when it is ready.
func startServer(t *testing.T, env []string) *server {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(bin, "smarket"), "serve")
	cmd.Env = append(os.Environ(), env...)
	log, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	s := &server{cmd: cmd}
	t.Cleanup(s.kill)
	lines := bufio.NewScanner(log)
	var seen []string
	for s.url == "" {
		if !lines.Scan() {
			t.Fatalf("the server ended before it was ready:\n%s", strings.Join(seen, "\n"))
		}
		seen = append(seen, lines.Text())
		if m := readyLine.FindStringSubmatch(lines.Text()); m != nil {
			s.url = m[1]
		}
	}
	go func() {
		for lines.Scan() { // a full pipe would stop the server
		}
	}()
	return s
}

// kill is kill -9.
func (s *server) kill() {
	_ = s.cmd.Process.Kill() // it may be gone
	_ = s.cmd.Wait()
}

// TestKilledInTheMiddleOfTwentyExtractionsAllEndOnce kills the server with extractions waiting, running and done, and starts
// it again on the same data.
func TestKilledInTheMiddleOfTwentyExtractionsAllEndOnce(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]func(t *testing.T) []string{
		"embedded": func(t *testing.T) []string { t.Helper(); return nil },
		"production": func(t *testing.T) []string {
			t.Helper()
			env := []string{"DATABASE_URL=" + pg.NewDatabase(t), "REDIS_URL=" + redistest.Start(t).URL(), "JWT_SECRET=" + strings.Repeat("s", 40)}
			migrate := exec.CommandContext(t.Context(), filepath.Join(bin, "smarket"), "migrate", "up")
			migrate.Env = append(os.Environ(), env...)
			out, err := migrate.CombinedOutput()
			require.NoError(t, err, string(out))
			return env
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const invoices = 20
			env := append(env(t), "DATA_DIR="+t.TempDir(), "HTTP_ADDR=127.0.0.1:0", "WORKER_JOBS=4", "LOG_FORMAT=text")
			s := startServer(t, env)
			c := apitest.Client{URL: s.url}
			c.SignUp(t, "ana@example.com")
			var ids []string
			for seed := range uint64(invoices) {
				sub, res := c.Submit(t, photo(t, seed))
				require.Empty(t, res.Errors)
				require.Nil(t, sub.SubmitInvoice.Duplicate)
				ids = append(ids, sub.SubmitInvoice.Invoice.ID)
			}
			c.Watch(t, ids[2], 0) // to its end: by then some are done, some run, most wait
			s.kill()

			c.URL = startServer(t, env).url
			var wg sync.WaitGroup
			ended := make([][]apitest.Event, invoices)
			for i, id := range ids {
				wg.Go(func() { ended[i] = c.Watch(t, id, 0) })
			}
			wg.Wait()
			for i, events := range ended {
				ends := 0
				for n, e := range events {
					assert.Equal(t, n+1, e.Seq, "the events of an invoice have no gap")
					if e.Stage == "COMPLETED" || e.Stage == "NEEDS_REVIEW" {
						ends++
					}
				}
				assert.Equal(t, 1, ends, "invoice %d ends once: %v", i, events)
			}
			var out struct{ Invoices struct{ TotalCount int } }
			c.Query(t, `{ invoices(filter: {statuses: [COMPLETED, NEEDS_REVIEW]}) { totalCount } }`, nil, &out)
			assert.Equal(t, invoices, out.Invoices.TotalCount)
		})
	}
}

// photo is a small receipt as a picture: only a plugin can read it, which takes a while.
func photo(t *testing.T, seed uint64) []byte {
	t.Helper()
	r := receipts.Generate(receipts.NewRand(1000+seed), receipts.Options{Items: 2, Plain: true})
	style, ok := receipts.StyleNamed("80-two-line")
	require.True(t, ok)
	picture, err := r.Picture(style, 1)
	require.NoError(t, err)
	data, err := receipts.PNG(picture)
	require.NoError(t, err)
	return data
}
