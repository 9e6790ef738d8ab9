// Package chaos_test kills and freezes the running service while people use it, and then counts: two api and two worker
// processes of the real binary with real plugins, a PostgreSQL and a Redis of their own, and the stand-in of the vendors.
//
//	make chaos ROUNDS=100 SEED=1
//
// What is done to which part, and in which order, comes from the seed; at which moment of the work it strikes is the machine's.
package chaos_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	rounds = flag.Int("rounds", 12, "how often something is killed or frozen")
	seed   = flag.Uint64("seed", 1, "of what is done to which part")
	bin    string // the folder of the built binary; its plugins are in the folder plugins beside it
)

// TestMain builds the binaries as make build does.
func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(build(m))
}

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "smarket-chaos-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	bin = dir
	for out, pkg := range map[string]string{
		"smarket": "../../cmd/smarket", "plugins/smarket-provider-gemini": "../../cmd/smarket-provider-gemini",
		"plugins/smarket-provider-openrouter": "../../cmd/smarket-provider-openrouter",
		"plugins/smarket-provider-openai":     "../../cmd/smarket-provider-openai",
	} {
		cmd := exec.Command("go", "build", "-tags", "nodynamic", "-o", filepath.Join(dir, out), pkg)
		if text, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", pkg, err, text)
			return 1
		}
	}
	return m.Run()
}
