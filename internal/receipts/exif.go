package receipts

import (
	"bytes"
	"encoding/binary"
)

// WithEXIF puts an EXIF block into a JPEG: its orientation (1 to 8) and, with gps, coordinates in the Atlantic (0° N, 25° W). What is not a JPEG comes back
// unchanged. Any value of orientation is written as it is, for tests of bad ones.
func WithEXIF(jpeg []byte, orientation int, gps bool) []byte {
	if len(jpeg) < 2 || jpeg[0] != 0xFF || jpeg[1] != 0xD8 {
		return jpeg
	}
	payload := append([]byte("Exif\x00\x00"), tiff(uint16(orientation), gps)...) //nolint:gosec // bad values are the caller's wish
	var out bytes.Buffer
	out.Write(jpeg[:2])
	out.Write([]byte{0xFF, 0xE1})
	out.Write(binary.BigEndian.AppendUint16(nil, uint16(len(payload)+2))) //nolint:gosec // some 150 bytes
	out.Write(payload)
	out.Write(jpeg[2:])
	return out.Bytes()
}

// tiff is the block itself, big-endian: one directory, and the GPS directory behind it.
func tiff(orientation uint16, gps bool) []byte {
	const (
		short, long, ascii, rational = 3, 4, 2, 5
		first                        = 8 // offset of the first directory
	)
	b := []byte("MM\x00\x2a\x00\x00\x00\x08")
	u16 := func(v uint16) { b = binary.BigEndian.AppendUint16(b, v) }
	u32 := func(v uint32) { b = binary.BigEndian.AppendUint32(b, v) }
	entry := func(tag, kind uint16, count, value uint32) { u16(tag); u16(kind); u32(count); u32(value) }

	entries := uint16(1)
	if gps {
		entries = 2
	}
	u16(entries)
	entry(0x0112, short, 1, uint32(orientation)<<16) // a SHORT stands at the left of its four bytes
	gpsAt := first + 2 + 12*uint32(entries) + 4
	if gps {
		entry(0x8825, long, 1, gpsAt)
	}
	u32(0)
	if !gps {
		return b
	}
	degreesAt := gpsAt + 2 + 12*4 + 4
	u16(4)
	entry(0x0001, ascii, 2, uint32('N')<<24)
	entry(0x0002, rational, 3, degreesAt)
	entry(0x0003, ascii, 2, uint32('W')<<24)
	entry(0x0004, rational, 3, degreesAt+24)
	u32(0)
	for _, degrees := range []uint32{0, 25} {
		for _, part := range []uint32{degrees, 0, 0} {
			u32(part)
			u32(1)
		}
	}
	return b
}
