package invoice_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// slip is a receipt whose code names the consumer.
func slip(seed uint64) receipts.Receipt {
	return receipts.Generate(receipts.NewRand(seed), receipts.Options{
		Items: 4, Plain: true, Issue: receipts.IssueOffline, QRVersion: 3, Consumer: receipts.ConsumerCPF,
	})
}

func found(d invoice.Draft) invoice.Record {
	return invoice.Record{State: "SP", Outcome: invoice.RecordFound, Draft: &d}
}

func unanswered(outcome invoice.RecordOutcome) invoice.Record {
	return invoice.Record{State: "SP", Outcome: outcome}
}

// answers has the states accept everything and answer in turn.
func (b *bundle) answers(records ...invoice.Record) {
	b.states.refuse, b.states.answers = nil, records
}

func (b *bundle) submitCode(t *testing.T, qr, key string) invoice.Submission {
	t.Helper()
	sub, err := b.Submit(t.Context(), invoice.SubmitInput{UserID: b.user, QRCode: qr, AccessKey: key})
	require.NoError(t, err)
	return sub
}

func TestASubmittedCodeIsDurableWithoutItsText(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := slip(1)
	b.answers(found(r.Draft()))
	require.Contains(t, r.QR, r.ConsumerCPF)
	sub := b.submitCode(t, r.QR, "")
	inv := b.get(t, sub.Invoice.ID)
	assert.Equal(t, invoice.StatusQueued, inv.Status)
	assert.Equal(t, int64(1), inv.JobID)
	require.Len(t, inv.Files, 1)
	assert.Equal(t, invoice.FileQR, inv.Files[0].Kind)
	kept, err := os.ReadFile(filepath.Join(b.files, inv.Files[0].BlobKey))
	require.NoError(t, err)
	assert.Equal(t, string(r.Key)+"|3|1", string(kept), "neither the consumer nor the rest of the code")
	assert.Empty(t, b.states.asked, "the answer does not wait for the state")

	require.NoError(t, b.Extract(t.Context(), inv.ID, false))
	inv = b.get(t, inv.ID)
	assert.Equal(t, invoice.StatusCompleted, inv.Status)
	assert.Equal(t, invoice.SourceSefaz, inv.Source)
	assert.InDelta(t, 1, *inv.Confidence, 0)
	require.Len(t, inv.Attempts, 1)
	assert.Equal(t, "sefaz SP ok", inv.Attempts[0].Provider+" "+inv.Attempts[0].Model+" "+inv.Attempts[0].Outcome)
	assert.Len(t, b.states.asked, 1)

	again := b.submitCode(t, "", r.Key.Grouped())
	require.NotNil(t, again.Duplicate)
	assert.Equal(t, invoice.DuplicateSameAccessKey, again.Duplicate.Reason)
	assert.Equal(t, 1, b.storedFiles(t))
	require.NoError(t, b.Delete(t.Context(), b.user, inv.ID))
	assert.Zero(t, b.storedFiles(t))
}

func TestACodeSentTwiceUnderOneKeyIsOneInvoice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.answers(unanswered(invoice.RecordNotYet))
	in := invoice.SubmitInput{UserID: b.user, QRCode: slip(1).QR, IdempotencyKey: "k"}
	one, err := b.Submit(t.Context(), in)
	require.NoError(t, err)
	two, err := b.Submit(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, one.Invoice.ID, two.Invoice.ID)
	assert.Nil(t, two.Duplicate)
	in.QRCode = slip(2).QR
	_, err = b.Submit(t.Context(), in)
	assert.Equal(t, invoice.CodeConflict, invoice.CodeOf(err))
}

func TestWhatIsNoCodeIsRefusedWithItsField(t *testing.T) {
	t.Parallel()
	r := slip(1)
	misread := []byte(r.QR)
	for i := range misread {
		if string(misread[i:i+44]) == string(r.Key) {
			misread[i+43] = '0' + (misread[i+43]-'0'+1)%10
			break
		}
	}
	hash := &invoice.Error{Code: invoice.CodeBadUserInput, Message: "A SEFAZ de SP só mostra a nota pelo QR code."}
	for name, c := range map[string]struct {
		in     invoice.SubmitInput
		states error
		field  string
		code   invoice.Code
	}{
		"a code of something else":       {invoice.SubmitInput{QRCode: "https://example.com/?p=1"}, nil, "qrCode", invoice.CodeBadUserInput},
		"a code read with a fault":       {invoice.SubmitInput{QRCode: string(misread)}, nil, "qrCode", invoice.CodeBadUserInput},
		"a key with a fault":             {invoice.SubmitInput{AccessKey: string(r.Key)[:43]}, nil, "accessKey", invoice.CodeBadUserInput},
		"a key where the hash is needed": {invoice.SubmitInput{AccessKey: string(r.Key)}, hash, "accessKey", invoice.CodeBadUserInput},
		"a code and a key":               {invoice.SubmitInput{QRCode: r.QR, AccessKey: string(r.Key)}, nil, "", invoice.CodeBadUserInput},
		"nothing":                        {invoice.SubmitInput{}, nil, "files", invoice.CodeBadUserInput},
	} {
		b := setup(t)
		b.answers(found(r.Draft()))
		b.states.refuse = c.states
		c.in.UserID = b.user
		_, err := b.Submit(t.Context(), c.in)
		e, ok := errors.AsType[*invoice.Error](err)
		require.True(t, ok, name)
		assert.Equal(t, c.code, e.Code, name)
		assert.Equal(t, c.field, e.Field, name)
		assert.NotContains(t, e.Error(), r.ConsumerCPF, name)
		assert.NotContains(t, e.Error(), string(r.Key), name)
		assert.Zero(t, b.total(t), name)
		assert.Zero(t, b.storedFiles(t), name)
	}
	b := setup(t)
	b.Official = nil
	_, err := b.Submit(t.Context(), invoice.SubmitInput{UserID: b.user, QRCode: r.QR})
	assert.Equal(t, invoice.CodeUnavailable, invoice.CodeOf(err), "where no state is asked")
	files := b.input("photo")
	files.AccessKey = string(r.Key)
	_, err = b.Submit(t.Context(), files)
	assert.Equal(t, invoice.CodeBadUserInput, invoice.CodeOf(err))
}

func TestACodeAloneWaitsForTheStateAndThenFailsWithASentence(t *testing.T) {
	t.Parallel()
	for _, outcome := range []invoice.RecordOutcome{invoice.RecordNotYet, invoice.RecordUnavailable} {
		t.Run(string(outcome), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			r := slip(3)
			b.answers(unanswered(outcome))
			b.ask = func(context.Context, invoice.ExtractionRequest, func(invoice.Progress)) (invoice.Extraction, error) {
				assert.Fail(t, "there is nothing to show a provider")
				return invoice.Extraction{}, nil
			}
			id := b.submitCode(t, r.QR, "").Invoice.ID
			wait := func() {
				last := time.Duration(0)
				for range 4 {
					err := b.Extract(t.Context(), id, true) // the queue's own count does not matter
					retry, ok := errors.AsType[*invoice.RetryError](err)
					require.True(t, ok)
					assert.Greater(t, retry.After, last)
					last = retry.After
					assert.Equal(t, invoice.StatusQueued, b.get(t, id).Status)
				}
				assert.Equal(t, 12*time.Hour, last)
				require.NoError(t, b.Extract(t.Context(), id, false))
			}
			wait()
			inv := b.get(t, id)
			assert.Equal(t, invoice.StatusFailed, inv.Status)
			assert.Contains(t, inv.Failure.Message, "SEFAZ de SP")
			assert.Len(t, inv.Attempts, 5)

			_, err := b.Retry(t.Context(), b.user, id, false)
			require.NoError(t, err)
			wait() // as long again
			_, err = b.Retry(t.Context(), b.user, id, false)
			require.NoError(t, err)
			b.answers(found(r.Draft()))
			require.NoError(t, b.Extract(t.Context(), id, false))
			assert.Equal(t, invoice.StatusCompleted, b.get(t, id).Status)
		})
	}
}

func TestWhatWaitingDoesNotHelpFailsAtOnce(t *testing.T) {
	t.Parallel()
	for outcome, code := range map[invoice.RecordOutcome]invoice.Code{
		invoice.RecordCaptcha: invoice.CodeUnavailable, invoice.RecordUnknownLayout: invoice.CodeUnavailable,
		invoice.RecordRefused: invoice.CodeBadUserInput, invoice.RecordCancelled: invoice.CodeConflict,
	} {
		b := setup(t)
		b.answers(unanswered(outcome))
		id := b.submitCode(t, slip(4).QR, "").Invoice.ID
		require.NoError(t, b.Extract(t.Context(), id, false))
		inv := b.get(t, id)
		assert.Equal(t, invoice.StatusFailed, inv.Status, outcome)
		assert.Equal(t, code, inv.Failure.Code, outcome)
		assert.Nil(t, b.submitCode(t, slip(4).QR, "").Duplicate, "a failed one is no duplicate")
	}
}

// photo has the reader find r's code on the picture.
func (b *bundle) photo(t *testing.T, r receipts.Receipt) {
	t.Helper()
	qr, err := fiscal.ParseQR(r.QR)
	require.NoError(t, err)
	b.reader.read = func([]invoice.Content) (invoice.Reading, error) {
		return invoice.Reading{Pages: []invoice.DocumentPage{{MediaType: "image/jpeg", Data: []byte("page")}}, QR: &qr}, nil
	}
}

func TestAPhotoWhoseCodeResolvesNeedsNoProvider(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := slip(5)
	b.photo(t, r)
	b.answers(found(r.Draft()))
	b.ask = refuse(errors.New("asked"))
	id := b.submit(t, "photo").Invoice.ID
	require.NoError(t, b.Extract(t.Context(), id, false))
	inv := b.get(t, id)
	assert.Equal(t, invoice.StatusCompleted, inv.Status)
	assert.Equal(t, invoice.SourceSefaz, inv.Source)
	assert.Empty(t, b.queue.confirm)
}

func TestAPhotoGoesToTheProvidersWhateverTheStateSays(t *testing.T) {
	t.Parallel()
	for _, outcome := range []invoice.RecordOutcome{
		invoice.RecordNotYet, invoice.RecordCaptcha, invoice.RecordUnknownLayout, invoice.RecordUnavailable, invoice.RecordRefused, invoice.RecordCancelled,
	} {
		b := setup(t)
		r := slip(6)
		b.photo(t, r)
		b.answers(unanswered(outcome))
		b.ask = answer(r.Draft())
		id := b.submit(t, "photo").Invoice.ID
		require.NoError(t, b.Extract(t.Context(), id, false))
		inv := b.get(t, id)
		assert.Equal(t, invoice.SourceModel, inv.Source, outcome)
		require.Len(t, inv.Attempts, 2, outcome)
		assert.Equal(t, "sefaz", inv.Attempts[0].Provider)
		want := invoice.StatusCompleted
		if outcome == invoice.RecordCancelled {
			want = invoice.StatusNeedsReview
		}
		assert.Equal(t, want, inv.Status, outcome)
		assert.Len(t, b.queue.confirm, map[bool]int{true: 1}[outcome == invoice.RecordNotYet], outcome)
	}
}

func TestACancelledNoteStaysDoubtfulThroughCorrections(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := slip(7)
	b.photo(t, r)
	b.answers(unanswered(invoice.RecordCancelled))
	b.ask = answer(r.Draft())
	id := b.submit(t, "photo").Invoice.ID
	require.NoError(t, b.Extract(t.Context(), id, false))
	inv := b.get(t, id)
	assert.Less(t, *inv.Confidence, 0.2)
	name := "Mercado"
	inv, err := b.Correct(t.Context(), b.user, invoice.Correction{
		InvoiceID: id, ExpectedVersion: inv.Version, IssuerName: invoice.Optional[string]{Set: true, Value: &name},
	})
	require.NoError(t, err)
	assert.Equal(t, invoice.StatusNeedsReview, inv.Status)
	last := inv.Checks[len(inv.Checks)-1]
	assert.Equal(t, invoice.CheckOfficialRecord, last.Name)
	assert.False(t, last.Passed)
}
