package worker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/alitto/pond/v2"
)

// Pool bounds the work that is under way at once in this process, over all invoices: pages being prepared, and calls per
// provider. River decides what runs; the pool decides how much of it at a time.
type Pool struct {
	pages     pond.Pool
	providers map[string]pond.Pool
	others    pond.Pool
}

// NewPool bounds pages to pages at once, and the calls of each provider to its number in providers; a provider that is not
// named shares one slot with the others that are not.
func NewPool(pages int, providers map[string]int) *Pool {
	p := &Pool{pages: pond.NewPool(pages), providers: map[string]pond.Pool{}, others: pond.NewPool(1)}
	for name, n := range providers {
		p.providers[name] = pond.NewPool(n)
	}
	return p
}

// Pages calls fn for 0 to n-1, as many at once as the pool has room for, and returns the first error after all have ended.
func (p *Pool) Pages(ctx context.Context, n int, fn func(ctx context.Context, i int) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	results := make(chan error, n)
	for i := range n {
		submit(ctx, p.pages, results, func(ctx context.Context) error { return fn(ctx, i) })
	}
	var first error
	for range n {
		if err := <-results; err != nil && first == nil {
			first = err
			stop() // the others are not needed any more
		}
	}
	return first
}

// Provider calls fn when the named provider has room.
func (p *Pool) Provider(ctx context.Context, name string, fn func(context.Context) error) error {
	pool, ok := p.providers[name]
	if !ok {
		pool = p.others
	}
	result := make(chan error, 1)
	submit(ctx, pool, result, fn)
	return <-result
}

// submit runs fn in the pool and sends its error to results exactly once. While fn waits for room, the end of ctx takes it
// out at once; when it has begun it is waited for.
func submit(ctx context.Context, pool pond.Pool, results chan<- error, fn func(context.Context) error) {
	var taken atomic.Bool // by whoever answers: the task, or the end of ctx
	drop := context.AfterFunc(ctx, func() {
		if taken.CompareAndSwap(false, true) {
			results <- ctx.Err()
		}
	})
	err := pool.Go(func() {
		drop()
		if !taken.CompareAndSwap(false, true) {
			return
		}
		results <- guarded(ctx, fn)
	})
	if err != nil && taken.CompareAndSwap(false, true) {
		drop()
		results <- err // the pool has stopped
	}
}

// Stop ends the pools when what is under way has ended. Calling it again does nothing.
func (p *Pool) Stop() {
	p.pages.StopAndWait()
	p.others.StopAndWait()
	for _, name := range slices.Sorted(maps.Keys(p.providers)) {
		p.providers[name].StopAndWait()
	}
}

// guarded makes an error of a panic: pond would swallow it, and whoever waits would wait for ever; a job's try would not count
// as one that failed.
func guarded(ctx context.Context, fn func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{p}
		}
	}()
	return fn(ctx)
}

// panicError is a panic that was made an error.
type panicError struct{ value any }

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }
