package document

import (
	"context"
	"errors"
	"fmt"
	"image"
	stddraw "image/draw"
	"io"
	"math"
	"os"
	"sync"
	"time"

	"github.com/klippa-app/go-pdfium"
	pdferrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

const (
	pdfDPI = 200
	// pdfMemoryPages bounds the memory of one sandbox, in units of 64 KiB: 512 MiB.
	pdfMemoryPages = 8192
)

// pdfSandbox runs PDFium as WebAssembly: no file system, no network, bounded memory, and an instance of its own for each
// document, thrown away after it. Compiling the module takes seconds, so that is done for the first PDF only, and kept on
// disk when there is a folder for it.
type pdfSandbox struct {
	cacheDir string
	// slots bound the documents being read, looks those being inspected: an upload does not wait for the jobs.
	slots, looks chan struct{}

	mu     sync.Mutex // guards pool, cache, closed
	pool   pdfium.Pool
	cache  wazero.CompilationCache
	closed bool
}

func newPDFSandbox(cacheDir string, instances int) *pdfSandbox {
	return &pdfSandbox{cacheDir: cacheDir, slots: make(chan struct{}, instances), looks: make(chan struct{}, 1)}
}

// start compiles the module unless that was done. The runtime outlives the request that happens to be first.
func (s *pdfSandbox) start(ctx context.Context) (pdfium.Pool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("pdf sandbox: closed")
	}
	if s.pool != nil {
		return s.pool, nil
	}
	cache := wazero.NewCompilationCache()
	if s.cacheDir != "" {
		// Machine code is loaded from here: nobody else may write to it.
		if err := os.MkdirAll(s.cacheDir, 0o700); err != nil {
			return nil, fmt.Errorf("pdf sandbox: make cache folder: %w", err)
		}
		var err error
		if cache, err = wazero.NewCompilationCacheWithDir(s.cacheDir); err != nil {
			return nil, fmt.Errorf("pdf sandbox: open cache: %w", err)
		}
	}
	pool, err := webassembly.Init(webassembly.Config{
		Context:  context.WithoutCancel(ctx),
		MaxTotal: cap(s.slots) + cap(s.looks),
		FSConfig: wazero.NewFSConfig(), // the default would mount the root
		RuntimeConfig: wazero.NewRuntimeConfig().
			WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
			WithMemoryLimitPages(pdfMemoryPages).
			WithCompilationCache(cache).
			WithCloseOnContextDone(true), // what hangs can be killed
		Stdout: io.Discard, Stderr: io.Discard,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("pdf sandbox: %w", err), cache.Close(ctx))
	}
	s.pool, s.cache = pool, cache
	return pool, nil
}

// Close stops the sandbox; documents that are being read fail. It may be called twice, and without a start.
func (s *pdfSandbox) close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.pool == nil {
		return nil
	}
	err := errors.Join(s.pool.Close(), s.cache.Close(ctx))
	s.pool, s.cache = nil, nil
	return err
}

// pdfDocument is an open document in its own instance.
type pdfDocument struct {
	pdfium.Pdfium
	ref   references.FPDF_DOCUMENT
	pages int
}

// open opens a PDF in a fresh instance and lets use work with it, for at most timeout. slots is where its turn is counted.
// Whatever happens the instance is gone afterwards.
func (s *pdfSandbox) open(ctx context.Context, slots chan struct{}, timeout time.Duration, data []byte, use func(ctx context.Context, d pdfDocument) error) error {
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return fmt.Errorf("wait for the pdf sandbox: %w", ctx.Err())
	}
	pool, err := s.start(ctx) // not counted against the document's time
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	instance, err := pool.GetInstanceWithContext(limited)
	if err != nil {
		return fmt.Errorf("start a pdf instance: %w", err)
	}
	killed := make(chan struct{})
	stop := context.AfterFunc(limited, func() {
		defer close(killed)
		_ = instance.Kill() // its error says that the instance is gone
	})
	err = s.withDocument(limited, instance, data, use)
	if stop() {
		_ = instance.Close() // as above
	} else {
		<-killed
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("read pdf: %w", ctx.Err())
	case limited.Err() != nil:
		return badInput("A leitura deste PDF demorou demais: envie uma foto da nota.", fmt.Errorf("read pdf: %w", limited.Err()))
	}
	return err
}

func (s *pdfSandbox) withDocument(ctx context.Context, instance pdfium.Pdfium, data []byte, use func(ctx context.Context, d pdfDocument) error) error {
	opened, err := instance.OpenDocument(&requests.OpenDocument{File: &data})
	switch {
	case errors.Is(err, pdferrors.ErrPassword), errors.Is(err, pdferrors.ErrSecurity):
		return badInput("O PDF está protegido por senha: envie uma cópia sem senha.", err)
	case err != nil:
		return errPDF(fmt.Errorf("open pdf: %w", err))
	}
	count, err := instance.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: opened.Document})
	switch {
	case err != nil:
		return errPDF(fmt.Errorf("count pdf pages: %w", err))
	case count.PageCount < 1:
		return errPDF(errors.New("count pdf pages: none"))
	case count.PageCount > maxPDFPages:
		return tooLarge(fmt.Sprintf("O PDF tem páginas demais: o limite é de %d.", maxPDFPages))
	}
	return use(ctx, pdfDocument{Pdfium: instance, ref: opened.Document, pages: count.PageCount})
}

// errPDF says that a PDF cannot be read.
func errPDF(cause error) error {
	return badInput("O PDF está danificado e não pôde ser lido: envie-o de novo ou envie uma foto da nota.", cause)
}

func (d pdfDocument) page(i int) requests.Page {
	return requests.Page{ByIndex: &requests.PageByIndex{Document: d.ref, Index: i}}
}

// render draws a page at pdfDPI, or coarser where that would be more than maxPixels, on white.
func (d pdfDocument) render(i, maxPixels int) (*image.RGBA, error) {
	size, err := d.GetPageSize(&requests.GetPageSize{Page: d.page(i)})
	if err != nil {
		return nil, errPDF(fmt.Errorf("measure pdf page %d: %w", i+1, err))
	}
	w, h := size.Width*pdfDPI/72, size.Height*pdfDPI/72
	if !(w >= 1 && h >= 1 && w < 1e6 && h < 1e6) { // NaN too
		return nil, errPDF(fmt.Errorf("measure pdf page %d: no sane size", i+1))
	}
	if factor := math.Sqrt(float64(maxPixels) / (w * h)); factor < 1 {
		w, h = w*factor, h*factor
	}
	if w > maxSide || h > maxSide {
		return nil, errPDF(fmt.Errorf("measure pdf page %d: no sane shape", i+1))
	}
	drawn, err := d.RenderPageInPixels(&requests.RenderPageInPixels{
		Page: d.page(i), Width: max(1, int(w)), Height: max(1, int(h)),
	})
	if err != nil {
		return nil, errPDF(fmt.Errorf("render pdf page %d: %w", i+1, err))
	}
	defer drawn.Cleanup()
	src := drawn.Result.RenderedImage
	page := image.NewRGBA(image.Rect(0, 0, src.Bounds().Dx(), src.Bounds().Dy()))
	stddraw.Draw(page, page.Bounds(), image.White, image.Point{}, stddraw.Src)
	stddraw.Draw(page, page.Bounds(), src, src.Bounds().Min, stddraw.Over)
	return page, nil
}

// inspectPDF refuses what Read would refuse for its structure alone: a damaged or protected PDF, and one of too many pages.
func (r *Reader) inspectPDF(ctx context.Context, data []byte) error {
	return r.pdf.open(ctx, r.pdf.looks, r.cfg.PDFTimeout, data, func(context.Context, pdfDocument) error { return nil })
}

// readPDF reads the pages of a PDF: their text where they have some, the page as a picture, and the first QR code.
func (r *Reader) readPDF(ctx context.Context, data []byte) (part, error) {
	var p part
	err := r.pdf.open(ctx, r.pdf.slots, r.cfg.PDFTimeout, data, func(ctx context.Context, d pdfDocument) error {
		p = part{}
		for i := range d.pages {
			text, err := d.text(i)
			if err != nil {
				return err
			}
			img, err := d.render(i, r.cfg.MaxPagePixels)
			if err != nil {
				return err
			}
			if p.qr == nil {
				gray := planeOf(img)
				p.qr = findQR(ctx, gray, func() plane { return gray })
			}
			jpeg, err := r.encodePage(r.scaled(img))
			if err != nil {
				return err
			}
			p.pages = append(p.pages, invoice.DocumentPage{MediaType: "image/jpeg", Data: jpeg, Text: text})
		}
		return nil
	})
	return p, err
}
