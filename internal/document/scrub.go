package document

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// scrubbed is the file as it may be kept: a picture without what tells of its taker (the place, the device, comments) and
// without what lies behind its end, where other files hide. Its pixels are untouched, and the way it is to be turned stays. An XML
// does not tell who bought. A PDF stays as it is. data is not changed.
func scrubbed(kind invoice.FileKind, data []byte) []byte {
	switch kind {
	case invoice.FileJPEG:
		return scrubbedJPEG(data)
	case invoice.FilePNG:
		return scrubbedPNG(data)
	case invoice.FileWebP:
		return scrubbedWebP(data)
	case invoice.FileHEIC:
		return scrubbedHEIC(data)
	case invoice.FileXML:
		return scrubbedXML(data)
	case invoice.FilePDF, invoice.FileQR:
	}
	return data
}

// turning is a TIFF block that says nothing but the orientation; nil for a picture that is upright.
func turning(kind invoice.FileKind, data []byte) []byte {
	o := orientation(kind, data)
	if o == upright {
		return nil
	}
	return []byte{'M', 'M', 0, '*', 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(o), 0, 0, 0, 0, 0, 0} //nolint:gosec // 1 to 8
}

// scrubbedJPEG keeps the segments that decoding takes. What is broken stays broken.
func scrubbedJPEG(data []byte) []byte {
	out := append(make([]byte, 0, len(data)), 0xff, 0xd8)
	if tiff := turning(invoice.FileJPEG, data); tiff != nil {
		const prefix = "Exif\x00\x00"
		out = binary.BigEndian.AppendUint16(append(out, 0xff, 0xe1), uint16(2+len(prefix)+len(tiff))) //nolint:gosec // 34
		out = append(append(out, prefix...), tiff...)
	}
	for p := 2; p+1 < len(data); {
		marker := data[p+1]
		switch {
		case data[p] != 0xff, marker == 0xff: // filling between segments
			p++
			continue
		case marker == 0xd9:
			return append(out, 0xff, 0xd9)
		case marker <= 0x01 || marker >= 0xd0 && marker <= 0xd8: // no length
			out = append(out, 0xff, marker)
			p += 2
			continue
		}
		if p+4 > len(data) {
			return out
		}
		end := p + 2 + int(binary.BigEndian.Uint16(data[p+2:]))
		if end < p+4 || end > len(data) {
			return out // no decoder goes on from here
		}
		if marker == 0xda {
			end = scanEnd(data, end)
		}
		if keptJPEG(marker, data[p+4:end]) {
			out = append(out, data[p:end]...)
		}
		p = end
	}
	return out
}

// scanEnd is where the marker behind the compressed bytes of a scan is.
func scanEnd(data []byte, p int) int {
	for ; p+1 < len(data); p++ {
		if next := data[p+1]; data[p] == 0xff && next != 0 && (next < 0xd0 || next > 0xd7) {
			return p
		}
	}
	return len(data)
}

// keptJPEG leaves out comments and the applications' segments, but for the two that say how colours are coded.
func keptJPEG(marker byte, body []byte) bool {
	switch marker {
	case 0xe0:
		return bytes.HasPrefix(body, []byte("JFIF\x00"))
	case 0xee:
		return bytes.HasPrefix(body, []byte("Adobe"))
	}
	return marker != 0xfe && (marker < 0xe0 || marker > 0xef)
}

// scrubbedPNG keeps the chunks that decoding takes.
func scrubbedPNG(data []byte) []byte {
	const signature, frame = 8, 12 // of a chunk: length, name, checksum
	out := append(make([]byte, 0, len(data)), data[:min(signature, len(data))]...)
	tiff := turning(invoice.FilePNG, data)
	for p := signature; p+frame <= len(data); {
		end := min(int64(p)+frame+int64(binary.BigEndian.Uint32(data[p:])), int64(len(data)))
		name := string(data[p+4 : p+8])
		if critical := name[0]&0x20 == 0; critical || name == "tRNS" {
			out = append(out, data[p:end]...)
		}
		if name == "IHDR" && tiff != nil {
			chunk := append([]byte("eXIf"), tiff...)
			out = binary.BigEndian.AppendUint32(out, uint32(len(tiff))) //nolint:gosec // 26
			out = binary.BigEndian.AppendUint32(append(out, chunk...), crc32.ChecksumIEEE(chunk))
		}
		if name == "IEND" {
			break
		}
		p = int(end)
	}
	return out
}

// scrubbedWebP keeps the chunks that decoding takes.
func scrubbedWebP(data []byte) []byte {
	const header, flags = 12, 8 // where the chunks begin; where VP8X has its flags
	const hasEXIF, hasAlpha = 0x08, 0x10
	if len(data) < header {
		return data
	}
	tiff := turning(invoice.FileWebP, data)
	out := append(make([]byte, 0, len(data)), data[:header]...)
	whole := min(8+int64(binary.LittleEndian.Uint32(data[4:])), int64(len(data)))
	for p := int64(header); p+8 <= whole; {
		size := int64(binary.LittleEndian.Uint32(data[p+4:]))
		end := min(p+8+size+size%2, whole)
		switch string(data[p : p+4]) {
		case "VP8X":
			at := len(out) + flags
			if out = append(out, data[p:end]...); at < len(out) {
				out[at] &= hasAlpha
				if tiff != nil {
					out[at] |= hasEXIF
				}
			}
		case "VP8 ", "VP8L", "ALPH":
			out = append(out, data[p:end]...)
		}
		p = end
	}
	if tiff != nil {
		out = binary.LittleEndian.AppendUint32(append(out, "EXIF"...), uint32(len(tiff))) //nolint:gosec // 26
		out = append(out, tiff...)
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8)) //nolint:gosec // at most 20 MB
	return out
}

// scrubbedHEIC blanks what is not the picture: its parts are found by their offsets, so that nothing may move.
func scrubbedHEIC(data []byte) []byte {
	out, end := slices.Clone(data), 0
	for name, body := range heifBoxes(out) {
		end = cap(out) - cap(body) + len(body) // the body is a part of out
		switch name {
		case "ftyp", "mdat":
		case "meta":
			if len(body) >= 4 { // a version and flags
				blankItems(out, body[4:])
			}
		default:
			clear(body)
		}
	}
	return out[:end]
}

// blankItems clears the items of a meta box that hold EXIF, XMP and the like.
func blankItems(file, meta []byte) {
	iinf, _ := heifBox(meta, "iinf")
	iloc, _ := heifBox(meta, "iloc")
	idat, _ := heifBox(meta, "idat")
	about := heifItems(iinf)
	for _, e := range heifExtents(iloc) {
		in := file
		if e.inData {
			in = idat
		}
		if about[e.item] && e.offset <= uint64(len(in)) {
			rest := in[e.offset:]
			clear(rest[:min(e.length, uint64(len(rest)))])
		}
	}
}

// heifItems are the items that tell about the picture, by their numbers.
func heifItems(iinf []byte) map[uint64]bool {
	about := map[uint64]bool{}
	r := heifReader{data: iinf}
	count := 2
	if r.number(1) > 0 {
		count = 4
	}
	r.number(3)
	r.number(count)
	for name, body := range heifBoxes(r.data) {
		if name != "infe" {
			continue
		}
		e := heifReader{data: body}
		id := 2
		switch e.number(1) {
		case 2:
		case 3:
			id = 4
		default:
			continue // of before HEIC
		}
		e.number(3)
		item := e.number(id)
		e.number(2)
		if kind := string(e.take(4)); kind == "Exif" || kind == "mime" || kind == "uri " {
			about[item] = true
		}
	}
	return about
}

// heifExtent is where a part of an item lies: in the file, or in the box idat.
type heifExtent struct {
	item, offset, length uint64
	inData               bool
}

func heifExtents(iloc []byte) []heifExtent {
	r := heifReader{data: iloc}
	version := r.number(1)
	r.number(3)
	sizes := r.number(2)
	offset, length, base, index := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15), int(sizes&15)
	id := 2
	if version == 2 {
		id = 4
	}
	var list []heifExtent
	for range r.number(id) {
		item := r.number(id)
		inData := version > 0 && r.number(2)&15 == 1
		r.number(2)
		start := r.number(base)
		for range r.number(2) {
			if version > 0 {
				r.number(index)
			}
			list = append(list, heifExtent{item, start + r.number(offset), r.number(length), inData})
		}
		if r.short {
			return list
		}
	}
	return list
}

// heifReader reads numbers; beyond its end they are 0.
type heifReader struct {
	data  []byte
	short bool
}

func (r *heifReader) take(n int) []byte {
	if n > len(r.data) {
		r.short, r.data = true, nil
		return nil
	}
	taken := r.data[:n]
	r.data = r.data[n:]
	return taken
}

func (r *heifReader) number(bytes int) (n uint64) {
	for _, b := range r.take(bytes) {
		n = n<<8 | uint64(b)
	}
	return n
}
