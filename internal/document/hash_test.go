package document

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/receipts"
)

// retold are pictures that are the same as base to a person who looks at them.
func retold(t *testing.T, base *image.RGBA) map[string]*image.RGBA {
	t.Helper()
	encoded := func(img image.Image, quality int) *image.RGBA {
		var b bytes.Buffer
		require.NoError(t, jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}))
		decoded, err := jpeg.Decode(&b)
		require.NoError(t, err)
		return resize(decoded, decoded.Bounds().Dx(), decoded.Bounds().Dy())
	}
	changed := func(f func(v float64) float64) *image.RGBA {
		out := image.NewRGBA(base.Rect)
		for i, v := range base.Pix {
			out.Pix[i] = byte(max(0, min(255, f(float64(v)))))
		}
		return out
	}
	w, h := base.Rect.Dx(), base.Rect.Dy()
	rng := receipts.NewRand(7)
	return map[string]*image.RGBA{
		"quality 40":     encoded(base, 40),
		"seven tenths":   resize(base, w*7/10, h*7/10),
		"half":           resize(base, w/2, h/2),
		"third, encoded": encoded(resize(base, w/3, h/3), 60),
		"darker":         changed(func(v float64) float64 { return v * 0.8 }),
		"brighter":       changed(func(v float64) float64 { return v + 25 }),
		"more contrast":  changed(func(v float64) float64 { return 128 + (v-128)*1.2 }),
		"noise":          changed(func(v float64) float64 { return v + 8*rng.NormFloat64() }),
	}
}

// purchases are photos, by one steady hand, of receipts of one shop. The first two have the same basket, and so have the
// other two: what differs within a pair is date, number, key, payment and QR code.
func purchases(t *testing.T, style receipts.Style, distortion string) []*image.RGBA {
	t.Helper()
	d, err := receipts.DistortionNamed(distortion)
	require.NoError(t, err)
	var shop receipts.Store
	var out []*image.RGBA
	for n := range 4 {
		basket := receipts.Catalogue()[5*(n/2) : 5*(n/2)+8]
		r := receipts.Generate(receipts.NewRand(uint64(len(style.Name)*100+n)), receipts.Options{Basket: basket, Plain: true, Consumer: receipts.ConsumerNone})
		if n == 0 {
			shop = r.Store
		}
		r.Store = shop
		paper, err := r.Picture(style, 1)
		require.NoError(t, err)
		img := d.Apply(paper, 1, receipts.NewRand(5))
		out = append(out, resize(img, img.Bounds().Dx(), img.Bounds().Dy()))
	}
	return out
}

func TestSamePictureIsRecognisedAndNoOther(t *testing.T) {
	t.Parallel()
	for _, style := range receipts.Styles() {
		for _, distortion := range []string{"clean", "photo"} {
			t.Run(style.Name+" "+distortion, func(t *testing.T) {
				t.Parallel()
				pictures := purchases(t, style, distortion)
				hashes := make([][]byte, len(pictures))
				for i, p := range pictures {
					hashes[i] = hashPicture(planeOf(p))
					for j := range i {
						assert.False(t, SamePicture(hashes[i], hashes[j]), "%d and %d", i, j)
					}
				}
				for name, p := range retold(t, pictures[0]) {
					h := hashPicture(planeOf(p))
					assert.True(t, SamePicture(hashes[0], h), name)
					assert.False(t, SamePicture(hashes[1], h), name)
				}
			})
		}
	}
}

func TestSamePictureIsCarefulWithWhatIsNoHash(t *testing.T) {
	t.Parallel()
	_, img := picture(t, 1, "clean", 1)
	h := hashPicture(planeOf(img))
	assert.Len(t, h, hashSize)
	assert.True(t, SamePicture(h, h))
	later := bytes.Clone(h)
	later[0]++
	assert.False(t, SamePicture(h, later))
	assert.False(t, SamePicture(later, later))
	assert.False(t, SamePicture(nil, nil))
	assert.False(t, SamePicture(h, h[:100]))
	blank := hashPicture(planeOf(image.NewGray(image.Rect(0, 0, 100, 100))))
	assert.False(t, SamePicture(blank, blank), "empty pictures are alike, but no receipts")
	b := resize(img, img.Bounds().Dx(), img.Bounds().Dy()*9/10)
	assert.False(t, SamePicture(h, hashPicture(planeOf(b))), "another shape")
	assert.NotPanics(t, func() { hashPicture(planeOf(image.NewGray(image.Rect(0, 0, 1, 1)))) })
}

func BenchmarkSamePicture(b *testing.B) {
	r, style := receipt(1, receipts.Options{Items: 10})
	paper, err := r.Picture(style, 1)
	require.NoError(b, err)
	h := hashPicture(planeOf(paper))
	for b.Loop() {
		_ = SamePicture(h, h)
	}
}
