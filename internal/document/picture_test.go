package document

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
	"time"

	"github.com/gen2brain/heic"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/draw"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

func TestPagesKeepNothingButPixels(t *testing.T) {
	t.Parallel()
	_, img := picture(t, 3, "clean", 1)
	polyglot := append(receipts.WithEXIF(asJPEG(t, img), 1, true), "PK\x03\x04 a zip archive with a script"...)
	polyglot = append(polyglot[:2:2], append([]byte("\xff\xfe\x00\x0cJOSE SILVA"), polyglot[2:]...)...)
	require.Contains(t, string(polyglot), "Exif")
	page := read(t, polyglot).Pages[0]
	assert.Equal(t, "image/jpeg", page.MediaType)
	for _, secret := range []string{"Exif", "PK\x03\x04", "JOSE", "MM\x00*"} {
		assert.NotContains(t, string(page.Data), secret)
	}
	assert.Equal(t, []byte{0xff, 0xd9}, page.Data[len(page.Data)-2:])
}

func TestDamagedPicturesAreRefused(t *testing.T) {
	t.Parallel()
	_, img := picture(t, 4, "clean", 1)
	whole := asJPEG(t, img)
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	for name, data := range map[string][]byte{
		"jpeg cut in half":       whole[:len(whole)/2],
		"jpeg without its end":   whole[:len(whole)-200],
		"png cut in half":        b.Bytes()[:b.Len()/2],
		"png with a broken body": append(bytes.Clone(b.Bytes()[:b.Len()/2]), make([]byte, b.Len()/2)...),
		"webp cut":               []byte(onePixelWebP[:30]),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := shared().Read(t.Context(), []invoice.Content{{Data: data}}, nil)
			requireRefusal(t, err, invoice.CodeBadUserInput)
		})
	}
}

func TestPagesFitTheirBudgetOrTheirLeastSize(t *testing.T) {
	t.Parallel()
	noisy := image.NewRGBA(image.Rect(0, 0, 600, 800))
	rng := receipts.NewRand(9)
	for i := range noisy.Pix {
		noisy.Pix[i] = byte(rng.UintN(256)) // the worst there is: no JPEG of it is small
	}
	_, photo := picture(t, 5, "photo", 1)
	for name, img := range map[string]image.Image{"noise": noisy, "photo": photo} {
		r := New(Config{PageBytes: 40_000, MaxShortSide: 500, MinShortSide: 400}, discard())
		data, err := r.encodePage(r.scaled(img))
		require.NoError(t, err)
		c, err := jpeg.DecodeConfig(bytes.NewReader(data))
		require.NoError(t, err)
		assert.True(t, len(data) <= r.cfg.PageBytes || min(c.Width, c.Height) <= r.cfg.MinShortSide, "%s: %d bytes, %d by %d", name, len(data), c.Width, c.Height)
	}
}

func TestTransparencyIsPaper(t *testing.T) {
	t.Parallel()
	img := image.NewNRGBA(image.Rect(0, 0, 40, 40))
	for y := range 20 {
		for x := range 40 {
			img.SetNRGBA(x, y, color.NRGBA{0, 0, 0, 255})
		}
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	page, _, err := image.Decode(bytes.NewReader(read(t, b.Bytes()).Pages[0].Data))
	require.NoError(t, err)
	black, _, _, _ := page.At(20, 5).RGBA()
	white, _, _, _ := page.At(20, 35).RGBA()
	assert.Less(t, black, uint32(0x2000))
	assert.Greater(t, white, uint32(0xe000))
	assert.Greater(t, planeOf(img).pix[39*40], byte(0xf0))
}

func TestWebPIsRead(t *testing.T) {
	t.Parallel()
	assert.Len(t, read(t, []byte(onePixelWebP)).Pages, 1)
}

func TestHEICIsReadInTheSandbox(t *testing.T) {
	t.Parallel()
	if heic.Dynamic() == nil {
		t.Skip("built without the tag nodynamic on a machine with libheif")
	}
	data := moduleFile(t, "github.com/gen2brain/heic", "testdata/test.heic")
	found, err := shared().Inspect(t.Context(), data)
	require.NoError(t, err)
	assert.Equal(t, invoice.FileHEIC, found.Kind)
	got := read(t, data)
	require.Len(t, got.Pages, 1)
	w, h, ok := heifSize(data)
	require.True(t, ok)
	c, err := jpeg.DecodeConfig(bytes.NewReader(got.Pages[0].Data))
	require.NoError(t, err)
	wantW, wantH := scaledSize(w, h, shared().cfg.MaxShortSide, shared().cfg.MaxPagePixels)
	assert.Equal(t, []int{wantW, wantH}, []int{c.Width, c.Height})

	_, err = shared().Read(t.Context(), []invoice.Content{{Data: data[:len(data)/2]}}, nil)
	requireRefusal(t, err, invoice.CodeBadUserInput)
}

func TestHEICThatTakesTooLongIsUnavailable(t *testing.T) {
	t.Parallel()
	if heic.Dynamic() == nil {
		t.Skip("built without the tag nodynamic on a machine with libheif")
	}
	data := moduleFile(t, "github.com/gen2brain/heic", "testdata/gray.heic")
	r := New(Config{PictureTimeout: time.Nanosecond}, discard())
	r.heic <- struct{}{} // another picture hangs
	_, err := r.Read(t.Context(), []invoice.Content{{Data: data}}, nil)
	requireRefusal(t, err, invoice.CodeUnavailable)
}

// BenchmarkPrepare12MP is a phone's photo, from its bytes to the page, its QR code and its hash.
func BenchmarkPrepare12MP(b *testing.B) {
	r, style := receipt(1, receipts.Options{Items: 20})
	paper, err := r.Picture(style, 4)
	require.NoError(b, err)
	d, err := receipts.DistortionNamed("photo")
	require.NoError(b, err)
	photo := image.NewRGBA(image.Rect(0, 0, 3024, 4032))
	taken := d.Apply(paper, 4, receipts.NewRand(1))
	draw.ApproxBiLinear.Scale(photo, photo.Rect, taken, taken.Bounds(), draw.Src, nil)
	var buf bytes.Buffer
	require.NoError(b, jpeg.Encode(&buf, photo, &jpeg.Options{Quality: 88}))
	reader := New(Config{}, discard())
	img, err := jpeg.Decode(bytes.NewReader(buf.Bytes()))
	require.NoError(b, err)
	page := reader.scaled(img)
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			_, err := reader.Read(b.Context(), []invoice.Content{{Data: buf.Bytes()}}, nil)
			require.NoError(b, err)
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			_, _ = jpeg.Decode(bytes.NewReader(buf.Bytes()))
		}
	})
	b.Run("scale", func(b *testing.B) {
		for b.Loop() {
			_ = reader.scaled(img)
		}
	})
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			_, _ = reader.encodePage(page)
		}
	})
	b.Run("hash", func(b *testing.B) {
		gray := planeOf(page)
		for b.Loop() {
			_ = hashPicture(gray)
		}
	})
	b.Run("qr", func(b *testing.B) {
		gray := planeOf(page)
		for b.Loop() {
			_ = findQR(b.Context(), gray, func() plane { return planeOf(img) })
		}
	})
	b.Run("qr none", func(b *testing.B) {
		blank := planeOf(image.NewGray(image.Rect(0, 0, 1600, 2133)))
		full := planeOf(image.NewGray(image.Rect(0, 0, 3024, 4032)))
		for b.Loop() {
			_ = findQR(b.Context(), blank, func() plane { return full })
		}
	})
}
