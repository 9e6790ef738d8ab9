package openaicompat

import (
	"bufio"
	"io"
)

// peek tells the first byte of a body that is no white space, 0 when there is none, and gives the body back from there. An
// answer is told by what it is: vendors have sent errors in JSON under the media type of a stream.
func peek(body io.ReadCloser) (io.ReadCloser, byte) {
	buffered := bufio.NewReader(body)
	rest := struct {
		io.Reader
		io.Closer
	}{buffered, body}
	for {
		b, err := buffered.ReadByte()
		if err != nil {
			return rest, 0 // the next read says what was wrong
		}
		switch b {
		case ' ', '\t', '\r', '\n':
			continue
		}
		if err := buffered.UnreadByte(); err != nil {
			return rest, 0
		}
		return rest, b
	}
}
