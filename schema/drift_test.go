package schema_test

import (
	"context"
	"os"
	"reflect"
	"slices"
	"testing"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	bunschema "github.com/uptrace/bun/schema"

	"github.com/mercadoesperto/smarket/schema"
)

// excluded is what atlas.hcl excludes: other people's tables.
var excluded = []string{"river_*", "atlas_schema_revisions"}

func TestMigrationsReplayedEqualTheDesiredState(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			migrated, desired := setup(t, dialect), setup(t, dialect)
			require.NoError(t, migrated.migrator.Up(t.Context()))
			ddl, err := os.ReadFile(string(dialect) + ".sql")
			require.NoError(t, err)
			_, err = desired.db.SQL().ExecContext(t.Context(), string(ddl))
			require.NoError(t, err)

			drv, have := inspect(t, migrated)
			_, want := inspect(t, desired)
			require.NotEmpty(t, want.Tables)
			assert.Empty(t, plan(t, drv, have, want), "what the migrations lack")
			assert.Empty(t, plan(t, drv, want, have), "what the migrations have too much")
		})
	}
}

func TestDriftIsSeen(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			a, b := setup(t, dialect), setup(t, dialect)
			require.NoError(t, a.migrator.Up(t.Context()))
			require.NoError(t, b.migrator.Up(t.Context()))
			_, err := b.db.SQL().ExecContext(t.Context(), "CREATE INDEX drift ON users (name)")
			require.NoError(t, err)
			drv, have := inspect(t, a)
			_, want := inspect(t, b)
			assert.Len(t, plan(t, drv, have, want), 1)
		})
	}
}

func TestEveryRowFieldHasItsColumnAndTheOtherWayRound(t *testing.T) {
	t.Parallel()
	for _, dialect := range both {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			b := setup(t, dialect)
			require.NoError(t, b.migrator.Up(t.Context()))
			_, have := inspect(t, b)
			var d bunschema.Dialect = pgdialect.New()
			if dialect == schema.SQLite {
				d = sqlitedialect.New()
			}
			bdb := bun.NewDB(b.db.SQL(), d)
			var described []string
			for _, row := range schema.Rows() {
				table := bdb.Table(reflect.TypeOf(row).Elem())
				described = append(described, table.Name)
				t.Run(table.Name, func(t *testing.T) {
					columns, ok := have.Table(table.Name)
					require.True(t, ok, "no such table")
					var fields, names, keys []string
					for _, f := range table.Fields {
						fields = append(fields, f.Name)
					}
					for _, c := range columns.Columns {
						names = append(names, c.Name)
					}
					assert.ElementsMatch(t, names, fields)
					for _, p := range columns.PrimaryKey.Parts {
						keys = append(keys, p.C.Name)
					}
					var pks []string
					for _, f := range table.PKs {
						pks = append(pks, f.Name)
					}
					assert.Equal(t, keys, pks, "primary key")
					for _, f := range table.Fields {
						c, _ := columns.Column(f.Name)
						nullable := f.NullZero || f.StructField.Type.Kind() == reflect.Pointer || f.Name == "picture_hash"
						assert.Equal(t, nullable, c.Type.Null, "nullable: %s", f.Name)
					}
				})
			}
			for _, table := range have.Tables {
				assert.Contains(t, described, table.Name, "a table without a row struct")
			}
		})
	}
}

func inspect(t *testing.T, b *bundle) (migrate.Driver, *atlas.Schema) {
	t.Helper()
	openDriver, name := postgres.Open, "public"
	if b.db.Dialect() == schema.SQLite {
		openDriver, name = sqlite.Open, "main"
	}
	drv, err := openDriver(b.db.SQL())
	require.NoError(t, err)
	s, err := drv.InspectSchema(t.Context(), name, &atlas.InspectOptions{Exclude: excluded})
	require.NoError(t, err)
	return drv, s
}

// plan is the statements that lead from one schema to the other.
func plan(t *testing.T, drv migrate.Driver, from, to *atlas.Schema) []string {
	t.Helper()
	changes, err := drv.SchemaDiff(from, to)
	require.NoError(t, err)
	// SQLite's driver cannot look at the one connection while it plans; nothing needs planning when nothing changed.
	if len(changes) == 0 {
		return nil
	}
	p, err := drv.PlanChanges(context.WithoutCancel(t.Context()), "drift", changes)
	require.NoError(t, err)
	var stmts []string
	for _, c := range p.Changes {
		stmts = append(stmts, c.Cmd)
	}
	return slices.Compact(stmts)
}
