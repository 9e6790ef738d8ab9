package ops_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const stamp = "20060102T150405Z"

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		if e.Name() != ".lock" {
			list = append(list, e.Name())
		}
	}
	return list
}

func TestOldBackupsMakeRoom(t *testing.T) {
	t.Parallel()
	in := install(t)
	now := time.Now().UTC()
	var made []string // the newest first
	for days := 1; days <= 240; days++ {
		for _, hour := range []int{22, 3}[:1+days%2] {
			moment := time.Date(now.Year(), now.Month(), now.Day()-days, hour, 0, 0, 0, time.UTC)
			made = append(made, moment.Format(stamp))
			require.NoError(t, os.MkdirAll(filepath.Join(in.backups, made[len(made)-1]), 0o700))
		}
	}
	require.NoError(t, os.Mkdir(filepath.Join(in.backups, "by-hand"), 0o700))
	newest := filepath.Base(in.backup(t, "BACKUP_KEEP_LAST=4", "BACKUP_KEEP_DAILY=5", "BACKUP_KEEP_WEEKLY=3", "BACKUP_KEEP_MONTHLY=6"))

	made = append([]string{newest}, made...)
	want := []string{"by-hand"}
	seen, left := map[string]bool{}, map[string]int{"day": 5, "week": 3, "month": 6}
	for i, name := range made {
		moment, err := time.Parse(stamp, name)
		require.NoError(t, err)
		year, week := moment.ISOWeek()
		keep := i < 4
		for rule, period := range map[string]string{
			"day": moment.Format(time.DateOnly), "week": fmt.Sprintf("week %d/%d", year, week), "month": moment.Format("2006-01"),
		} {
			if !seen[period] && left[rule] > 0 {
				seen[period], left[rule], keep = true, left[rule]-1, true
			}
		}
		if keep {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	assert.Equal(t, want, names(t, in.backups))
}

func TestABackupThatFailsLeavesTheEarlierOnes(t *testing.T) {
	t.Parallel()
	in := install(t)
	in.seed(t)
	good := in.backup(t, "BACKUP_KEEP_LAST=1", "BACKUP_KEEP_DAILY=1")
	require.NoError(t, os.Mkdir(filepath.Join(in.backups, ".partial-killed"), 0o700))
	dump := "#!/bin/sh\necho half of a dump\nexit 1\n"
	require.NoError(t, os.WriteFile(filepath.Join(in.path, "pg_dump"), []byte(dump), 0o700))
	for name, c := range map[string]struct {
		setting string
		code    int
	}{
		"the dump fails":            {"BACKUP_KEEP_LAST=1", 1},
		"the disk is full":          {"BACKUP_MIN_FREE_MB=999999999", 1},
		"the database is elsewhere": {"DATABASE_URL=postgres://u:" + password + "@127.0.0.1:1/gone", 1},
		"no recipient":              {"BACKUP_AGE_RECIPIENTS=", 78},
		"a recipient that is none":  {"BACKUP_AGE_RECIPIENTS=age1nothing", 78},
	} {
		said, code := in.run(t, "backup.sh", nil, c.setting)
		assert.Equal(t, c.code, code, "%s: %s", name, said)
		assert.Equal(t, []string{filepath.Base(good)}, names(t, in.backups), name)
	}
	_, code := in.run(t, "restore.sh", []string{"--check", "--identity", in.identity})
	assert.Zero(t, code, "the earlier one is whole")
}

func TestSettingsComeBackAlone(t *testing.T) {
	t.Parallel()
	in := install(t)
	name := filepath.Base(in.backup(t))
	said, code := in.run(t, "restore.sh", []string{"--list"})
	assert.Zero(t, code)
	assert.Equal(t, name+"\n", said)
	out := filepath.Join(t.TempDir(), "env")
	_, code = in.run(t, "restore.sh", []string{"--identity", in.identity, "--settings", out})
	require.Zero(t, code)
	want, err := os.ReadFile(in.settings)
	require.NoError(t, err)
	got, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
	info, err := os.Stat(out)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	_, code = in.run(t, "restore.sh", []string{"--identity", in.identity, "--settings", out})
	assert.Equal(t, 1, code, "nothing is overwritten")
}

func TestOneBackupAtATime(t *testing.T) {
	t.Parallel()
	in := install(t)
	require.NoError(t, os.Mkdir(in.backups, 0o700))
	lock, err := os.Create(filepath.Join(in.backups, ".lock"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = lock.Close() })
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	_, code := in.run(t, "backup.sh", nil)
	assert.Equal(t, 75, code)
	_, code = in.run(t, "restore.sh", []string{"--identity", in.identity})
	assert.Equal(t, 75, code)
}

// TestFilesRemovedWhileTheBackupIsMade has retention remove a file after the database was dumped, and another one lost for no
// reason.
func TestFilesRemovedWhileTheBackupIsMade(t *testing.T) {
	t.Parallel()
	in := install(t)
	key := in.seed(t)
	file := filepath.Join(in.data, "files", key)
	wrap := func(then string) {
		script := "#!/bin/sh\n/usr/bin/pg_dump \"$@\" || exit\nrm '" + file + "'\n" + then
		require.NoError(t, os.WriteFile(filepath.Join(in.path, "pg_dump"), []byte(script), 0o700))
	}
	wrap("psql -q -d '" + in.name(t) + "' -c 'UPDATE invoice_files SET removed_at = now()'\n")
	in.backup(t)
	said, code := in.run(t, "restore.sh", []string{"--force", "--identity", in.identity})
	require.Zero(t, code, said)
	assert.Contains(t, said, "noted 1 files as removed")
	assert.Zero(t, in.count(t, "", `SELECT count(*) FROM invoice_files WHERE removed_at IS NULL`))

	in.exec(t, "", `UPDATE invoice_files SET removed_at = NULL`)
	require.NoError(t, os.WriteFile(file, []byte("photo"), 0o600))
	wrap("")
	said, code = in.run(t, "backup.sh", nil)
	assert.Equal(t, 3, code, said)
	assert.Contains(t, said, "1 files were missing")
	assert.Len(t, names(t, in.backups), 2, "it is kept all the same")
}

func TestARestoreDoesNotReplaceWhatIsUsed(t *testing.T) {
	t.Parallel()
	in := install(t)
	in.seed(t)
	in.backup(t)
	in.exec(t, "", `UPDATE users SET name = 'later'`)
	later := filepath.Join(in.data, "files", "later")
	require.NoError(t, os.WriteFile(later, []byte("photo"), 0o600))

	said, code := in.run(t, "restore.sh", []string{"--identity", in.identity})
	assert.Equal(t, 5, code, said)
	assert.Contains(t, said, "1 users")
	conn := in.connect(t, "")
	said, code = in.run(t, "restore.sh", []string{"--force", "--identity", in.identity})
	assert.Equal(t, 5, code, said)
	assert.Contains(t, said, "stop the service first")
	require.NoError(t, conn.Close(t.Context()))
	assert.Equal(t, 1, in.count(t, "", `SELECT count(*) FROM users WHERE name = 'later'`))

	said, code = in.run(t, "restore.sh", []string{"--force", "--identity", in.identity})
	require.Zero(t, code, said)
	assert.Equal(t, 1, in.count(t, "", `SELECT count(*) FROM users WHERE name = 'Ana'`))
	assert.Equal(t, 1, in.count(t, "postgres", `SELECT count(*) FROM pg_database WHERE datname LIKE $1`, in.name(t)+"_before%"))
	assert.FileExists(t, later)
	said, code = in.run(t, "restore.sh", []string{"--force", "--prune", "--identity", in.identity})
	require.Zero(t, code, said)
	assert.NoFileExists(t, later)
	assert.Len(t, in.files(t), 1)
}

func TestBackupsInABucket(t *testing.T) {
	t.Parallel()
	in := install(t)
	in.seed(t)
	store := &bucket{objects: map[string][]byte{}}
	server := httptest.NewServer(store)
	t.Cleanup(server.Close)
	s3 := []string{"BACKUP_S3_URL=s3://safe/smarket", "BACKUP_S3_ENDPOINT=" + server.URL, "AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=not-said"}
	store.put("safe/smarket/20200101T000000Z/manifest", nil)
	name := filepath.Base(in.backup(t, append(s3, "BACKUP_KEEP_MONTHLY=1", "BACKUP_KEEP_WEEKLY=1", "BACKUP_KEEP_DAILY=1", "BACKUP_KEEP_LAST=1")...))
	assert.Equal(t, []string{
		"safe/smarket/" + name + "/SHA256SUMS", "safe/smarket/" + name + "/database.dump.age", "safe/smarket/" + name + "/files.tar.age",
		"safe/smarket/" + name + "/manifest", "safe/smarket/" + name + "/settings.env.age",
	}, store.keys(""), "the old one is gone")

	files := in.files(t)
	require.NoError(t, os.RemoveAll(in.backups))
	require.NoError(t, os.RemoveAll(in.data))
	in.exec(t, "postgres", `DROP DATABASE `+in.name(t))
	said, code := in.run(t, "restore.sh", []string{"--s3", "--identity", in.identity}, s3...)
	require.Zero(t, code, said)
	assert.NotContains(t, said, "not-said")
	assert.Equal(t, files, in.files(t))
	assert.Equal(t, 1, in.count(t, "", `SELECT count(*) FROM users`))

	server.Close()
	said, code = in.run(t, "backup.sh", nil, append(s3, "RCLONE_RETRIES=1", "RCLONE_LOW_LEVEL_RETRIES=1")...)
	assert.Equal(t, 4, code, said)
	assert.Len(t, names(t, in.backups), 1, "the one on the disk is kept")
}

// TestFilesInABucketAreBackedUpToo keeps the submitted files where BLOB_URL says, in a bucket.
func TestFilesInABucketAreBackedUpToo(t *testing.T) {
	t.Parallel()
	in := install(t)
	key := in.seed(t)
	store := &bucket{objects: map[string][]byte{}}
	server := httptest.NewServer(store)
	t.Cleanup(server.Close)
	blob := []string{"BLOB_URL=s3://photos?region=sa-east-1&use_path_style=true&endpoint=" + server.URL, "AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=not-said"}
	store.put("photos/"+key, []byte("photo"))
	in.backup(t, blob...)
	store.remove("photos/" + key)
	store.put("photos/later", []byte("photo"))
	said, code := in.run(t, "restore.sh", []string{"--force", "--prune", "--identity", in.identity}, blob...)
	require.Zero(t, code, said)
	assert.Equal(t, []string{"photos/" + key}, store.keys(""))
}
