package invoice_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store"
)

func TestAReadPurchaseWhoseLedgerClosesIsCompleted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.submit(t, "photo").Invoice.ID
	require.NoError(t, b.Extract(t.Context(), id, false))
	inv := b.get(t, id)
	assert.Equal(t, invoice.StatusCompleted, inv.Status)
	assert.Equal(t, invoice.SourceModel, inv.Source)
	assert.Equal(t, draft(1).AccessKey, inv.AccessKey)
	assert.Len(t, inv.Items, 4)
	assert.NotEmpty(t, inv.Checks)
	require.NotNil(t, inv.Confidence)
	require.Len(t, inv.Attempts, 1)
	assert.Equal(t, 1, inv.Attempts[0].Run)
	assert.Zero(t, inv.JobID)
	stages := b.stages(t, id)
	assert.Equal(t, []invoice.Stage{invoice.StageQueued, invoice.StageReading, invoice.StageExtracting}, stages[:3])
	assert.Equal(t, []invoice.Stage{invoice.StageChecking, invoice.StageCompleted}, stages[len(stages)-2:])
}

func TestPercentNeverFallsWithinARun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.submit(t, "photo").Invoice.ID
	require.NoError(t, b.Extract(t.Context(), id, false))
	events, err := b.store.Events(t.Context(), id, 0, 100)
	require.NoError(t, err)
	for i := 1; i < len(events); i++ {
		assert.GreaterOrEqual(t, events[i].Percent, events[i-1].Percent)
	}
	assert.Equal(t, 100, events[len(events)-1].Percent)
}

func TestPrintedFiguresAreKeptWhenTheyDoNotAddUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := draft(1)
	d.Items[0].Total += 1000
	b.ask = answer(d)
	id := b.submit(t, "photo").Invoice.ID
	require.NoError(t, b.Extract(t.Context(), id, false))
	inv := b.get(t, id)
	assert.Equal(t, invoice.StatusNeedsReview, inv.Status)
	assert.Equal(t, d.Items[0].Total, inv.Items[0].Total)
	assert.False(t, invoice.AllPassed(inv.Checks))
}

func TestADocumentThatSaysAllCostsNoProvider(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := draft(1)
	b.reader.read = func([]invoice.Content) (invoice.Reading, error) {
		return invoice.Reading{Draft: &d, Source: invoice.SourceXML}, nil
	}
	b.ask = refuse(errors.New("a provider was asked"))
	id := b.submit(t, "<xml/>").Invoice.ID
	require.NoError(t, b.Extract(t.Context(), id, false))
	inv := b.get(t, id)
	assert.Equal(t, invoice.StatusCompleted, inv.Status)
	assert.Equal(t, invoice.SourceXML, inv.Source)
	assert.Equal(t, "document", inv.Attempts[0].Provider)
}

func TestAPassingFailureIsTriedAgainAndTheLastTryFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.ask = refuse(&invoice.ExtractionError{Code: invoice.CodeUnavailable, Message: "O leitor está fora do ar.", RetryAfter: time.Minute})
	id := b.submit(t, "photo").Invoice.ID

	err := b.Extract(t.Context(), id, false)
	var retry *invoice.RetryError
	require.ErrorAs(t, err, &retry)
	assert.Equal(t, time.Minute, retry.After)
	assert.Equal(t, invoice.StatusQueued, b.get(t, id).Status)

	require.NoError(t, b.Extract(t.Context(), id, true))
	inv := b.get(t, id)
	assert.Equal(t, invoice.StatusFailed, inv.Status)
	assert.Equal(t, &invoice.Failure{Code: invoice.CodeUnavailable, Message: "O leitor está fora do ar."}, inv.Failure)
	assert.Len(t, inv.Attempts, 2, "failed tries are on record")
	assert.Equal(t, 1, b.storedFiles(t), "the paper may be thrown away by now")
	stages := b.stages(t, id)
	assert.Contains(t, stages, invoice.StageRetrying)
	assert.Equal(t, invoice.StageFailed, stages[len(stages)-1])
}

func TestAHopelessDocumentFailsAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.reader.read = func([]invoice.Content) (invoice.Reading, error) {
		return invoice.Reading{}, &invoice.Error{Code: invoice.CodeBadUserInput, Message: "A foto está incompleta."}
	}
	id := b.submit(t, "photo").Invoice.ID
	require.NoError(t, b.Extract(t.Context(), id, false))
	assert.Equal(t, invoice.CodeBadUserInput, b.get(t, id).Failure.Code)
}

func TestWhatIsNobodysFaultIsShownAsInternal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.ask = refuse(errors.New("secret detail"))
	id := b.submit(t, "photo").Invoice.ID
	require.NoError(t, b.Extract(t.Context(), id, true))
	inv := b.get(t, id)
	assert.Equal(t, invoice.CodeInternal, inv.Failure.Code)
	assert.NotContains(t, inv.Failure.Message, "secret")
}

func TestAFailedInvoiceDoesNotStandInTheWayOfABetterPhoto(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.ask = refuse(errors.New("unreadable"))
	failed := b.submit(t, "photo").Invoice.ID
	require.NoError(t, b.Extract(t.Context(), failed, true))
	assert.Nil(t, b.submit(t, "photo").Duplicate)
}

func TestARunThatWasOvertakenWritesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.submit(t, "photo").Invoice.ID
	second := draft(2)
	b.ask = func(ctx context.Context, req invoice.ExtractionRequest, observe func(invoice.Progress)) (invoice.Extraction, error) {
		b.ask = answer(second) // while the first run waits, its process is thought dead and another takes over
		require.NoError(t, b.Extract(ctx, id, false))
		return answer(draft(1))(ctx, req, observe)
	}
	require.ErrorIs(t, b.Extract(t.Context(), id, false), invoice.ErrSuperseded)
	inv := b.get(t, id)
	assert.Equal(t, second.AccessKey, inv.AccessKey)
	assert.Equal(t, 2, inv.Run)
	stages := b.stages(t, id)
	assert.Equal(t, invoice.StageCompleted, stages[len(stages)-1])
}

func TestCancellingAndDeletingWinOverARunningExtraction(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*bundle, context.Context, string) error{
		"cancel": func(b *bundle, ctx context.Context, id string) error {
			_, err := b.Cancel(ctx, b.user, id)
			return err
		},
		"delete": func(b *bundle, ctx context.Context, id string) error { return b.Delete(ctx, b.user, id) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			id := b.submit(t, "photo").Invoice.ID
			b.ask = func(ctx context.Context, req invoice.ExtractionRequest, observe func(invoice.Progress)) (invoice.Extraction, error) {
				require.NoError(t, end(b, ctx, id))
				return answer(draft(1))(ctx, req, observe)
			}
			require.ErrorIs(t, b.Extract(t.Context(), id, false), invoice.ErrSuperseded)
			assert.Equal(t, []int64{1}, b.queue.cancelled)
			if name == "cancel" {
				assert.Equal(t, invoice.StatusCancelled, b.get(t, id).Status)
				assert.Equal(t, 1, b.storedFiles(t))
			} else {
				assert.Zero(t, b.total(t))
				assert.Zero(t, b.storedFiles(t))
			}
		})
	}
}

func TestAProcessThatStopsWritesNoFailure(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.submit(t, "photo").Invoice.ID
	ctx, stop := context.WithCancel(t.Context())
	b.ask = func(ctx context.Context, _ invoice.ExtractionRequest, _ func(invoice.Progress)) (invoice.Extraction, error) {
		stop()
		return invoice.Extraction{}, ctx.Err()
	}
	require.ErrorIs(t, b.Extract(ctx, id, true), context.Canceled)
	assert.Equal(t, invoice.StatusProcessing, b.get(t, id).Status)
	b.ask = answer(draft(1))
	require.NoError(t, b.Extract(t.Context(), id, true))
	assert.Equal(t, invoice.StatusCompleted, b.get(t, id).Status)
}

func TestDuplicatesFoundWhileReading(t *testing.T) {
	t.Parallel()
	page := []invoice.DocumentPage{{MediaType: "image/jpeg", Data: []byte("x")}}
	key, err := fiscal.ParseAccessKey(draft(1).AccessKey)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		reading invoice.Reading // of both invoices
		drafts  [2]invoice.Draft
		reason  invoice.DuplicateReason
		asked   int // how many of the two cost a provider call
	}{
		"the key in the QR code": {
			reading: invoice.Reading{Pages: page, QR: &fiscal.QR{Key: key}}, drafts: [2]invoice.Draft{draft(1), draft(1)},
			reason: invoice.DuplicateSameAccessKey, asked: 1,
		},
		"a near-same picture": {
			reading: invoice.Reading{Pages: page, Hashes: map[int][]byte{0: {1, 2, 3}}}, drafts: [2]invoice.Draft{draft(1), draft(2)},
			reason: invoice.DuplicateSamePicture, asked: 1,
		},
		"the key on the paper": {
			reading: invoice.Reading{Pages: page}, drafts: [2]invoice.Draft{draft(1), draft(1)},
			reason: invoice.DuplicateSameAccessKey, asked: 2,
		},
		"issuer, moment and total": {
			reading: invoice.Reading{Pages: page}, drafts: [2]invoice.Draft{withoutKey(draft(1)), withoutKey(draft(1))},
			reason: invoice.DuplicateSamePurchase, asked: 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.reader.read = func([]invoice.Content) (invoice.Reading, error) { return test.reading, nil }
			asked := 0
			b.ask = func(ctx context.Context, req invoice.ExtractionRequest, observe func(invoice.Progress)) (invoice.Extraction, error) {
				asked++
				return answer(test.drafts[asked-1])(ctx, req, observe)
			}
			first, second := b.submit(t, "photo 1").Invoice.ID, b.submit(t, "photo 2").Invoice.ID
			require.NoError(t, b.Extract(t.Context(), first, false))
			require.NoError(t, b.Extract(t.Context(), second, false))
			dup := b.get(t, second)
			assert.Equal(t, invoice.StatusCancelled, dup.Status)
			assert.Equal(t, &invoice.Duplicate{Reason: test.reason, InvoiceID: first}, dup.Duplicate)
			assert.Equal(t, test.asked, asked)
			stages := b.stages(t, second)
			assert.Equal(t, invoice.StageDuplicate, stages[len(stages)-1])

			b.ask = answer(test.drafts[1])
			_, err := b.Retry(t.Context(), b.user, second, true)
			require.NoError(t, err)
			require.NoError(t, b.Extract(t.Context(), second, false))
			insisted := b.get(t, second)
			assert.True(t, insisted.Status == invoice.StatusCompleted || insisted.Status == invoice.StatusNeedsReview)
			assert.Nil(t, insisted.Duplicate)
		})
	}
}

func withoutKey(d invoice.Draft) invoice.Draft {
	d.AccessKey = ""
	return d
}

func TestTwoPurchasesOfOneShopAreNoDuplicates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := withoutKey(draft(1)), withoutKey(draft(1))
	second.Items[0].Quantity = decimal.NewFromInt(7)
	later := second.IssuedAt.Add(time.Minute)
	second.IssuedAt = &later
	a := b.submit(t, "photo 1").Invoice.ID
	b.ask = answer(first)
	require.NoError(t, b.Extract(t.Context(), a, false))
	c := b.submit(t, "photo 2").Invoice.ID
	b.ask = answer(second)
	require.NoError(t, b.Extract(t.Context(), c, false))
	assert.Nil(t, b.get(t, c).Duplicate)
}

func TestOnlyWhatEndedCanBeRetriedAndOnlyWhatRunsCanBeCancelled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.submit(t, "photo").Invoice.ID
	_, err := b.Retry(t.Context(), b.user, id, false)
	assert.Equal(t, invoice.CodeConflict, invoice.CodeOf(err))
	require.NoError(t, b.Extract(t.Context(), id, false))
	_, err = b.Cancel(t.Context(), b.user, id)
	assert.Equal(t, invoice.CodeConflict, invoice.CodeOf(err))
	_, err = b.Retry(t.Context(), b.user, id, false)
	assert.Equal(t, invoice.CodeConflict, invoice.CodeOf(err), "a complete invoice is not read again")
	require.ErrorIs(t, b.Extract(t.Context(), id, false), invoice.ErrSuperseded)
}

func TestWhatHasNoFilesAnyMoreCannotBeReadAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.ask = refuse(&invoice.ExtractionError{Code: invoice.CodeUnavailable, Message: "Fora do ar.", Permanent: true})
	id := b.submit(t, "photo", "second page").Invoice.ID
	require.NoError(t, b.Extract(t.Context(), id, false))
	inv := b.get(t, id)
	require.NoError(t, store.NewRetention(b.db).FilesRemoved(t.Context(), []string{inv.Files[1].ID}, b.Now()))
	_, err := b.Retry(t.Context(), b.user, id, false)
	var e *invoice.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, invoice.CodeConflict, e.Code)
	assert.Equal(t, "Os arquivos desta nota já foram apagados; envie a nota de novo.", e.Message)
	assert.Equal(t, invoice.StatusFailed, b.get(t, id).Status)
}

func TestAnotherUsersInvoiceIsNotThere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.submit(t, "photo").Invoice.ID
	const other = "01890a5d-ac96-774b-bcce-b302099a8057"
	_, err := b.Invoice(t.Context(), other, id)
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err))
	_, err = b.Retry(t.Context(), other, id, false)
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err))
	_, err = b.Cancel(t.Context(), other, id)
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err))
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(b.Delete(t.Context(), other, id)))
	_, err = b.Watch(t.Context(), other, id, nil)
	assert.Equal(t, invoice.CodeNotFound, invoice.CodeOf(err))
}

func TestAPreviewWritesNothingAndNeedsNothingToWriteTo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alone := invoice.NewService(invoice.Deps{Reader: b.Reader, Extractor: b.Extractor, NewID: b.NewID, Now: b.Now, Log: b.Log})
	var stages []invoice.Stage
	inv, err := alone.Preview(t.Context(), [][]byte{[]byte("photo")}, func(e invoice.Event) { stages = append(stages, e.Stage) })
	require.NoError(t, err)
	assert.Equal(t, invoice.StatusCompleted, inv.Status)
	assert.Len(t, inv.Items, 4)
	assert.Equal(t, []invoice.Stage{invoice.StageReading, invoice.StageExtracting, invoice.StageExtracting, invoice.StageChecking}, stages)
	assert.Zero(t, b.total(t))
	assert.Empty(t, b.shop.recorded)
}
