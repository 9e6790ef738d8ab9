package app

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/web"
)

// pagePolicy lets a page of the app load what the service itself serves, and nothing else: no inline script or style, no frame,
// no third party. "self" includes the websocket. Photos are shown before they are sent: blob and data.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
	"font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// assets is the folder whose files have a digest in their names, and so never change.
const assets = "assets/"

// noWeb is what a service says that was built without the app.
const noWeb = `<!doctype html><html lang="pt-BR"><meta charset="utf-8"><title>Mercado Esperto</title>
<h1>Mercado Esperto</h1>
<p>A API está no ar, em <code>/graphql</code>. Este programa foi compilado sem o aplicativo.</p>
<p>Para incluí-lo: <code>cd web &amp;&amp; npm ci &amp;&amp; npm run build</code>, e compile o serviço de novo.</p>
</html>`

// page is one file of the app, ready to be sent.
type page struct {
	name    string
	data    []byte
	gzipped []byte // nil where it would not be smaller
	etag    string
}

// pages serves the app.
type pages struct {
	files map[string]*page // by path, without the leading slash
}

// newPages reads what was built, compressed once for all requests. Without a build every path leads to a page that says so.
func newPages() (*pages, error) {
	files, ok := web.Files()
	if !ok {
		return &pages{}, nil
	}
	return readPages(files)
}

// readPages reads all files but hidden ones, which are notes of the build.
func readPages(files fs.FS) (*pages, error) {
	p := &pages{files: map[string]*page{}}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return nil
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		p.files[name], err = newPage(name, data)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the web app: %w", err)
	}
	return p, nil
}

func newPage(name string, data []byte) (*page, error) {
	sum := sha256.Sum256(data)
	out := &page{name: name, data: data, etag: hex.EncodeToString(sum[:16])}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if packed.Len() < len(data) {
		out.gzipped = packed.Bytes()
	}
	return out, err
}

// ServeHTTP answers with the file of the path. Any other path is one of the app's own, which index.html resolves.
func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pageHeaders(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if p.files == nil {
		(&page{name: "index.html", data: []byte(noWeb)}).serve(w, r)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	found, ok := p.files[name]
	switch {
	case ok:
	case path.Ext(name) != "":
		http.NotFound(w, r) // a file of an older build: a page in its place would be taken for a script
		return
	default:
		found = p.files["index.html"]
	}
	found.serve(w, r)
}

func pageHeaders(h http.Header) {
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// serve sends the file, compressed for clients that take it, or 304 where they have it.
func (p *page) serve(w http.ResponseWriter, r *http.Request) {
	data, tag := p.data, p.etag
	if p.gzipped != nil {
		w.Header().Add("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			data, tag = p.gzipped, p.etag+"-gzip"
		}
	}
	if p.etag != "" {
		w.Header().Set("ETag", `"`+tag+`"`)
	}
	if strings.HasPrefix(p.name, assets) {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "no-cache")
	}
	if kind := mediaType(p.name); kind != "" {
		w.Header().Set("Content-Type", kind)
	}
	http.ServeContent(w, r, p.name, time.Time{}, bytes.NewReader(data))
}

// mediaType is independent of what the system's tables say. Other names are for http.ServeContent to know.
func mediaType(name string) string {
	return map[string]string{
		".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
		".svg": "image/svg+xml", ".png": "image/png", ".webmanifest": "application/manifest+json",
	}[path.Ext(name)]
}
