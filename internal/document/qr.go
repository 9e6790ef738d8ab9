package document

import (
	"context"
	"fmt"
	"image"
	"image/color"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

const (
	// maxQRWork bounds the search in one picture, in pixels looked at over all tries.
	maxQRWork = 48_000_000
	// maxQRPixels is the largest picture looked at in one try: modules are then still several pixels wide.
	maxQRPixels = 16_000_000
	// maxQRCenters bounds the finder patterns of one try: the library compares them three by three, so that a picture tiled
	// with them would take hours. A photo of a receipt has a few dozen that look like one.
	maxQRCenters = 200
)

// parseQR is what the text of a QR code says; nil when it is not that of an NFC-e. The text is not kept: it can hold a CPF.
func parseQR(text string) *fiscal.QR {
	qr, err := fiscal.ParseQR(text)
	if err != nil {
		return nil
	}
	return &qr
}

// plane is the brightness of a picture, a byte per pixel.
type plane struct {
	pix    []byte
	stride int
	w, h   int
}

// planeOf is the brightness of img, without copying where the picture holds it already.
func planeOf(img image.Image) plane {
	b := img.Bounds()
	p := plane{stride: b.Dx(), w: b.Dx(), h: b.Dy()}
	switch m := img.(type) {
	case *image.YCbCr:
		return plane{pix: m.Y[m.YOffset(b.Min.X, b.Min.Y):], stride: m.YStride, w: p.w, h: p.h}
	case *image.Gray:
		return plane{pix: m.Pix[m.PixOffset(b.Min.X, b.Min.Y):], stride: m.Stride, w: p.w, h: p.h}
	case *image.RGBA:
		p.pix = make([]byte, p.w*p.h)
		for y := range p.h {
			row := m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):]
			for x := range p.w {
				p.pix[y*p.w+x] = luma(row[4*x], row[4*x+1], row[4*x+2])
			}
		}
		return p
	}
	p.pix = make([]byte, p.w*p.h)
	for y := range p.h {
		for x := range p.w {
			c, _ := color.NRGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
			ink := (255 - uint32(luma(c.R, c.G, c.B))) * uint32(c.A) / 255 // what is transparent shows paper
			p.pix[y*p.w+x] = byte(255 - ink)
		}
	}
	return p
}

func luma(r, g, b byte) byte { return byte((19595*uint32(r) + 38470*uint32(g) + 7471*uint32(b)) >> 16) } //nolint:gosec // G115: the weights add up to 65536, so that the result is a byte

// crop is the part of p between two heights.
func (p plane) crop(top, bottom int) plane {
	return plane{pix: p.pix[top*p.stride:], stride: p.stride, w: p.w, h: bottom - top}
}

// reduced averages squares of n by n pixels, which also takes noise away.
func (p plane) reduced(n int) plane {
	out := plane{stride: p.w / n, w: p.w / n, h: p.h / n}
	out.pix = make([]byte, out.w*out.h)
	for y := range out.h {
		for x := range out.w {
			sum := 0
			for dy := range n {
				row := p.pix[(y*n+dy)*p.stride+x*n:]
				for dx := range n {
					sum += int(row[dx])
				}
			}
			out.pix[y*out.w+x] = byte(sum / (n * n)) //nolint:gosec // G115: a mean of bytes
		}
	}
	return out
}

// findQR looks for an NFC-e's QR code on a picture: first on the page as it goes to a provider, then on the picture in full,
// whole and in strips, then on a coarser one. full is asked for only when the page showed nothing. The code may be turned or
// mirrored: the search does not care. nil when nothing was found within maxQRWork.
func findQR(ctx context.Context, page plane, full func() plane) *fiscal.QR {
	work := 0
	try := func(p plane) *fiscal.QR {
		if p.w < 21 || p.h < 21 || ctx.Err() != nil || work+p.w*p.h > maxQRWork {
			return nil
		}
		work += p.w * p.h
		return scanQR(p)
	}
	if qr := try(page); qr != nil {
		return qr
	}
	whole := full()
	for whole.w*whole.h > maxQRPixels {
		whole = whole.reduced(2)
	}
	if whole.w*whole.h > page.w*page.h {
		if qr := try(whole); qr != nil {
			return qr
		}
	}
	if qr := try(page.reduced(2)); qr != nil {
		return qr
	}
	// Strips from the bottom up: that is where receipts have it, and less of the rest is there to be mistaken for it.
	if whole.h > whole.w/2 {
		strip := max(whole.h/3, min(whole.w, whole.h))
		for bottom := whole.h; bottom > 0; bottom -= max(1, strip/2) {
			top := max(0, bottom-strip)
			if qr := try(whole.crop(top, bottom)); qr != nil {
				return qr
			}
			if top == 0 {
				break
			}
		}
	}
	return try(whole.reduced(3))
}

// scanQR tries both binarizers on one picture: the local one copes with shade, the global one with flat renders and blur.
func scanQR(p plane) *fiscal.QR {
	source, err := gozxing.NewPlanarYUVLuminanceSource(p.pix, p.stride, p.h, 0, 0, p.w, p.h, false)
	if err != nil {
		return nil
	}
	for _, binarizer := range []gozxing.Binarizer{
		gozxing.NewHybridBinarizer(source), gozxing.NewGlobalHistgramBinarizer(source),
	} {
		text, err := decodeQR(binarizer)
		if err != nil {
			continue
		}
		if qr := parseQR(text); qr != nil {
			return qr
		}
	}
	return nil
}

// decodeQR is the text of the QR code in a black and white picture. The library panics on some broken codes: that is a code
// not found.
func decodeQR(binarizer gozxing.Binarizer) (text string, err error) {
	defer func() {
		if p := recover(); p != nil {
			text, err = "", fmt.Errorf("qr decoder: %v", p)
		}
	}()
	bitmap, err := gozxing.NewBinaryBitmap(binarizer)
	if err != nil {
		return "", fmt.Errorf("qr bitmap: %w", err)
	}
	matrix, err := bitmap.GetBlackMatrix()
	if err != nil {
		return "", fmt.Errorf("qr binarizer: %w", err)
	}
	centers := 0
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{
		gozxing.DecodeHintType_TRY_HARDER: true,
		gozxing.DecodeHintType_NEED_RESULT_POINT_CALLBACK: gozxing.ResultPointCallback(func(gozxing.ResultPoint) {
			if centers++; centers > maxQRCenters {
				matrix.Clear() // ends the search: nothing is left to be found
			}
		}),
	})
	if err != nil {
		return "", fmt.Errorf("qr decoder: %w", err)
	}
	return result.GetText(), nil
}
