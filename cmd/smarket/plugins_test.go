package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/redistest"
)

// TestListOfPluginsIsWhatTheWorkersTell asks in a second process what a running server's plugins are and do.
func TestListOfPluginsIsWhatTheWorkersTell(t *testing.T) {
	t.Parallel()
	env := append(os.Environ(), "DATABASE_URL="+pg.NewDatabase(t), "REDIS_URL="+redistest.Start(t).URL(),
		"JWT_SECRET="+strings.Repeat("s", 40), "DATA_DIR="+t.TempDir(), "HTTP_ADDR=127.0.0.1:0", "PLUGIN_DIR="+filepath.Join(bin, "plugins"))
	smarket := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "smarket"), args...)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	smarket("migrate", "up")
	assert.Contains(t, smarket("plugins", "list"), "no worker tells")

	startServer(t, env)
	told := smarket("plugins", "list")
	for strings.Contains(told, "no worker tells") { // the worker is about to
		told = smarket("plugins", "list")
	}
	for _, want := range []string{"BREAKER", "IN FLIGHT", "offline", "running", "closed", "tesseract", "0 of 0", "US$ 0"} {
		assert.Contains(t, told, want)
	}
}
