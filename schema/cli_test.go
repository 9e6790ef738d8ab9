package schema_test

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/schema"
)

func TestTheCLIAcceptsWhatTheLibraryApplied(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			b := setup(t, dialect)
			require.NoError(t, b.migrator.Up(t.Context()))
			out := atlasCLI(t, "migrate", "status", "--env", string(dialect), "--var", "url="+b.url)
			assert.Contains(t, out, "Migration Status: OK")
			assert.Contains(t, out, "Pending Files:   0")
			out = atlasCLI(t, "migrate", "apply", "--env", string(dialect), "--var", "url="+b.url)
			assert.Contains(t, out, "No migration files to execute")

			require.NoError(t, b.migrator.Down(t.Context(), ""), "the CLI has not altered what it should not")
			out = atlasCLI(t, "migrate", "status", "--env", string(dialect), "--var", "url="+b.url)
			assert.Contains(t, out, "Migration Status: PENDING")
		})
	}
}

func TestTheLibraryAcceptsWhatTheCLIApplied(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			b, ctx := setup(t, dialect), t.Context()
			out := atlasCLI(t, "migrate", "apply", "--env", string(dialect), "--var", "url="+b.url)
			assert.Contains(t, out, "20261123162510")
			pending, err := b.migrator.Pending(ctx)
			require.NoError(t, err)
			for _, p := range pending {
				assert.True(t, strings.HasPrefix(p, "river "), "ours are applied: %s", p)
			}
			require.NoError(t, b.migrator.Up(ctx))
			fill(t, b)
			require.NoError(t, b.migrator.Down(ctx, ""))
			require.NoError(t, b.migrator.Up(ctx))
		})
	}
}

// A change of the desired state without its migration shows here as a plan of the CLI. River's tables are excluded; on
// PostgreSQL they are left out, because this CLI cannot exclude the enum type of one of them.
func TestTheCLISeesNoDrift(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			b := setup(t, dialect)
			m := b.migrator
			if dialect == schema.Postgres {
				m = schema.NewMigrator(b.db.SQL(), dialect, slog.New(slog.DiscardHandler))
			}
			require.NoError(t, m.Up(t.Context()))
			dev := "sqlite://dev?mode=memory"
			if dialect == schema.Postgres {
				dev = pg.NewDatabase(t)
				dev += "&search_path=public"
				b.url += "&search_path=public"
			}
			out := atlasCLI(t, "schema", "diff", "--from", b.url, "--to", "file://schema/"+string(dialect)+".sql", "--dev-url", dev,
				"--exclude", "river_*", "--exclude", "atlas_schema_revisions")
			assert.Contains(t, out, "Schemas are synced, no changes to be made.")
		})
	}
}

func TestTheNewestMigrationPassesTheCLIsAnalysis(t *testing.T) {
	t.Parallel()
	atlasCLI(t, "migrate", "lint", "--env", "sqlite", "--latest", "1")
	atlasCLI(t, "migrate", "lint", "--env", "ci", "--latest", "1", "--var", "dev_url="+pg.NewDatabase(t)+"&search_path=public")
}

func TestTheDirectoryHasItsChecksum(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			assert.Empty(t, atlasCLI(t, "migrate", "validate", "--dir", "file://schema/migrations/"+string(dialect)))
		})
	}
}

var buildCLI = sync.OnceValues(func() (string, error) {
	root, err := filepath.Abs("..")
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "bin", "tools", "atlas")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cmd := exec.Command("go", "build", "-o", path, "ariga.io/atlas/cmd/atlas")
	cmd.Dir = filepath.Join(root, "scripts", "tools", "atlas")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", &exec.Error{Name: "go build of Atlas' CLI: " + string(out), Err: err}
	}
	return path, nil
})

// atlasCLI runs the pinned CLI at the root of the module, where atlas.hcl is, and builds it first if it has to.
func atlasCLI(t *testing.T, args ...string) string {
	t.Helper()
	path, err := buildCLI()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir = ".."
	// On SQLite the CLI's lock is one file in the temporary folder, whatever the database: each run has a folder of its own.
	cmd.Env = append(cmd.Environ(), "ATLAS_NO_UPDATE_NOTIFIER=1", "TMPDIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "atlas %v: %s", args, out)
	return string(out)
}
