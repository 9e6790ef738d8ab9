package offline

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // pages come as JPEG
	_ "image/png"  // and PNG
	"math"
	"strconv"
)

// maxPixels bounds what is decoded: a photo of a telephone has 12 to 50 million.
const maxPixels = 50_000_000

// errPicture says that a page is no picture that can be read.
var errPicture = errors.New("not a readable picture")

// decodeGray decodes a JPEG or PNG of at most maxPixels to gray.
func decodeGray(data []byte) (*image.Gray, error) {
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPicture, err)
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > maxPixels/config.Height {
		return nil, fmt.Errorf("%w: %d x %d pixels are too many", errPicture, config.Width, config.Height)
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPicture, err)
	}
	return toGray(img), nil
}

func toGray(img image.Image) *image.Gray {
	b := img.Bounds()
	out := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	switch src := img.(type) {
	case *image.Gray:
		draw.Draw(out, out.Rect, src, b.Min, draw.Src)
	case *image.YCbCr: // a JPEG has its gray at hand
		for y := range b.Dy() {
			from := src.YOffset(b.Min.X, b.Min.Y+y)
			copy(out.Pix[y*out.Stride:(y+1)*out.Stride], src.Y[from:from+b.Dx()])
		}
	default:
		for y := range b.Dy() {
			for x := range b.Dx() {
				r, g, bl, a := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
				// What is transparent is white paper.
				v := (19595*r+38470*g+7471*bl)>>16 + (0xffff - a)
				out.SetGray(x, y, color.Gray{Y: uint8(min(v, 0xffff) >> 8)})
			}
		}
	}
	return out
}

// tilt estimates by how many degrees the lines of text fall to the right, within maxTilt either way. It looks at a small copy,
// so that its time does not depend on the picture: rows of a picture that is turned back are either text or gap, and nothing
// between.
func tilt(img *image.Gray) float64 {
	const (
		maxTilt = 5.0 // degrees
		coarse  = 0.5
		fine    = 0.1
		width   = 640
		height  = 2000
	)
	small := shrink(img, max(float64(img.Rect.Dx())/width, float64(img.Rect.Dy())/height, 1))
	ink := inkOf(small)
	best, most := 0.0, sharpness(ink, small.Rect, 0)
	try := func(from, until, step float64) {
		for degrees := from; degrees <= until+step/2; degrees += step {
			if s := sharpness(ink, small.Rect, degrees); s > most {
				best, most = degrees, s
			}
		}
	}
	try(-maxTilt, maxTilt, coarse)
	around := best
	try(around-coarse, around+coarse, fine)
	return best
}

// spot is a pixel darker than what is around it.
type spot struct {
	x, y, ink float64
}

// inkOf are the dark spots of a picture: darker than the mean of their surroundings, so that shadows and desks do not count.
func inkOf(img *image.Gray) []spot {
	const (
		radius = 12 // pixels: two lines of text
		least  = 16 // levels: noise is less
	)
	w, h := img.Rect.Dx(), img.Rect.Dy()
	sums := make([]int64, (w+1)*(h+1)) // of all pixels above and to the left
	for y := range h {
		row := int64(0)
		for x := range w {
			row += int64(img.Pix[y*img.Stride+x])
			sums[(y+1)*(w+1)+x+1] = sums[y*(w+1)+x+1] + row
		}
	}
	var out []spot
	for y := range h {
		y0, y1 := max(0, y-radius), min(h, y+radius+1)
		for x := range w {
			x0, x1 := max(0, x-radius), min(w, x+radius+1)
			sum := sums[y1*(w+1)+x1] - sums[y0*(w+1)+x1] - sums[y1*(w+1)+x0] + sums[y0*(w+1)+x0]
			dark := sum/int64((y1-y0)*(x1-x0)) - int64(img.Pix[y*img.Stride+x])
			if dark >= least {
				out = append(out, spot{float64(x), float64(y), float64(min(dark, 80))})
			}
		}
	}
	return out
}

// sharpness is how much neighbouring rows differ when the picture is turned back by degrees.
func sharpness(ink []spot, r image.Rectangle, degrees float64) float64 {
	slope := math.Tan(degrees * math.Pi / 180)
	reach := int(math.Abs(slope)*float64(r.Dx())) + 2
	rows := make([]float64, r.Dy()+2*reach)
	for _, s := range ink {
		rows[int(s.y-s.x*slope)+reach] += s.ink
	}
	sum := 0.0
	for i := 1; i < len(rows); i++ {
		d := rows[i] - rows[i-1]
		sum += d * d
	}
	return sum
}

// shrink averages squares of factor pixels.
func shrink(img *image.Gray, factor float64) *image.Gray {
	if factor <= 1 {
		return img
	}
	w, h := max(1, int(float64(img.Rect.Dx())/factor)), max(1, int(float64(img.Rect.Dy())/factor))
	out := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		y0, y1 := y*img.Rect.Dy()/h, max((y+1)*img.Rect.Dy()/h, y*img.Rect.Dy()/h+1)
		for x := range w {
			x0, x1 := x*img.Rect.Dx()/w, max((x+1)*img.Rect.Dx()/w, x*img.Rect.Dx()/w+1)
			sum := 0
			for sy := y0; sy < y1; sy++ {
				for sx := x0; sx < x1; sx++ {
					sum += int(img.Pix[sy*img.Stride+sx])
				}
			}
			out.Pix[y*out.Stride+x] = uint8(sum / ((y1 - y0) * (x1 - x0))) //nolint:gosec // a mean of bytes
		}
	}
	return out
}

// straighten turns a picture back by degrees and scales it up, in one step. What comes in from outside is the edge's colour.
func straighten(img *image.Gray, degrees, scale float64) *image.Gray {
	if degrees == 0 && scale == 1 {
		return img
	}
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	w, h := float64(img.Rect.Dx()), float64(img.Rect.Dy())
	// Turned, the picture is a little higher and wider; corners are not cut.
	outW, outH := w*cos+h*math.Abs(sin), h*cos+w*math.Abs(sin)
	out := image.NewGray(image.Rect(0, 0, int(outW*scale), int(outH*scale)))
	for y := range out.Rect.Dy() {
		dy := (float64(y)+0.5)/scale - outH/2
		for x := range out.Rect.Dx() {
			dx := (float64(x)+0.5)/scale - outW/2
			out.Pix[y*out.Stride+x] = between(img, dx*cos-dy*sin+w/2-0.5, dx*sin+dy*cos+h/2-0.5)
		}
	}
	return out
}

// between reads a picture between its pixels.
func between(img *image.Gray, x, y float64) uint8 {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	x, y = min(max(x, 0), float64(w-1)), min(max(y, 0), float64(h-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, w-1), min(y0+1, h-1)
	fx, fy := x-float64(x0), y-float64(y0)
	at := func(x, y int) float64 { return float64(img.Pix[y*img.Stride+x]) }
	top, bottom := at(x0, y0)*(1-fx)+at(x1, y0)*fx, at(x0, y1)*(1-fx)+at(x1, y1)*fx
	return uint8(top*(1-fy) + bottom*fy + 0.5)
}

// pgm is a picture in the format that costs nothing to write and to read.
func pgm(img *image.Gray) []byte {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := append([]byte("P5\n"+strconv.Itoa(w)+" "+strconv.Itoa(h)+"\n255\n"), make([]byte, 0, w*h)...)
	for y := range h {
		out = append(out, img.Pix[y*img.Stride:y*img.Stride+w]...)
	}
	return out
}
