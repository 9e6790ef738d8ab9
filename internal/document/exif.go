package document

import (
	"bytes"
	"encoding/binary"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// upright is the EXIF orientation of a picture that needs no turning.
const upright = 1

// orientation is the EXIF orientation of a picture, 1 to 8; upright when it states none. HEIC is always upright here: its
// turning is a property of the file that the decoder applies, and its EXIF orientation must then be ignored.
func orientation(kind invoice.FileKind, data []byte) int {
	switch kind {
	case invoice.FileJPEG:
		return tiffOrientation(jpegEXIF(data))
	case invoice.FilePNG:
		return tiffOrientation(pngEXIF(data))
	case invoice.FileWebP:
		return tiffOrientation(webpEXIF(data))
	case invoice.FileHEIC, invoice.FilePDF, invoice.FileXML, invoice.FileQR:
	}
	return upright
}

// jpegEXIF is the TIFF block of the first APP1 segment that holds EXIF.
func jpegEXIF(data []byte) []byte {
	for p := 2; p+4 <= len(data) && data[p] == 0xff; {
		marker := data[p+1]
		switch {
		case marker == 0xff: // fill
			p++
			continue
		case marker == 0xd9 || marker == 0xda: // end of picture, start of scan: no header follows
			return nil
		case marker == 0x01 || marker >= 0xd0 && marker <= 0xd8: // no length
			p += 2
			continue
		}
		size := int(binary.BigEndian.Uint16(data[p+2:]))
		if size < 2 || p+2+size > len(data) {
			return nil
		}
		if body := data[p+4 : p+2+size]; marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return body[6:]
		}
		p += 2 + size
	}
	return nil
}

// pngEXIF is the body of the eXIf chunk.
func pngEXIF(data []byte) []byte {
	for p := 8; p+12 <= len(data); {
		size := int64(binary.BigEndian.Uint32(data[p:]))
		end := int64(p) + 12 + size
		if end > int64(len(data)) {
			return nil
		}
		if string(data[p+4:p+8]) == "eXIf" {
			return data[p+8 : end-4]
		}
		p = int(end)
	}
	return nil
}

// webpEXIF is the body of the EXIF chunk, with or without the prefix that some writers leave on it.
func webpEXIF(data []byte) []byte {
	for p := 12; p+8 <= len(data); {
		size := int64(binary.LittleEndian.Uint32(data[p+4:]))
		end := int64(p) + 8 + size
		if end > int64(len(data)) {
			return nil
		}
		if string(data[p:p+4]) == "EXIF" {
			return bytes.TrimPrefix(data[p+8:end], []byte("Exif\x00\x00"))
		}
		p = int(end + size%2)
	}
	return nil
}

// tiffOrientation reads tag 0x0112 of the first directory.
func tiffOrientation(tiff []byte) int {
	const (
		tagOrientation = 0x0112
		typeShort      = 3
	)
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return upright
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return upright
	}
	entries := int64(order.Uint16(tiff[at:]))
	for i := range entries {
		p := at + 2 + 12*i
		if p+12 > int64(len(tiff)) {
			break
		}
		if order.Uint16(tiff[p:]) == tagOrientation && order.Uint16(tiff[p+2:]) == typeShort {
			if o := int(order.Uint16(tiff[p+8:])); o >= 1 && o <= 8 {
				return o
			}
			break
		}
	}
	return upright
}
