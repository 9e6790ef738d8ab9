package receipts

import (
	"bytes"
	"image"
	"math"
	"path"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

func TestBundledSamplesAreWhatTheGeneratorMakes(t *testing.T) {
	t.Parallel()
	const remedy = "regenerate with: go run ./internal/receipts/cmd/receipts -bundled -out internal/receipts/bundled"
	made, err := MakeBundled()
	require.NoError(t, err)
	have := Bundled()
	require.Len(t, have, len(made), remedy)
	kinds, size := map[string]int{}, 0
	for i, want := range made {
		assert.Equal(t, want.Name, have[i].Name)
		assert.Equal(t, want.Truth, have[i].Truth, remedy)
		truth, err := want.TruthJSON()
		require.NoError(t, err)
		committed, err := bundled.ReadFile("bundled/" + want.TruthName())
		require.NoError(t, err)
		assert.Equal(t, string(truth), string(committed), remedy)
		switch ext := path.Ext(want.Name); ext {
		case ".png", ".jpg":
			// Another version of Go may compress otherwise, another processor round otherwise: the picture is the same.
			assert.Less(t, difference(t, want.Data, have[i].Data), 0.5, "%s: %s", want.Name, remedy)
		default:
			assert.True(t, bytes.Equal(want.Data, have[i].Data), "%s: %s", want.Name, remedy)
		}
		assertNothingToReview(t, have[i].Truth, want.Name)
		kinds[path.Ext(want.Name)]++
		size += len(have[i].Data) + len(committed)
	}
	assert.Equal(t, map[string]int{".xml": 2, ".pdf": 2, ".png": 1, ".jpg": 2}, kinds)
	assert.LessOrEqual(t, size, 3<<19, "bytes in every binary")
}

// assertNothingToReview checks that a first look shows purchases that need no review: the lines' discounts, which paper may
// leave out, add up too.
func assertNothingToReview(t *testing.T, truth Truth, name string) {
	t.Helper()
	var products, discounts, paid fiscal.Money
	for _, it := range truth.Items {
		products += it.Total
		discounts += it.Discount
	}
	for _, p := range truth.Payments {
		paid += p.Amount
	}
	assert.Equal(t, truth.Totals.Products, products, name)
	if discounts != 0 {
		assert.Equal(t, truth.Totals.Discount, discounts, name)
	}
	assert.Equal(t, truth.Totals.Due, paid-truth.Totals.Change, name)
}

// difference is the mean distance of two pictures' pixels, in levels of 255.
func difference(t *testing.T, a, b []byte) float64 {
	t.Helper()
	first, _, err := image.Decode(bytes.NewReader(a))
	require.NoError(t, err)
	second, _, err := image.Decode(bytes.NewReader(b))
	require.NoError(t, err)
	require.Equal(t, first.Bounds(), second.Bounds())
	sum, r := 0.0, first.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			_, g1, _, _ := first.At(x, y).RGBA()
			_, g2, _, _ := second.At(x, y).RGBA()
			sum += math.Abs(float64(g1)-float64(g2)) / 257
		}
	}
	return sum / float64(r.Dx()*r.Dy())
}
