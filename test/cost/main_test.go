// Package cost_test measures what models cost: a month of 10,000 invoices goes through the real service, with real plugins, against
// the stand-in of the vendors, which counts tokens; the service's own ledger says what they cost by its own prices. One measure
// after the other is switched on.
//
//	make bench-cost N=10000 SEED=1
//
// docs/costs.md says what the mix is, what is measured and what is assumed.
package cost_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

var (
	invoices = flag.Int("invoices", 200, "how many documents are handed in")
	seed     = flag.Uint64("seed", 1, "of who they are and what they buy")
	out      = flag.String("out", "", "where the table is written: NAME.json and NAME.md")
	plugins  string // the folder of the real plugins
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(build(m))
}

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "smarket-cost-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	plugins = dir
	cmd := exec.Command("go", "build", "-tags", "nodynamic", "-o", dir, "../../cmd/smarket-provider-gemini",
		"../../cmd/smarket-provider-openrouter", "../../cmd/smarket-provider-openai")
	if text, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the plugins: %v\n%s", err, text)
		return 1
	}
	return m.Run()
}
