package document

import (
	"image"
	"image/color"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/draw"

	"github.com/mercadoesperto/smarket/internal/receipts"
)

func TestPageSizes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ w, h, wantW, wantH int }{
		"small stays":           {408, 1812, 408, 1812},
		"twelve megapixels":     {4032, 3024, 2133, 1600},
		"long and narrow":       {2000, 10000, 894, 4472},
		"a line":                {20000, 1, 20000, 1},
		"one pixel":             {1, 1, 1, 1},
		"at the limit of sides": {1600, 2500, 1600, 2500},
	} {
		w, h := scaledSize(c.w, c.h, 1600, 4_000_000)
		assert.Equal(t, []int{c.wantW, c.wantH}, []int{w, h}, name)
	}
}

func TestSpansShareOutEveryPixelOnce(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]int{{1, 1}, {7, 7}, {7, 3}, {20000, 1}, {4032, 2133}, {3, 2}, {1000, 999}} {
		covered := 0.0
		for i, s := range spans(c[0], c[1]) {
			sum := uint32(0)
			for _, w := range s.weights {
				sum += w
			}
			require.Equal(t, uint32(1<<weightBits), sum, "%v %d", c, i)
			require.LessOrEqual(t, s.first+len(s.weights), c[0])
			covered += float64(sum)
		}
		require.InDelta(t, float64(c[1]<<weightBits), covered, 0)
	}
}

func TestScalingKeepsThePicture(t *testing.T) {
	t.Parallel()
	for name, fill := range map[string]color.Color{"white": color.White, "black": color.Black, "brown": color.RGBA{120, 60, 30, 255}} {
		img := image.NewRGBA(image.Rect(5, 7, 205, 307)) // its corner is not at 0, 0
		draw.Draw(img, img.Rect, image.NewUniform(fill), image.Point{}, draw.Src)
		got := resize(img, 77, 131)
		require.Equal(t, image.Rect(0, 0, 77, 131), got.Rect)
		c, _ := color.RGBAModel.Convert(fill).(color.RGBA)
		want := [4]byte{c.R, c.G, c.B, c.A}
		for i := 0; i < len(got.Pix); i += 4 {
			require.Equal(t, want, [4]byte(got.Pix[i:i+4]), name)
		}
	}
	_, photo := picture(t, 3, "photo", 1.5)
	b := photo.Bounds()
	want := image.NewRGBA(image.Rect(0, 0, b.Dx()*6/10, b.Dy()*6/10))
	draw.BiLinear.Scale(want, want.Rect, photo, b, draw.Src, nil)
	got := resize(photo, want.Rect.Dx(), want.Rect.Dy())
	off := 0.0
	for i := range got.Pix {
		d := float64(got.Pix[i]) - float64(want.Pix[i])
		off += d * d
	}
	assert.Less(t, off/float64(len(got.Pix)), 60.0) // mean square, of 65025: both are low-pass filters, not the same one
}

func FuzzScaling(f *testing.F) {
	f.Add(10, 10, 3, 4)
	f.Add(1, 200, 1, 7)
	f.Add(129, 65, 128, 64)
	f.Fuzz(func(t *testing.T, w, h, newW, newH int) {
		if w < 1 || h < 1 || w > 300 || h > 300 || newW < 1 || newH < 1 || newW > w || newH > h {
			t.Skip()
		}
		img := image.NewGray(image.Rect(0, 0, w, h))
		rng := receipts.NewRand(uint64(w))
		low, high := byte(255), byte(0)
		for i := range img.Pix {
			img.Pix[i] = byte(rng.UintN(256))
			low, high = min(low, img.Pix[i]), max(high, img.Pix[i])
		}
		for i, v := range resize(img, newW, newH).Pix {
			if i%4 < 3 && (v < low-min(low, 1) || v > high) {
				t.Fatalf("%d is outside %d to %d", v, low, high)
			}
		}
	})
}
