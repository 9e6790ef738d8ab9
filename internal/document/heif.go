package document

import "encoding/binary"

// heifSize is the size of the largest picture that the properties of a HEIF file declare, tiles and thumbnails included: what
// a decoder would have to make room for. ok is false when the boxes say nothing or make no sense.
func heifSize(data []byte) (width, height int, ok bool) {
	meta, found := heifBox(data, "meta")
	if !found || len(meta) < 4 {
		return 0, 0, false
	}
	iprp, found := heifBox(meta[4:], "iprp") // meta has a version and flags
	if !found {
		return 0, 0, false
	}
	ipco, found := heifBox(iprp, "ipco")
	if !found {
		return 0, 0, false
	}
	for name, body := range heifBoxes(ipco) {
		if name != "ispe" || len(body) < 12 {
			continue
		}
		w, h := int(binary.BigEndian.Uint32(body[4:])), int(binary.BigEndian.Uint32(body[8:]))
		width, height, ok = max(width, w), max(height, h), true
	}
	return width, height, ok
}

// heifBoxes yields the boxes that lie one after the other in data, until one does not fit.
func heifBoxes(data []byte) func(yield func(name string, body []byte) bool) {
	return func(yield func(string, []byte) bool) {
		for len(data) >= 8 {
			size, header := uint64(binary.BigEndian.Uint32(data)), uint64(8)
			switch size {
			case 0: // to the end
				size = uint64(len(data))
			case 1: // 64 bits follow
				if len(data) < 16 {
					return
				}
				size, header = binary.BigEndian.Uint64(data[8:]), 16
			}
			if size < header || size > uint64(len(data)) {
				return
			}
			if !yield(string(data[4:8]), data[header:size]) {
				return
			}
			data = data[size:]
		}
	}
}

func heifBox(data []byte, name string) ([]byte, bool) {
	for n, body := range heifBoxes(data) {
		if n == name {
			return body, true
		}
	}
	return nil, false
}
