package worker

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"riverqueue.com/riverui"
)

// PagePath is where the page of the jobs expects to be served: its own links and scripts begin with it.
const PagePath = "/admin/jobs/"

// pagePolicy lets the page load what this process serves, and nothing else. Its libraries place things by style attributes.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// maxPageBody bounds what the page sends, in bytes: the numbers of the jobs that are marked.
const maxPageBody = 1 << 20

// Page is River's web page of the jobs, for operators. It asks nobody who they are: it belongs on a port that strangers do not
// reach. What they do with a job there is done to the job alone, never to its invoice.
type Page struct {
	river   *riverui.Handler
	handler http.Handler
}

// NewPage makes the page of the jobs in db.
func NewPage(db Database, log *slog.Logger) (*Page, error) {
	queue, err := NewQueue(db, 0, log)
	if err != nil {
		return nil, err
	}
	page, err := riverui.NewHandler(&riverui.HandlerOpts{
		Endpoints: riverui.NewEndpoints(queue.client, nil), Logger: forRiver(log), Prefix: PagePath,
	})
	if err != nil {
		return nil, fmt.Errorf("page of the jobs: %w", err)
	}
	return &Page{river: page, handler: ownPagesOnly(page)}, nil
}

// Start begins to count jobs now and then, which the page shows, until ctx ends.
func (p *Page) Start(ctx context.Context) error {
	if err := p.river.Start(ctx); err != nil {
		return fmt.Errorf("start the page of the jobs: %w", err)
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, maxPageBody)
	p.handler.ServeHTTP(w, r)
}

// ownPagesOnly keeps other sites' pages, open in the operator's browser beside this one, from doing things in their name: they
// cannot send it what changes something, nor read it by having a name of theirs lead to its address.
func ownPagesOnly(next http.Handler) http.Handler {
	same := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !privateName(r.Host) {
			http.Error(w, "This page is served by address, or by a name without a dot.", http.StatusMisdirectedRequest)
			return
		}
		same.ServeHTTP(w, r)
	})
}

// privateName says that a Host is one that no stranger can register: an address, or a single word such as localhost.
func privateName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	_, err := netip.ParseAddr(host)
	return err == nil || host != "" && !strings.Contains(host, ".")
}
