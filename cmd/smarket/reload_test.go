package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHangupReloadsThePlugins replaces a plugin beneath a running server, by a signal.
func TestHangupReloadsThePlugins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, err := os.ReadFile(filepath.Join(bin, "plugins", "smarket-provider-offline"))
	require.NoError(t, err)
	put := func(tail string) {
		fresh := filepath.Join(dir, ".new")
		require.NoError(t, os.WriteFile(fresh, append(data, tail...), 0o755))
		require.NoError(t, os.Rename(fresh, filepath.Join(dir, "smarket-provider-offline")))
	}
	put("")
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), filepath.Join(bin, "smarket"), "serve")
	cmd.Env = append(os.Environ(), "DATA_DIR="+t.TempDir(), "HTTP_ADDR=127.0.0.1:0", "PLUGIN_DIR="+dir)
	log, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(log)
	until := func(want string) string {
		for lines.Scan() {
			if strings.Contains(lines.Text(), want) {
				return lines.Text()
			}
		}
		require.Fail(t, "the log ended before "+want)
		return ""
	}
	until("msg=ready")
	put("a new version")
	require.NoError(t, cmd.Process.Signal(syscall.SIGHUP))
	assert.Contains(t, until(`msg="plugin replaced"`), "outcome=swapped")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "plugins.sum"), nil, 0o600))
	put("nobody vouches for this one")
	require.NoError(t, cmd.Process.Signal(syscall.SIGHUP))
	assert.Contains(t, until(`msg="plugin not replaced"`), "code=not_listed")
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	for lines.Scan() {
	}
	require.NoError(t, cmd.Wait())
}
