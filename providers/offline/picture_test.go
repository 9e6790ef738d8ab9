package offline

import (
	"image"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/receipts"
)

func TestTiltIsFoundAndTurnedBack(t *testing.T) {
	t.Parallel()
	for _, style := range receipts.Styles() {
		img, err := receipts.Generate(receipts.NewRand(3), receipts.Options{Items: 8}).Picture(style, 1)
		require.NoError(t, err)
		for _, degrees := range []float64{-4.5, -2.8, -1, 0, 0.6, 3.1, 4.5} {
			turned := straighten(img, -degrees, 1)
			found := tilt(turned)
			assert.InDelta(t, degrees, found, 0.25, "%s tilted by %g", style.Name, degrees)
			assert.InDelta(t, 0, tilt(straighten(turned, found, 1)), 0.25, "%s is level again", style.Name)
		}
	}
}

func TestTiltOfNothingIsNone(t *testing.T) {
	t.Parallel()
	for _, r := range []image.Rectangle{image.Rect(0, 0, 1, 1), image.Rect(0, 0, 300, 1), image.Rect(0, 0, 1, 300), image.Rect(0, 0, 200, 200)} {
		assert.Zero(t, tilt(image.NewGray(r)), "%v", r)
	}
}

func TestStraightenScales(t *testing.T) {
	t.Parallel()
	img := image.NewGray(image.Rect(0, 0, 100, 200))
	for _, scale := range []float64{1, 1.5, 2.5} {
		got := straighten(img, 0, scale)
		assert.Equal(t, image.Pt(int(100*scale), int(200*scale)), got.Rect.Size())
	}
}

func TestEvenLightTakesAShadowOutAndLeavesInk(t *testing.T) {
	t.Parallel()
	const w, h = 480, 960
	rng := rand.New(rand.NewPCG(1, 2))
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			paper := 250 - 150*y/h // darker towards the bottom
			if rng.IntN(10) == 0 {
				paper /= 4 // ink
			}
			img.Pix[y*img.Stride+x] = uint8(paper)
		}
	}
	even, wrong := evenLight(img), 0
	for i, was := range img.Pix {
		ink := int(was) < (250-150*(i/w)/h)/2
		if v := even.Pix[i]; ink && v > 90 || !ink && v < 225 {
			wrong++
		}
	}
	assert.Less(t, wrong, w*h/1000, "pixels that are neither ink nor paper")
}
