package providers

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Trusted is what a new manifest says of one file.
type Trusted struct {
	File     string
	Checksum string // "" when the file is gone
	What     string // "new", "changed", "unchanged" or "gone", against the manifest before
}

// Trust writes the manifest of dir anew: it vouches for the plugins that are there now, in all versions, and for nothing else.
// A process that reads it meanwhile sees the old one or the new one.
func Trust(dir string) ([]Trusted, error) {
	before, err := readSums(dir)
	if err != nil {
		return nil, err
	}
	all, err := versions(dir, false)
	if err != nil {
		return nil, err
	}
	now := map[string]string{}
	for _, b := range slices.Concat(all...) {
		if b.Checksum == "" {
			return nil, b.Err
		}
		now[filepath.Base(b.Path)] = b.Checksum
	}
	var text bytes.Buffer
	var list []Trusted
	for _, file := range slices.Sorted(maps.Keys(now)) {
		fmt.Fprintf(&text, "%s  %s\n", now[file], file)
		one := Trusted{File: file, Checksum: now[file], What: "unchanged"}
		switch sum, known := before[file]; {
		case !known:
			one.What = "new"
		case sum != now[file]:
			one.What = "changed"
		}
		list = append(list, one)
	}
	for _, file := range slices.Sorted(maps.Keys(before)) {
		if now[file] == "" {
			list = append(list, Trusted{File: file, What: "gone"})
		}
	}
	return list, replaceFile(filepath.Join(dir, SumsFile), text.Bytes())
}

// replaceFile writes a file beside the old one and renames it.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", filepath.Base(path), err), os.Remove(f.Name()))
	}
	return nil
}
