package document

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
)

const (
	// maxPDFChars is the most letters a page may have to be read as text: an A4 page of small print has 10,000.
	maxPDFChars = 60_000
	// minPDFChars is the least for a page to count as text: scans often carry a stamp or a page number.
	minPDFChars = 24
	// maxPDFColumns is the longest line that is laid out, in characters.
	maxPDFColumns = 400
)

// glyph is one printed letter, in points, x to the right and y down, as read.
type glyph struct {
	r           rune
	x           float64 // where its cell begins
	left, right float64 // of its ink
	y           float64 // of its baseline
	size        float64 // of its font
	blank       bool    // the text layer has a blank or a new line before it
}

// text is the text layer of a page, laid out in lines and columns as it is printed. "" when the page has none worth reading,
// or one whose letters are not known.
func (d pdfDocument) text(i int) (string, error) {
	loaded, err := d.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: d.page(i)})
	if err != nil {
		return "", errPDF(fmt.Errorf("read text of pdf page %d: %w", i+1, err))
	}
	count, err := d.FPDFText_CountChars(&requests.FPDFText_CountChars{TextPage: loaded.TextPage})
	if err != nil {
		return "", errPDF(fmt.Errorf("read text of pdf page %d: %w", i+1, err))
	}
	if count.Count < minPDFChars || count.Count > maxPDFChars {
		return "", nil
	}
	glyphs, unknown, blank := make([]glyph, 0, count.Count), 0, false
	for n := range count.Count {
		g, ok, err := d.glyph(loaded.TextPage, n)
		if err != nil {
			return "", errPDF(fmt.Errorf("read text of pdf page %d: %w", i+1, err))
		}
		switch {
		case ok:
			g.blank, blank = blank, false
			glyphs = append(glyphs, g)
		case unicode.IsSpace(g.r):
			blank = true
		case g.r == 0 || g.r == unicode.ReplacementChar || unicode.Is(unicode.Co, g.r):
			unknown++
		}
	}
	if len(glyphs) < minPDFChars || unknown*10 > len(glyphs) {
		return "", nil
	}
	return layout(glyphs), nil
}

// glyph reads one letter, laid in the direction it is written in, to the nearest quarter turn. ok is false for blanks, which
// the layout finds by itself, and for letters that are not known.
func (d pdfDocument) glyph(page references.FPDF_TEXTPAGE, n int) (g glyph, ok bool, err error) {
	char, err := d.FPDFText_GetUnicode(&requests.FPDFText_GetUnicode{TextPage: page, Index: n})
	if err != nil {
		return g, false, fmt.Errorf("letter: %w", err)
	}
	g.r = rune(char.Unicode & 0x1fffff)
	if g.r == 0 || !unicode.IsPrint(g.r) || unicode.IsSpace(g.r) || g.r == unicode.ReplacementChar {
		return g, false, nil
	}
	box, err := d.FPDFText_GetCharBox(&requests.FPDFText_GetCharBox{TextPage: page, Index: n})
	if err != nil {
		return g, false, fmt.Errorf("box: %w", err)
	}
	origin, err := d.FPDFText_GetCharOrigin(&requests.FPDFText_GetCharOrigin{TextPage: page, Index: n})
	if err != nil {
		return g, false, fmt.Errorf("origin: %w", err)
	}
	size, err := d.FPDFText_GetFontSize(&requests.FPDFText_GetFontSize{TextPage: page, Index: n})
	if err != nil {
		return g, false, fmt.Errorf("font size: %w", err)
	}
	angle, err := d.FPDFText_GetCharAngle(&requests.FPDFText_GetCharAngle{TextPage: page, Index: n})
	if err != nil {
		return g, false, fmt.Errorf("angle: %w", err)
	}
	quarter := int(math.Round(float64(angle.CharAngle)/(math.Pi/2))) & 3
	g.size = size.FontSize
	switch quarter {
	case 0:
		g.x, g.y, g.left, g.right = origin.X, -origin.Y, box.Left, box.Right
	case 3: // angles grow clockwise
		g.x, g.y, g.left, g.right = origin.Y, origin.X, box.Bottom, box.Top
	case 2:
		g.x, g.y, g.left, g.right = -origin.X, origin.Y, -box.Right, -box.Left
	case 1:
		g.x, g.y, g.left, g.right = -origin.Y, -origin.X, -box.Top, -box.Bottom
	}
	for _, v := range []float64{g.x, g.y, g.left, g.right} {
		if math.IsNaN(v) || math.Abs(v) > 1e6 {
			return glyph{r: g.r}, false, nil
		}
	}
	return g, true, nil
}

// layout prints glyphs in lines and columns: letters whose baselines are near are a line, and a letter's place on it gives its
// column, so that what stands in a column on paper stands in one here.
func layout(glyphs []glyph) string {
	cell := cellWidth(glyphs)
	lines := intoLines(glyphs)
	first := math.Inf(1)
	for _, g := range glyphs {
		first = min(first, g.x)
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(layoutLine(line, first, cell))
		b.WriteByte('\n')
	}
	return b.String()
}

// intoLines groups glyphs by baseline, top to bottom, each line from left to right.
func intoLines(glyphs []glyph) [][]glyph {
	slices.SortStableFunc(glyphs, func(a, b glyph) int { return cmp.Compare(a.y, b.y) })
	var lines [][]glyph
	for start := 0; start < len(glyphs); {
		end := start + 1
		reach := max(1, glyphs[start].size*0.4) // less than half a line's height
		for end < len(glyphs) && glyphs[end].y-glyphs[start].y <= reach {
			end++
		}
		line := glyphs[start:end]
		slices.SortStableFunc(line, func(a, b glyph) int { return cmp.Compare(a.x, b.x) })
		lines = append(lines, line)
		start = end
	}
	return lines
}

// cellWidth is the usual distance from a letter to the next in the same word: the median over the page.
func cellWidth(glyphs []glyph) float64 {
	var steps []float64
	for _, line := range intoLines(slices.Clone(glyphs)) {
		for i := 1; i < len(line); i++ {
			if step := line[i].x - line[i-1].x; step > 0.1 && !apart(line[i-1], line[i]) {
				steps = append(steps, step)
			}
		}
	}
	if len(steps) == 0 {
		return 5
	}
	slices.Sort(steps)
	return max(0.5, steps[len(steps)/2])
}

// apart says whether a blank is printed between two letters of a line. The text layer's own blanks are believed where there
// is room for one. Elsewhere the room alone tells: ink to ink a blank leaves at least a fifth of the letters' height, but
// narrow letters in fixed pitch leave as much without one, and then the cells are near.
func apart(a, b glyph) bool {
	size, room := max(1, min(a.size, b.size)), b.left-a.right
	return b.blank && room > 0.05*size || room > 0.2*size && b.x-a.x > 0.75*size
}

// wordGap is how far a letter may be from the one before, in cells, for one blank to be what is between them: further away it
// stands in a column of its own.
const wordGap = 2.5

func layoutLine(line []glyph, first, cell float64) string {
	var b strings.Builder
	column := 0
	for i, g := range line {
		if i > 0 && g.r == line[i-1].r && math.Abs(g.x-line[i-1].x) < 0.15*cell {
			continue // bold by printing twice
		}
		if i == 0 || apart(line[i-1], g) {
			want := min(maxPDFColumns, int(math.Round((g.x-first)/cell)))
			switch {
			case i == 0:
			case g.x-line[i-1].x < wordGap*cell:
				want = column + 1
			default:
				want = max(want, column+2)
			}
			for ; column < want; column++ {
				b.WriteByte(' ')
			}
		}
		b.WriteRune(g.r)
		column++
	}
	return b.String()
}
