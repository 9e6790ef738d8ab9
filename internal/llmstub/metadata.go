package llmstub

import (
	"bytes"
	"encoding/binary"
)

// seen describes media for the ledger.
func seen(m Media) Seen {
	exif, gps := metadata(m.Data)
	return Seen{Type: m.Type, Bytes: len(m.Data), SHA256: m.sum, EXIF: exif, GPS: gps}
}

// metadata says whether a picture carries EXIF or XMP, and coordinates in its EXIF.
func metadata(data []byte) (exif, gps bool) {
	var tiff []byte
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xd8}):
		var xmp bool
		tiff, xmp = jpegMetadata(data)
		exif = tiff != nil || xmp
	case bytes.HasPrefix(data, []byte("\x89PNG")):
		_, tiff, exif = bytes.Cut(data, []byte("eXIf"))
		exif = exif || bytes.Contains(data, []byte("XML:com.adobe.xmp"))
	case bytes.HasPrefix(data, []byte("RIFF")):
		if at := bytes.Index(data, []byte("EXIF")); at >= 0 && at+8 <= len(data) {
			exif, tiff = true, data[at+8:]
		}
	}
	return exif, hasGPS(tiff)
}

// jpegMetadata is the TIFF block of a JPEG, and whether it has XMP.
func jpegMetadata(data []byte) (tiff []byte, xmp bool) {
	for p := 2; p+4 <= len(data) && data[p] == 0xff && data[p+1] != 0xda; {
		size := int(binary.BigEndian.Uint16(data[p+2:]))
		if size < 2 || p+2+size > len(data) {
			break
		}
		body := data[p+4 : p+2+size]
		if data[p+1] == 0xe1 {
			if bytes.HasPrefix(body, []byte("Exif\x00\x00")) && tiff == nil {
				tiff = body[6:]
			}
			xmp = xmp || bytes.HasPrefix(body, []byte("http://ns.adobe.com/xap/"))
		}
		p += 2 + size
	}
	return tiff, xmp
}

// hasGPS says that the first directory of a TIFF block points to coordinates.
func hasGPS(tiff []byte) bool {
	const gpsTag, entrySize = 0x8825, 12
	if len(tiff) < 8 {
		return false
	}
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	at := int(order.Uint32(tiff[4:]))
	if at < 8 || at+2 > len(tiff) {
		return false
	}
	for i := range int(order.Uint16(tiff[at:])) {
		entry := at + 2 + i*entrySize
		if entry+2 > len(tiff) {
			return false
		}
		if order.Uint16(tiff[entry:]) == gpsTag {
			return true
		}
	}
	return false
}
