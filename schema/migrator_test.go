package schema_test

import (
	"context"
	"database/sql"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"ariga.io/atlas/sql/migrate"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/schema"
)

func TestUpBringsAFreshDatabaseToTheNewestVersion(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			b, ctx := setup(t, dialect), t.Context()
			pending, err := b.migrator.Pending(ctx)
			require.NoError(t, err)
			assert.Contains(t, pending, "20261123162510_initial")
			assert.Contains(t, pending, "river 1")
			assert.Empty(t, tables(t, b), "asking writes nothing")

			require.NoError(t, b.migrator.Up(ctx))
			require.NoError(t, b.migrator.Up(ctx), "a second time changes nothing")
			pending, err = b.migrator.Pending(ctx)
			require.NoError(t, err)
			assert.Empty(t, pending)
			assert.Subset(t, tables(t, b), []string{"users", "invoices", "river_job", "river_migration", "atlas_schema_revisions"})

			status, err := b.migrator.Status(ctx)
			require.NoError(t, err)
			for _, m := range status {
				assert.True(t, m.Applied, "%s %s", m.Owner, m.Version)
			}
			assert.Equal(t, "smarket", status[0].Owner)
			assert.Equal(t, "initial", status[0].Name)
			assert.WithinDuration(t, time.Now(), status[0].AppliedAt, time.Hour)
		})
	}
}

func TestUpDownUpWithData(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			b, ctx := setup(t, dialect), t.Context()
			require.NoError(t, b.migrator.Up(ctx))
			fill(t, b)
			require.NoError(t, b.migrator.Down(ctx, ""))
			assert.Equal(t, []string{"atlas_schema_revisions"}, tables(t, b))
			require.NoError(t, b.migrator.Down(ctx, "0"), "nothing is left to go back from")
			status, err := b.migrator.Status(ctx)
			require.NoError(t, err)
			assert.False(t, slices.ContainsFunc(status, func(m schema.Migration) bool { return m.Applied }))

			require.NoError(t, b.migrator.Up(ctx))
			fill(t, b)
			assert.Equal(t, 1, count(t, b.db.SQL(), "invoices"))
			pending, err := b.migrator.Pending(ctx)
			require.NoError(t, err)
			assert.Empty(t, pending)
		})
	}
}

func TestForeignKeysHoldAfterMigrating(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			b, ctx := setup(t, dialect), t.Context()
			require.NoError(t, b.migrator.Up(ctx))
			fill(t, b)
			_, err := b.db.SQL().ExecContext(ctx, "DELETE FROM users")
			require.NoError(t, err)
			for _, table := range tables(t, b) {
				switch {
				case table == "atlas_schema_revisions", strings.HasPrefix(table, "river_"), table == "worker_heartbeats",
					strings.HasPrefix(table, "provider_") && table != "provider_calls": // the installation's
				case table == "provider_calls": // what was spent stays, without saying for whom
					assert.Equal(t, 1, count(t, b.db.SQL(), table+" WHERE user_id IS NULL AND invoice_id IS NULL"))
				case table == "audit_entries":
					assert.Equal(t, 1, count(t, b.db.SQL(), table+" WHERE actor_id IS NULL AND subject_id IS NULL"))
				default:
					assert.Zero(t, count(t, b.db.SQL(), table), table)
				}
			}
		})
	}
}

func TestStepsOfSeveralVersions(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			b, ctx := setup(t, dialect), t.Context()
			m := migrator(b, steps(t, map[string]string{
				"1_one.sql":         "CREATE TABLE one (n integer NOT NULL, PRIMARY KEY (n));",
				"2_two.sql":         "CREATE TABLE two (n integer NOT NULL REFERENCES one (n));\nCREATE INDEX two_n ON two (n);",
				"3_three.sql":       "CREATE TABLE three (n integer NOT NULL);",
				"down/1.sql":        "DROP TABLE one;",
				"down/2.sql":        "DROP TABLE two;",
				"down/3.sql":        "DROP TABLE three;",
				"down/no_such.sql":  "ignored",
				"down/ignored.text": "ignored",
			}))
			require.NoError(t, m.UpTo(ctx, "2"))
			assert.Equal(t, []string{"1", "2"}, applied(t, m))
			require.NoError(t, m.UpTo(ctx, "1"), "behind already: nothing to do")
			require.ErrorContains(t, m.UpTo(ctx, "9"), `no migration has the version "9"`)
			require.NoError(t, m.Up(ctx))
			assert.Equal(t, []string{"1", "2", "3"}, applied(t, m))

			_, err := b.db.SQL().ExecContext(ctx, "INSERT INTO one VALUES (1)")
			require.NoError(t, err)
			require.ErrorContains(t, m.Down(ctx, "9"), `version "9" is not applied`)
			require.NoError(t, m.Down(ctx, "1"))
			assert.Equal(t, []string{"1"}, applied(t, m))
			assert.Equal(t, 1, count(t, b.db.SQL(), "one"), "what stays keeps its rows")
			assert.Contains(t, tables(t, b), "river_job", "the companion goes only when everything goes")
			require.NoError(t, m.Up(ctx))
			assert.Equal(t, []string{"1", "2", "3"}, applied(t, m))
		})
	}
}

func TestAFailedStepLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			b, ctx := setup(t, dialect), t.Context()
			files := map[string]string{
				"1_one.sql":  "CREATE TABLE one (n integer NOT NULL);",
				"2_two.sql":  "CREATE TABLE two (n integer NOT NULL);\nINSERT INTO nowhere VALUES (1);",
				"down/1.sql": "DROP TABLE one;\nDROP TABLE nowhere;",
			}
			m := migrator(b, steps(t, files))
			require.ErrorContains(t, m.Up(ctx), "2_two.sql")
			assert.Equal(t, []string{"1"}, applied(t, m))
			assert.NotContains(t, tables(t, b), "two")

			require.ErrorContains(t, m.Down(ctx, ""), "revert migration 1")
			assert.Equal(t, []string{"1"}, applied(t, m))
			assert.Contains(t, tables(t, b), "one")

			files["2_two.sql"] = "CREATE TABLE two (n integer NOT NULL);"
			m = migrator(b, steps(t, files))
			require.NoError(t, m.Up(ctx), "repaired")
			require.ErrorContains(t, m.Down(ctx, ""), "no way back from version 2")
			assert.Equal(t, []string{"1", "2"}, applied(t, m), "nothing was reverted for want of the first script")
		})
	}
}

func TestAMigrationMayOptOutOfItsTransaction(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t, schema.Postgres), t.Context()
	m := migrator(b, steps(t, map[string]string{
		"1_one.sql": "CREATE TABLE one (n integer NOT NULL);",
		"2_two.sql": "-- atlas:txmode none\n\nCREATE INDEX CONCURRENTLY one_n ON one (n);",
	}))
	require.NoError(t, m.Up(ctx))
	assert.Equal(t, []string{"1", "2"}, applied(t, m))
}

func TestANewerDatabaseIsNotPending(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			b, ctx := setup(t, dialect), t.Context()
			files := map[string]string{"1_one.sql": "CREATE TABLE one (n integer);", "2_two.sql": "CREATE TABLE two (n integer);"}
			require.NoError(t, migrator(b, steps(t, files)).Up(ctx))
			delete(files, "2_two.sql")
			older := migrator(b, steps(t, files))
			pending, err := older.Pending(ctx)
			require.NoError(t, err)
			assert.Empty(t, pending)
			assert.Equal(t, []string{"1", "2"}, applied(t, older), "but it is listed")
		})
	}
}

func TestSomebodyElsesDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			b, ctx := setup(t, dialect), t.Context()
			_, err := b.db.SQL().ExecContext(ctx, "CREATE TABLE theirs (n integer)")
			require.NoError(t, err)
			require.ErrorContains(t, b.migrator.Up(ctx), "not clean")
		})
	}
}

func TestAnEditedMigrationIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, schema.SQLite)
	files := steps(t, map[string]string{"1_one.sql": "CREATE TABLE one (n integer);"})
	files["1_one.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE other (n integer);")}
	require.ErrorIs(t, migrator(b, files).Up(t.Context()), migrate.ErrChecksumMismatch)
}

func TestProcessesThatStartTogetherWaitForEachOther(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			b := setup(t, dialect)
			var wg sync.WaitGroup
			errs := make([]error, 4)
			for i := range errs {
				// Each has its own lock, as another process would.
				m := schema.NewMigrator(b.db.SQL(), dialect, slog.New(slog.DiscardHandler), b.river)
				wg.Go(func() { errs[i] = m.Up(context.WithoutCancel(t.Context())) })
			}
			wg.Wait()
			for _, err := range errs {
				require.NoError(t, err)
			}
		})
	}
}

func TestWaitingForTheLockEndsWithTheContext(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			b := setup(t, dialect)
			holding, release := make(chan struct{}), make(chan struct{})
			slow := schema.NewMigrator(b.db.SQL(), dialect, slog.New(slog.DiscardHandler), blocker{holding, release})
			done := make(chan error, 1)
			go func() { done <- slow.Up(t.Context()) }()
			<-holding
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			require.ErrorIs(t, b.migrator.Up(ctx), context.Canceled)
			close(release)
			require.NoError(t, <-done)
		})
	}
}

// blocker is a companion that takes its time.
type blocker struct{ holding, release chan struct{} }

func (blocker) Name() string { return "blocker" }
func (b blocker) Up(context.Context) error {
	close(b.holding)
	<-b.release
	return nil
}
func (blocker) Down(context.Context) error                      { return nil }
func (blocker) Status(context.Context) (_, _ []string, _ error) { return nil, nil, nil }

func migrator(b *bundle, files fs.FS) *schema.Migrator {
	return schema.NewMigratorOf(b.db.SQL(), b.db.Dialect(), slog.New(slog.DiscardHandler), files, b.river)
}

// steps is a directory of migrations with its atlas.sum.
func steps(t *testing.T, files map[string]string) fstest.MapFS {
	t.Helper()
	dir, mem := fstest.MapFS{}, &migrate.MemDir{}
	for name, text := range files {
		dir[name] = &fstest.MapFile{Data: []byte(text)}
		if !strings.HasPrefix(name, "down/") {
			require.NoError(t, mem.WriteFile(name, []byte(text)))
		}
	}
	sum, err := mem.Checksum()
	require.NoError(t, err)
	text, err := sum.MarshalText()
	require.NoError(t, err)
	dir[migrate.HashFileName] = &fstest.MapFile{Data: text}
	return dir
}

func applied(t *testing.T, m *schema.Migrator) []string {
	t.Helper()
	status, err := m.Status(t.Context())
	require.NoError(t, err)
	var versions []string
	for _, s := range status {
		if s.Owner == "smarket" && s.Applied {
			versions = append(versions, s.Version)
		}
	}
	return versions
}

func count(t *testing.T, db *sql.DB, table string) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}

// fill puts a row into every table. Columns that were added later have their defaults, unless a row names them.
func fill(t *testing.T, b *bundle) {
	t.Helper()
	const id, at, day = "'01890000-0000-7000-8000-000000000001'", "'2026-01-02 03:04:05.123456+00:00'", "'2026-01-02'"
	for _, row := range []struct{ table, values string }{
		{"users", id + ", 'a@b', 'A', 'x', 'USER', 'FREE', NULL, 1, 0, '{}', " + at + ", " + at},
		{"sessions", id + ", " + id + ", " + id + ", 'h', " + at + ", " + at + ", NULL, NULL, 'd'"},
		{"invoices", id + ", " + id + ", 'QUEUED', 1, 1, 1, 0, '', NULL, '', 65, 1, NULL, NULL, false, '', '', '', '', ''," +
			" NULL, NULL, 0, 0, 0, 0, 0, NULL, NULL, 0, false, NULL, NULL, NULL, NULL, NULL, '', " + at + ", " + at},
		{"invoice_items", id + ", " + id + ", 0, 1, 'x', '', '', '', '1.5', '2.25', 3, 0, false, false, ''"},
		{"invoice_payments", id + ", 0, 'PIX', 1"},
		{"invoice_checks", id + ", 0, 'X', true, '', '', NULL, 0"},
		{"invoice_attempts", id + ", 0, 1, 1, '', '', '', 0, " + at + ", " + at},
		{"invoice_files", id + ", " + id + ", " + id + ", 0, 'PNG', 1, '', '', NULL"},
		{"invoice_claims", id + ", 'X', 'y', " + id},
		{"extraction_events", id + ", 1, " + id + ", 'QUEUED', 'QUEUED', 0, '', 0, 0, '', '', " + at},
		{"worker_heartbeats", "'w', 'w', " + at + ", " + at},
		{"provider_calls", id + ", " + id + ", " + id + ", " + day + ", 'extract', 'gemini', 'm', 1, 'ok', 1, 1, 1, 1, 1, 1, 1, 1, 0, " +
			at + ", NULL"},
		{"budget_days", id + ", " + day + ", " + id + ", 1, 1"},
		{"products", id + ", " + id + ", 'label:x', '', 'X', '', '', 'UN', 'other', '', false, false, '', false, 'x', " + at + ", " + at},
		{"product_labels", id + ", 'm', 'x', " + id + ", false, " + at},
		{"purchases", id + ", " + id + ", " + day + ", " + at + ", 'm', 'M', 'supermarket', 3, 1"},
		{"purchase_lines", id + ", " + id + ", " + id + ", " + id + ", " + day + ", 'm', 'x', 1500000, 3, 2, NULL"},
		{"analyses", id + ", " + id + ", 'QUEUED', '', '', 1, 0, '', '', '[]', " + at + ", NULL"},
		{"insights", id + ", " + id + ", " + id + ", 'SUMMARY', '', 'LOW', 1, 't', 'd', '{}', " + day + ", " + day +
			", '[]', '[]', '[]', '', '', NULL, NULL, NULL, " + at},
		{"invoice_revisions", id + ", 1, 'XML', '{}', " + at},
		{"provider_settings", "'gemini', true, 1, " + at},
		{"provider_control", "1, 1, " + at},
		{"audit_entries", id + ", " + at + ", " + id + ", " + id + ", 'PLAN_CHANGED', ''"},
	} {
		columns := strings.Join(columnsOf(t, b.db.SQL(), row.table)[:strings.Count(row.values, ",")+1], ", ")
		stmt := "INSERT INTO " + row.table + " (" + columns + ") VALUES (" + row.values + ")"
		_, err := b.db.SQL().ExecContext(t.Context(), stmt)
		require.NoError(t, err, stmt)
	}
}

// columnsOf are a table's columns, those that were added later at the end.
func columnsOf(t *testing.T, db *sql.DB, table string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+table+" LIMIT 0")
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	require.NoError(t, rows.Err())
	return columns
}
