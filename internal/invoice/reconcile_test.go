package invoice_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// read submits a photo that a provider read while the state did not have its note.
func (b *bundle) readByModel(t *testing.T, model invoice.Draft) *invoice.Invoice {
	t.Helper()
	b.photo(t, slip(8))
	b.answers(unanswered(invoice.RecordNotYet))
	b.ask = answer(model)
	id := b.submit(t, "photo").Invoice.ID
	require.NoError(t, b.Extract(t.Context(), id, false))
	require.Len(t, b.queue.confirm, 1)
	return b.get(t, id)
}

// blurred is what a model makes of r: a digit of a price, its sum and a word are wrong.
func blurred(d invoice.Draft) invoice.Draft {
	d.Items = append([]invoice.Item(nil), d.Items...)
	d.Items[1].Description = "LEITE DESNATADO"
	d.Items[1].Total += 100
	return d
}

func TestTheStatesRecordTakesThePlaceOfWhatAModelMisread(t *testing.T) {
	t.Parallel()
	b := setup(t)
	truth := slip(8).Draft()
	was := b.readByModel(t, blurred(truth))
	assert.Equal(t, invoice.StatusNeedsReview, was.Status)
	page := truth
	page.Items = append([]invoice.Item(nil), truth.Items...)
	for i := range page.Items {
		page.Items[i].GTIN = ""
	}
	b.answers(found(page))
	require.NoError(t, b.Reconcile(t.Context(), was.ID, was.Run, 1))

	inv := b.get(t, was.ID)
	assert.Equal(t, invoice.StatusCompleted, inv.Status)
	assert.Equal(t, invoice.SourceSefaz, inv.Source)
	assert.Equal(t, was.Items[1].ID, inv.Items[1].ID, "lines keep their ids")
	assert.Equal(t, truth.Items[1].Total, inv.Items[1].Total)
	assert.Equal(t, truth.Items[0].GTIN, inv.Items[0].GTIN, "what the record does not state stays as read")
	assert.Equal(t, was.ItemsVersion+1, inv.ItemsVersion)
	revisions, err := b.Revisions(t.Context(), b.user, []string{inv.ID})
	require.NoError(t, err)
	amendments := invoice.Amendments(inv, revisions[inv.ID])
	require.Len(t, amendments, 1)
	assert.Equal(t, invoice.SourceModel, amendments[0].Source)
	fields := map[string]string{}
	for _, c := range amendments[0].Changes() {
		fields[c.Field] = c.After
	}
	assert.Equal(t, map[string]string{
		"items.description": truth.Items[1].Description, "items.total": truth.Items[1].Total.String(),
	}, fields, "the difference is shown")
	assert.Equal(t, invoice.StageCompleted, b.stages(t, inv.ID)[len(b.stages(t, inv.ID))-1])
}

func TestARecordThatAgreesConfirmsAndRevisesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	truth := slip(8).Draft()
	was := b.readByModel(t, truth)
	b.answers(found(truth))
	require.NoError(t, b.Reconcile(t.Context(), was.ID, was.Run, 1))
	inv := b.get(t, was.ID)
	assert.Equal(t, invoice.SourceSefaz, inv.Source)
	assert.InDelta(t, 1, *inv.Confidence, 0)
	assert.Equal(t, was.ItemsVersion, inv.ItemsVersion)
	revisions, err := b.Revisions(t.Context(), b.user, []string{inv.ID})
	require.NoError(t, err)
	assert.Empty(t, revisions[inv.ID])
	assert.Len(t, inv.Attempts, 3)
}

func TestLinesThatAModelMissedOrMadeUpAreSetRight(t *testing.T) {
	t.Parallel()
	b := setup(t)
	truth := slip(8).Draft()
	short := truth
	short.Items = append([]invoice.Item{truth.Items[0]}, truth.Items[2:]...)
	was := b.readByModel(t, short)
	b.answers(found(truth))
	require.NoError(t, b.Reconcile(t.Context(), was.ID, was.Run, 1))
	inv := b.get(t, was.ID)
	require.Len(t, inv.Items, len(truth.Items))
	assert.Equal(t, was.Items[0].ID, inv.Items[0].ID)
	assert.Equal(t, was.Items[1].ID, inv.Items[2].ID)
	for _, it := range was.Items {
		assert.NotEqual(t, it.ID, inv.Items[1].ID)
	}
}

func TestTheUsersHandIsAboveTheRecord(t *testing.T) {
	t.Parallel()
	truth := slip(8).Draft()
	for name, hand := range map[string]func(*testing.T, *bundle, *invoice.Invoice){
		"corrected": func(t *testing.T, b *bundle, inv *invoice.Invoice) {
			t.Helper()
			name := "Mercado"
			_, err := b.Correct(t.Context(), b.user, invoice.Correction{
				InvoiceID: inv.ID, ExpectedVersion: inv.Version, IssuerName: invoice.Optional[string]{Set: true, Value: &name},
			})
			require.NoError(t, err)
		},
		"confirmed": func(t *testing.T, b *bundle, inv *invoice.Invoice) {
			t.Helper()
			_, err := b.Confirm(t.Context(), b.user, inv.ID, inv.Version)
			require.NoError(t, err)
		},
		"read again": func(t *testing.T, b *bundle, inv *invoice.Invoice) {
			t.Helper()
			_, err := b.Retry(t.Context(), b.user, inv.ID, false)
			require.NoError(t, err)
		},
	} {
		b := setup(t)
		was := b.readByModel(t, blurred(truth))
		hand(t, b, was)
		before := b.get(t, was.ID)
		asked := len(b.states.asked)
		b.answers(found(truth))
		require.NoError(t, b.Reconcile(t.Context(), was.ID, was.Run, 1), name)
		after := b.get(t, was.ID)
		assert.Equal(t, before.Version, after.Version, name)
		assert.Len(t, b.states.asked, asked, "%s: the state is not even asked", name)
	}
	b := setup(t) // while the state is asked
	was := b.readByModel(t, blurred(truth))
	b.answers(found(truth))
	b.states.while = func() {
		_, err := b.Confirm(t.Context(), b.user, was.ID, was.Version)
		assert.NoError(t, err)
	}
	require.NoError(t, b.Reconcile(t.Context(), was.ID, was.Run, 1))
	assert.Equal(t, invoice.SourceModel, b.get(t, was.ID).Source)

	require.NoError(t, b.Delete(t.Context(), b.user, was.ID))
	require.NoError(t, b.Reconcile(t.Context(), was.ID, was.Run, 1), "deleted")
}

func TestTheStateIsAskedAgainLaterAndLaterAndThenNoMore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	was := b.readByModel(t, slip(8).Draft())
	var waits []time.Duration
	for try := 1; try <= 3; try++ {
		require.Len(t, b.queue.confirm, try)
		job := b.queue.confirm[try-1]
		assert.Equal(t, confirmation{was.ID, was.Run, try, job.at}, job)
		waits = append(waits, time.Until(job.at).Round(time.Minute))
		require.NoError(t, b.Reconcile(t.Context(), job.id, job.run, job.try))
	}
	assert.Len(t, b.queue.confirm, 3)
	assert.IsIncreasing(t, waits)
	b.answers(unanswered(invoice.RecordCaptcha))
	require.NoError(t, b.Reconcile(t.Context(), was.ID, was.Run, 1))
	assert.Len(t, b.queue.confirm, 3, "a captcha stays one")
	assert.Equal(t, was.Version, b.get(t, was.ID).Version)
}

func TestANoteThatWasCancelledLaterNeedsReview(t *testing.T) {
	t.Parallel()
	b := setup(t)
	was := b.readByModel(t, slip(8).Draft())
	b.answers(unanswered(invoice.RecordCancelled))
	require.NoError(t, b.Reconcile(t.Context(), was.ID, was.Run, 1))
	inv := b.get(t, was.ID)
	assert.Equal(t, invoice.StatusNeedsReview, inv.Status)
	assert.Equal(t, invoice.SourceModel, inv.Source)
}
