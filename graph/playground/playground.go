// Package playground serves GraphiQL, an editor for trying the API in a browser. All its parts are embedded: it works without a
// network. It needs a Handler with Introspection, and has no place in production.
package playground

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"
)

//go:embed assets
var assets embed.FS

// policy lets the page load what is embedded and talk to its own host, and nothing else. GraphiQL's editor writes style
// elements; scripts are files alone.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the page and its parts below prefix, which begins and ends with a slash: "/playground/".
func Handler(prefix string) (http.Handler, error) {
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		return nil, fmt.Errorf("open the playground's assets: %w", err)
	}
	serve := http.StripPrefix(prefix, http.FileServerFS(files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		serve.ServeHTTP(w, r)
	}), nil
}
