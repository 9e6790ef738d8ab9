package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

const (
	// maxUpload bounds a multipart body, in bytes: the files, the operations and the map, and what is between them.
	maxUpload = invoice.MaxFiles*invoice.MaxFileBytes + 2*maxJSON
	// maxPath bounds a path of the map, in segments: "variables.input.files.0" has 4.
	maxPath = 6
)

// serveMultipart answers a request with files, see https://github.com/jaydenseric/graphql-multipart-request-spec. Files go to
// TempDir as they come in: Content-Length is not believed, and memory stays bounded.
func (h *Handler) serveMultipart(w http.ResponseWriter, r *http.Request) {
	// A form on a foreign page can send multipart, but no such header without asking first.
	if r.Header.Get("Apollo-Require-Preflight") == "" && r.Header.Get("X-Requested-With") == "" {
		h.refuse(w, r, http.StatusBadRequest, &requestError{
			message: "Send the header Apollo-Require-Preflight or X-Requested-With with multipart requests.",
		})
		return
	}
	// Nothing that takes files is open to everybody: nobody's bytes are not even read.
	viewer, ok := account.ViewerFrom(r.Context())
	if !ok {
		h.refuse(w, r, http.StatusUnauthorized, errSessionOver())
		return
	}
	mostOfUser := maxUserUploads
	if h.Limiter == nil {
		mostOfUser = h.MaxUploads
	}
	release, err := h.uploads.take(viewer.UserID, h.MaxUploads, mostOfUser)
	if err != nil {
		h.refuse(w, r, http.StatusServiceUnavailable, err)
		return
	}
	defer release()
	u := &upload{dir: h.TempDir}
	defer u.close()
	params, err := u.read(w, r, h.Timing.Upload)
	if err != nil {
		h.refuse(w, r, http.StatusInternalServerError, err)
		return
	}
	params.Headers = r.Header
	select {
	case h.taking <- struct{}{}:
		defer func() { <-h.taking }()
	case <-r.Context().Done():
		return
	}
	h.serveParams(w, r, params)
}

// upload is a multipart request being read, and the files it brought.
type upload struct {
	dir   string
	files []*os.File
}

// read reads the parts in the order of the specification: operations, map, files. It fails with a *requestError unless the
// service itself is to blame.
func (u *upload) read(w http.ResponseWriter, r *http.Request, timeout time.Duration) (*graphql.RawParams, error) {
	defer limitReading(w, timeout)()
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, badPart("The multipart body has no boundary.")
	}
	operations, err := readPart(parts, "operations")
	if err != nil {
		return nil, err
	}
	params, err := decodeParams(operations)
	if err != nil {
		return nil, err
	}
	encoded, err := readPart(parts, "map")
	if err != nil {
		return nil, err
	}
	paths, err := decodeMap(encoded)
	if err != nil {
		return nil, err
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, partError(err)
		}
		path, ok := paths[part.FormName()]
		if !ok {
			return nil, badPart("A file is not named in the map, or comes twice.")
		}
		delete(paths, part.FormName())
		file, err := u.store(part)
		if err != nil {
			return nil, err
		}
		if !place(params.Variables, path, file) {
			return nil, badPart("The map names something that is not null in the variables.")
		}
	}
	if len(paths) > 0 {
		return nil, badPart("A file of the map is missing.")
	}
	return params, nil
}

func badPart(message string) error {
	return &requestError{status: http.StatusBadRequest, message: message}
}

// partError tells the limit that was passed from a body that is broken.
func partError(err error) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return errTooLarge()
	}
	return badPart("The multipart body is broken.")
}

// readPart reads the next part, which must have the name.
func readPart(parts *multipart.Reader, name string) ([]byte, error) {
	part, err := parts.NextPart()
	if err != nil {
		return nil, partError(err)
	}
	if part.FormName() != name {
		return nil, badPart("The parts must be operations, map, and then the files.")
	}
	data, err := io.ReadAll(io.LimitReader(part, maxJSON+1))
	if err != nil {
		return nil, partError(err)
	}
	if len(data) > maxJSON {
		return nil, errTooLarge()
	}
	return data, nil
}

// decodeMap reads which file goes where: one place for each file, as one file in thousands of places would be sent once and
// worked on thousands of times.
func decodeMap(data []byte) (map[string][]string, error) {
	var raw map[string][]string
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, badPart("The map is not one of names to lists of paths.")
	}
	if len(raw) > invoice.MaxFiles {
		return nil, badPart(fmt.Sprintf("At most %d files are taken.", invoice.MaxFiles))
	}
	paths := make(map[string][]string, len(raw))
	for name, list := range raw {
		if len(list) != 1 {
			return nil, badPart("Each file of the map has exactly one path.")
		}
		path := strings.Split(list[0], ".")
		if path[0] != "variables" || len(path) < 2 || len(path) > maxPath {
			return nil, badPart("A path of the map begins with \"variables.\" and names a variable.")
		}
		paths[name] = path[1:]
	}
	return paths, nil
}

// place puts the file where path leads in the variables; false when that is nowhere, or not null.
func place(variables map[string]any, path []string, file graphql.Upload) bool {
	var at any = variables
	last := len(path) - 1
	for i, step := range path {
		switch in := at.(type) {
		case map[string]any:
			next, ok := in[step]
			if !ok || (i == last && next != nil) {
				return false
			}
			if i == last {
				in[step] = file
			}
			at = next
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(in) || (i == last && in[n] != nil) {
				return false
			}
			if i == last {
				in[n] = file
			} else {
				at = in[n]
			}
		default:
			return false
		}
	}
	return true
}

// store writes a part to a file of its own under a name of its own. What the client called it is not looked at.
func (u *upload) store(part *multipart.Part) (graphql.Upload, error) {
	file, err := os.CreateTemp(u.dir, "smarket-upload-")
	if err != nil {
		return graphql.Upload{}, fmt.Errorf("make a file for an upload: %w", err)
	}
	u.files = append(u.files, file)
	source := &faultReader{r: part}
	size, err := io.Copy(file, io.LimitReader(source, invoice.MaxFileBytes+1))
	switch {
	case source.err != nil:
		return graphql.Upload{}, partError(source.err)
	case err != nil:
		return graphql.Upload{}, fmt.Errorf("write an upload: %w", err)
	case size > invoice.MaxFileBytes:
		return graphql.Upload{}, errTooLarge()
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return graphql.Upload{}, fmt.Errorf("rewind an upload: %w", err)
	}
	return graphql.Upload{File: file, Size: size}, nil
}

// close removes the files. It runs when the request has been answered: whoever needs the bytes has stored them.
func (u *upload) close() {
	for _, file := range slices.Backward(u.files) {
		_ = file.Close()           // it was only read since it was written
		_ = os.Remove(file.Name()) // what stays is the system's to sweep
	}
}

// faultReader remembers the source's own error, which io.Copy does not tell from the destination's.
type faultReader struct {
	r   io.Reader
	err error
}

func (f *faultReader) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}
