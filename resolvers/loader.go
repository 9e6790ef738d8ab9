package resolvers

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// maxBatch bounds the keys of one fetch: they end up in one SQL statement.
const maxBatch = 1000

// loader finds values by key, many with one fetch. It does not wait for other keys to come: those that are likely to be asked for
// are told to want when the list that has them is found, and the first load fetches them all. So the number of fetches depends
// on neither the length of a list nor the speed of the machine. What was found, or failed, is kept: a loader is for one response.
type loader[V any] struct {
	fetch func(ctx context.Context, keys []string) (map[string]V, error)

	fetching sync.Mutex // held during a fetch; who waited for it finds the answer
	mu       sync.Mutex // guards what follows, and is not held during a fetch
	wanted   map[string]struct{}
	found    map[string]result[V]
}

type result[V any] struct {
	value V
	err   error
}

func newLoader[V any](fetch func(ctx context.Context, keys []string) (map[string]V, error)) *loader[V] {
	return &loader[V]{fetch: fetch, wanted: map[string]struct{}{}, found: map[string]result[V]{}}
}

// want notes keys that are likely to be asked for.
func (l *loader[V]) want(keys ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		if _, ok := l.found[key]; !ok && key != "" {
			l.wanted[key] = struct{}{}
		}
	}
}

// put says what a key's value is, without a fetch.
func (l *loader[V]) put(key string, value V) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.wanted, key)
	l.found[key] = result[V]{value: value}
}

// load is the value of a key; the zero value when there is none.
func (l *loader[V]) load(ctx context.Context, key string) (V, error) {
	if r, ok := l.known(key); ok {
		return r.value, r.err
	}
	l.fetching.Lock()
	defer l.fetching.Unlock()
	if _, ok := l.known(key); !ok {
		l.want(key)
		for keys := range slices.Chunk(l.take(), maxBatch) {
			values, err := l.fetch(ctx, keys)
			l.keep(keys, values, err)
		}
	}
	r, _ := l.known(key)
	return r.value, r.err
}

// loadAll are the values of keys, in their order. A key without a value has the zero value.
func (l *loader[V]) loadAll(ctx context.Context, keys []string) ([]V, error) {
	l.want(keys...)
	values := make([]V, len(keys))
	for i, key := range keys {
		var err error
		if values[i], err = l.load(ctx, key); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func (l *loader[V]) known(key string) (result[V], bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.found[key]
	return r, ok
}

// take is all keys that are wanted, in order, so that equal requests make equal statements.
func (l *loader[V]) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	keys := slices.Sorted(maps.Keys(l.wanted))
	clear(l.wanted)
	return keys
}

func (l *loader[V]) keep(keys []string, values map[string]V, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		if _, ok := l.found[key]; !ok {
			l.found[key] = result[V]{value: values[key], err: err}
		}
	}
}
