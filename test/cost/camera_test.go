package cost_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	xdraw "golang.org/x/image/draw"

	"github.com/mercadoesperto/smarket/internal/document"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// shot is a photo as a phone makes it, or as a messenger passes it on.
type shot struct {
	file    []byte
	reading func(reader invoice.Reader) (invoice.Reading, error) // by the service's own reader, once
}

// camera has the pictures that stand for all: each purchase's photo is one of them, with other bytes.
type camera struct {
	shots []*shot
	pages []invoice.DocumentPage // of PDFs
}

// The sizes of photos: 12 megapixels, and what messengers make of them.
const (
	phoneWidth, phoneHeight         = 3024, 4032
	messengerWidth, messengerHeight = 1200, 1600
)

// newCamera draws the photos: of ten, three came through a messenger, and one does not show the QR code.
func newCamera(tb testing.TB) *camera {
	tb.Helper()
	const photos = 10
	c := &camera{shots: make([]*shot, photos)}
	var draws sync.WaitGroup
	for i := range photos {
		draws.Go(func() {
			file, err := photograph(i)
			if err != nil {
				tb.Error(err)
			}
			c.shots[i] = &shot{file: file, reading: readOnce(file)}
		})
	}
	draws.Wait()
	reader := document.New(document.Config{}, slog.New(slog.DiscardHandler))
	for i, items := range []int{4, 12, 25} {
		r := receipts.Generate(receipts.NewRand(uint64(900+i)), receipts.Options{Items: items, Plain: true})
		file, err := r.PDF(receipts.Styles()[2])
		require.NoError(tb, err)
		reading, err := reader.Read(tb.Context(), []invoice.Content{{Data: file}}, nil)
		require.NoError(tb, err)
		require.Len(tb, reading.Pages, 1)
		c.pages = append(c.pages, reading.Pages[0])
	}
	require.NoError(tb, reader.Close(tb.Context()))
	return c
}

// of is the picture that stands for a photo.
func (c *camera) of(s submission) *shot { return c.shots[(s.serial+3*s.shot)%len(c.shots)] }

// shows says that the service finds the QR code on the photo, once a run has read it.
func (c *camera) shows(s submission) bool {
	reading, err := c.of(s).reading(nil)
	return err == nil && reading.QR != nil
}

func readOnce(file []byte) func(invoice.Reader) (invoice.Reading, error) {
	var once sync.Once
	var reading invoice.Reading
	var err error
	return func(reader invoice.Reader) (invoice.Reading, error) {
		once.Do(func() {
			reading, err = reader.Read(context.Background(), []invoice.Content{{Data: file}}, nil)
		})
		return reading, err
	}
}

// photograph lays a receipt on a table and takes a picture of it.
func photograph(i int) ([]byte, error) {
	const scale = 1.5
	seed := uint64(500 + i)
	r := receipts.Generate(receipts.NewRand(seed), receipts.Options{Items: 4 + 3*i, Plain: true})
	paper, err := r.Picture(receipts.Styles()[i%len(receipts.Styles())], scale)
	if err != nil {
		return nil, fmt.Errorf("draw receipt %d: %w", i, err)
	}
	names := []string{"photo", "perspective", "tilt", "shade", "fade"}
	d, err := receipts.DistortionNamed(names[i%len(names)])
	if err != nil {
		return nil, fmt.Errorf("distort receipt %d: %w", i, err)
	}
	picture := d.Apply(paper, scale, receipts.NewRand(seed))
	width, height := phoneWidth, phoneHeight
	if i%10 >= 7 {
		width, height = messengerWidth, messengerHeight
	}
	from := picture.Bounds()
	if i%10 == 4 { // the end of the paper, with the code, is not in the picture
		from.Max.Y -= from.Dy() * 2 / 5
	}
	photo := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(photo, photo.Rect, image.NewUniform(color.RGBA{110, 92, 70, 255}), image.Point{}, draw.Src)
	factor := min(float64(width)/float64(from.Dx()), float64(height)/float64(from.Dy()))
	w, h := int(float64(from.Dx())*factor), int(float64(from.Dy())*factor)
	at := image.Rect(0, 0, w, h).Add(image.Pt((width-w)/2, (height-h)/2))
	xdraw.ApproxBiLinear.Scale(photo, at, picture, from, draw.Src, nil)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, photo, &jpeg.Options{Quality: 85}); err != nil {
		return nil, fmt.Errorf("encode photo %d: %w", i, err)
	}
	return b.Bytes(), nil
}

// startOfScan is where a JPEG's headers end, which state its size in pixels.
func startOfScan(file []byte) int {
	const scan = 0xda
	for i := 2; i+4 < len(file) && file[i] == 0xff; {
		next := i + 2 + int(file[i+2])<<8 + int(file[i+3])
		if file[i+1] == scan {
			return next
		}
		i = next
	}
	return len(file)
}
