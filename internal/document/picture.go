package document

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"time"

	"github.com/gen2brain/heic"
	"golang.org/x/image/webp"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// The quality a page starts at, and how far it is lowered to reach Config.PageBytes. Below 60 the small print of a receipt
// begins to smear.
const (
	firstQuality  = 80
	lowestQuality = 60
)

// errPicture says that a picture's bytes cannot be decoded: cut short, most of the time.
func errPicture(cause error) error {
	return badInput("A imagem está danificada ou incompleta: envie a foto de novo.", cause)
}

// pictureSize is the size in pixels that the headers state, without decoding any pixel.
func pictureSize(kind invoice.FileKind, data []byte) (width, height int, err error) {
	var c image.Config
	switch kind {
	case invoice.FileJPEG:
		c, err = jpeg.DecodeConfig(bytes.NewReader(data))
	case invoice.FilePNG:
		c, err = png.DecodeConfig(bytes.NewReader(data))
	case invoice.FileWebP:
		c, err = webp.DecodeConfig(bytes.NewReader(data))
	case invoice.FileHEIC:
		w, h, ok := heifSize(data)
		if !ok {
			return 0, 0, errPicture(errors.New("read heif boxes: no picture size"))
		}
		return w, h, nil
	case invoice.FilePDF, invoice.FileXML, invoice.FileQR:
		return 0, 0, fmt.Errorf("a %s has no size in pixels", kind)
	}
	if err != nil {
		return 0, 0, errPicture(fmt.Errorf("read picture header: %w", err))
	}
	return c.Width, c.Height, nil
}

// decodeMemory is about how many bytes decoding a picture takes at its peak.
func decodeMemory(kind invoice.FileKind, data []byte, pixels int) int64 {
	perPixel := 4
	switch kind {
	case invoice.FileJPEG:
		if progressive := bytes.Contains(data[:min(len(data), 1<<16)], []byte{0xff, 0xc2}); progressive {
			perPixel = 16 // coefficients of the whole picture are held as 32-bit numbers
		}
	case invoice.FilePNG:
		if len(data) > 24 && data[24] == 16 { // bits per channel
			perPixel = 8
		}
	case invoice.FileWebP, invoice.FileHEIC:
		perPixel = 8
	case invoice.FilePDF, invoice.FileXML, invoice.FileQR:
	}
	return int64(pixels) * int64(perPixel)
}

// decodePicture decodes a picture whose size was checked.
func (r *Reader) decodePicture(ctx context.Context, kind invoice.FileKind, data []byte) (image.Image, error) {
	var img image.Image
	var err error
	switch kind {
	case invoice.FileJPEG:
		img, err = jpeg.Decode(bytes.NewReader(data))
	case invoice.FilePNG:
		img, err = png.Decode(bytes.NewReader(data))
	case invoice.FileWebP:
		img, err = webp.Decode(bytes.NewReader(data))
	case invoice.FileHEIC:
		img, err = r.decodeHEIC(ctx, data)
	case invoice.FilePDF, invoice.FileXML, invoice.FileQR:
		err = fmt.Errorf("a %s is no picture", kind)
	}
	if err != nil {
		if _, told := errors.AsType[*invoice.Error](err); told || ctx.Err() != nil {
			return nil, err
		}
		return nil, errPicture(fmt.Errorf("decode %s: %w", kind, err))
	}
	// What was decoded is believed, not what the header said: a HEIC's two can differ.
	if err := checkPixels(img.Bounds().Dx(), img.Bounds().Dy()); err != nil {
		return nil, err
	}
	return img, nil
}

// decodeHEIC decodes in the library's WebAssembly sandbox, one picture at a time. The library cannot be interrupted: a decode
// that outlives the deadline keeps the only slot until it ends, and others are told to come later meanwhile.
func (r *Reader) decodeHEIC(ctx context.Context, data []byte) (image.Image, error) {
	if heic.Dynamic() == nil {
		// Without the build tag nodynamic the library loads libheif into this process where it finds one: hostile
		// pictures would be decoded outside the sandbox.
		return nil, &invoice.Error{
			Code: invoice.CodeUnavailable, Message: "Fotos HEIC não podem ser lidas agora: envie a foto como JPEG.",
			Cause: errors.New("built without the tag nodynamic, and libheif is installed"),
		}
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.PictureTimeout)
	defer cancel()
	select {
	case r.heic <- struct{}{}:
	case <-ctx.Done():
		return nil, errHEICBusy(ctx)
	}
	type result struct {
		img image.Image
		err error
	}
	done := make(chan result, 1)
	go func() {
		defer func() { <-r.heic }()
		img, err := decodeRecovered(data)
		done <- result{img, err}
	}()
	select {
	case got := <-done:
		return got.img, got.err
	case <-ctx.Done():
		return nil, errHEICBusy(ctx)
	}
}

func errHEICBusy(ctx context.Context) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ctx.Err()
	}
	return &invoice.Error{
		Code: invoice.CodeUnavailable, Message: "A leitura desta foto demorou demais: tente de novo ou envie-a como JPEG.",
		RetryAfter: time.Minute, Cause: errors.New("decode heic: deadline exceeded"),
	}
}

func decodeRecovered(data []byte) (img image.Image, err error) {
	defer func() {
		if p := recover(); p != nil {
			img, err = nil, fmt.Errorf("heic decoder: %v", p)
		}
	}()
	img, err = heic.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("heic decoder: %w", err)
	}
	return img, nil
}

// scaled is img at the size of scaledSize, on white where it is transparent, without anything but its pixels.
func (r *Reader) scaled(img image.Image) *image.RGBA {
	b := img.Bounds()
	w, h := scaledSize(b.Dx(), b.Dy(), r.cfg.MaxShortSide, r.cfg.MaxPagePixels)
	return resize(img, w, h)
}

// turned applies an EXIF orientation: what it gives is upright.
func turned(src *image.RGBA, orientation int) *image.RGBA {
	if orientation == upright {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	if orientation >= 5 { // a quarter turn is part of it
		w, h = h, w
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	sw, sh := src.Rect.Dx(), src.Rect.Dy()
	for y := range h {
		for x := range w {
			var sx, sy int
			switch orientation {
			case 2:
				sx, sy = sw-1-x, y
			case 3:
				sx, sy = sw-1-x, sh-1-y
			case 4:
				sx, sy = x, sh-1-y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = y, sh-1-x
			case 7:
				sx, sy = sw-1-y, sh-1-x
			case 8:
				sx, sy = sw-1-y, x
			default:
				sx, sy = x, y
			}
			copy(dst.Pix[dst.PixOffset(x, y):][:4], src.Pix[src.PixOffset(sx, sy):][:4])
		}
	}
	return dst
}

// encodePage makes the JPEG that a provider gets, of at most Config.PageBytes where lowering the quality and then the size, but
// not below Config.MinShortSide, can do it. Encoding anew is what drops metadata and whatever hides behind a picture's end.
func (r *Reader) encodePage(img *image.RGBA) ([]byte, error) {
	quality := firstQuality
	for {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
			return nil, fmt.Errorf("encode page: %w", err)
		}
		if b.Len() <= r.cfg.PageBytes {
			return b.Bytes(), nil
		}
		excess := float64(b.Len()) / float64(r.cfg.PageBytes)
		switch {
		case quality > lowestQuality && excess > 1.3:
			quality = lowestQuality
		case quality > lowestQuality:
			quality -= 10
		default:
			short := min(img.Rect.Dx(), img.Rect.Dy())
			smaller := max(r.cfg.MinShortSide, int(float64(short)*0.97/math.Sqrt(excess)))
			if smaller >= short {
				return b.Bytes(), nil
			}
			w, h := scaledSize(img.Rect.Dx(), img.Rect.Dy(), smaller, r.cfg.MaxPagePixels)
			img = resize(img, w, h)
		}
	}
}
