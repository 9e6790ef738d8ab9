package invoice_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

func collect(events <-chan invoice.Event) (seqs []int, last invoice.Stage) {
	for e := range events {
		seqs, last = append(seqs, e.Seq), e.Stage
	}
	return seqs, last
}

func TestAWatcherGetsASnapshotThenTheRestThenTheEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.submit(t, "photo").Invoice.ID
	events, err := b.Watch(t.Context(), b.user, id, nil)
	require.NoError(t, err)
	first := <-events
	assert.Equal(t, 1, first.Seq)
	require.NoError(t, b.Extract(t.Context(), id, false))
	seqs, last := collect(events)
	assert.Equal(t, invoice.StageCompleted, last)
	for i, seq := range seqs {
		assert.Equal(t, i+2, seq, "in order and without gaps")
	}
}

func TestAWatcherOfAFinishedInvoiceGetsItsLastEventAndTheEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.submit(t, "photo").Invoice.ID
	require.NoError(t, b.Extract(t.Context(), id, false))
	events, err := b.Watch(t.Context(), b.user, id, nil)
	require.NoError(t, err)
	seqs, last := collect(events)
	assert.Len(t, seqs, 1)
	assert.Equal(t, invoice.StageCompleted, last)
}

func TestAWatcherResumesAfterWhatItHasSeen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.submit(t, "photo").Invoice.ID
	require.NoError(t, b.Extract(t.Context(), id, false))
	total := len(b.stages(t, id))
	for _, seen := range []int{0, 2, total, total + 5, -3} {
		events, err := b.Watch(t.Context(), b.user, id, &seen)
		require.NoError(t, err)
		seqs, _ := collect(events)
		from := max(0, min(seen, total))
		require.Len(t, seqs, total-from, "after %d", seen)
		for i, seq := range seqs {
			assert.Equal(t, from+i+1, seq)
		}
	}
}

func TestEventsThatWereLostOnTheWayComeFromTheStore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.submit(t, "photo").Invoice.ID
	events, err := b.Watch(t.Context(), b.user, id, nil)
	require.NoError(t, err)
	<-events
	b.ask = func(ctx context.Context, req invoice.ExtractionRequest, observe func(invoice.Progress)) (invoice.Extraction, error) {
		b.live.mu.Lock()
		b.live.lose = false // the last ones get through and show that there is a gap
		b.live.mu.Unlock()
		return answer(draft(1))(ctx, req, observe)
	}
	b.live.mu.Lock()
	b.live.lose = true
	b.live.mu.Unlock()
	require.NoError(t, b.Extract(t.Context(), id, false))
	seqs, last := collect(events)
	assert.Equal(t, invoice.StageCompleted, last)
	for i, seq := range seqs {
		assert.Equal(t, i+2, seq)
	}
}

func TestAWatcherThatLeavesIsForgotten(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.submit(t, "photo").Invoice.ID
	ctx, leave := context.WithCancel(t.Context())
	events, err := b.Watch(ctx, b.user, id, nil)
	require.NoError(t, err)
	leave()
	collect(events) // is closed
}

func TestARetriedInvoiceIsWatchedBeyondItsEarlierEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.ask = refuse(&invoice.ExtractionError{Code: invoice.CodeUnavailable, Message: "Fora do ar.", Permanent: true})
	id := b.submit(t, "photo").Invoice.ID
	require.NoError(t, b.Extract(t.Context(), id, false))
	_, err := b.Retry(t.Context(), b.user, id, false)
	require.NoError(t, err)
	start := 0
	events, err := b.Watch(t.Context(), b.user, id, &start)
	require.NoError(t, err)
	b.ask = answer(draft(1))
	require.NoError(t, b.Extract(t.Context(), id, false))
	_, last := collect(events)
	assert.Equal(t, invoice.StageCompleted, last)
}

func TestAWatcherStaysForTheAnalysisThatFollows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.plans.follows = true
	id := b.submit(t, "photo").Invoice.ID
	require.NoError(t, b.Extract(t.Context(), id, false))
	last := b.lastEvent(t, id)
	assert.Equal(t, invoice.StageCompleted, last.Stage)
	assert.True(t, last.More)
	events, err := b.Watch(t.Context(), b.user, id, nil)
	require.NoError(t, err)
	assert.Equal(t, invoice.StageCompleted, (<-events).Stage)
	b.append(t, id, invoice.StageAnalyzing)
	b.append(t, id, invoice.StageAnalyzed)
	seqs, stage := collect(events)
	assert.Equal(t, []int{last.Seq + 1, last.Seq + 2}, seqs)
	assert.Equal(t, invoice.StageAnalyzed, stage)

	resumed, err := b.Watch(t.Context(), b.user, id, &last.Seq)
	require.NoError(t, err)
	seqs, _ = collect(resumed)
	assert.Equal(t, []int{last.Seq + 1, last.Seq + 2}, seqs)
}

func TestAnAnalysisThatEndsWhileTheInvoiceIsReadAgainEndsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.plans.follows = true
	inv := b.read(t, "photo", draft(1))
	inv = b.correct(t, invoice.Correction{
		InvoiceID: inv.ID, ExpectedVersion: inv.Version, Totals: invoice.TotalsCorrection{Due: set(*inv.Totals.Due + 100)},
	})
	_, err := b.Retry(t.Context(), b.user, inv.ID, false)
	require.NoError(t, err)
	b.append(t, inv.ID, invoice.StageAnalysisFailed)
	start := 0
	events, err := b.Watch(t.Context(), b.user, inv.ID, &start)
	require.NoError(t, err)
	b.plans.follows = false
	go func() { assert.NoError(t, b.Extract(t.Context(), inv.ID, false)) }()
	_, stage := collect(events)
	assert.Equal(t, invoice.StageCompleted, stage)
	assert.Equal(t, invoice.StatusCompleted, b.get(t, inv.ID).Status)
}

// append adds an event of an analysis, as whoever analyses does.
func (b *bundle) append(t *testing.T, id string, stage invoice.Stage) {
	t.Helper()
	e := invoice.Event{InvoiceID: id, Stage: stage, Status: b.get(t, id).Status, Percent: 100}
	require.NoError(t, b.store.InTx(t.Context(), func(ctx context.Context, tx invoice.Tx) (err error) {
		e, err = tx.AppendEvent(ctx, e)
		return err
	}))
	b.live.Publish(t.Context(), e)
}
