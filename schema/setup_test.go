package schema_test

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/stretchr/testify/require"

	"github.com/mercadoesperto/smarket/internal/pgtest"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/schema"
)

var pg pgtest.Server

func TestMain(m *testing.M) { os.Exit(pg.Run(m)) }

// bundle is an empty database with the Migrator that the service would use.
type bundle struct {
	db       *store.DB
	url      string // as Atlas' CLI takes it
	river    schema.Companion
	migrator *schema.Migrator
}

// both are the databases that every test here runs on.
var both = []schema.Dialect{schema.SQLite, schema.Postgres}

func setup(t *testing.T, dialect schema.Dialect) *bundle {
	t.Helper()
	var cfg store.Config
	b := &bundle{}
	if dialect == schema.Postgres {
		cfg = store.Config{URL: pg.NewDatabase(t), MaxIdle: 5}
		b.url = cfg.URL
	} else {
		cfg = store.Config{Path: filepath.Join(t.TempDir(), "smarket.db")}
		b.url = "sqlite://" + cfg.Path + "?_fk=1"
	}
	b.db = open(t, cfg)
	b.river = newRiver(t, b.db.SQL(), dialect)
	b.migrator = schema.NewMigrator(b.db.SQL(), dialect, slog.New(slog.DiscardHandler), b.river)
	return b
}

func open(t *testing.T, cfg store.Config) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// river is how the job queue's migrations fit schema.Companion.
type river struct {
	migrator *rivermigrate.Migrator[*sql.Tx]
}

func newRiver(t *testing.T, db *sql.DB, dialect schema.Dialect) *river {
	t.Helper()
	var driver riverdriver.Driver[*sql.Tx] = riversqlite.New(db)
	if dialect == schema.Postgres {
		driver = riverdatabasesql.New(db)
	}
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	return &river{m}
}

func (r *river) Name() string { return "river" }

func (r *river) Up(ctx context.Context) error {
	_, err := r.migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func (r *river) Down(ctx context.Context) error {
	_, err := r.migrator.Migrate(ctx, rivermigrate.DirectionDown, &rivermigrate.MigrateOpts{TargetVersion: -1})
	return err
}

func (r *river) Status(ctx context.Context) (applied, pending []string, err error) {
	existing, err := r.migrator.ExistingVersions(ctx)
	if err != nil {
		return nil, nil, err
	}
	have := map[int]bool{}
	for _, v := range existing {
		have[v.Version] = true
	}
	for _, v := range r.migrator.AllVersions() {
		if have[v.Version] {
			applied = append(applied, strconv.Itoa(v.Version))
		} else {
			pending = append(pending, strconv.Itoa(v.Version))
		}
	}
	return applied, pending, nil
}

// tables lists the tables of the database.
func tables(t *testing.T, b *bundle) []string {
	t.Helper()
	query := "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
	if b.db.Dialect() == schema.SQLite {
		query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
	}
	rows, err := b.db.SQL().QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var names []string
	for rows.Next() {
		var n string
		require.NoError(t, rows.Scan(&n))
		names = append(names, n)
	}
	require.NoError(t, rows.Err())
	return names
}
