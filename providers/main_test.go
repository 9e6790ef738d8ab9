package providers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// hostArgument makes the test binary run hostUntilKilled.
const hostArgument = "run-host"

// actorPath is the binary of testdata/plugins/actor, and actor2Path another version of it, built once.
var actorPath, actor2Path string

func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == hostArgument { // started by a test
		os.Exit(hostUntilKilled(os.Args[2], os.Args[3]))
	}
	if len(os.Args) == 4 && os.Args[1] == soakArgument {
		os.Exit(soak(os.Args[2], os.Args[3]))
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "actor")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	actorPath, actor2Path = filepath.Join(dir, "actor"), filepath.Join(dir, "actor2")
	for path, version := range map[string]string{actorPath: "1.2.3", actor2Path: "2.0.0"} {
		build := exec.Command("go", "build", "-ldflags", "-X main.version="+version, "-o", path, "./testdata/plugins/actor")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build actor:", err)
			return 1
		}
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// hostUntilKilled is a process of its own that runs a host, tells the plugin's pid, and waits to be killed.
func hostUntilKilled(dir, run string) int {
	h := NewHost(HostConfig{Dir: dir, RunDir: run})
	if err := h.Start(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_, _ = fmt.Fprintln(os.Stdout, h.List()[0].PID)
	select {}
}
