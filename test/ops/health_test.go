package ops_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// health runs the check and returns the state of each part and the exit code.
func (in *installation) health(t *testing.T, args ...string) (parts map[string]string, status string, code int) {
	t.Helper()
	said, code := in.run(t, "health_check.sh", append(args, "--json"))
	var report struct {
		Status string
		Checks []struct{ Name, Status, Detail string }
	}
	require.NoError(t, json.Unmarshal([]byte(said), &report), said)
	parts = map[string]string{}
	for _, c := range report.Checks {
		assert.NotEmpty(t, c.Detail)
		parts[c.Name] = c.Status
	}
	return parts, report.Status, code
}

// eventually waits for a state of the installation: workers show themselves every few seconds.
func (in *installation) eventually(t *testing.T, url string, want map[string]string, wantStatus string, wantCode int) {
	t.Helper()
	var parts map[string]string
	var status string
	var code int
	last := func() bool {
		parts, status, code = in.health(t, "--url", url)
		for name, state := range want {
			if parts[name] != state {
				return false
			}
		}
		return status == wantStatus && code == wantCode
	}
	for deadline := time.Now().Add(time.Minute); !last(); {
		if time.Now().After(deadline) {
			t.Fatalf("not %v %s %d in a minute, but %v %s %d", want, wantStatus, wantCode, parts, status, code)
		}
	}
}

func TestHealthTellsTheStatesApart(t *testing.T) {
	t.Parallel()
	for name, compose := range map[string]bool{"plain": false, "compose": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := install(t)
			in.compose = compose
			require.NoError(t, os.MkdirAll(filepath.Join(in.backups, time.Now().UTC().Format(stamp)), 0o700))
			address, stop := in.start(t)
			all := func(but map[string]string) map[string]string {
				want := map[string]string{}
				for _, part := range []string{"http", "ready", "database", "redis", "workers", "queue", "plugins", "backup"} {
					want[part] = "ok"
				}
				maps.Copy(want, but)
				return want
			}
			disk := diskState(t, in, address) // the machine's own

			in.eventually(t, address, all(nil), disk, map[string]int{"ok": 0, "degraded": 1}[disk])

			in.exec(t, "", `INSERT INTO river_job (kind, queue, state, max_attempts, args, scheduled_at)
				VALUES ('extract_invoice', 'nobody', 'available', 5, '{}', now() - interval '1 hour')`)
			in.eventually(t, address, all(map[string]string{"queue": "degraded"}), "degraded", 1)
			parts, _, _ := in.health(t, "--url", address, "--max-wait", "2h")
			assert.Equal(t, "ok", parts["queue"], "how long is too long is the operator's to say")
			in.exec(t, "", `DELETE FROM river_job`)

			in.redis.Stop(t)
			in.eventually(t, address, all(map[string]string{"redis": "degraded", "ready": "degraded", "plugins": "degraded"}), "degraded", 1)
			in.redis.Restart(t)
			in.eventually(t, address, all(nil), disk, map[string]int{"ok": 0, "degraded": 1}[disk])

			in.exec(t, "postgres", `ALTER DATABASE `+in.name(t)+` ALLOW_CONNECTIONS false`)
			in.exec(t, "postgres", `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`, in.name(t))
			in.eventually(t, address, map[string]string{"http": "ok", "ready": "down", "database": "down", "queue": "degraded"}, "down", 2)
			in.exec(t, "postgres", `ALTER DATABASE `+in.name(t)+` ALLOW_CONNECTIONS true`)
			in.eventually(t, address, all(nil), disk, map[string]int{"ok": 0, "degraded": 1}[disk])

			stop()
			in.eventually(t, address, map[string]string{"http": "down", "database": "ok"}, "down", 2)
		})
	}
}

// diskState is what the disk of this machine makes of a healthy installation.
func diskState(t *testing.T, in *installation, address string) string {
	t.Helper()
	parts, _, _ := in.health(t, "--url", address)
	return parts["disk"]
}

func TestHealthFromElsewhereAsksTheServerAlone(t *testing.T) {
	t.Parallel()
	in := install(t)
	address, _ := in.start(t)
	parts, status, code := in.health(t, "--remote", "--url", address)
	assert.Equal(t, map[string]string{"http": "ok", "ready": "ok"}, parts)
	assert.Equal(t, "ok", status)
	assert.Zero(t, code)
}

func TestHealthMissesABackup(t *testing.T) {
	t.Parallel()
	in := install(t)
	parts, _, _ := in.health(t, "--url", "http://127.0.0.1:1")
	assert.Equal(t, "degraded", parts["backup"], "none")
	old := time.Now().UTC().Add(-30 * time.Hour).Format(stamp)
	require.NoError(t, os.MkdirAll(filepath.Join(in.backups, old), 0o700))
	parts, _, _ = in.health(t, "--url", "http://127.0.0.1:1")
	assert.Equal(t, "degraded", parts["backup"], "old")
	require.NoError(t, os.MkdirAll(filepath.Join(in.backups, time.Now().UTC().Format(stamp)), 0o700))
	parts, _, _ = in.health(t, "--url", "http://127.0.0.1:1")
	assert.Equal(t, "ok", parts["backup"])
}

func TestScriptsExplainThemselves(t *testing.T) {
	t.Parallel()
	in := install(t)
	for _, script := range []string{"backup.sh", "restore.sh", "health_check.sh"} {
		said, code := in.run(t, script, []string{"--help"})
		assert.Zero(t, code)
		assert.Contains(t, said, "Exit codes:")
		_, code = in.run(t, script, []string{"--no-such-option"})
		assert.Equal(t, 64, code)
	}
}
