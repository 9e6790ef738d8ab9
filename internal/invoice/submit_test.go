package invoice_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

func TestAnAcceptedInvoiceHasItsFilesItsJobAndItsFirstEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sub := b.submit(t, "front", "back")
	assert.Nil(t, sub.Duplicate)
	inv := b.get(t, sub.Invoice.ID)
	assert.Equal(t, invoice.StatusQueued, inv.Status)
	assert.Equal(t, int64(1), inv.JobID)
	require.Len(t, inv.Files, 2)
	assert.Equal(t, []int{0, 1}, []int{inv.Files[0].Position, inv.Files[1].Position})
	assert.Equal(t, 2, b.storedFiles(t))
	assert.Equal(t, []invoice.Stage{invoice.StageQueued}, b.stages(t, inv.ID))
}

func TestAPictureIsKeptCleanAndKnownByWhatWasSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.reader.clean = []byte("pixels")
	inv := b.get(t, b.submit(t, "pixels and a place").Invoice.ID)
	require.Len(t, inv.Files, 1)
	assert.Equal(t, int64(len("pixels")), inv.Files[0].Size)
	data, err := os.ReadFile(filepath.Join(b.files, inv.Files[0].BlobKey))
	require.NoError(t, err)
	assert.Equal(t, "pixels", string(data))
	again := b.submit(t, "pixels and a place")
	require.NotNil(t, again.Duplicate)
	assert.Equal(t, invoice.DuplicateSameBytes, again.Duplicate.Reason)
	assert.Nil(t, b.submit(t, "pixels and another place").Duplicate)
}

func TestBadSubmissionsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*bundle, *invoice.SubmitInput)
		code   invoice.Code
		field  string
	}{
		"no file": {func(_ *bundle, in *invoice.SubmitInput) { in.Uploads = nil }, invoice.CodeBadUserInput, "files"},
		"11 files": {func(b *bundle, in *invoice.SubmitInput) {
			*in = b.input("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11")
		}, invoice.CodeBadUserInput, "files"},
		"too large": {func(_ *bundle, in *invoice.SubmitInput) {
			in.Uploads = append(in.Uploads, invoice.Upload{Content: endless{}})
		}, invoice.CodeTooLarge, "files.1"},
		"broken off": {func(_ *bundle, in *invoice.SubmitInput) {
			in.Uploads = append(in.Uploads, invoice.Upload{Content: broken{}})
		}, invoice.CodeBadUserInput, "files.1"},
		"refused by content": {func(b *bundle, _ *invoice.SubmitInput) {
			b.reader.refuse = &invoice.Error{Code: invoice.CodeUnsupportedMedia, Message: "Tipo de arquivo não aceito."}
		}, invoice.CodeUnsupportedMedia, "files.0"},
		"long idempotency key": {func(_ *bundle, in *invoice.SubmitInput) { in.IdempotencyKey = string(bytes.Repeat([]byte("k"), 201)) }, invoice.CodeBadUserInput, "idempotencyKey"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			in := b.input("photo")
			test.change(b, &in)
			_, err := b.Submit(t.Context(), in)
			var e *invoice.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, test.code, e.Code)
			assert.Equal(t, test.field, e.Field)
			assert.Zero(t, b.total(t))
			assert.Zero(t, b.storedFiles(t))
		})
	}
}

func TestTheSameBytesNameTheExistingInvoice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.submit(t, "photo")
	again := b.submit(t, "photo")
	require.NotNil(t, again.Duplicate)
	assert.Equal(t, invoice.Duplicate{Reason: invoice.DuplicateSameBytes, InvoiceID: first.Invoice.ID}, *again.Duplicate)
	assert.Equal(t, first.Invoice.ID, again.Invoice.ID)
	assert.Equal(t, 1, b.total(t))
	assert.Equal(t, 1, b.storedFiles(t))

	in := b.input("photo")
	in.AllowDuplicate = true
	insisted, err := b.Submit(t.Context(), in)
	require.NoError(t, err)
	assert.Nil(t, insisted.Duplicate)
	assert.NotEqual(t, first.Invoice.ID, insisted.Invoice.ID)
}

func TestTheSameBytesInAnotherOrderAreAnotherInvoice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.submit(t, "front", "back")
	assert.Nil(t, b.submit(t, "back", "front").Duplicate)
}

func TestTheAccessKeyOfAnXMLNamesTheExistingInvoice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.reader.key = "35261111222333000181650010000123451876543214"
	first := b.submit(t, "<one/>")
	again := b.submit(t, "<two/>")
	require.NotNil(t, again.Duplicate)
	assert.Equal(t, invoice.DuplicateSameAccessKey, again.Duplicate.Reason)
	assert.Equal(t, first.Invoice.ID, again.Invoice.ID)
}

func TestOfTwentySubmissionsAtOnceOneIsAccepted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var wg sync.WaitGroup
	results := make(chan invoice.Submission, 20)
	for range 20 {
		wg.Go(func() {
			sub, err := b.Submit(t.Context(), b.input("photo"))
			assert.NoError(t, err)
			results <- sub
		})
	}
	wg.Wait()
	close(results)
	accepted, ids := 0, map[string]bool{}
	for sub := range results {
		if sub.Duplicate == nil {
			accepted++
		}
		ids[sub.Invoice.ID] = true
	}
	assert.Equal(t, 1, accepted)
	assert.Len(t, ids, 1)
	assert.Equal(t, 1, b.storedFiles(t))
}

func TestAnIdempotencyKeyAnswersWhatTheFirstSubmissionDid(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in := func(content string) invoice.SubmitInput {
		in := b.input(content)
		in.IdempotencyKey = "tap 1"
		return in
	}
	first, err := b.Submit(t.Context(), in("photo"))
	require.NoError(t, err)
	again, err := b.Submit(t.Context(), in("photo"))
	require.NoError(t, err)
	assert.Equal(t, first.Invoice.ID, again.Invoice.ID)
	assert.Nil(t, again.Duplicate, "a repeated request is not a duplicate purchase")

	_, err = b.Submit(t.Context(), in("another photo"))
	var e *invoice.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, invoice.CodeConflict, e.Code)
	assert.Equal(t, "idempotencyKey", e.Field)
	assert.Equal(t, 1, b.storedFiles(t))
}
