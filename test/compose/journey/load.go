package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	people = 6                      // who ask at the same time
	pause  = 150 * time.Millisecond // between two requests of one of them
	every  = 15                     // how many requests lie between two uploads of one of them
	shown  = 10                     // failures that are printed
)

// tally counts requests.
type tally struct {
	mu       sync.Mutex
	took     []time.Duration
	failures []string
}

func (t *tally) note(what string, began time.Time, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took = append(t.took, time.Since(began))
	if err != nil {
		t.failures = append(t.failures, fmt.Sprintf("%s %s: %v", time.Now().UTC().Format(time.TimeOnly), what, err))
	}
}

// load has people ask until ctx ends. What they have begun then is brought to its end.
func load(ctx context.Context, s *site, out io.Writer) error {
	var t tally
	var all sync.WaitGroup
	began := time.Now()
	for range people {
		u, err := signUp(ctx, s.alone())
		if err != nil {
			return fmt.Errorf("sign up: %w", err)
		}
		all.Go(func() { u.live(ctx, &t) })
	}
	fmt.Fprintln(out, "load: everybody is in") // the script waits for this line
	all.Wait()
	return t.report(time.Since(began), out)
}

// live is one person: the page, her purchases, now and then a purchase and its progress.
func (u *user) live(ctx context.Context, t *tally) {
	unhurried := context.WithoutCancel(ctx) // requests end by themselves
	var streams sync.WaitGroup
	defer streams.Wait()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		began := time.Now()
		switch {
		case n%every == 0:
			id, err := u.upload(unhurried, document())
			t.note("upload", began, err)
			if err == nil {
				streams.Go(func() { u.seeRead(unhurried, id, t) })
			}
		case n%2 == 0:
			t.note("page", began, u.page(unhurried))
		default:
			t.note("query", began, u.query(unhurried, `{ viewer { id } invoices(first: 5) { edges { node { id status } } } }`, nil, &struct{}{}))
		}
	}
}

// seeRead follows an upload to its end. A stream may be ended by the server, not the extraction.
func (u *user) seeRead(ctx context.Context, id string, t *tally) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var seen trace
	began := time.Now()
	err := u.follow(ctx, id, &seen, func(event) {})
	if err == nil {
		err = seen.read()
	}
	t.note("reading of an upload", began, err)
}

func (u *user) page(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.url+"/", nil)
	if err != nil {
		return err
	}
	res, err := u.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return nil
}

func (t *tally) report(took time.Duration, out io.Writer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.Sort(t.took)
	at := func(percent int) int64 { return t.took[len(t.took)*percent/100].Milliseconds() }
	if len(t.took) == 0 {
		return errors.New("nobody asked anything")
	}
	fmt.Fprintf(out, "load: %d requests in %.0f s, %d failed; p50 %d ms, p95 %d ms, p99 %d ms\n",
		len(t.took), took.Seconds(), len(t.failures), at(50), at(95), at(99))
	for i, f := range t.failures {
		if i == shown {
			break
		}
		fmt.Fprintln(out, "  "+f)
	}
	if len(t.failures) > 0 {
		return fmt.Errorf("%d requests failed", len(t.failures))
	}
	return nil
}
