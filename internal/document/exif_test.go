package document

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// corners is a picture of 60 by 40 whose quarters are red, green, blue and white, clockwise from the top left.
func corners() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 60, 40))
	for y := range 40 {
		for x := range 60 {
			c := color.RGBA{255, 0, 0, 255}
			switch {
			case x >= 30 && y < 20:
				c = color.RGBA{0, 255, 0, 255}
			case x >= 30:
				c = color.RGBA{0, 0, 255, 255}
			case y >= 20:
				c = color.RGBA{255, 255, 255, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// stored is how a camera would store an upright picture under an orientation: the inverse of turned.
func stored(img *image.RGBA, orientation int) *image.RGBA {
	inverse := map[int]int{1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
	return turned(img, inverse[orientation])
}

// quarters are the colours in the middle of each quarter, clockwise from the top left.
func quarters(img image.Image) string {
	b := img.Bounds()
	at := func(x, y int) byte {
		r, g, b, _ := img.At(b.Dx()*x/4, b.Dy()*y/4).RGBA()
		switch {
		case r > 0xc000 && g > 0xc000 && b > 0xc000:
			return 'W'
		case r > g && r > b:
			return 'R'
		case g > b:
			return 'G'
		}
		return 'B'
	}
	return string([]byte{at(1, 1), at(3, 1), at(3, 3), at(1, 3)})
}

func TestTurnsFollowTheStandard(t *testing.T) {
	t.Parallel()
	// What a viewer shows for a stored picture RGBW, by EXIF 2.3: where row 0 and column 0 are.
	for o, want := range map[int]string{
		1: "RGBW", // top, left
		2: "GRWB", // top, right
		3: "BWRG", // bottom, right
		4: "WBGR", // bottom, left
		5: "RWBG", // left, top
		6: "WRGB", // right, top
		7: "BGRW", // right, bottom
		8: "GBWR", // left, bottom
	} {
		got := turned(corners(), o)
		assert.Equal(t, want, quarters(got), "orientation %d", o)
		if o >= 5 {
			assert.Equal(t, image.Rect(0, 0, 40, 60), got.Rect)
		}
	}
}

func TestPicturesComeOutUpright(t *testing.T) {
	t.Parallel()
	for o := 1; o <= 8; o++ {
		data := receipts.WithEXIF(asJPEG(t, stored(corners(), o)), o, false)
		got := read(t, data)
		img, _, err := image.Decode(bytes.NewReader(got.Pages[0].Data))
		require.NoError(t, err)
		assert.Equal(t, "RGBW", quarters(img), "orientation %d", o)
	}
}

func TestOrientationIsReadFromEachFormat(t *testing.T) {
	t.Parallel()
	tiff := func(order binary.AppendByteOrder, magic string, value uint16) []byte {
		b := order.AppendUint32([]byte(magic), 8)
		b = order.AppendUint16(b, 1)
		b = order.AppendUint16(b, 0x0112)
		b = order.AppendUint16(b, 3)
		b = order.AppendUint32(b, 1)
		return append(order.AppendUint16(b, value), 0, 0, 0, 0, 0, 0)
	}
	little, big := tiff(binary.LittleEndian, "II*\x00", 8), tiff(binary.BigEndian, "MM\x00*", 6)
	assert.Equal(t, 8, tiffOrientation(little))
	assert.Equal(t, 6, tiffOrientation(big))
	assert.Equal(t, upright, tiffOrientation(tiff(binary.BigEndian, "MM\x00*", 9)))
	assert.Equal(t, upright, tiffOrientation(big[:15]))
	assert.Equal(t, 8, orientation(invoice.FilePNG, withChunk(smallPNG(t), "eXIf", little)))
	webp := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00"), make([]byte, 10)...)
	webp = append(append(webp, "EXIF"...), byte(len(big)), 0, 0, 0)
	assert.Equal(t, 6, orientation(invoice.FileWebP, append(webp, big...)))
	assert.Equal(t, 5, orientation(invoice.FileJPEG, receipts.WithEXIF(asJPEG(t, corners()), 5, true)))
	for _, bad := range []int{0, 9, 65535} {
		assert.Equal(t, upright, orientation(invoice.FileJPEG, receipts.WithEXIF(asJPEG(t, corners()), bad, false)))
	}
}

func FuzzOrientation(f *testing.F) {
	f.Add(receipts.WithEXIF([]byte{0xff, 0xd8, 0xff, 0xda}, 6, true))
	f.Add([]byte("\xff\xd8\xff\xff\xff\xe1\x00\x02\xff\xe1\x00\x10Exif\x00\x00MM\x00*\xff\xff\xff\xff"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPEXIF\xff\xff\xff\xff"))
	f.Add([]byte("\x89PNG\r\n\x1a\n\xff\xff\xff\xffeXIf"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []invoice.FileKind{invoice.FileJPEG, invoice.FilePNG, invoice.FileWebP} {
			if o := orientation(kind, data); o < 1 || o > 8 {
				t.Fatalf("orientation %d", o)
			}
		}
		_, _, _ = heifSize(data)
	})
}
