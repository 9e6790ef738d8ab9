package providers

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// till is a Ledger in memory.
type till struct {
	mu       sync.Mutex
	reserved []Call
	settled  []CallEnd
	saved    []Call
	usage    []sdk.Usage
	refuse   func(Call) error
	after    error // of Settle and Saved
}

func (l *till) Reserve(_ context.Context, call Call) (Booking, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuse != nil {
		if err := l.refuse(call); err != nil {
			return nil, err
		}
	}
	l.reserved = append(l.reserved, call)
	return l, nil
}

func (l *till) Settle(ctx context.Context, end CallEnd) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settled = append(l.settled, end)
	return errors.Join(ctx.Err(), l.after)
}

func (l *till) Saved(ctx context.Context, call Call, usage sdk.Usage) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.saved, l.usage = append(l.saved, call), append(l.usage, usage)
	return errors.Join(ctx.Err(), l.after)
}

func (l *till) outcomes() []string {
	var out []string
	for i, end := range l.settled {
		out = append(out, l.reserved[i].Provider+" "+end.Outcome)
	}
	return out
}

func quotaSpent(Call) error {
	return &invoice.Error{Code: invoice.CodeQuotaExceeded, Message: "O limite de hoje foi atingido.", RetryAfter: time.Hour}
}

func TestEveryAttemptIsBookedAndSettled(t *testing.T) {
	t.Parallel()
	var p pauses
	var asked []sdk.Request
	a := failing(2, &sdk.Error{Kind: sdk.KindOverloaded}, "no JSON")
	b := repairing("b", misread(t), replyOf(t, purchase("5.99")), &asked)
	b.media = []string{"image/jpeg", "text/plain"}
	a.media = b.media
	ledger := &till{}
	now := time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC)
	chain := chainOf(t, strict(ChainConfig{Ledger: ledger, Retry: p.retry(), Now: func() time.Time { return now }}), a, b)
	req := onePicture()
	req.UserID, req.InvoiceID = "user", "invoice"
	req.Pages = append(req.Pages, invoice.DocumentPage{Text: "TOTAL"})
	got, err := chain.Extract(t.Context(), req, ignore)
	require.NoError(t, err)
	assert.Equal(t, []string{"a overloaded", "a overloaded", "a invalid_reply", "b ok", "b ok"}, ledger.outcomes())
	assert.Equal(t, ledger.outcomes(), outcomes(got))
	assert.Equal(t, Call{
		UserID: "user", InvoiceID: "invoice", Task: sdk.TaskExtract, Provider: "a", Model: "a-model", Attempt: 1,
		InputBytes: len(chain.prompt.Instructions) + len("TOTAL"), Pictures: 1, StartedAt: now,
	}, ledger.reserved[0])
	for i, call := range ledger.reserved {
		assert.Equal(t, i+1, call.Attempt)
	}
	assert.Equal(t, len(chain.repair.Instructions)+len(asked[1].Input)+len("TOTAL"), ledger.reserved[4].InputBytes)
	assert.Equal(t, CallEnd{
		Outcome: "ok", Usage: sdk.Usage{InputTokens: 100, OutputTokens: 10, CostMicroUSD: new(int64(3))}, EndedAt: now,
	}, ledger.settled[3])
	assert.Empty(t, ledger.saved)
}

func TestWhatAFailedCallUsedIsSettledToo(t *testing.T) {
	t.Parallel()
	ledger := &till{}
	ctx, cancel := context.WithCancel(t.Context())
	a := &stub{name: "a", local: true}
	a.generate = func(ctx context.Context, _ sdk.Request, _ func(string) error) (sdk.Result, error) {
		cancel()
		<-ctx.Done()
		return sdk.Result{Model: "exact", Usage: sdk.Usage{InputTokens: 9}}, &sdk.Error{Kind: sdk.KindCancelled}
	}
	_, err := chainOf(t, ChainConfig{Ledger: ledger}, a).Extract(ctx, onePicture(), ignore)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, ledger.settled, 1, "though the client has left")
	ledger.settled[0].EndedAt = time.Time{}
	assert.Equal(t, CallEnd{Model: "exact", Outcome: "cancelled", Usage: sdk.Usage{InputTokens: 9}}, ledger.settled[0])
	assert.True(t, ledger.reserved[0].Local)
}

func TestSpentBudgetEndsTheRequestBeforeAnyCall(t *testing.T) {
	t.Parallel()
	a, b := &stub{name: "a"}, &stub{name: "b"}
	var p pauses
	chain := chainOf(t, ChainConfig{Ledger: &till{refuse: quotaSpent}, Retry: p.retry(), Breaker: Breaker{Failures: 1, Of: 1}}, a, b)
	got, err := chain.Extract(t.Context(), onePicture(), ignore)
	e, ok := errors.AsType[*invoice.ExtractionError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, invoice.CodeQuotaExceeded, e.Code)
	assert.Equal(t, "O limite de hoje foi atingido.", e.Message)
	assert.True(t, e.Permanent)
	assert.Equal(t, time.Hour, e.RetryAfter)
	assert.Zero(t, a.calls.Load()+b.calls.Load())
	assert.Empty(t, got.Attempts)
	assert.Empty(t, p.taken)
	assert.Equal(t, "closed", chain.Breakers()["a"])
}

func TestBudgetThatEndsOnTheWayKeepsWhatWasRead(t *testing.T) {
	t.Parallel()
	var asked []sdk.Request
	second := func(call Call) error {
		if call.Attempt > 1 {
			return quotaSpent(call)
		}
		return nil
	}
	a, b := repairing("a", misread(t), "", &asked), &stub{name: "b"}
	got, err := chainOf(t, strict(ChainConfig{Ledger: &till{refuse: second}}), a, b).Extract(t.Context(), onePicture(), ignore)
	require.NoError(t, err)
	assert.Equal(t, []string{"a ok"}, outcomes(got))
	assert.Zero(t, b.calls.Load())
}

func TestWithoutBooksNoCallIsMade(t *testing.T) {
	t.Parallel()
	a := &stub{name: "a"}
	down := func(Call) error { return errors.New("database is down") }
	_, err := chainOf(t, ChainConfig{Ledger: &till{refuse: down}}, a).Extract(t.Context(), onePicture(), ignore)
	e, ok := errors.AsType[*invoice.ExtractionError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, invoice.CodeUnavailable, e.Code)
	assert.False(t, e.Permanent)
	assert.Contains(t, err.Error(), "database is down")
	assert.Zero(t, a.calls.Load())
}

func TestBooksThatCannotBeClosedDoNotSpoilAReading(t *testing.T) {
	t.Parallel()
	a := &stub{name: "a", reply: receiptOf(t, "1.00", 1)}
	chain := chainOf(t, ChainConfig{Ledger: &till{after: errors.New("down")}, Replies: &drawer{}, CacheTTL: time.Hour}, a)
	for range 2 {
		_, err := chain.Extract(t.Context(), onePicture(), ignore)
		require.NoError(t, err)
	}
}

func TestWhatTheCacheSavesIsRecorded(t *testing.T) {
	t.Parallel()
	ledger := &till{}
	a := &stub{name: "a", reply: receiptOf(t, "1.00", 1), usage: sdk.Usage{InputTokens: 1000, OutputTokens: 50}}
	chain := chainOf(t, ChainConfig{Ledger: ledger, Replies: &drawer{}, CacheTTL: time.Hour}, a)
	for _, user := range []string{"first", "second"} {
		req := onePicture()
		req.UserID, req.InvoiceID = user, "of "+user
		_, err := chain.Extract(t.Context(), req, ignore)
		require.NoError(t, err)
	}
	require.Len(t, ledger.reserved, 1)
	require.Len(t, ledger.saved, 1)
	assert.Equal(t, a.usage, ledger.usage[0])
	assert.False(t, ledger.saved[0].StartedAt.IsZero())
	ledger.saved[0].StartedAt = time.Time{}
	assert.Equal(t, Call{
		UserID: "second", InvoiceID: "of second", Task: sdk.TaskExtract, Provider: "a", Model: "a-model", Attempt: 1,
		InputBytes: len(chain.prompt.Instructions), Pictures: 1,
	}, ledger.saved[0])
}
