package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/llmstub"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

const (
	people = 4
	// inHand is how many invoices of a person wait at most: the load is as steady on a slow machine as on a fast one.
	inHand = 3
	// again is the pause of a client whose request failed.
	again = 200 * time.Millisecond
)

// accepted is an invoice that a server has answered with: from then on it must not be lost.
type accepted struct {
	due   int64  // what was paid, in centavos
	photo bool   // read by a model
	key   string // the receipt's access key
}

// load is people who hand in receipts.
type load struct {
	apis []*process
	stub *llmstub.Stub

	stopping chan struct{}
	running  sync.WaitGroup
	failures atomic.Int64 // requests that were repeated

	mu         sync.Mutex
	invoices   map[string]accepted // by id
	duplicates int                 // sent a second time, and recognised
	doubled    []string            // sent a second time, and taken for new
	faults     []string            // answers that no outage explains
}

// start has everybody sign up and begin. done says which invoices of an account have ended; it is asked before each next one.
func (l *load) start(t *testing.T, seed uint64, waiting func(ctx context.Context, email string) int) {
	t.Helper()
	l.stopping, l.invoices = make(chan struct{}), map[string]accepted{}
	for n := range people {
		p := &person{email: fmt.Sprintf("pessoa%d@example.com", n), http: &http.Client{Transport: &http.Transport{}}}
		require.NoError(t, p.signUp(t.Context(), l.apis[0].url()))
		rng := rand.New(rand.NewPCG(seed, uint64(n)))
		ctx := t.Context()
		l.running.Go(func() { l.live(ctx, p, n, rng, waiting) })
	}
}

// stop returns when everybody has an answer to what they sent.
func (l *load) stop() {
	close(l.stopping)
	l.running.Wait()
}

// live is one person's day: a receipt, and now and then one that they have sent before.
func (l *load) live(ctx context.Context, p *person, n int, rng *rand.Rand, waiting func(context.Context, string) int) {
	defer p.http.CloseIdleConnections()
	type sent struct {
		id   string
		file []byte
	}
	var last *sent
	for i := 0; ; i++ {
		for waiting(ctx, p.email) >= inHand {
			if !l.pause(again) {
				return
			}
		}
		if !l.pause(time.Duration(rng.IntN(400)) * time.Millisecond) {
			return
		}
		if last != nil && rng.IntN(6) == 0 {
			l.sendAgain(ctx, p, rng, last.id, last.file)
			continue
		}
		inv, file, err := l.receipt(uint64(n)<<32|uint64(i), rng.IntN(2) == 0)
		if err != nil {
			l.fault("%v", err)
			return
		}
		answered, ok := l.send(ctx, p, rng, fmt.Sprintf("chave-%d-%d", n, i), file)
		if !ok {
			return
		}
		l.mu.Lock()
		l.invoices[answered.id] = inv
		l.mu.Unlock()
		last = &sent{answered.id, file}
	}
}

// pause is false when everybody is to go home.
func (l *load) pause(d time.Duration) bool {
	select {
	case <-l.stopping:
		return false
	case <-time.After(d):
		return true
	}
}

// receipt is a new purchase: an XML, which is read without a model, or a photo that the stub knows.
func (l *load) receipt(number uint64, photo bool) (accepted, []byte, error) {
	r := receipts.Generate(receipts.NewRand(number+1), receipts.Options{Items: 3, Plain: true, Issue: receipts.IssueOnline})
	inv := accepted{due: int64(r.Due()), photo: photo, key: r.Truth().AccessKey}
	if !photo {
		data, err := r.XML(receipts.XMLOptions{})
		return inv, data, err
	}
	style := receipts.Styles()[0]
	l.stub.KnowPaper(style, r)
	picture, err := r.Picture(style, 1)
	if err != nil {
		return inv, nil, err
	}
	data, err := receipts.JPEG(picture, 85)
	return inv, data, err
}

// send repeats a submission under its key until a server answers; false when none has until the test ended.
func (l *load) send(ctx context.Context, p *person, rng *rand.Rand, key string, file []byte) (submitted, bool) {
	for ctx.Err() == nil {
		url := l.apis[rng.IntN(len(l.apis))].url()
		answered, err := p.submit(ctx, url, key, file)
		if err == nil {
			return answered, true
		}
		l.failures.Add(1)
		if refused, ok := errors.AsType[*codeError](err); ok {
			switch refused.code {
			case "UNAUTHENTICATED":
				_ = p.signIn(ctx, url) // the next try tells
			case "INTERNAL", "UNAVAILABLE", "RATE_LIMITED", "TIMEOUT":
			default:
				l.fault("a submission was refused: %v", refused)
				return submitted{}, false
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
	return submitted{}, false
}

// sendAgain hands in once more what is there already.
func (l *load) sendAgain(ctx context.Context, p *person, rng *rand.Rand, id string, file []byte) {
	answered, ok := l.send(ctx, p, rng, "", file)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !ok:
	case answered.id == id && answered.duplicate:
		l.duplicates++
	default:
		l.doubled = append(l.doubled, answered.id)
	}
}

func (l *load) fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

// all are the invoices that were accepted.
func (l *load) all() map[string]accepted {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.invoices)
}
