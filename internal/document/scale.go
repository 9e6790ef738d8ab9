package document

import (
	"image"
	stddraw "image/draw"
	"math"
)

// scaledSize is the size a page gets: its short side at most maxShort, its pixels at most maxPixels, never larger than it is.
// The short side rules because receipts are long and narrow: bounding the long side would take the letters with it.
func scaledSize(width, height, maxShort, maxPixels int) (int, int) {
	factor := 1.0
	if short := min(width, height); short > maxShort {
		factor = float64(maxShort) / float64(short)
	}
	if pixels := float64(width) * float64(height) * factor * factor; pixels > float64(maxPixels) {
		factor *= math.Sqrt(float64(maxPixels) / pixels)
	}
	if factor >= 1 {
		return width, height
	}
	return max(1, int(float64(width)*factor)), max(1, int(float64(height)*factor))
}

// resize is img at w by h pixels, neither more than it has, on white where it is transparent. Each pixel is the mean of the
// area that it stands for. The kernel scalers of golang.org/x/image would hold 32 bytes for each pixel of the new width and
// the old height, 400 MB for the largest picture; this holds a few rows.
func resize(img image.Image, w, h int) *image.RGBA {
	b := img.Bounds()
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	if w >= b.Dx() && h >= b.Dy() {
		onWhite(dst, img, b.Min)
		return dst
	}
	rows := rowScaler{src: img, strip: image.NewRGBA(image.Rect(0, 0, b.Dx(), min(stripRows, b.Dy()))), from: -1, last: -1}
	rows.spans, rows.row = spans(b.Dx(), w), make([]uint32, 3*w)
	sum := make([]uint32, 3*w)
	for y, span := range spans(b.Dy(), h) {
		clear(sum)
		for i, weight := range span.weights {
			for x, v := range rows.scaled(span.first + i) {
				sum[x] += v * weight
			}
		}
		out := dst.Pix[y*dst.Stride:]
		for x := range w {
			for c := range 3 {
				out[4*x+c] = byte(sum[3*x+c] >> (2 * weightBits)) // spans' weights add up to one
			}
			out[4*x+3] = 0xff
		}
	}
	return dst
}

func onWhite(dst *image.RGBA, src image.Image, at image.Point) {
	op := stddraw.Src
	if o, ok := src.(interface{ Opaque() bool }); !ok || !o.Opaque() {
		stddraw.Draw(dst, dst.Rect, image.White, image.Point{}, stddraw.Src)
		op = stddraw.Over
	}
	stddraw.Draw(dst, dst.Rect, src, at, op)
}

// weightBits is the precision of weights: 255 times two of them fits 32 bits.
const weightBits = 12

// span is the source pixels that one new pixel stands for, and how much of each: their weights add up to 1<<weightBits.
type span struct {
	first   int
	weights []uint32
}

// spans divides from pixels among to, to being not more than from.
func spans(from, to int) []span {
	out := make([]span, to)
	for i := range out {
		// In units of 1/to of a source pixel the new pixel covers [i*from, (i+1)*from).
		start, end := i*from, (i+1)*from
		s := span{first: start / to}
		total, largest := uint32(0), 0
		for p := s.first; p*to < end; p++ {
			covered := min(end, (p+1)*to) - max(start, p*to)
			weight := uint32(covered << weightBits / from) //nolint:gosec // G115: at most 1<<weightBits
			total += weight
			s.weights = append(s.weights, weight)
			if weight > s.weights[largest] {
				largest = p - s.first
			}
		}
		s.weights[largest] += 1<<weightBits - total // what rounding lost
		out[i] = s
	}
	return out
}

// stripRows is how many rows of a picture are converted to RGBA at a time.
const stripRows = 64

// rowScaler gives the rows of a picture at their new width, from top to bottom.
type rowScaler struct {
	src   image.Image
	strip *image.RGBA
	from  int // the row that strip begins with; -1 before the first
	spans []span
	row   []uint32 // the last row given: 3 sums a pixel
	last  int      // its number; the rows of two neighbours overlap by one
}

func (r *rowScaler) scaled(y int) []uint32 {
	if y == r.last {
		return r.row
	}
	r.last = y
	if rows := r.strip.Rect.Dy(); r.from < 0 || y >= r.from+rows {
		r.from = y
		onWhite(r.strip, r.src, r.src.Bounds().Min.Add(image.Pt(0, y)))
	}
	pix := r.strip.Pix[(y-r.from)*r.strip.Stride:]
	for x, s := range r.spans {
		var red, green, blue uint32
		at := pix[4*s.first:]
		for i, weight := range s.weights {
			p := at[4*i : 4*i+3 : 4*i+3]
			red += uint32(p[0]) * weight
			green += uint32(p[1]) * weight
			blue += uint32(p[2]) * weight
		}
		r.row[3*x], r.row[3*x+1], r.row[3*x+2] = red, green, blue
	}
	return r.row
}
