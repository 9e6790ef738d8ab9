package filestore

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func setup(t *testing.T) (*Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "files")
	s, err := OpenDir(dir)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s, dir
}

func TestPutThenOpenGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	s, _ := setup(t)
	require.NoError(t, s.Put(t.Context(), "u/i/f", strings.NewReader("bytes")))
	r, err := s.Open(t.Context(), "u/i/f")
	require.NoError(t, err)
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	assert.Equal(t, "bytes", string(got))
}

func TestDeleteIsRepeatable(t *testing.T) {
	t.Parallel()
	s, _ := setup(t)
	require.NoError(t, s.Put(t.Context(), "u/i/f", strings.NewReader("bytes")))
	require.NoError(t, s.Delete(t.Context(), "u/i/f"))
	require.NoError(t, s.Delete(t.Context(), "u/i/f"))
	_, err := s.Open(t.Context(), "u/i/f")
	assert.Error(t, err)
}

type brokenReader struct{ io.Reader }

func (b brokenReader) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		return n, errors.New("the line broke")
	}
	return n, err
}

func TestABrokenUploadLeavesNothing(t *testing.T) {
	t.Parallel()
	s, dir := setup(t)
	err := s.Put(t.Context(), "u/i/f", brokenReader{strings.NewReader("half")})
	require.ErrorContains(t, err, "the line broke")
	var left []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			left = append(left, path)
		}
		return err
	}))
	assert.Empty(t, left)
}

func TestFilesAreForTheOwnerAlone(t *testing.T) {
	t.Parallel()
	s, dir := setup(t)
	require.NoError(t, s.Put(context.WithoutCancel(t.Context()), "u/i/f", strings.NewReader("photo")))
	info, err := os.Stat(filepath.Join(dir, "u"))
	require.NoError(t, err)
	assert.Zero(t, info.Mode().Perm()&0o077)
}
