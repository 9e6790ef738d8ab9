package receipts

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// PDF is the paper as the shop's system mails it: one page of the roll's width, text as text, the QR code as a picture.
func (r Receipt) PDF(s Style) ([]byte, error) {
	const (
		dot    = 25.4 / printerDPI // mm
		point  = 25.4 / 72         // mm
		margin = 5.0               // mm
		qrSide = 32.0              // mm
		em     = 0.6               // Courier's advance
	)
	lines := r.print(s)
	lineHeight := float64(s.LineHeight) * dot
	height := 2*margin + qrSide + lineHeight*float64(len(lines)-1)
	width := float64(s.PaperMM)
	doc := newPDF(width, height, r.IssuedAt)
	size := float64(s.CellWidth) * dot / em / point
	windows1252 := doc.UnicodeTranslatorFromDescriptor("")
	left := (width - float64(s.Columns*s.CellWidth)*dot) / 2

	code, err := r.qrPicture()
	if err != nil {
		return nil, err
	}
	y := margin
	for _, l := range lines {
		if l.code {
			placeJPEG(doc, "qr", code, (width-qrSide)/2, y, qrSide, qrSide)
			y += qrSide
			continue
		}
		weight := ""
		if l.bold {
			weight = "B"
		}
		doc.SetFont("Courier", weight, size)
		doc.Text(left, y+lineHeight*3/4, windows1252(l.text))
		y += lineHeight
	}
	return finish(doc)
}

// ScannedPDF is a PDF of one page with a picture and no text, as scanners make. The page is mm wide.
func ScannedPDF(img image.Image, mm float64, at time.Time) ([]byte, error) {
	data, err := JPEG(img, 80)
	if err != nil {
		return nil, err
	}
	b := img.Bounds()
	height := mm * float64(b.Dy()) / float64(b.Dx())
	doc := newPDF(mm, height, at)
	placeJPEG(doc, "page", data, 0, 0, mm, height)
	return finish(doc)
}

// newPDF starts a document of one page, in mm, whose bytes depend on nothing but its contents.
func newPDF(width, height float64, at time.Time) *fpdf.Fpdf {
	doc := fpdf.NewCustom(&fpdf.InitType{OrientationStr: "P", UnitStr: "mm", Size: fpdf.SizeType{Wd: width, Ht: height}})
	doc.SetCompression(false) // compressed bytes differ between versions of Go
	doc.SetCatalogSort(true)
	doc.SetCreationDate(at.UTC())
	doc.SetModificationDate(at.UTC())
	doc.SetProducer("receipts", true)
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	doc.AddPage()
	return doc
}

func placeJPEG(doc *fpdf.Fpdf, name string, data []byte, x, y, w, h float64) {
	kind := fpdf.ImageOptions{ImageType: "JPEG"}
	doc.RegisterImageOptionsReader(name, kind, bytes.NewReader(data))
	doc.ImageOptions(name, x, y, w, h, false, kind, 0, "")
}

func finish(doc *fpdf.Fpdf) ([]byte, error) {
	var b bytes.Buffer
	if err := doc.Output(&b); err != nil {
		return nil, fmt.Errorf("write PDF: %w", err)
	}
	return b.Bytes(), nil
}

// qrPicture is the QR code alone, eight pixels to a module: the squares of JPEG's compression fall on whole modules.
func (r Receipt) qrPicture() ([]byte, error) {
	modules, err := r.qrModules()
	if err != nil {
		return nil, err
	}
	const module = 8
	img := image.NewGray(image.Rect(0, 0, module*modules.GetWidth(), module*modules.GetHeight()))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	drawModules(img, modules, module, image.Point{})
	return JPEG(img, 90)
}
