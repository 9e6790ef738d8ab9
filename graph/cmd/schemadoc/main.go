// Command schemadoc writes schema.graphql: the whole schema as clients see it, from graph/*.graphqls. Tools of front ends read
// it in place of asking a running service, which does not tell its schema in production, and changes are reviewed in it.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

func main() {
	dir := flag.String("dir", "graph", "the folder of the *.graphqls files")
	out := flag.String("o", "schema.graphql", "the file to write")
	flag.Parse()
	if err := run(*dir, *out); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "schemadoc:", err)
		os.Exit(1)
	}
}

func run(dir, out string) error {
	text, err := render(dir)
	if err != nil {
		return err
	}
	return os.WriteFile(out, text, 0o644) //nolint:gosec // a document, for everybody to read
}

// render merges the files. What directives do on the server is no business of clients, and introspection does not tell it: they
// are left out where they are applied, @deprecated apart.
func render(dir string) ([]byte, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.graphqls"))
	if err != nil {
		return nil, fmt.Errorf("find the parts of the schema: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no *.graphqls in %s", dir)
	}
	var sources []*ast.Source
	for _, name := range files {
		data, err := os.ReadFile(name) //nolint:gosec // G304: the folder is the caller's choice
		if err != nil {
			return nil, fmt.Errorf("read a part of the schema: %w", err)
		}
		sources = append(sources, &ast.Source{Name: filepath.Base(name), Input: string(data)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		return nil, fmt.Errorf("merge the schema: %w", err)
	}
	for _, d := range schema.Types {
		for _, f := range d.Fields {
			f.Directives = told(f.Directives)
		}
	}
	var b bytes.Buffer
	b.WriteString("# Written by go generate from graph/*.graphqls. Never edited.\n\n")
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(schema)
	return b.Bytes(), nil
}

func told(applied ast.DirectiveList) (kept ast.DirectiveList) {
	for _, d := range applied {
		if d.Name == "deprecated" {
			kept = append(kept, d)
		}
	}
	return kept
}
