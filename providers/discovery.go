package providers

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

const (
	// BinaryPrefix comes before the provider's name in the name of its binary.
	BinaryPrefix = "smarket-provider-"
	// SumsFile is the manifest of the binaries' checksums, in the folder with them; the format is that of sha256sum:
	// 64 hexadecimal digits, two blanks, the file's name.
	SumsFile = "plugins.sum"
	// versionMark comes between the provider's name and the version in the name of a binary that states one.
	versionMark = "@"
	// maxSumsFile bounds the manifest in bytes.
	maxSumsFile = 1 << 20
)

// What can be wrong with a plugin's binary.
var (
	// ErrChecksumMismatch says that a binary is not the one that the manifest vouches for. It is not started.
	ErrChecksumMismatch = errors.New("plugin checksum does not match " + SumsFile)
	// ErrNotListed says that there is a manifest, or one is required, and the binary is not in it. It is not started.
	ErrNotListed = errors.New("plugin is not listed in " + SumsFile)
)

// Binary is a plugin's file as found.
type Binary struct {
	Name     string // of the provider
	Version  string // that the file's name states, "1.2.0"; "" when it states none
	Path     string
	Checksum string // SHA-256, hexadecimal
	// Verified says that the manifest holds this checksum.
	Verified bool
	// Err is ErrChecksumMismatch or ErrNotListed, wrapped, or why the file could not be read; nil when it may be started.
	Err error
}

// Discover finds the plugins in dir and verifies each, in the order of their names. Where a provider has several files
// (smarket-provider-gemini, smarket-provider-gemini@1.2.0) it is the one with the highest semantic version that may be started;
// a file without a version is the lowest. Without a manifest every plugin is accepted unverified, unless requireSums. It fails
// when dir cannot be read or the manifest is malformed.
func Discover(dir string, requireSums bool) ([]Binary, error) {
	all, err := versions(dir, requireSums)
	if err != nil {
		return nil, err
	}
	var found []Binary
	for _, of := range all {
		best := slices.IndexFunc(of, func(b Binary) bool { return b.Err == nil })
		found = append(found, of[max(best, 0)])
	}
	return found, nil
}

// versions finds the files of each provider, in the order of their names, the highest version first.
func versions(dir string, requireSums bool) ([][]Binary, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("find plugins: %w", err)
	}
	sums, err := readSums(dir)
	if err != nil {
		return nil, err
	}
	var found []Binary
	for _, e := range entries {
		if name, version, ok := pluginFile(dir, e.Name()); ok {
			b := inspect(name, filepath.Join(dir, e.Name()), sums, requireSums)
			b.Version = version
			found = append(found, b)
		}
	}
	slices.SortFunc(found, func(a, b Binary) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), compareVersions(b.Version, a.Version), strings.Compare(b.Version, a.Version))
	})
	var all [][]Binary
	for i, b := range found {
		if i == 0 || found[i-1].Name != b.Name {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], b)
	}
	return all, nil
}

// compareVersions orders semantic versions; none is the lowest.
func compareVersions(a, b string) int {
	if a == "" || b == "" {
		return strings.Compare(a, b)
	}
	return semver.Compare("v"+a, "v"+b)
}

// pluginFile says whose plugin a file is, and its version; false when it is none.
func pluginFile(dir, file string) (name, version string, ok bool) {
	rest, ok := strings.CutPrefix(file, BinaryPrefix)
	if !ok {
		return "", "", false
	}
	name, version, versioned := strings.Cut(rest, versionMark)
	if !validName(name) || versioned && !semver.IsValid("v"+version) {
		return "", "", false
	}
	info, err := os.Stat(filepath.Join(dir, file)) // through a link, which operators use to switch versions
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		return "", "", false
	}
	return name, version, true
}

// inspect computes the checksum of one binary and compares it with the manifest. sums is nil when there is none.
func inspect(name, path string, sums map[string]string, requireSums bool) Binary {
	b := Binary{Name: name, Path: path}
	if b.Checksum, b.Err = checksum(path); b.Err != nil {
		return b
	}
	want, listed := sums[filepath.Base(path)]
	switch {
	case listed && want != b.Checksum:
		b.Err = fmt.Errorf("%w: %s is %s, not %s", ErrChecksumMismatch, filepath.Base(path), b.Checksum, want)
	case listed:
		b.Verified = true
	case sums != nil || requireSums:
		b.Err = fmt.Errorf("%w: %s", ErrNotListed, filepath.Base(path))
	}
	return b
}

// readSums reads the manifest of dir; nil when there is none.
func readSums(dir string) (map[string]string, error) {
	f, err := os.Open(filepath.Join(dir, SumsFile)) //nolint:gosec // the operator's own folder
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", SumsFile, err)
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxSumsFile))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", SumsFile, err)
	}
	return parseSums(data)
}

func parseSums(data []byte) (map[string]string, error) {
	sums := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		sum, name, ok := strings.Cut(line, " ")
		name = strings.TrimPrefix(strings.TrimSpace(name), "*") // sha256sum marks binary mode so
		sum = strings.ToLower(sum)
		if raw, err := hex.DecodeString(sum); !ok || err != nil || len(raw) != sha256.Size || name == "" || name != filepath.Base(name) {
			return nil, fmt.Errorf("%s: line %d is not a checksum and a file name", SumsFile, n)
		}
		if have, twice := sums[name]; twice && have != sum {
			return nil, fmt.Errorf("%s: line %d contradicts an earlier one", SumsFile, n)
		}
		sums[name] = sum
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", SumsFile, err)
	}
	return sums, nil
}

func checksum(path string) (string, error) {
	f, err := os.Open(path) //nolint:gosec // a file that discovery found in the operator's own folder
	if err != nil {
		return "", fmt.Errorf("checksum: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("checksum: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// validName says whether s is a provider's name: lower case letters, digits and inner dashes.
func validName(s string) bool {
	if s == "" || len(s) > 64 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
