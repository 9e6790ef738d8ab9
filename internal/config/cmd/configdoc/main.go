// Command configdoc writes docs/configuration.md from the comments and tags of the settings' declarations, which stay the
// one place where a setting is described.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	dir := flag.String("dir", "internal/config", "the folder of package config")
	out := flag.String("o", "", "the file to write; standard output when empty")
	flag.Parse()
	if err := run(*dir, *out, os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "configdoc:", err)
		os.Exit(1)
	}
}

func run(dir, out string, stdout io.Writer) error {
	page, err := render(dir)
	if err != nil {
		return err
	}
	if out == "" {
		_, err = stdout.Write(page)
		return err
	}
	return os.WriteFile(out, page, 0o644) //nolint:gosec // a page of documentation, for everybody to read
}
