package receipts

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"

	"github.com/go-fonts/dejavu/dejavusansmono"
	"github.com/go-fonts/dejavu/dejavusansmonobold"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// printerDPI is the resolution of thermal print heads, and of a Picture at scale 1.
const printerDPI = 203

// ink is how dark thermal paper gets.
const ink = 28

// Picture is the paper as a flawless scan would show it, at scale times 203 dpi: 464 or 640 pixels wide at scale 1. It fails
// when scale is not within 0.5 to 8, or the QR text is too long for a code.
func (r Receipt) Picture(s Style, scale float64) (*image.Gray, error) {
	if scale < 0.5 || scale > 8 {
		return nil, fmt.Errorf("render receipt: scale %g is not within 0.5 to 8", scale)
	}
	modules, err := r.qrModules()
	if err != nil {
		return nil, err
	}
	px := func(dots int) int { return int(float64(dots)*scale + 0.5) }
	regular, err := newTypesetter(s, px(s.CellWidth), false)
	if err != nil {
		return nil, err
	}
	bold, err := newTypesetter(s, px(s.CellWidth), true)
	if err != nil {
		return nil, err
	}

	lines := r.print(s)
	width := px(s.PaperMM * printerDPI * 10 / 254)
	left := (width - s.Columns*px(s.CellWidth)) / 2
	// Whole pixels per module: a scanner's code is as sharp as its paper.
	dot := max(3, min(5, s.Columns*s.CellWidth*9/10/modules.GetWidth()))
	module := px(dot)
	lineHeight, margin := px(s.LineHeight), px(40)
	height := 2 * margin
	for _, l := range lines {
		if l.code {
			height += module * modules.GetHeight()
		} else {
			height += lineHeight
		}
	}

	img := image.NewGray(image.Rect(0, 0, width, height))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	black := image.NewUniform(color.Gray{Y: ink})
	y := margin
	for _, l := range lines {
		switch {
		case l.code:
			drawModules(img, modules, module, image.Pt((width-module*modules.GetWidth())/2, y))
			y += module * modules.GetHeight()
			continue
		case l.bold:
			bold.set(img, black, l.text, left, y+lineHeight*3/4)
		default:
			regular.set(img, black, l.text, left, y+lineHeight*3/4)
		}
		y += lineHeight
	}
	return img, nil
}

// qrModules is the QR code without its quiet zone: paper around it is white.
func (r Receipt) qrModules() (*gozxing.BitMatrix, error) {
	modules, err := qrcode.NewQRCodeWriter().Encode(r.QR, gozxing.BarcodeFormat_QR_CODE, 0, 0, map[gozxing.EncodeHintType]any{
		gozxing.EncodeHintType_ERROR_CORRECTION: decoder.ErrorCorrectionLevel_M, // the official level
		gozxing.EncodeHintType_MARGIN:           0,
	})
	if err != nil {
		return nil, fmt.Errorf("encode QR code: %w", err)
	}
	return modules, nil
}

func drawModules(img *image.Gray, modules *gozxing.BitMatrix, module int, at image.Point) {
	black := image.NewUniform(color.Gray{Y: ink})
	for y := range modules.GetHeight() {
		for x := range modules.GetWidth() {
			if modules.Get(x, y) {
				cell := image.Rect(x*module, y*module, (x+1)*module, (y+1)*module).Add(at)
				draw.Draw(img, cell, black, image.Point{}, draw.Src)
			}
		}
	}
}

// typesetter draws text in cells of one width, whatever the font's own advance.
type typesetter struct {
	face   font.Face
	cell   int
	glyphs map[rune]glyph // rasterized once: a receipt has some thousand characters and sixty different ones
}

type glyph struct {
	at   image.Rectangle // relative to the origin of the cell
	mask *image.Alpha
}

func newTypesetter(s Style, cell int, bold bool) (*typesetter, error) {
	data := gomono.TTF
	switch {
	case s.Typeface == TypefaceDejaVu && bold:
		data = dejavusansmonobold.TTF
	case s.Typeface == TypefaceDejaVu:
		data = dejavusansmono.TTF
	case bold:
		data = gomonobold.TTF
	}
	parsed, err := opentype.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("parse font: %w", err)
	}
	const advance = 0.6 // of both, in ems
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: float64(cell) / advance, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, fmt.Errorf("open font: %w", err)
	}
	return &typesetter{face: face, cell: cell, glyphs: map[rune]glyph{}}, nil
}

func (t *typesetter) set(dst draw.Image, src image.Image, text string, x, baseline int) {
	for _, c := range text {
		if c != ' ' {
			g := t.glyph(c)
			draw.DrawMask(dst, g.at.Add(image.Pt(x, baseline)), src, image.Point{}, g.mask, image.Point{}, draw.Over)
		}
		x += t.cell
	}
}

func (t *typesetter) glyph(c rune) glyph {
	if g, ok := t.glyphs[c]; ok {
		return g
	}
	at, mask, from, _, ok := t.face.Glyph(fixed.Point26_6{}, c)
	g := glyph{at: at, mask: image.NewAlpha(image.Rect(0, 0, at.Dx(), at.Dy()))}
	if ok { // a missing glyph stays blank
		draw.Draw(g.mask, g.mask.Bounds(), mask, from, draw.Src) // the face reuses its mask
	}
	t.glyphs[c] = g
	return g
}

// PNG encodes a picture.
func PNG(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("encode PNG: %w", err)
	}
	return b.Bytes(), nil
}

// JPEG encodes a picture at a quality of 1 to 100.
func JPEG(img image.Image, quality int) ([]byte, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("encode JPEG: %w", err)
	}
	return b.Bytes(), nil
}
