package document

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"strings"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// document is a PDF made by draw, in mm.
func document(tb testing.TB, w, h float64, draw func(p *fpdf.Fpdf)) []byte {
	tb.Helper()
	p := fpdf.NewCustom(&fpdf.InitType{UnitStr: "mm", Size: fpdf.SizeType{Wd: w, Ht: h}})
	p.SetFont("Helvetica", "", 10)
	draw(p)
	var b bytes.Buffer
	require.NoError(tb, p.Output(&b))
	return b.Bytes()
}

// printed are the lines of a text without the blanks at their ends and the margin that all have.
func printed(text string) []string {
	margin := -1
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " ")
		if line == "" {
			continue
		}
		if blanks := len(line) - len(strings.TrimLeft(line, " ")); margin < 0 || blanks < margin {
			margin = blanks
		}
		lines = append(lines, line)
	}
	for i := range lines {
		lines[i] = lines[i][margin:]
	}
	return lines
}

func TestPDFTextIsLaidOutAsPrinted(t *testing.T) {
	t.Parallel()
	for i, style := range receipts.Styles() {
		t.Run(style.Name, func(t *testing.T) {
			t.Parallel()
			r, _ := receipt(uint64(i+1), receipts.Options{Items: 12, Consumer: receipts.ConsumerNone})
			data, err := r.PDF(style)
			require.NoError(t, err)
			got := read(t, data)
			require.Len(t, got.Pages, 1)
			assert.Equal(t, printed(strings.Join(r.Paper(style), "\n")), printed(got.Pages[0].Text))
			require.NotNil(t, got.QR)
			assert.Equal(t, r.Key, got.QR.Key)
			c, err := jpeg.DecodeConfig(bytes.NewReader(got.Pages[0].Data))
			require.NoError(t, err)
			assert.InDelta(t, float64(style.PaperMM)/25.4*pdfDPI, float64(c.Width), 2)
			assert.Nil(t, got.Draft)
			assert.Empty(t, got.Hashes)
		})
	}
}

func TestPDFColumnsOfProportionalTextStayApart(t *testing.T) {
	t.Parallel()
	for _, turned := range []bool{false, true} {
		data := document(t, 210, 297, func(p *fpdf.Fpdf) {
			p.AddPage()
			if turned {
				p.TransformBegin()
				p.TransformRotate(90, 105, 148)
			}
			for i, line := range [][3]string{{"LEITE INTEGRAL 1L", "2 UN", "11,98"}, {"WWWWWWW MMMM", "1 UN", "5,00"}, {"iiiiiii lll 1,5", "10 UN", "1.234,56"}} {
				y := 50 + 6*float64(i)
				p.Text(20, y, line[0])
				p.Text(90, y, line[1])
				p.Text(130, y, line[2])
			}
			if turned {
				p.TransformEnd()
			}
		})
		lines := printed(read(t, data).Pages[0].Text)
		require.Len(t, lines, 3, lines)
		second := make([]int, 3)
		for i, want := range []string{"LEITE INTEGRAL 1L|2 UN|11,98", "WWWWWWW MMMM|1 UN|5,00", "iiiiiii lll 1,5|10 UN|1.234,56"} {
			parts := strings.Split(want, "|")
			assert.True(t, strings.HasPrefix(lines[i], parts[0]+"  "), lines[i])
			assert.True(t, strings.HasSuffix(lines[i], "  "+parts[2]), lines[i])
			second[i] = strings.Index(lines[i], parts[1])
		}
		assert.Equal(t, []int{second[0], second[0], second[0]}, second, lines)
	}
}

func TestPDFTextThatIsWholeNeedsNoPages(t *testing.T) {
	t.Parallel()
	r, style := receipt(4, receipts.Options{Items: 3})
	data, err := r.PDF(style)
	require.NoError(t, err)
	draft := r.PaperDraft(style)
	for _, whole := range []bool{true, false} {
		var texts []string
		reader := New(Config{ParseText: func(pages []string) (*invoice.Draft, bool) {
			texts = pages
			return &draft, whole
		}}, discard())
		reader.pdf = shared().pdf
		got, err := reader.Read(t.Context(), []invoice.Content{{Data: data}, {Data: smallPNG(t), File: invoice.File{Position: 1}}}, nil)
		require.NoError(t, err)
		require.Len(t, texts, 1)
		assert.Contains(t, texts[0], "Valor")
		assert.Contains(t, got.Hashes, 1)
		if whole {
			assert.Equal(t, &draft, got.Draft)
			assert.Equal(t, invoice.SourcePDF, got.Source)
			assert.Empty(t, got.Pages)
		} else {
			assert.Nil(t, got.Draft)
			assert.Len(t, got.Pages, 2)
		}
		assert.Equal(t, r.Key, got.QR.Key)
	}
}

func TestPDFTextForProvidersHasNoCPF(t *testing.T) {
	t.Parallel()
	data := document(t, 80, 100, func(p *fpdf.Fpdf) {
		p.AddPage()
		p.Text(5, 10, "CONSUMIDOR - CPF 529.982.247-25")
		p.Text(5, 20, "LEITE 5,99 e outras palavras")
	})
	text := read(t, data).Pages[0].Text
	assert.Contains(t, text, "***.***.247-**")
	assert.NotContains(t, text, "529.982")
}

func TestScannedPDFHasPagesWithoutText(t *testing.T) {
	t.Parallel()
	r, img := picture(t, 8, "scan", 2)
	data, err := receipts.ScannedPDF(img, 80, r.IssuedAt)
	require.NoError(t, err)
	got := read(t, data)
	require.Len(t, got.Pages, 1)
	assert.Empty(t, got.Pages[0].Text)
	assert.NotEmpty(t, got.Pages[0].Data)
	require.NotNil(t, got.QR)
	assert.Equal(t, r.Key, got.QR.Key)
}

func TestPDFsThatCannotBeReadAreRefused(t *testing.T) {
	t.Parallel()
	pages := func(n int) []byte {
		return document(t, 80, 80, func(p *fpdf.Fpdf) {
			for range n {
				p.AddPage()
			}
		})
	}
	locked := document(t, 80, 80, func(p *fpdf.Fpdf) {
		p.SetProtection(fpdf.CnProtectPrint, "segredo", "dono")
		p.AddPage()
	})
	for name, c := range map[string]struct {
		data []byte
		want invoice.Code
		says string
	}{
		"protected":        {locked, invoice.CodeBadUserInput, "senha"},
		"eleven pages":     {pages(11), invoice.CodeTooLarge, "páginas"},
		"header alone":     {[]byte("%PDF-1.7\n"), invoice.CodeBadUserInput, "danificado"},
		"cut at its start": {pages(2)[:120], invoice.CodeBadUserInput, "danificado"},
		"no pages": {
			[]byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>"),
			invoice.CodeBadUserInput, "danificado",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := shared().Inspect(t.Context(), c.data)
			requireRefusal(t, err, c.want)
			require.ErrorContains(t, err, c.says)
			_, err = shared().Read(t.Context(), []invoice.Content{{Data: c.data}}, nil)
			requireRefusal(t, err, c.want)
		})
	}
	_, err := shared().Inspect(t.Context(), pages(10))
	require.NoError(t, err)
}

func TestPDFProtectedWithoutAPasswordToOpenIsRead(t *testing.T) {
	t.Parallel()
	data := document(t, 80, 80, func(p *fpdf.Fpdf) {
		p.SetProtection(fpdf.CnProtectPrint, "", "dono")
		p.AddPage()
		p.Text(5, 10, "LEITE INTEGRAL 2 UN 5,99 11,98")
	})
	assert.Contains(t, read(t, data).Pages[0].Text, "LEITE INTEGRAL")
}

func TestHugePDFPageIsRenderedCoarsely(t *testing.T) {
	t.Parallel()
	data := document(t, 5000, 5000, func(p *fpdf.Fpdf) { p.AddPage() })
	c, err := jpeg.DecodeConfig(bytes.NewReader(read(t, data).Pages[0].Data))
	require.NoError(t, err)
	assert.LessOrEqual(t, c.Width*c.Height, 4_000_000)
	thin := document(t, 0.5, 5000, func(p *fpdf.Fpdf) { p.AddPage() })
	_, err = shared().Read(t.Context(), []invoice.Content{{Data: thin}}, nil)
	requireRefusal(t, err, invoice.CodeBadUserInput)
}

func TestPDFThatTakesTooLongIsRefusedAndTheNextIsRead(t *testing.T) {
	t.Parallel()
	data := document(t, 80, 80, func(p *fpdf.Fpdf) { p.AddPage() })
	sandbox := shared().pdf
	use := func(_ context.Context, d pdfDocument) error {
		for { // it never ends by itself
			if _, err := d.render(0, 1000); err != nil {
				return err
			}
		}
	}
	err := sandbox.open(t.Context(), sandbox.slots, 20*time.Millisecond, data, use)
	requireRefusal(t, err, invoice.CodeBadUserInput)

	ctx, cancel := context.WithCancel(t.Context())
	err = sandbox.open(ctx, sandbox.slots, time.Minute, data, func(ctx context.Context, d pdfDocument) error {
		cancel()
		return use(ctx, d)
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Len(t, read(t, data).Pages, 1)
}

func TestPDFLoopInTheSandboxIsKilled(t *testing.T) {
	t.Parallel()
	// A page that draws a form that draws a form ... 2^40 times: hours of work in 4 KB.
	var b strings.Builder
	b.WriteString("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<</XObject<</F 10 0 R>>>>/Contents 4 0 R>>endobj\n" +
		"4 0 obj<</Length 8>>stream\n/F Do\nendstream endobj\n")
	const last = 24
	for n := 10; n <= last; n++ {
		content, resources := "/F Do /F Do /F Do /F Do", fmt.Sprintf("<</XObject<</F %d 0 R>>>>", n+1)
		if n == last {
			content, resources = "0 0 9 9 re f", "<<>>"
		}
		fmt.Fprintf(&b, "%d 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 200 200]/Resources%s/Length %d>>stream\n%s\nendstream endobj\n",
			n, resources, len(content), content)
	}
	b.WriteString("trailer<</Root 1 0 R>>\n%%EOF")
	r := New(Config{PDFTimeout: 500 * time.Millisecond}, discard())
	r.pdf = shared().pdf
	_, err := r.Read(t.Context(), []invoice.Content{{Data: []byte(b.String())}}, nil)
	t.Log(err)
	if err != nil { // PDFium may also cut such a page short
		requireRefusal(t, err, invoice.CodeBadUserInput)
	}
	assert.Len(t, read(t, document(t, 80, 80, func(p *fpdf.Fpdf) { p.AddPage() })).Pages, 1)
}

func TestReaderStartsAndStops(t *testing.T) {
	t.Parallel()
	r := New(Config{CacheDir: t.TempDir()}, discard())
	require.NoError(t, r.Close(t.Context())) // before it started
	_, err := r.Inspect(t.Context(), document(t, 80, 80, func(p *fpdf.Fpdf) { p.AddPage() }))
	require.Error(t, err)
	assert.Equal(t, invoice.CodeInternal, invoice.CodeOf(err))
	require.NoError(t, r.Close(t.Context()))
}

// BenchmarkPDF is a receipt's PDF: the first of a process with nothing kept, the first with the compiled sandbox on disk, and
// the ones after.
func BenchmarkPDF(b *testing.B) {
	r, style := receipt(1, receipts.Options{Items: 20})
	data, err := r.PDF(style)
	require.NoError(b, err)
	file := []invoice.Content{{Data: data}}
	cache := b.TempDir()
	first := func(b *testing.B, dir string) {
		b.Helper()
		reader := New(Config{CacheDir: dir}, discard())
		_, err := reader.Read(b.Context(), file, nil)
		require.NoError(b, err)
		require.NoError(b, reader.Close(b.Context()))
	}
	b.Run("first ever", func(b *testing.B) {
		for b.Loop() {
			first(b, "")
		}
	})
	b.Run("first of a start", func(b *testing.B) {
		first(b, cache)
		for b.Loop() {
			first(b, cache)
		}
	})
	_, err = shared().Inspect(b.Context(), data)
	require.NoError(b, err)
	b.Run("later", func(b *testing.B) {
		for b.Loop() {
			_, err := shared().Read(b.Context(), file, nil)
			require.NoError(b, err)
		}
	})
	b.Run("inspect", func(b *testing.B) {
		for b.Loop() {
			_, err := shared().Inspect(b.Context(), data)
			require.NoError(b, err)
		}
	})
}
