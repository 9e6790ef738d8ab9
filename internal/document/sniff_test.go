package document

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/receipts"
)

// onePixelWebP is a lossless WebP of one pixel.
const onePixelWebP = "RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"

func ftyp(major string, compatible ...string) []byte {
	body := major + "\x00\x00\x00\x00" + strings.Join(compatible, "")
	return append(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), "ftyp"+body...)
}

func pngChunk(name string, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, name...), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func smallPNG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 60))))
	return b.Bytes()
}

// withChunk puts a chunk behind a PNG's header.
func withChunk(data []byte, name string, body []byte) []byte {
	const header = 8 + 25
	return bytes.Join([][]byte{data[:header], pngChunk(name, body), data[header:]}, nil)
}

// pngHeader is the beginning of a gray PNG.
func pngHeader(w, h uint32, bits byte) []byte {
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	return append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", append(size, bits, 0, 0, 0, 0))...)
}

// pngBomb is a valid PNG of side by side black pixels.
func pngBomb(t *testing.T, side int) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	row := make([]byte, 1+side/8)
	for range side {
		_, err := z.Write(row)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return bytes.Join([][]byte{pngHeader(uint32(side), uint32(side), 1), pngChunk("IDAT", packed.Bytes()), pngChunk("IEND", nil)}, nil)
}

func TestKindsAreToldByContent(t *testing.T) {
	t.Parallel()
	r, style := receipt(1, receipts.Options{Items: 3})
	xml, err := r.XML(receipts.XMLOptions{})
	require.NoError(t, err)
	pdf, err := r.PDF(style)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		data []byte
		want invoice.FileKind
	}{
		"jpeg":                  {asJPEG(t, image.NewGray(image.Rect(0, 0, 8, 8))), invoice.FileJPEG},
		"png":                   {smallPNG(t), invoice.FilePNG},
		"webp":                  {[]byte(onePixelWebP), invoice.FileWebP},
		"iphone heic":           {ftyp("heic", "mif1", "MiHB", "MiHA", "heix", "tmap"), invoice.FileHEIC},
		"mif1 with heic":        {ftyp("mif1", "heic", "hevc"), invoice.FileHEIC},
		"ten bit heic":          {ftyp("heix", "mif1", "heix"), invoice.FileHEIC},
		"pdf":                   {pdf, invoice.FilePDF},
		"pdf behind junk":       {append([]byte("\r\n\x00junk"), pdf...), invoice.FilePDF},
		"xml":                   {xml, invoice.FileXML},
		"xml with a mark":       {append([]byte("\ufeff"), xml...), invoice.FileXML},
		"xml behind blanks":     {append([]byte(" \r\n\t"), xml...), invoice.FileXML},
		"xml behind comments":   {[]byte("<!-- <svg/> --><NFe/>"), invoice.FileXML},
		"xml without a prolog":  {[]byte("<n:NFe xmlns:n='x'/>"), invoice.FileXML},
		"xml of something else": {[]byte("<?xml version='1.0'?><CFe/>"), invoice.FileXML},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := sniff(c.data)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestOtherKindsAreRefused(t *testing.T) {
	t.Parallel()
	var animation bytes.Buffer
	frame := image.NewPaletted(image.Rect(0, 0, 4, 4), color.Palette{color.White, color.Black})
	require.NoError(t, gif.EncodeAll(&animation, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{1, 1}}))
	for name, c := range map[string]struct {
		data []byte
		want invoice.Code
	}{
		"nothing":             {nil, invoice.CodeBadUserInput},
		"html":                {[]byte("<!DOCTYPE html><html></html>"), invoice.CodeUnsupportedMedia},
		"html without a type": {[]byte("\n<HTML><body>"), invoice.CodeUnsupportedMedia},
		"xhtml":               {[]byte("<?xml version='1.0'?><!DOCTYPE html PUBLIC ''><html/>"), invoice.CodeUnsupportedMedia},
		"svg":                 {[]byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), invoice.CodeUnsupportedMedia},
		"svg behind a prolog": {[]byte("<?xml version='1.0'?><!-- x --><s:svg/>"), invoice.CodeUnsupportedMedia},
		"elf":                 {[]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00"), invoice.CodeUnsupportedMedia},
		"zip":                 {[]byte("PK\x03\x04 and so on"), invoice.CodeUnsupportedMedia},
		"gif":                 {animation.Bytes(), invoice.CodeUnsupportedMedia},
		"text":                {[]byte("LEITE 5,99"), invoice.CodeUnsupportedMedia},
		"less than":           {[]byte("<<<<"), invoice.CodeUnsupportedMedia},
		"avif":                {ftyp("avif", "mif1", "miaf"), invoice.CodeUnsupportedMedia},
		"avif as mif1":        {ftyp("mif1", "avif", "miaf"), invoice.CodeUnsupportedMedia},
		"mp4":                 {ftyp("isom", "mp42"), invoice.CodeUnsupportedMedia},
		"heic sequence":       {ftyp("hevc", "msf1", "heic"), invoice.CodeUnsupportedMedia},
		"animated png":        {withChunk(smallPNG(t), "acTL", make([]byte, 8)), invoice.CodeUnsupportedMedia},
		"animated webp":       {[]byte("RIFF\x20\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00"), invoice.CodeUnsupportedMedia},
		"heic without boxes":  {ftyp("heic", "mif1"), invoice.CodeBadUserInput},
		"png of a header":     {[]byte("\x89PNG\r\n\x1a\n"), invoice.CodeBadUserInput},
		"jpeg of a header":    {[]byte{0xff, 0xd8, 0xff}, invoice.CodeBadUserInput},
		"too many bytes":      {make([]byte, maxFileBytes+1), invoice.CodeTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := shared().Inspect(t.Context(), c.data)
			requireRefusal(t, err, c.want)
			_, err = shared().Read(t.Context(), []invoice.Content{{Data: c.data}}, nil)
			requireRefusal(t, err, c.want)
		})
	}
}

func TestPictureBombsAreRefusedBeforeDecoding(t *testing.T) {
	t.Parallel()
	bomb := pngBomb(t, 16000)
	require.Less(t, len(bomb), 64<<10)
	// One that ends behind its header cannot be decoded: that it is too large was found without trying.
	for name, data := range map[string][]byte{"256 megapixels": bomb, "a header alone": pngHeader(8000, 8000, 8), "20001 wide": pngHeader(20001, 1, 8)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := shared().Inspect(t.Context(), data)
			requireRefusal(t, err, invoice.CodeTooLarge)
			_, err = shared().Read(t.Context(), []invoice.Content{{Data: data}}, nil)
			requireRefusal(t, err, invoice.CodeTooLarge)
		})
	}
}

func TestHEIFSizeIsTheLargestDeclared(t *testing.T) {
	t.Parallel()
	box := func(name string, body ...[]byte) []byte {
		all := bytes.Join(body, nil)
		return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(all))), name...), all...)
	}
	ispe := func(w, h uint32) []byte {
		return box("ispe", binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(make([]byte, 4), w), h))
	}
	file := append(ftyp("heic", "mif1"), box("meta", make([]byte, 4), box("hdlr"),
		box("iprp", box("ipco", ispe(512, 512), ispe(30000, 100), ispe(320, 240))))...)
	w, h, ok := heifSize(file)
	require.True(t, ok)
	assert.Equal(t, []int{30000, 512}, []int{w, h})
	_, err := shared().Inspect(t.Context(), file)
	requireRefusal(t, err, invoice.CodeTooLarge)
}

func FuzzInspect(f *testing.F) {
	r, _ := receipt(1, receipts.Options{Items: 2})
	xml, err := r.XML(receipts.XMLOptions{Prefix: "n"})
	require.NoError(f, err)
	f.Add(xml)
	f.Add([]byte(onePixelWebP))
	f.Add(ftyp("heic", "mif1"))
	f.Add(receipts.WithEXIF([]byte{0xff, 0xd8, 0xff, 0xda, 0, 2}, 6, true))
	f.Add([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x08acTL"))
	f.Add([]byte("<?xml?><!DOCTYPE svg><svg/>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-")) {
			t.Skip("the sandbox has tests of its own")
		}
		got, err := shared().Inspect(t.Context(), data)
		if err != nil {
			var refusal *invoice.Error
			require.ErrorAs(t, err, &refusal)
			require.NotEmpty(t, refusal.Message)
			return
		}
		require.NotEmpty(t, got.Kind)
	})
}
