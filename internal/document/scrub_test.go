package document

import (
	"bytes"
	"encoding/binary"
	"image"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

const (
	gpsEntry = "\x88\x25\x00\x04" // of the directory of a place
	hidden   = "PK\x03\x04 an archive"
)

// TestKeptPicturesTellNothingOfTheirTaker has the same pixels come out, the same way up.
func TestKeptPicturesTellNothingOfTheirTaker(t *testing.T) {
	t.Parallel()
	_, img := picture(t, 3, "clean", 1)
	plain := asJPEG(t, img)
	jpeg := receipts.WithEXIF(plain, 6, true)
	jpeg = append(jpeg[:2:2], append([]byte("\xff\xfe\x00\x0cJOSE SILVA\xff\xef\x00\x06ABCD"), jpeg[2:]...)...)
	tiff := jpegEXIF(receipts.WithEXIF(plain, 6, true))
	webp := []byte(onePixelWebP)
	webp = append(webp, 'E', 'X', 'I', 'F')
	webp = append(binary.LittleEndian.AppendUint32(webp, uint32(len(tiff))), tiff...)
	binary.LittleEndian.PutUint32(webp[4:], uint32(len(webp)-8))
	for name, c := range map[string]struct {
		kind invoice.FileKind
		data []byte
		turn int
	}{
		"jpeg":         {invoice.FileJPEG, jpeg, 6},
		"jpeg upright": {invoice.FileJPEG, receipts.WithEXIF(plain, 1, true), 1},
		"png":          {invoice.FilePNG, withChunk(withChunk(smallPNG(t), "tEXt", []byte("Author\x00JOSE SILVA")), "eXIf", tiff), 6},
		"webp":         {invoice.FileWebP, webp, 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := append(bytes.Clone(c.data), hidden...)
			before := bytes.Clone(sent)
			found, err := shared().Inspect(t.Context(), sent)
			require.NoError(t, err)
			assert.Equal(t, before, sent, "what was sent is not changed")
			for _, secret := range []string{gpsEntry, "JOSE", "ABCD", "PK\x03\x04"} {
				assert.NotContains(t, string(found.Clean), secret)
			}
			assert.Equal(t, c.turn, orientation(c.kind, found.Clean))
			want, _, err := image.Decode(bytes.NewReader(sent))
			require.NoError(t, err)
			got, _, err := image.Decode(bytes.NewReader(found.Clean))
			require.NoError(t, err)
			assert.Equal(t, want, got)
			assert.Equal(t, found.Clean, scrubbed(c.kind, found.Clean), "what was cleaned stays as it is")
			assert.Equal(t, read(t, sent), read(t, found.Clean))
		})
	}
}

func TestKeptHEICIsReadAsBefore(t *testing.T) {
	t.Parallel()
	data := moduleFile(t, "github.com/gen2brain/heic", "testdata/test.heic")
	found, err := shared().Inspect(t.Context(), append(bytes.Clone(data), hidden...))
	require.NoError(t, err)
	assert.Len(t, found.Clean, len(data))
	assert.Equal(t, read(t, data), read(t, found.Clean))
}

func TestItemsOfHEICThatTellAboutThePictureAreBlanked(t *testing.T) {
	t.Parallel()
	box := func(name string, body ...[]byte) []byte {
		all := bytes.Join(body, nil)
		return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(all))), name...), all...)
	}
	item := func(id byte, kind string) []byte { return box("infe", []byte{2, 0, 0, 0, 0, id, 0, 0}, []byte(kind)) }
	file := func(offset byte) []byte {
		place := func(id, construction, at, length byte) []byte {
			return []byte{0, id, 0, construction, 0, 0, 0, 1, 0, 0, 0, at, 0, 0, 0, length}
		}
		return append(append(ftyp("heic", "mif1"), box("meta", make([]byte, 4),
			box("iinf", []byte{0, 0, 0, 0, 0, 3}, item(1, "hvc1"), item(2, "Exif"), item(3, "mime")),
			box("iloc", []byte{1, 0, 0, 0, 0x44, 0, 0, 3}, place(1, 0, offset, 4), place(2, 0, offset+4, 5), place(3, 1, 0, 3)),
			box("idat", []byte("xmp!")))...), box("mdat", []byte("pixlplace"))...)
	}
	offset := byte(len(file(0)) - len("pixlplace"))
	got := string(scrubbedHEIC(append(file(offset), box("mpvd", []byte("a film"))...)))
	assert.Contains(t, got, "pixl\x00\x00\x00\x00\x00")
	assert.Contains(t, got, "\x00\x00\x00!")
	assert.NotContains(t, got, "film")
}

func FuzzScrubbed(f *testing.F) {
	f.Add([]byte(onePixelWebP))
	f.Add(receipts.WithEXIF([]byte{0xff, 0xd8, 0xff, 0xda, 0, 2, 1, 2, 0xff, 0xd9, 9}, 6, true))
	f.Add(append(pngHeader(2, 2, 8), pngChunk("IEND", nil)...))
	f.Add([]byte("\x00\x00\x00\x10ftypheicmif1\x00\x00\x00\x40meta\x00\x00\x00\x00\x00\x00\x00\x20iloc\x01\x00\x00\x00\xff\xff\x00\x03"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []invoice.FileKind{invoice.FileJPEG, invoice.FilePNG, invoice.FileWebP, invoice.FileHEIC} {
			if _, _, err := pictureSize(kind, data); err != nil {
				continue // it would not have been admitted
			}
			once := scrubbed(kind, data)
			assert.LessOrEqual(t, len(once), len(data)+64, "nothing but a turning is added")
			assert.Equal(t, orientation(kind, data), orientation(kind, once), "it is turned as before")
		}
	})
}
