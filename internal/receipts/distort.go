package receipts

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
)

// Distortion is what happens to paper between the printer and the file. Sizes are at Picture's scale 1 and grow with the
// picture; the zero value changes nothing.
type Distortion struct {
	Name string
	// Tilt is the largest rotation in degrees; at least half of it is applied, to either side.
	Tilt        float64
	Perspective float64 // how far corners move, as a part of the width
	Margin      float64 // of the desk around the paper, as a part of the paper's width
	Blur        float64 // standard deviation in pixels
	Noise       float64 // standard deviation in levels of 255
	Shade       float64 // how much darker the dark end of the picture is, 0 to 1
	Fade        float64 // how far ink goes towards paper, 0 to 1
	Warm        bool    // coloured as under a lamp, with a wooden desk; gray otherwise
	JPEGQuality int     // of whoever writes it as JPEG; 0 is 90
}

// Distortions are the named ones that samples and accuracy measurements use.
func Distortions() []Distortion {
	return []Distortion{
		{Name: "clean"},
		{Name: "tilt", Tilt: 3, Margin: 0.06},
		{Name: "noise", Noise: 22},
		{Name: "blur", Blur: 1.1},
		{Name: "shade", Shade: 0.55, Noise: 4},
		{Name: "fade", Fade: 0.6, Noise: 5},
		{Name: "perspective", Perspective: 0.035, Margin: 0.08, Noise: 4},
		{Name: "scan", Tilt: 0.8, Noise: 7, Blur: 0.4, JPEGQuality: 80},
		{
			Name: "photo", Tilt: 1.5, Perspective: 0.02, Margin: 0.12, Blur: 0.6, Noise: 7, Shade: 0.3, Fade: 0.12, Warm: true,
			JPEGQuality: 82,
		},
	}
}

// DistortionNamed finds one of Distortions.
func DistortionNamed(name string) (Distortion, error) {
	for _, d := range Distortions() {
		if d.Name == name {
			return d, nil
		}
	}
	return Distortion{}, fmt.Errorf("unknown distortion %q", name)
}

// Quality is JPEGQuality, or its default.
func (d Distortion) Quality() int {
	if d.JPEGQuality == 0 {
		return 90
	}
	return d.JPEGQuality
}

const (
	paperLevel = 250 // white paper
	deskLevel  = 92
)

// Apply distorts a picture that was drawn at scale. All that is random comes from rng.
func (d Distortion) Apply(paper *image.Gray, scale float64, rng *rand.Rand) image.Image {
	tilt := d.Tilt * (0.5 + rng.Float64()/2)
	if chance(rng, 2) {
		tilt = -tilt
	}
	var corners [8]float64
	for i := range corners {
		corners[i] = d.Perspective * (2*rng.Float64() - 1)
	}
	out := d.fade(paper)
	if d.Tilt != 0 || d.Perspective != 0 || d.Margin != 0 {
		out = d.warp(out, tilt, corners)
	}
	if d.Blur > 0 {
		out = blur(out, d.Blur*scale)
	}
	d.light(out, rng)
	if !d.Warm {
		return out
	}
	return warm(out)
}

func (d Distortion) fade(src *image.Gray) *image.Gray {
	out := image.NewGray(src.Rect)
	for i, v := range src.Pix {
		level := float64(v) / 255 * paperLevel
		out.Pix[i] = uint8(level + (paperLevel-level)*d.Fade)
	}
	return out
}

// warp lays the paper on a desk: turned, its corners pulled, seen from above. Where there is no margin the desk is white, as
// under the lid of a scanner.
func (d Distortion) warp(src *image.Gray, degrees float64, pulled [8]float64) *image.Gray {
	w, h := float64(src.Rect.Dx()), float64(src.Rect.Dy())
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	var quad [4][2]float64 // where the corners of the paper go
	for i, c := range [4][2]float64{{-w / 2, -h / 2}, {w / 2, -h / 2}, {w / 2, h / 2}, {-w / 2, h / 2}} {
		quad[i] = [2]float64{c[0]*cos - c[1]*sin + pulled[2*i]*w, c[0]*sin + c[1]*cos + pulled[2*i+1]*w}
	}
	minX, minY, maxX, maxY := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, q := range quad {
		minX, maxX = min(minX, q[0]), max(maxX, q[0])
		minY, maxY = min(minY, q[1]), max(maxY, q[1])
	}
	margin := d.Margin * w
	for i := range quad {
		quad[i][0] += margin - minX
		quad[i][1] += margin - minY
	}
	out := image.NewGray(image.Rect(0, 0, int(maxX-minX+2*margin), int(maxY-minY+2*margin)))
	desk := float64(deskLevel)
	if d.Margin == 0 {
		desk = paperLevel
	}
	m := squareTo(quad).inverse()
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			u, v := m.apply(float64(x)+0.5, float64(y)+0.5)
			out.Pix[y*out.Stride+x] = sample(src, u*w-0.5, v*h-0.5, desk)
		}
	}
	return out
}

// sample reads between pixels, with desk outside.
func sample(src *image.Gray, x, y, desk float64) uint8 {
	x0, y0 := math.Floor(x), math.Floor(y)
	fx, fy := x-x0, y-y0
	at := func(x, y int) float64 {
		if x < 0 || y < 0 || x >= src.Rect.Dx() || y >= src.Rect.Dy() {
			return desk
		}
		return float64(src.Pix[y*src.Stride+x])
	}
	ix, iy := int(x0), int(y0)
	top := at(ix, iy)*(1-fx) + at(ix+1, iy)*fx
	bottom := at(ix, iy+1)*(1-fx) + at(ix+1, iy+1)*fx
	return uint8(top*(1-fy) + bottom*fy + 0.5)
}

// projection is a homography, row by row.
type projection [9]float64

// squareTo takes the unit square to a quadrilateral whose corners are in order (Heckbert 1989).
func squareTo(q [4][2]float64) projection {
	dx1, dx2, dx3 := q[1][0]-q[2][0], q[3][0]-q[2][0], q[0][0]-q[1][0]+q[2][0]-q[3][0]
	dy1, dy2, dy3 := q[1][1]-q[2][1], q[3][1]-q[2][1], q[0][1]-q[1][1]+q[2][1]-q[3][1]
	det := dx1*dy2 - dx2*dy1
	g, h := (dx3*dy2-dx2*dy3)/det, (dx1*dy3-dx3*dy1)/det
	return projection{
		q[1][0] - q[0][0] + g*q[1][0], q[3][0] - q[0][0] + h*q[3][0], q[0][0],
		q[1][1] - q[0][1] + g*q[1][1], q[3][1] - q[0][1] + h*q[3][1], q[0][1],
		g, h, 1,
	}
}

// inverse is the way back, up to a factor that apply divides out.
func (m projection) inverse() projection {
	return projection{
		m[4]*m[8] - m[5]*m[7], m[2]*m[7] - m[1]*m[8], m[1]*m[5] - m[2]*m[4],
		m[5]*m[6] - m[3]*m[8], m[0]*m[8] - m[2]*m[6], m[2]*m[3] - m[0]*m[5],
		m[3]*m[7] - m[4]*m[6], m[1]*m[6] - m[0]*m[7], m[0]*m[4] - m[1]*m[3],
	}
}

func (m projection) apply(x, y float64) (u, v float64) {
	w := m[6]*x + m[7]*y + m[8]
	return (m[0]*x + m[1]*y + m[2]) / w, (m[3]*x + m[4]*y + m[5]) / w
}

// blur is Gaussian, in two passes. Beyond the edges the edge goes on.
func blur(src *image.Gray, sigma float64) *image.Gray {
	radius := int(math.Ceil(3 * sigma))
	kernel := make([]float64, 2*radius+1)
	sum := 0.0
	for i := range kernel {
		kernel[i] = math.Exp(-float64((i-radius)*(i-radius)) / (2 * sigma * sigma))
		sum += kernel[i]
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	pass := func(in *image.Gray, dx, dy int) *image.Gray {
		out := image.NewGray(in.Rect)
		for y := range h {
			for x := range w {
				var v float64
				for k, weight := range kernel {
					sx := min(max(x+(k-radius)*dx, 0), w-1)
					sy := min(max(y+(k-radius)*dy, 0), h-1)
					v += weight * float64(in.Pix[sy*in.Stride+sx])
				}
				out.Pix[y*out.Stride+x] = uint8(v/sum + 0.5)
			}
		}
		return out
	}
	return pass(pass(src, 1, 0), 0, 1)
}

// light lets a shadow fall across the picture from a random side and adds the sensor's noise.
func (d Distortion) light(img *image.Gray, rng *rand.Rand) {
	angle := rng.Float64() * 2 * math.Pi
	sin, cos := math.Sincos(angle)
	w, h := float64(img.Rect.Dx()), float64(img.Rect.Dy())
	if d.Shade == 0 && d.Noise == 0 {
		return
	}
	reach := math.Abs(cos) + math.Abs(sin)
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			along := ((float64(x)/w-0.5)*cos+(float64(y)/h-0.5)*sin)/reach + 0.5 // 0 to 1 across the picture
			v := float64(img.Pix[y*img.Stride+x]) * (1 - d.Shade*along)
			if d.Noise > 0 {
				v += rng.NormFloat64() * d.Noise
			}
			img.Pix[y*img.Stride+x] = uint8(min(max(v+0.5, 0), 255))
		}
	}
}

// warm colours gray as a lamp does: paper yellowish, the dark desk brown.
func warm(src *image.Gray) *image.RGBA {
	out := image.NewRGBA(src.Rect)
	for y := range src.Rect.Dy() {
		for x := range src.Rect.Dx() {
			v := int(src.Pix[y*src.Stride+x])
			out.SetRGBA(x, y, color.RGBA{
				R: uint8(min(255, v+5)), G: uint8(v), B: uint8(max(0, v-20+v/20)), A: 255, //nolint:gosec // clamped
			})
		}
	}
	return out
}
