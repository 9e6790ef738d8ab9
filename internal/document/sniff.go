package document

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// sniff says what the bytes are by their content alone: a name or a declared type is the sender's word. What is not read is
// UNSUPPORTED_MEDIA.
func sniff(data []byte) (invoice.FileKind, error) {
	switch {
	case len(data) == 0:
		return "", badInput("O arquivo está vazio.", nil)
	case bytes.HasPrefix(data, []byte{0xff, 0xd8, 0xff}):
		return invoice.FileJPEG, nil
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		if animatedPNG(data) {
			return "", errAnimated()
		}
		return invoice.FilePNG, nil
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		if animatedWebP(data) {
			return "", errAnimated()
		}
		return invoice.FileWebP, nil
	case bytes.HasPrefix(data, []byte("GIF8")):
		return "", unsupported("GIF não é aceito: envie uma foto (JPEG, PNG, WebP ou HEIC), um PDF ou o XML da nota.")
	case len(data) >= 12 && string(data[4:8]) == "ftyp":
		return sniffHEIF(data)
	case bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-")): // junk before the header is common and legal
		return invoice.FilePDF, nil
	}
	return sniffXML(data)
}

func errAnimated() error {
	return unsupported("Imagem animada não é aceita: envie uma foto comum, um PDF ou o XML da nota.")
}

func errUnknown() error {
	return unsupported("Tipo de arquivo não aceito: envie uma foto (JPEG, PNG, WebP ou HEIC), um PDF ou o XML da nota.")
}

// animatedPNG looks for the animation control chunk, which comes before the first picture data.
func animatedPNG(data []byte) bool {
	for p := 8; p+12 <= len(data); {
		size := int64(binary.BigEndian.Uint32(data[p:]))
		switch string(data[p+4 : p+8]) {
		case "acTL":
			return true
		case "IDAT", "IEND":
			return false
		}
		next := int64(p) + 12 + size
		if next > int64(len(data)) {
			return false
		}
		p = int(next)
	}
	return false
}

// animatedWebP reads the animation flag of the extended header.
func animatedWebP(data []byte) bool {
	return len(data) > 20 && string(data[12:16]) == "VP8X" && data[20]&0x02 != 0
}

// sniffHEIF tells HEIC stills, as iPhones make them, from the other files of the ISO family: AVIF, MP4, sequences.
func sniffHEIF(data []byte) (invoice.FileKind, error) {
	size := min(int64(binary.BigEndian.Uint32(data)), int64(len(data)), 1024)
	var brands []string
	for p := int64(8); p+4 <= size; p += 4 {
		if p != 12 { // the minor version
			brands = append(brands, string(data[p:p+4]))
		}
	}
	hevc := slices.ContainsFunc(brands, func(b string) bool {
		return b == "heic" || b == "heix" || b == "heim" || b == "heis"
	})
	if len(brands) == 0 {
		return "", errUnknown()
	}
	switch brands[0] {
	case "heic", "heix", "heim", "heis":
		return invoice.FileHEIC, nil
	case "mif1", "mif2":
		if hevc || !slices.Contains(brands, "avif") {
			return invoice.FileHEIC, nil
		}
	case "hevc", "hevx", "msf1":
		return "", errAnimated()
	}
	return "", errUnknown()
}

// sniffXML takes what begins with a tag for XML, and leaves out the two kinds of it that are pages or pictures.
func sniffXML(data []byte) (invoice.FileKind, error) {
	head := bytes.TrimLeft(bytes.TrimPrefix(data[:min(len(data), 4096)], []byte("\ufeff")), " \t\r\n")
	if len(head) < 2 || head[0] != '<' || head[1] != '?' && head[1] != '!' && !isNameStart(head[1]) {
		return "", errUnknown()
	}
	switch strings.ToLower(rootName(head)) {
	case "html", "svg", "script", "body", "head":
		return "", errUnknown()
	}
	return invoice.FileXML, nil
}

func isNameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == ':' || c >= 0x80
}

// rootName is the local name of the first element, or of the document type that is declared before it; "" when head ends
// earlier.
func rootName(head []byte) string {
	for len(head) > 0 {
		end := -1
		switch {
		case bytes.HasPrefix(head, []byte("<!--")):
			if end = bytes.Index(head, []byte("-->")); end >= 0 {
				end += 3
			}
		case bytes.HasPrefix(head, []byte("<?")):
			if end = bytes.Index(head, []byte("?>")); end >= 0 {
				end += 2
			}
		case len(head) > 9 && strings.EqualFold(string(head[:9]), "<!doctype"):
			return nameAt(bytes.TrimLeft(head[9:], " \t\r\n"))
		case head[0] == '<':
			return nameAt(head[1:])
		}
		if end < 0 {
			return ""
		}
		head = bytes.TrimLeft(head[end:], " \t\r\n")
	}
	return ""
}

func nameAt(s []byte) string {
	if end := bytes.IndexAny(s, " \t\r\n/>["); end >= 0 {
		s = s[:end]
	}
	if colon := bytes.LastIndexByte(s, ':'); colon >= 0 {
		s = s[colon+1:]
	}
	return string(s)
}
