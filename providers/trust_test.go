package providers

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTrustVouchesForWhatIsThereAndNothingElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	install(t, dir, "a", "a@1.2.0")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600))
	what := func() map[string]string {
		list, err := Trust(dir)
		require.NoError(t, err)
		got := map[string]string{}
		for _, one := range list {
			got[one.File[len(BinaryPrefix):]] = one.What
		}
		return got
	}
	assert.Equal(t, map[string]string{"a": "new", "a@1.2.0": "new"}, what())
	found, err := Discover(dir, true)
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.True(t, found[0].Verified)
	assert.Equal(t, "1.2.0", found[0].Version)

	drop(t, dir, "a", actor2Path)
	require.NoError(t, os.Remove(filepath.Join(dir, BinaryPrefix+"a@1.2.0")))
	assert.Equal(t, map[string]string{"a": "changed", "a@1.2.0": "gone"}, what())
	assert.Equal(t, map[string]string{"a": "unchanged"}, what())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 3, "no temporary file")

	require.NoError(t, os.WriteFile(filepath.Join(dir, SumsFile), []byte("nonsense"), 0o600))
	_, err = Trust(dir)
	require.ErrorContains(t, err, "line 1", "somebody's notes are not overwritten")
}
