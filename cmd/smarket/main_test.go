package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/pgtest"
	"github.com/mercadoesperto/smarket/internal/receipts"
	"github.com/mercadoesperto/smarket/providers"
)

var (
	pg  pgtest.Server
	bin string // the folder of the built binary; its plugins are in the folder plugins beside it
)

// TestMain builds the binaries as make build does: the tests run them the way an operator would.
func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "smarket-bin-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	bin = dir
	for out, pkg := range map[string]string{
		"smarket": ".", "plugins/smarket-provider-offline": "../smarket-provider-offline",
	} {
		cmd := exec.Command("go", "build", "-tags", "nodynamic", "-o", filepath.Join(dir, out), pkg)
		if text, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", pkg, err, text)
			return 1
		}
	}
	if _, err := providers.Trust(filepath.Join(dir, "plugins")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return pg.Run(m)
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			env.Setenv("PLUGINS", filepath.Join(bin, "plugins"))
			env.Setenv("DATA_DIR", filepath.Join(env.WorkDir, "data"))
			env.Setenv("XDG_CACHE_HOME", os.TempDir()) // the compiled PDF sandbox is shared: it takes seconds to make
			for _, sample := range receipts.Bundled() {
				truth, err := sample.TruthJSON()
				err = errors.Join(err, os.WriteFile(filepath.Join(env.WorkDir, sample.Name), sample.Data, 0o600),
					os.WriteFile(filepath.Join(env.WorkDir, sample.TruthName()), truth, 0o600))
				if err != nil {
					return err
				}
			}
			return nil
		},
	})
}

// call runs the command in this process: for exit codes, which scripts cannot tell apart.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs, func() (config.Config, error) {
		return config.Load([]string{
			"PATH=" + os.Getenv("PATH"), "DATA_DIR=" + t.TempDir(), "PLUGIN_DIR=" + filepath.Join(bin, "plugins"), "LOG_LEVEL=error",
		})
	})
	return code, out.String(), errs.String()
}

// TestExtractOfXMLIsExact holds every figure of generated notes against their truth.
func TestExtractOfXMLIsExact(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		r := receipts.Generate(receipts.NewRand(seed), receipts.Options{})
		xml, err := r.XML(receipts.XMLOptions{Bare: seed%2 == 1, Latin1: seed%3 == 1, BOM: seed%4 == 2})
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "note.xml")
		require.NoError(t, os.WriteFile(path, xml, 0o600))
		code, stdout, stderr := call(t, "extract", "--json", path)
		require.Zero(t, code, "seed %d: %s", seed, stderr)
		equalsTruth(t, []byte(stdout), r.Truth())
	}
}

// equalsTruth compares the contract's JSON with a truth file's, field by field.
func equalsTruth(t *testing.T, got []byte, truth receipts.Truth) {
	t.Helper()
	var inv invoiceJSON
	require.NoError(t, json.Unmarshal(got, &inv))
	assert.Equal(t, "COMPLETED", inv.Status)
	for _, c := range inv.Checks {
		assert.True(t, c.Passed, c.Name)
	}
	require.NotNil(t, inv.AccessKey)
	assert.Equal(t, truth.AccessKey, *inv.AccessKey)
	require.Len(t, inv.Items, len(truth.Items))
	for i, want := range truth.Items {
		it := inv.Items[i]
		assert.Equal(t, want.LineNumber, it.LineNumber)
		assert.Equal(t, want.Description, it.Description)
		assert.Equal(t, want.Quantity, it.Quantity)
		assert.Equal(t, want.UnitPrice, it.UnitPrice)
		assert.Equal(t, int64(want.Total), it.Total.Centavos)
		assert.Equal(t, int64(want.Discount), it.Discount.Centavos)
	}
	require.NotNil(t, inv.Totals.Due)
	assert.Equal(t, int64(truth.Totals.Due), inv.Totals.Due.Centavos)
	assert.Equal(t, int64(truth.Totals.Change), inv.Totals.Change.Centavos)
	require.Len(t, inv.Payments, len(truth.Payments))
	for i, want := range truth.Payments {
		assert.Equal(t, fmt.Sprint(want.Method), inv.Payments[i].Method)
		assert.Equal(t, int64(want.Amount), inv.Payments[i].Amount.Centavos)
	}
}

func TestExitCodesOfExtract(t *testing.T) {
	t.Parallel()
	r := receipts.Generate(receipts.NewRand(7), receipts.Options{Items: 3, Test: true}) // without fiscal value: a check fails
	xml, err := r.XML(receipts.XMLOptions{})
	require.NoError(t, err)
	dir := t.TempDir()
	review, broken := filepath.Join(dir, "review.xml"), filepath.Join(dir, "broken.jpg")
	require.NoError(t, os.WriteFile(review, xml, 0o600))
	require.NoError(t, os.WriteFile(broken, []byte("not a picture"), 0o600))

	code, stdout, _ := call(t, "extract", review)
	assert.Equal(t, 2, code)
	assert.Contains(t, stdout, "REAL_DOCUMENT")
	code, _, stderr := call(t, "extract", broken)
	assert.Equal(t, 1, code)
	assert.NotEmpty(t, stderr)
	code, _, stderr = call(t, "extract")
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "name the files of one purchase")
}

func TestAnUnknownFlagGetsOneHelpfulLine(t *testing.T) {
	t.Parallel()
	code, _, stderr := call(t, "serve", "--portt", "1")
	assert.Equal(t, 1, code)
	assert.Regexp(t, `^smarket: .*--portt.*serve --help.*\n$`, stderr)
	assert.Equal(t, 1, bytes.Count([]byte(stderr), []byte("\n")))
}

func TestTheDemoIsMadeOnceAndKeptAtTheSecondStart(t *testing.T) {
	t.Parallel()
	env := append(os.Environ(), "DATA_DIR="+t.TempDir(), "HTTP_ADDR=127.0.0.1:0", "LOG_LEVEL=error")
	demo := func() string {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		cmd := exec.CommandContext(ctx, filepath.Join(bin, "smarket"), "serve", "--demo")
		cmd.Env, cmd.Cancel = env, func() error { return cmd.Process.Signal(os.Interrupt) }
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		var text bytes.Buffer
		buf := make([]byte, 4096)
		for !bytes.Contains(text.Bytes(), []byte("Ctrl-C")) {
			n, err := out.Read(buf)
			text.Write(buf[:n])
			require.NoError(t, err, text.String())
		}
		cancel()
		_ = cmd.Wait() // it was interrupted
		return text.String()
	}
	first := demo()
	for _, sample := range receipts.Bundled() {
		assert.Regexp(t, sample.Name+` +COMPLETED`, first)
	}
	second := demo()
	assert.Equal(t, firstLines(first, len(receipts.Bundled())), firstLines(second, len(receipts.Bundled())))
}

func firstLines(s string, n int) []byte {
	lines := bytes.SplitN([]byte(s), []byte("\n"), n+1)
	return bytes.Join(lines[:n], []byte("\n"))
}
