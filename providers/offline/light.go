package offline

import (
	"image"
	"slices"
)

// evenLight takes shadows out of a picture: each pixel is divided by the brightness of the paper around it. It does not touch
// the shapes of letters, as thresholds do.
func evenLight(img *image.Gray) *image.Gray {
	const (
		tiles  = 24  // across the short side
		bright = 0.8 // of the pixels of a tile are darker than its paper
		paper  = 245 // level that paper gets
		least  = 60  // level below which nothing is taken for paper
	)
	w, h := img.Rect.Dx(), img.Rect.Dy()
	size := max(16, min(w, h)/tiles)
	cols, rows := (w+size-1)/size, (h+size-1)/size
	levels := make([]float64, cols*rows)
	pixels := make([]uint8, 0, size*size)
	for row := range rows {
		for col := range cols {
			pixels = pixels[:0]
			for y := row * size; y < min(h, (row+1)*size); y += 2 {
				for x := col * size; x < min(w, (col+1)*size); x += 2 {
					pixels = append(pixels, img.Pix[y*img.Stride+x])
				}
			}
			slices.Sort(pixels)
			levels[row*cols+col] = float64(max(pixels[int(float64(len(pixels)-1)*bright)], least))
		}
	}
	levels = smooth(levels, cols, rows)
	out := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		fy := min(max((float64(y)+0.5)/float64(size)-0.5, 0), float64(rows-1))
		y0 := int(fy)
		y1 := min(y0+1, rows-1)
		fy -= float64(y0)
		for x := range w {
			fx := min(max((float64(x)+0.5)/float64(size)-0.5, 0), float64(cols-1))
			x0 := int(fx)
			x1 := min(x0+1, cols-1)
			fx -= float64(x0)
			level := (levels[y0*cols+x0]*(1-fx)+levels[y0*cols+x1]*fx)*(1-fy) + (levels[y1*cols+x0]*(1-fx)+levels[y1*cols+x1]*fx)*fy
			out.Pix[y*out.Stride+x] = uint8(min(float64(img.Pix[y*img.Stride+x])*paper/level, 255))
		}
	}
	return out
}

// smooth takes the mean of each tile and its neighbours, so that a tile full of ink does not stand out.
func smooth(levels []float64, cols, rows int) []float64 {
	out := make([]float64, len(levels))
	for row := range rows {
		for col := range cols {
			sum, n := 0.0, 0.0
			for y := max(0, row-1); y < min(rows, row+2); y++ {
				for x := max(0, col-1); x < min(cols, col+2); x++ {
					sum, n = sum+levels[y*cols+x], n+1
				}
			}
			out[row*cols+col] = sum / n
		}
	}
	return out
}
