package document

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// Config of a Reader. The zero value is usable.
type Config struct {
	// CacheDir is where the compiled PDF sandbox is kept between starts; it must be writable by this service alone. ""
	// keeps it in memory, and the first PDF of each start waits some seconds longer. Defaults to "".
	CacheDir string
	// PDFInstances is how many PDFs are read at once; each takes up to 512 MiB. One more may be inspected meanwhile.
	// Defaults to 1.
	PDFInstances int
	// PDFTimeout is how long one PDF may take; it is refused then. Defaults to 60 s.
	PDFTimeout time.Duration
	// PictureTimeout is how long one HEIC may take to wait its turn and be decoded. Defaults to 60 s.
	PictureTimeout time.Duration
	// DecodeMemory bounds the bytes that pictures being decoded take together; one alone may always be decoded.
	// Defaults to 400 MiB.
	DecodeMemory int64
	// MaxShortSide is the short side of a page in pixels; a larger picture is scaled down to it. Raise it when receipts are
	// photographed from afar, lower it to save tokens. Defaults to 1536: two of the tiles of 768 pixels that Gemini counts, by a
	// pixel more three.
	MaxShortSide int
	// MinShortSide is how far the short side may be scaled down to reach PageBytes. Defaults to 1100: 48 columns of a
	// receipt that fills the picture then have over 20 pixels a letter.
	MinShortSide int
	// MaxPagePixels bounds a page's pixels. Defaults to 4,000,000.
	MaxPagePixels int
	// PageBytes is what a page's JPEG should not exceed. Defaults to 300,000.
	PageBytes int
	// Pages runs fn(ctx, i) for every i below n, several at once if it likes, and returns when all have ended; its error is
	// fn's first. It bounds the work of all documents together. Defaults to one after the other.
	Pages func(ctx context.Context, n int, fn func(ctx context.Context, i int) error) error
	// ParseText makes a purchase of the text of pages in their order; whole says that nothing is missing: it has items and
	// an amount due, and they agree. Defaults to none, and text is left to the providers.
	ParseText func(pages []string) (draft *invoice.Draft, whole bool)
}

func (c *Config) setDefaults() {
	c.PDFInstances = orDefault(c.PDFInstances, 1)
	c.PDFTimeout = orDefault(c.PDFTimeout, time.Minute)
	c.PictureTimeout = orDefault(c.PictureTimeout, time.Minute)
	c.DecodeMemory = orDefault(c.DecodeMemory, 400<<20)
	c.MaxShortSide = orDefault(c.MaxShortSide, 1536)
	c.MinShortSide = orDefault(c.MinShortSide, 1100)
	c.MaxPagePixels = orDefault(c.MaxPagePixels, 4_000_000)
	c.PageBytes = orDefault(c.PageBytes, 300_000)
	if c.Pages == nil {
		c.Pages = oneByOne
	}
	if c.ParseText == nil {
		c.ParseText = func([]string) (*invoice.Draft, bool) { return nil, false }
	}
}

func orDefault[T int | int64 | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

func oneByOne(ctx context.Context, n int, fn func(ctx context.Context, i int) error) error {
	for i := range n {
		if err := fn(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// Reader reads documents. It may be used by several goroutines at once.
type Reader struct {
	cfg    Config
	log    *slog.Logger
	pdf    *pdfSandbox
	heic   chan struct{}       // holds one token while a HEIC is decoded
	memory *semaphore.Weighted // bytes of pictures being decoded
}

var _ invoice.Reader = (*Reader)(nil)

// New makes a Reader. Nothing is started: the PDF sandbox starts with the first PDF. Close it when done.
func New(cfg Config, log *slog.Logger) *Reader {
	cfg.setDefaults()
	return &Reader{
		cfg: cfg, log: log, pdf: newPDFSandbox(cfg.CacheDir, cfg.PDFInstances),
		heic: make(chan struct{}, 1), memory: semaphore.NewWeighted(cfg.DecodeMemory),
	}
}

// Close stops the PDF sandbox; PDFs that are being read fail. It may be called twice.
func (r *Reader) Close(ctx context.Context) error { return r.pdf.close(ctx) }

// Inspect implements invoice.Reader. Its cost is that of reading headers; an XML is read whole, and a PDF is opened in the
// sandbox, which is started for it if it is the first.
func (r *Reader) Inspect(ctx context.Context, data []byte) (invoice.Inspection, error) {
	kind, err := r.admit(data)
	if err != nil {
		return invoice.Inspection{}, err
	}
	found := invoice.Inspection{Kind: kind}
	switch kind {
	case invoice.FileXML:
		draft, _, err := readXML(data)
		if err != nil {
			return invoice.Inspection{}, err
		}
		found.AccessKey, found.Clean = draft.AccessKey, scrubbed(kind, data)
	case invoice.FilePDF:
		if err := r.inspectPDF(ctx, data); err != nil {
			return invoice.Inspection{}, err
		}
	case invoice.FileJPEG, invoice.FilePNG, invoice.FileWebP, invoice.FileHEIC, invoice.FileQR:
		found.Clean = scrubbed(kind, data)
	}
	return found, nil
}

// admit checks what costs nothing: size, kind, and a picture's pixels.
func (r *Reader) admit(data []byte) (invoice.FileKind, error) {
	if len(data) > maxFileBytes {
		return "", tooLarge("O arquivo é grande demais: o limite é de 20 MB.")
	}
	kind, err := sniff(data)
	if err != nil || kind == invoice.FilePDF || kind == invoice.FileXML {
		return kind, err
	}
	w, h, err := pictureSize(kind, data)
	if err != nil {
		return "", err
	}
	return kind, checkPixels(w, h)
}

// part is what one file says.
type part struct {
	draft *invoice.Draft // of an XML
	qr    *fiscal.QR
	pages []invoice.DocumentPage
	hash  []byte // of a picture
}

// Read implements invoice.Reader. An XML among the files gives the purchase, whatever the others show; the text of PDFs
// comes next; the pages are for a provider when neither does. Files are read afresh: what they were inspected as is not
// believed. The error is the first file's that cannot be read.
func (r *Reader) Read(ctx context.Context, files []invoice.Content, found func(fiscal.QR)) (invoice.Reading, error) {
	var once sync.Once
	see := func(qr *fiscal.QR) {
		if qr != nil && found != nil {
			once.Do(func() { found(*qr) })
		}
	}
	parts := make([]part, len(files))
	faults := make([]error, len(files))
	err := r.cfg.Pages(ctx, len(files), func(ctx context.Context, i int) error {
		parts[i], faults[i] = r.readFile(ctx, files[i], see)
		return faults[i]
	})
	for i, fault := range faults {
		if fault != nil && !errors.Is(fault, context.Canceled) {
			return invoice.Reading{}, fmt.Errorf("read file %d: %w", i+1, fault)
		}
	}
	if err != nil {
		return invoice.Reading{}, fmt.Errorf("read files: %w", err)
	}
	return r.assemble(ctx, files, parts)
}

func (r *Reader) readFile(ctx context.Context, file invoice.Content, see func(*fiscal.QR)) (part, error) {
	if err := ctx.Err(); err != nil {
		return part{}, err
	}
	kind, err := r.admit(file.Data)
	if err != nil {
		return part{}, err
	}
	switch kind {
	case invoice.FileXML:
		draft, qr, err := readXML(file.Data)
		return part{draft: draft, qr: qr}, err
	case invoice.FilePDF:
		return r.readPDF(ctx, file.Data)
	case invoice.FileJPEG, invoice.FilePNG, invoice.FileWebP, invoice.FileHEIC, invoice.FileQR:
	}
	return r.readPicture(ctx, kind, file.Data, see)
}

// readPicture makes the page of a picture, and finds its QR code and its hash. see is told of the code before the page is made.
func (r *Reader) readPicture(ctx context.Context, kind invoice.FileKind, data []byte, see func(*fiscal.QR)) (part, error) {
	var p part
	err := r.withPicture(ctx, kind, data, func(img image.Image, page *image.RGBA) error {
		gray := planeOf(page)
		p.hash = hashPicture(gray)
		p.qr = findQR(ctx, gray, func() plane { return planeOf(img) })
		see(p.qr)
		jpeg, err := r.encodePage(page)
		p.pages = []invoice.DocumentPage{{MediaType: "image/jpeg", Data: jpeg}}
		return err
	})
	return p, err
}

// withPicture decodes a picture, when there is memory for it, and hands it to use with the upright, scaled page that is made of
// it.
func (r *Reader) withPicture(
	ctx context.Context, kind invoice.FileKind, data []byte, use func(img image.Image, page *image.RGBA) error,
) error {
	w, h, err := pictureSize(kind, data)
	if err != nil {
		return err
	}
	need := min(decodeMemory(kind, data, w*h), r.cfg.DecodeMemory)
	if err := r.memory.Acquire(ctx, need); err != nil {
		return fmt.Errorf("wait to decode a picture: %w", err)
	}
	defer r.memory.Release(need)
	img, err := r.decodePicture(ctx, kind, data)
	if err != nil {
		return err
	}
	return use(img, turned(r.scaled(img), orientation(kind, data)))
}

// assemble puts the parts together in the files' order.
func (r *Reader) assemble(ctx context.Context, files []invoice.Content, parts []part) (invoice.Reading, error) {
	reading := invoice.Reading{Hashes: make(map[int][]byte)}
	var texts []string
	for i, p := range parts {
		if p.hash != nil {
			reading.Hashes[files[i].File.Position] = p.hash
		}
		if p.draft != nil {
			if reading.Draft != nil && reading.Draft.AccessKey != p.draft.AccessKey {
				return invoice.Reading{}, badInput("Os arquivos são de notas diferentes: envie uma nota por vez.", nil)
			}
			if reading.Draft == nil {
				reading.Draft, reading.Source, reading.QR = p.draft, invoice.SourceXML, p.qr
			}
		}
		reading.Pages = append(reading.Pages, p.pages...)
		for _, page := range p.pages {
			if page.Text != "" {
				texts = append(texts, page.Text)
			}
		}
	}
	for _, p := range parts {
		if reading.QR == nil {
			reading.QR = p.qr
		}
	}
	if reading.Draft == nil && len(texts) > 0 {
		if draft, whole := r.cfg.ParseText(texts); whole && draft != nil {
			reading.Draft, reading.Source = draft, invoice.SourcePDF
		}
	}
	r.log.DebugContext(ctx, "documents read", "files", len(files), "pages", len(reading.Pages), "text_pages", len(texts),
		"whole", reading.Draft != nil, "source", string(reading.Source), "qr", reading.QR != nil)
	if reading.Draft != nil {
		reading.Pages = nil
		return reading, nil
	}
	if len(reading.Pages) > maxPages {
		return invoice.Reading{}, tooLarge(fmt.Sprintf("A nota tem páginas demais: o limite é de %d somando os arquivos.", maxPages))
	}
	for i := range reading.Pages {
		reading.Pages[i].Text = fiscal.MaskCPFs(reading.Pages[i].Text)
	}
	return reading, nil
}
