package document

import (
	"image"
	"image/color"
	stddraw "image/draw"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

func qrOf(t *testing.T, img image.Image) *fiscal.QR {
	t.Helper()
	page := resize(img, img.Bounds().Dx(), img.Bounds().Dy())
	return findQR(t.Context(), planeOf(page), func() plane { return planeOf(img) })
}

func TestQRIsFoundOnDistortedPaper(t *testing.T) {
	t.Parallel()
	seeds := uint64(2)
	if testing.Short() {
		seeds = 1
	}
	tried, found := 0, 0
	for _, d := range receipts.Distortions() {
		for seed := range seeds {
			r, img := picture(t, seed, d.Name, 1.5)
			tried++
			if qr := qrOf(t, img); qr != nil {
				require.Equal(t, r.Key, qr.Key)
				found++
			} else {
				t.Logf("not found: %s, seed %d", d.Name, seed)
			}
		}
	}
	t.Logf("found %d of %d", found, tried)
	assert.GreaterOrEqual(t, found*100, tried*95)
}

func TestQRIsFoundTurned(t *testing.T) {
	t.Parallel()
	r, img := picture(t, 2, "scan", 1.2)
	page := resize(img, img.Bounds().Dx(), img.Bounds().Dy())
	for o := 1; o <= 8; o++ {
		qr := qrOf(t, turned(page, o))
		if assert.NotNil(t, qr, "orientation %d", o) {
			assert.Equal(t, r.Key, qr.Key)
		}
	}
}

func TestQRIsLookedForOnTheOriginalWhenThePageIsTooCoarse(t *testing.T) {
	t.Parallel()
	r, img := picture(t, 6, "clean", 2)
	coarse := resize(img, img.Bounds().Dx()/6, img.Bounds().Dy()/6)
	qr := findQR(t.Context(), planeOf(coarse), func() plane { return planeOf(img) })
	require.NotNil(t, qr)
	assert.Equal(t, r.Key, qr.Key)
}

// code draws a QR code of any text.
func code(t *testing.T, text string, side int) *image.Gray {
	t.Helper()
	m, err := qrcode.NewQRCodeWriter().Encode(text, gozxing.BarcodeFormat_QR_CODE, side, side, nil)
	require.NoError(t, err)
	img := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			if !m.Get(x, y) {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	return img
}

func TestCodesThatAreNotOfANoteAreIgnored(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"https://example.com/?x=1", "00020126580014br.gov.bcb.pix", "javascript:alert(1)",
		"35261111222333000181650010000123451876543215|2|1|1|ABC", // wrong check digit
	} {
		assert.Nil(t, qrOf(t, code(t, text, 300)), text)
	}
}

func TestPictureTiledWithFinderPatternsIsBounded(t *testing.T) {
	t.Parallel()
	img := image.NewGray(image.Rect(0, 0, 1600, 2000))
	stddraw.Draw(img, img.Rect, image.White, image.Point{}, stddraw.Src)
	square := func(x, y, side int, c image.Image) {
		stddraw.Draw(img, image.Rect(x, y, x+side, y+side), c, image.Point{}, stddraw.Src)
	}
	for y := 0; y+16 < 2000; y += 18 {
		for x := 0; x+16 < 1600; x += 18 { // 9,800 patterns: compared three by three, 10^11 steps
			square(x, y, 14, image.Black)
			square(x+2, y+2, 10, image.White)
			square(x+4, y+4, 6, image.Black)
		}
	}
	assert.Nil(t, qrOf(t, img)) // the test's own time limit would end it otherwise
}

func TestPanicInTheQRLibraryIsNothingFound(t *testing.T) {
	t.Parallel()
	_, err := decodeQR(panicking{})
	require.Error(t, err)
}

type panicking struct{ gozxing.Binarizer }

func TestTinyPicturesHaveNoCode(t *testing.T) {
	t.Parallel()
	for _, side := range []int{1, 2, 20, 21, 40} {
		assert.Nil(t, qrOf(t, image.NewGray(image.Rect(0, 0, side, side))))
	}
}
