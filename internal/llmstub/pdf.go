package llmstub

import (
	"bytes"
	"compress/zlib"
	"io"
	"regexp"
	"strings"
)

// maxInflated bounds what one stream of a PDF unpacks to, in bytes.
const maxInflated = 32 << 20

// insidePDF is the text that a simple PDF shows, and its first JPEG where there is one: enough for documents of the generator,
// which write text in plain strings. It is no PDF reader.
func insidePDF(data []byte) (text string, picture []byte) {
	show := regexp.MustCompile(`\(((?:\\.|[^\\)])*)\)\s*Tj`)
	var b strings.Builder
	for rest := data; ; {
		at := bytes.Index(rest, []byte("stream"))
		if at < 0 {
			break
		}
		head := rest[max(0, at-400):at]
		if dict := bytes.LastIndex(head, []byte(" obj")); dict >= 0 {
			head = head[dict:]
		}
		rest = bytes.TrimLeft(rest[at+len("stream"):], "\r\n")
		end := bytes.Index(rest, []byte("endstream"))
		if end < 0 {
			break
		}
		body := rest[:end]
		rest = rest[end+len("endstream"):]
		if bytes.Contains(head, []byte("/DCTDecode")) {
			if picture == nil {
				picture = body
			}
			continue
		}
		if bytes.Contains(head, []byte("/FlateDecode")) {
			body = inflate(body)
		}
		for _, m := range show.FindAllSubmatch(body, -1) {
			b.Write(m[1])
			b.WriteByte('\n')
		}
	}
	return b.String(), picture
}

func inflate(data []byte) []byte {
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(r, maxInflated))
	if err != nil && len(out) == 0 {
		return nil
	}
	return out
}
