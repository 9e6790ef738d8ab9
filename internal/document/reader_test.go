package document

import (
	"context"
	"errors"
	"image"
	"sync"
	"testing"

	"codeberg.org/go-pdf/fpdf"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

func TestFilesKeepTheirOrderWhenReadAtOnce(t *testing.T) {
	t.Parallel()
	var calls int
	reader := New(Config{Pages: func(ctx context.Context, n int, fn func(ctx context.Context, i int) error) error {
		calls = n
		var wg sync.WaitGroup
		errs := make([]error, n)
		for i := range n {
			wg.Go(func() { errs[i] = fn(ctx, i) })
		}
		wg.Wait()
		return errors.Join(errs...)
	}}, discard())
	var files []invoice.Content
	for i, side := range []int{60, 50, 40, 30} {
		files = append(files, invoice.Content{File: invoice.File{Position: i + 2}, Data: asJPEG(t, image.NewGray(image.Rect(0, 0, side, side)))})
	}
	got, err := reader.Read(t.Context(), files, nil)
	require.NoError(t, err)
	assert.Equal(t, 4, calls)
	require.Len(t, got.Pages, 4)
	for i, f := range files {
		want := read(t, f.Data).Pages[0]
		assert.Equal(t, want, got.Pages[i])
		assert.Len(t, got.Hashes[i+2], hashSize)
	}

	files[1].Data, files[3].Data = []byte("GIF89a"), nil
	_, err = reader.Read(t.Context(), files, nil)
	requireRefusal(t, err, invoice.CodeUnsupportedMedia) // the first file's
	require.ErrorContains(t, err, "file 2")
}

func TestXMLBesidesPhotosGivesThePurchase(t *testing.T) {
	t.Parallel()
	r, img := picture(t, 7, "clean", 1.5)
	xml, err := r.XML(receipts.XMLOptions{})
	require.NoError(t, err)
	got, err := shared().Read(t.Context(), []invoice.Content{{Data: asJPEG(t, img)}, {File: invoice.File{Position: 1}, Data: xml}}, nil)
	require.NoError(t, err)
	assert.Equal(t, invoice.SourceXML, got.Source)
	assert.Equal(t, string(r.Key), got.Draft.AccessKey)
	assert.Empty(t, got.Pages)
	assert.Contains(t, got.Hashes, 0)
}

func TestPagesOfAllFilesAreBounded(t *testing.T) {
	t.Parallel()
	ten := document(t, 30, 30, func(p *fpdf.Fpdf) {
		for range 10 {
			p.AddPage()
		}
	})
	_, err := shared().Read(t.Context(), []invoice.Content{{Data: ten}, {Data: ten}}, nil)
	require.NoError(t, err)
	_, err = shared().Read(t.Context(), []invoice.Content{{Data: ten}, {Data: ten}, {Data: smallPNG(t)}}, nil)
	requireRefusal(t, err, invoice.CodeTooLarge)
}

func TestCancelledReadsEndWithTheContextsError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := shared().Read(ctx, []invoice.Content{{Data: smallPNG(t)}}, nil)
	require.ErrorIs(t, err, context.Canceled)
}
