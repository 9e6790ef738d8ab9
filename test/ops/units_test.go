package ops_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const units = "../../deploy/systemd"

// TestUnitsRunWhatIsThere looks at what systemd-analyze cannot know on another machine: that the scripts are in the repository,
// that every timer has its service, and that a unit which fails tells somebody.
func TestUnitsRunWhatIsThere(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(units)
	require.NoError(t, err)
	command := regexp.MustCompile(`(?m)^ExecStart=(\S+)`)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(units, e.Name()))
		require.NoError(t, err)
		text := string(data)
		if name, timer := strings.CutSuffix(e.Name(), ".timer"); timer {
			assert.FileExists(t, filepath.Join(units, name+".service"))
			assert.Contains(t, text, "WantedBy=timers.target", e.Name())
			continue
		}
		for _, m := range command.FindAllStringSubmatch(text, -1) {
			script, ours := strings.CutPrefix(m[1], "/srv/smarket/")
			if !ours {
				continue
			}
			info, err := os.Stat(filepath.Join("../..", script))
			require.NoError(t, err, e.Name())
			assert.NotZero(t, info.Mode()&0o100, "%s is executable", script)
			if script != "scripts/alert.sh" {
				assert.Contains(t, text, "OnFailure=smarket-alert@%n.service", e.Name())
			}
		}
		assert.Contains(t, text, "TimeoutStartSec=", "%s does not hang for ever", e.Name())
	}
}

func TestAFailureIsToldToSomebody(t *testing.T) {
	t.Parallel()
	in := install(t)
	told := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told <- r.URL.Path + " " + string(body)
	}))
	t.Cleanup(server.Close)
	said, code := in.run(t, "alert.sh", []string{"smarket-backup.service"}, "ALERT_URL="+server.URL+"/topic")
	assert.Zero(t, code)
	assert.NotContains(t, said, "/topic", "the address is a secret")
	assert.Contains(t, <-told, "/topic smarket-backup.service failed on ")
	_, code = in.run(t, "alert.sh", []string{"smarket-backup.service"}, "ALERT_URL=http://127.0.0.1:1/")
	assert.Equal(t, 1, code)
	_, code = in.run(t, "alert.sh", []string{"smarket-backup.service"})
	assert.Zero(t, code, "without an address the journal alone knows")
}
