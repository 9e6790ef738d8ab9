package offline_test

import (
	"encoding/binary"
	"hash/crc32"
)

// fixChecksum makes the header of a PNG valid again after a change.
func fixChecksum(data []byte) []byte {
	binary.BigEndian.PutUint32(data[29:33], crc32.ChecksumIEEE(data[12:29]))
	return data
}
