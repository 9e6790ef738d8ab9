// Package web is the app for people: TypeScript sources under src, and in Go only what was built from them.
package web

import (
	"embed"
	"io/fs"
)

// dist always has .keep, so that the service builds where nobody has built the app.
//
//go:embed all:dist
var dist embed.FS

// Files is the built app, and whether there is one in this program.
func Files() (fs.FS, bool) {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, false
	}
	_, err = fs.Stat(files, "index.html")
	return files, err == nil
}
