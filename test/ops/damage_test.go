package ops_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDamagedBackupsAreRefused changes a good backup in each way that a disk, a network or a person might.
func TestDamagedBackupsAreRefused(t *testing.T) { //nolint:tparallel // the group ends with the last of its parallel tests
	t.Parallel()
	in := install(t)
	in.seed(t)
	good := in.backup(t)
	other, _ := newKey(t)
	t.Run("damage", func(t *testing.T) { refuseDamaged(t, in, good, other) })
	assert.Equal(t, 1, in.count(t, "", `SELECT count(*) FROM users`), "nothing was touched")
	assert.Zero(t, in.count(t, "postgres", `SELECT count(*) FROM pg_database WHERE datname LIKE $1`, in.name(t)+"_before%"))
}

func refuseDamaged(t *testing.T, in *installation, good, other string) {
	t.Helper()
	for name, c := range map[string]struct {
		damage   func(t *testing.T, dir string)
		identity string
	}{
		"a bit of the database flipped":               {damage: func(t *testing.T, dir string) { t.Helper(); flip(t, dir, "database.dump.age") }},
		"a bit of the files flipped":                  {damage: func(t *testing.T, dir string) { t.Helper(); flip(t, dir, "files.tar.age") }},
		"a bit of the manifest flipped":               {damage: func(t *testing.T, dir string) { t.Helper(); flip(t, dir, "manifest") }},
		"a bit flipped and the sums made to match":    {damage: func(t *testing.T, dir string) { t.Helper(); flip(t, dir, "database.dump.age"); resum(t, dir) }},
		"the database truncated":                      {damage: func(t *testing.T, dir string) { t.Helper(); truncate(t, dir, "database.dump.age") }},
		"the database truncated with sums that match": {damage: func(t *testing.T, dir string) { t.Helper(); truncate(t, dir, "database.dump.age"); resum(t, dir) }},
		"the files truncated with sums that match":    {damage: func(t *testing.T, dir string) { t.Helper(); truncate(t, dir, "files.tar.age"); resum(t, dir) }},
		"the files gone": {damage: func(t *testing.T, dir string) {
			t.Helper()
			require.NoError(t, os.Remove(filepath.Join(dir, "files.tar.age")))
		}},
		"the sums gone": {damage: func(t *testing.T, dir string) {
			t.Helper()
			require.NoError(t, os.Remove(filepath.Join(dir, "SHA256SUMS")))
		}},
		"the key of somebody else": {identity: other},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(good)))
			if c.damage != nil {
				c.damage(t, dir)
			}
			identity := in.identity
			if c.identity != "" {
				identity = c.identity
			}
			// Each has a lock of its own.
			said, code := in.run(t, "restore.sh", []string{"--force", "--identity", identity, dir}, "BACKUP_DIR="+t.TempDir())
			assert.Equal(t, 2, code, said)
		})
	}
}

func flip(t *testing.T, dir, file string) {
	t.Helper()
	path := filepath.Join(dir, file)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	data[len(data)/2] ^= 1
	require.NoError(t, os.WriteFile(path, data, 0o600))
}

func truncate(t *testing.T, dir, file string) {
	t.Helper()
	path := filepath.Join(dir, file)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, info.Size()*3/4))
}

func resum(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "sha256sum manifest *.age > SHA256SUMS")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}
