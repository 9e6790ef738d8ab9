package cost_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/providers"
	"github.com/mercadoesperto/smarket/providers/offline/danfe"
)

// A photo or a PDF is handed in as a slip that names the purchase: the bytes of 10,000 pictures would cost time and no money.
const (
	photoSlip = "\xff\xd8\xff\xfe"
	pdfSlip   = "%PDF-"
)

var slipForm = regexp.MustCompile(`purchase (\d+) shot (\d+)\.`)

// file is what somebody uploads.
func (s submission) file() ([]byte, error) {
	switch s.form {
	case formXML:
		return s.receipt.XML(receipts.XMLOptions{})
	case formPDF:
		return []byte(pdfSlip + s.slip()), nil
	case formPhoto:
	}
	return []byte(photoSlip + s.slip()), nil
}

func (s submission) slip() string { return fmt.Sprintf("purchase %d shot %d.", s.serial, s.shot) }

// named finds a slip in bytes or in a text.
func named(data []byte) (serial, shot int, ok bool) {
	m := slipForm.FindSubmatch(data)
	if m == nil {
		return 0, 0, false
	}
	serial, _ = strconv.Atoi(string(m[1])) // digits
	shot, _ = strconv.Atoi(string(m[2]))
	return serial, shot, true
}

// reader is the service's own for XML. For a slip it has the service read one of the camera's pictures, once, and takes the
// result over: the page's size, and whether the QR code was found.
type reader struct {
	invoice.Reader

	world *world
	m     measures
}

// Inspect implements invoice.Reader.
func (r *reader) Inspect(ctx context.Context, data []byte) (invoice.Inspection, error) {
	switch {
	case bytes.HasPrefix(data, []byte(photoSlip)):
		return invoice.Inspection{Kind: invoice.FileJPEG}, nil
	case bytes.HasPrefix(data, []byte(pdfSlip)):
		return invoice.Inspection{Kind: invoice.FilePDF}, nil
	}
	return r.Reader.Inspect(ctx, data)
}

// Read implements invoice.Reader.
func (r *reader) Read(ctx context.Context, files []invoice.Content, found func(fiscal.QR)) (invoice.Reading, error) {
	serial, shot, ok := named(files[0].Data)
	switch {
	case !ok && r.m.ModelFree:
		return r.Reader.Read(ctx, files, found)
	case !ok:
		return invoice.Reading{Pages: []invoice.DocumentPage{{Text: string(files[0].Data)}}}, nil
	}
	p := r.world.purchases[serial]
	if p.form == formPDF {
		return r.pdf(p)
	}
	return r.photo(p, shot, files[0].File.Position, found)
}

func (r *reader) photo(p *purchase, number, position int, found func(fiscal.QR)) (invoice.Reading, error) {
	s := r.world.camera.of(submission{purchase: p, shot: number})
	reading, err := s.reading(r.Reader)
	if err != nil {
		return invoice.Reading{}, err
	}
	file := s.file
	if r.m.Scaling {
		file = reading.Pages[0].Data
	}
	page := invoice.DocumentPage{MediaType: "image/jpeg", Data: stamped(file, p.serial, number)}
	look := bytes.Clone(reading.Hashes[0])
	_, _ = rand.NewChaCha8(sha256.Sum256(page.Data)).Read(look[len(look)%8:]) // like no other picture; it never fails
	out := invoice.Reading{Pages: []invoice.DocumentPage{page}, Hashes: map[int][]byte{position: look}}
	if reading.QR != nil {
		qr, err := fiscal.ParseQR(p.receipt.QR)
		if err != nil {
			return invoice.Reading{}, fmt.Errorf("purchase %d: %w", p.serial, err)
		}
		out.QR = &qr
		if found != nil {
			found(qr)
		}
	}
	return out, nil
}

// pdf is the text that the till printed, and one of the camera's pages.
func (r *reader) pdf(p *purchase) (invoice.Reading, error) {
	text := p.text()
	if r.m.ModelFree {
		draft, err := providers.DraftFromReceipt(danfe.Parse([]string{text}))
		if err == nil && invoice.AllPassed(invoice.RunChecks(invoice.CheckInput{Draft: &draft, Now: time.Now()})) {
			return invoice.Reading{Draft: &draft, Source: invoice.SourcePDF}, nil
		}
	}
	page := r.world.camera.pages[p.serial%len(r.world.camera.pages)]
	return invoice.Reading{Pages: []invoice.DocumentPage{{
		MediaType: page.MediaType, Data: stamped(page.Data, p.serial, 0), Text: fiscal.MaskCPFs(text),
	}}}, nil
}

// stamped is a picture's headers, by which vendors count its tokens, and whose it is in the place of its pixels.
func stamped(file []byte, serial, shot int) []byte {
	page := bytes.Clone(file[:startOfScan(file)])
	return append(page, submission{purchase: &purchase{serial: serial}, shot: shot}.slip()...)
}
