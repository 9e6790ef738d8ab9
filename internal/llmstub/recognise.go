package llmstub

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"strings"
	"sync"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/mercadoesperto/smarket/internal/document"
	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// accessKeyLength is characters.
const accessKeyLength = 44

// pictured is what is on a picture with this perceptual hash: a receipt's key, or a word.
type pictured struct {
	look []byte
	what string
}

// sight is what looking at a picture or a PDF gave. Looking takes long, so each is looked at once.
type sight struct {
	look sync.Once
	key  string // of the QR code
	text string // of a PDF
	sum  []byte // perceptual hash; nil when the QR code was enough
}

// recognise is the receipt that a request is about: the first known one that a picture shows, by its QR code or by likeness to
// a registered picture, else the first whose key stands in a text.
func (s *Stub) recognise(ctx context.Context, req *Request) (sdk.Receipt, bool) {
	for _, m := range req.Media {
		seen := s.see(ctx, m)
		if r, ok := s.receipt(seen.key); ok {
			return r, true
		}
		if r, ok := s.inText(seen.text); ok {
			return r, true
		}
		if r, ok := s.receipt(s.alike(seen.sum, s.pictures)); ok {
			return r, true
		}
	}
	return s.inText(req.Text)
}

// word is what is written on the first picture of a request; "" when it is not known.
func (s *Stub) word(ctx context.Context, req *Request) string {
	for _, m := range req.Media {
		s.mu.Lock()
		word, wordPictures := s.words[m.sum], s.wordPictures
		s.mu.Unlock()
		if word == "" && len(wordPictures) > 0 {
			word = s.alike(s.see(ctx, m).sum, wordPictures)
		}
		if word != "" {
			return word
		}
	}
	return ""
}

func (s *Stub) receipt(key string) (sdk.Receipt, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.receipts[key]
	return r, ok
}

// inText finds a known key in a text, in groups or not.
func (s *Stub) inText(text string) (sdk.Receipt, bool) {
	bare := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z':
			return r
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return -1
	}, text)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := 0; i+accessKeyLength <= len(bare); i++ {
		if r, ok := s.receipts[bare[i:i+accessKeyLength]]; ok {
			return r, true
		}
	}
	return sdk.Receipt{}, false
}

func (s *Stub) alike(look []byte, among []pictured) string {
	for _, p := range among {
		if document.SamePicture(look, p.look) {
			return p.what
		}
	}
	return ""
}

func (s *Stub) see(ctx context.Context, m Media) *sight {
	id := m.sum
	s.mu.Lock()
	seen := s.sights[id]
	if seen == nil {
		seen = &sight{}
		s.sights[id] = seen
	}
	s.mu.Unlock()
	seen.look.Do(func() { s.lookAt(context.WithoutCancel(ctx), m, seen) }) // others may wait for it
	return seen
}

// lookAt tries what is cheap, then the product's own reader, which tries harder.
func (s *Stub) lookAt(ctx context.Context, m Media, seen *sight) {
	data := m.Data
	if m.Type == "application/pdf" {
		text, picture := insidePDF(data)
		if _, ok := s.inText(text); ok || picture == nil {
			seen.text = text
			return
		}
		data = picture
	}
	if img, _, err := image.Decode(bytes.NewReader(data)); err == nil {
		if seen.key = qrKey(img); seen.key != "" {
			return
		}
	}
	reading, err := s.read(ctx, data)
	if err != nil {
		return // no picture: nothing is seen on it
	}
	if reading.QR != nil {
		seen.key = string(reading.QR.Key)
	}
	seen.sum = reading.Hashes[0]
}

func (s *Stub) read(ctx context.Context, data []byte) (invoice.Reading, error) {
	return s.reader.Read(ctx, []invoice.Content{{Data: data}}, nil)
}

func (s *Stub) fingerprint(ctx context.Context, picture []byte) ([]byte, error) {
	reading, err := s.read(ctx, picture)
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	return reading.Hashes[0], nil
}

// qrKey is the access key in a picture's QR code; "" when none is found at once.
func qrKey(img image.Image) (key string) {
	defer func() {
		if recover() != nil { // the library panics on some broken codes
			key = ""
		}
	}()
	source := gozxing.NewLuminanceSourceFromImage(img)
	for _, binarizer := range []gozxing.Binarizer{
		gozxing.NewHybridBinarizer(source), gozxing.NewGlobalHistgramBinarizer(source),
	} {
		bitmap, err := gozxing.NewBinaryBitmap(binarizer)
		if err != nil {
			continue
		}
		result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
		if err != nil {
			continue
		}
		if qr, err := fiscal.ParseQR(result.GetText()); err == nil {
			return string(qr.Key)
		}
	}
	return ""
}
