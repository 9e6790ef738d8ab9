package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"slices"
	"strings"
	"time"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
)

// operator is what this library writes into the revision table where the CLI writes "Atlas CLI".
const operator = "smarket"

// Companion is another owner of tables in the same database, with migrations of its own: the job queue. It goes up after
// our migrations, because Atlas wants a fresh database to be empty, and down before them, and only when everything goes.
type Companion interface {
	// Name is a word for reports: "river".
	Name() string
	// Up brings the tables to the newest version. No error when they are there already.
	Up(ctx context.Context) error
	// Down removes the tables. No error when there are none.
	Down(ctx context.Context) error
	// Status lists the versions in their order: those that are in the database and those still to come.
	Status(ctx context.Context) (applied, pending []string, err error)
}

// Migrator brings a database to the schema that this binary was built with, or back. Two at once on one database, in whatever
// processes, wait for each other; on PostgreSQL Atlas' CLI waits too.
type Migrator struct {
	db         *sql.DB
	dialect    Dialect
	log        *slog.Logger
	companions []Companion
	files      fs.FS // migrations/DIALECT
}

// Migration is one versioned step, ours or a companion's.
type Migration struct {
	Owner   string // "smarket", or the companion's name
	Version string
	Name    string // "" for a companion's
	Applied bool
	// AppliedAt and Fault are of our own migrations. A Fault is left by a migration that failed half way: only one that
	// cannot run in a transaction can.
	AppliedAt time.Time
	Fault     string
}

// NewMigrator works on db, which is the writing pool and, on PostgreSQL, has room for three connections: one holds the lock
// while others work.
func NewMigrator(db *sql.DB, dialect Dialect, log *slog.Logger, companions ...Companion) *Migrator {
	files, err := fs.Sub(migrations, path.Join("migrations", string(dialect)))
	if err != nil {
		files = migrations // an unknown dialect: every method reports that its directory is missing
	}
	return &Migrator{db: db, dialect: dialect, log: log, companions: companions, files: files}
}

// Up applies everything that is pending: our migrations, each in a transaction with its revision, then the companions'.
func (m *Migrator) Up(ctx context.Context) error { return m.UpTo(ctx, "") }

// UpTo is Up with our migrations after version left out. The companions are always brought to their newest: their code is
// in this binary.
func (m *Migrator) UpTo(ctx context.Context, version string) error {
	return m.locked(ctx, func(ctx context.Context) error {
		if err := (&revisions{m.db, m.dialect}).create(ctx); err != nil {
			return err
		}
		pending, err := m.pending(ctx)
		if err != nil {
			return err
		}
		if version != "" {
			if pending, err = m.upTo(pending, version); err != nil {
				return err
			}
		}
		for _, f := range pending {
			start := time.Now()
			if err := m.apply(ctx, f); err != nil {
				return fmt.Errorf("apply migration %s: %w", f.Name(), err)
			}
			m.log.InfoContext(ctx, "migration applied", "file", f.Name(), "duration", time.Since(start))
		}
		for _, c := range m.companions {
			if err := c.Up(ctx); err != nil {
				return fmt.Errorf("migrate %s: %w", c.Name(), err)
			}
		}
		return nil
	})
}

// upTo cuts the list after version, which may be applied already.
func (m *Migrator) upTo(pending []migrate.File, version string) ([]migrate.File, error) {
	dir, err := m.dir()
	if err != nil {
		return nil, err
	}
	all, err := dir.Files()
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	if !slices.ContainsFunc(all, func(f migrate.File) bool { return f.Version() == version }) {
		return nil, fmt.Errorf("no migration has the version %q", version)
	}
	return slices.DeleteFunc(pending, func(f migrate.File) bool { return f.Version() > version }), nil
}

// Down goes back until version to is the newest that is applied; with to "" or "0" until nothing is left, the companions'
// tables included. Each step runs its down file and deletes its revision in one transaction. Data of what is dropped is lost.
func (m *Migrator) Down(ctx context.Context, to string) error {
	if to == "0" {
		to = ""
	}
	return m.locked(ctx, func(ctx context.Context) error {
		revs, err := (&revisions{m.db, m.dialect}).ReadRevisions(ctx)
		if err != nil {
			return err
		}
		if to != "" && !slices.ContainsFunc(revs, func(r *migrate.Revision) bool { return r.Version == to }) {
			return fmt.Errorf("version %q is not applied", to)
		}
		scripts := make(map[string]*migrate.LocalFile, len(revs))
		for _, r := range revs { // all of them before the first is run
			if r.Version > to {
				if scripts[r.Version], err = m.downFile(r.Version); err != nil {
					return err
				}
			}
		}
		if to == "" {
			for _, c := range slices.Backward(m.companions) {
				if err := c.Down(ctx); err != nil {
					return fmt.Errorf("remove %s: %w", c.Name(), err)
				}
			}
		}
		for _, r := range slices.Backward(revs) {
			script, ok := scripts[r.Version]
			if !ok {
				continue
			}
			if err := m.revert(ctx, script, r.Version); err != nil {
				return fmt.Errorf("revert migration %s: %w", r.Version, err)
			}
			m.log.InfoContext(ctx, "migration reverted", "version", r.Version, "name", r.Description)
		}
		return nil
	})
}

func (m *Migrator) downFile(version string) (*migrate.LocalFile, error) {
	name := path.Join("down", version+".sql")
	b, err := fs.ReadFile(m.files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no way back from version %s: it was applied by a newer release, or has no %s", version, name)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return migrate.NewLocalFile(name, b), nil
}

// Pending names what Up would apply, in its order; empty when the database is up to date, or newer than this binary: an older
// release must be able to run beside a newer one. It writes nothing.
func (m *Migrator) Pending(ctx context.Context) ([]string, error) {
	files, err := m.pending(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(f.Name(), ".sql"))
	}
	for _, c := range m.companions {
		_, pending, err := c.Status(ctx)
		if err != nil {
			return nil, fmt.Errorf("status of %s: %w", c.Name(), err)
		}
		for _, v := range pending {
			names = append(names, c.Name()+" "+v)
		}
	}
	return names, nil
}

// Status lists every migration: ours by version, those only the database knows included, then the companions'. It writes
// nothing.
func (m *Migrator) Status(ctx context.Context) ([]Migration, error) {
	dir, err := m.dir()
	if err != nil {
		return nil, err
	}
	files, err := dir.Files()
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	revs, err := (&revisions{m.db, m.dialect}).ReadRevisions(ctx)
	if err != nil {
		return nil, err
	}
	var list []Migration
	for _, r := range revs {
		list = append(list, Migration{
			Owner: operator, Version: r.Version, Name: r.Description, Applied: r.Applied == r.Total, AppliedAt: r.ExecutedAt, Fault: r.Error,
		})
	}
	for _, f := range files {
		if !slices.ContainsFunc(revs, func(r *migrate.Revision) bool { return r.Version == f.Version() }) {
			list = append(list, Migration{Owner: operator, Version: f.Version(), Name: f.Desc()})
		}
	}
	slices.SortFunc(list, func(a, b Migration) int { return strings.Compare(a.Version, b.Version) })
	for _, c := range m.companions {
		applied, pending, err := c.Status(ctx)
		if err != nil {
			return nil, fmt.Errorf("status of %s: %w", c.Name(), err)
		}
		for _, v := range applied {
			list = append(list, Migration{Owner: c.Name(), Version: v, Applied: true})
		}
		for _, v := range pending {
			list = append(list, Migration{Owner: c.Name(), Version: v})
		}
	}
	return list, nil
}

// pending asks Atlas' executor, which also holds the files against atlas.sum.
func (m *Migrator) pending(ctx context.Context) ([]migrate.File, error) {
	ex, err := m.executor(m.db)
	if err != nil {
		return nil, err
	}
	files, err := ex.Pending(ctx)
	if err != nil && !errors.Is(err, migrate.ErrNoPendingFiles) {
		return nil, fmt.Errorf("list pending migrations: %w", err)
	}
	return files, nil
}

// apply runs one file in a transaction with its revision. A file that starts with "-- atlas:txmode none" and a blank line
// runs without one, as in the CLI: for CREATE INDEX CONCURRENTLY.
func (m *Migrator) apply(ctx context.Context, f migrate.File) error {
	execute := func(q atlas.ExecQuerier) error {
		ex, err := m.executor(q)
		if err != nil {
			return err
		}
		return ex.Execute(ctx, f)
	}
	if l, ok := f.(*migrate.LocalFile); ok && slices.Contains(l.Directive("txmode"), "none") {
		return execute(m.db)
	}
	return m.inTx(ctx, execute)
}

func (m *Migrator) revert(ctx context.Context, script *migrate.LocalFile, version string) error {
	stmts, err := script.Stmts()
	if err != nil {
		return fmt.Errorf("read %s: %w", script.Name(), err)
	}
	return m.inTx(ctx, func(q atlas.ExecQuerier) error {
		for _, s := range stmts {
			if _, err := q.ExecContext(ctx, s); err != nil {
				return fmt.Errorf("%s: %q: %w", script.Name(), s, err)
			}
		}
		return (&revisions{q, m.dialect}).DeleteRevision(ctx, version)
	})
}

// inTx commits what fn did, or nothing of it. On SQLite foreign keys are not enforced meanwhile, because a table is altered by
// building it anew and dropping the old one, whose rows would cascade; they are checked as a whole before the commit.
func (m *Migrator) inTx(ctx context.Context, fn func(atlas.ExecQuerier) error) (err error) {
	conn, err := m.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if m.dialect == SQLite {
		var on bool
		if err := conn.QueryRowContext(ctx, "PRAGMA foreign_keys").Scan(&on); err != nil {
			return fmt.Errorf("read foreign_keys: %w", err)
		}
		if on {
			if _, err := conn.ExecContext(ctx, "PRAGMA foreign_keys = off"); err != nil {
				return fmt.Errorf("switch foreign keys off: %w", err)
			}
			defer func() {
				// Also when ctx has ended: the connection goes back to the pool and must enforce them.
				if _, e := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA foreign_keys = on"); e != nil {
					err = errors.Join(err, fmt.Errorf("switch foreign keys on: %w", e))
				}
			}()
		}
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	commit := tx.Commit
	if m.dialect == SQLite {
		if commit, err = sqlite.CommitFunc(ctx, conn, tx, true); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func (m *Migrator) executor(q atlas.ExecQuerier) (*migrate.Executor, error) {
	dir, err := m.dir()
	if err != nil {
		return nil, err
	}
	drv, err := m.driver(q)
	if err != nil {
		return nil, err
	}
	ex, err := migrate.NewExecutor(drv, dir, &revisions{q, m.dialect}, migrate.WithOperatorVersion(operator))
	if err != nil {
		return nil, fmt.Errorf("make an executor: %w", err)
	}
	return ex, nil
}

func (m *Migrator) driver(q atlas.ExecQuerier) (migrate.Driver, error) {
	if m.dialect == SQLite {
		drv, err := sqlite.Open(q)
		if err != nil {
			return nil, fmt.Errorf("open atlas' sqlite driver: %w", err)
		}
		return drv, nil
	}
	drv, err := postgres.Open(q)
	if err != nil {
		return nil, fmt.Errorf("open atlas' postgres driver: %w", err)
	}
	if pg, ok := drv.(*postgres.Driver); ok {
		return &postgresDriver{Driver: pg}, nil
	}
	return drv, nil // CockroachDB's; it is not tested here
}

// dir is the embedded directory in the form that Atlas wants. Its files in down/ are none of Atlas' business.
func (m *Migrator) dir() (migrate.Dir, error) {
	names, err := fs.Glob(m.files, "*.sql")
	if err != nil || len(names) == 0 {
		return nil, errors.Join(fmt.Errorf("no migrations for %q", m.dialect), err)
	}
	dir := &migrate.MemDir{}
	for _, name := range append(names, migrate.HashFileName) {
		b, err := fs.ReadFile(m.files, name)
		if err != nil {
			return nil, fmt.Errorf("read migration: %w", err)
		}
		if err := dir.WriteFile(name, b); err != nil {
			return nil, fmt.Errorf("read migration: %w", err)
		}
	}
	return dir, nil
}

// postgresDriver is Atlas' driver bound to the schema of the connection. Unbound, it takes any other schema in the database
// for dirt, and the binding is not exported.
type postgresDriver struct{ *postgres.Driver }

// CheckClean says whether the schema holds nothing but the revision table.
func (d *postgresDriver) CheckClean(ctx context.Context, revisions *migrate.TableIdent) error {
	s, err := d.InspectSchema(ctx, "", &atlas.InspectOptions{Mode: atlas.InspectSchemas | atlas.InspectTables})
	if err != nil {
		return fmt.Errorf("inspect the schema: %w", err)
	}
	for _, t := range s.Tables {
		if revisions == nil || t.Name != revisions.Name {
			return &migrate.NotCleanError{State: atlas.NewRealm(s), Reason: fmt.Sprintf("found table %q", t.Name)}
		}
	}
	return nil
}
