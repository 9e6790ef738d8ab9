package schema

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ariga.io/atlas/sql/migrate"
	atlas "ariga.io/atlas/sql/schema"
)

// revisionTable is where Atlas' CLI keeps its history too; on PostgreSQL in the schema of the tables, which atlas.hcl tells
// the CLI by revisions_schema.
const revisionTable = "atlas_schema_revisions"

// revisions reads and writes the history of applied migrations, in the layout of Atlas' CLI v0.13.1.
type revisions struct {
	db      atlas.ExecQuerier
	dialect Dialect
}

var _ migrate.RevisionReadWriter = (*revisions)(nil)

// Ident names the table. The schema is left out: it is the connection's own.
func (r *revisions) Ident() *migrate.TableIdent { return &migrate.TableIdent{Name: revisionTable} }

// create makes the table unless it is there. The types are those that the CLI makes, which would alter others.
func (r *revisions) create(ctx context.Context) error {
	ddl := `CREATE TABLE IF NOT EXISTS "atlas_schema_revisions" ("version" character varying NOT NULL, "description" character varying NOT NULL,` +
		` "type" bigint NOT NULL DEFAULT 2, "applied" bigint NOT NULL DEFAULT 0, "total" bigint NOT NULL DEFAULT 0,` +
		` "executed_at" timestamptz NOT NULL, "execution_time" bigint NOT NULL, "error" text NULL, "error_stmt" text NULL,` +
		` "hash" character varying NOT NULL, "partial_hashes" jsonb NULL, "operator_version" character varying NOT NULL, PRIMARY KEY ("version"))`
	if r.dialect == SQLite {
		ddl = "CREATE TABLE IF NOT EXISTS `atlas_schema_revisions` (`version` text NOT NULL, `description` text NOT NULL," +
			" `type` integer NOT NULL DEFAULT 2, `applied` integer NOT NULL DEFAULT 0, `total` integer NOT NULL DEFAULT 0," +
			" `executed_at` datetime NOT NULL, `execution_time` integer NOT NULL, `error` text NULL, `error_stmt` text NULL," +
			" `hash` text NOT NULL, `partial_hashes` json NULL, `operator_version` text NOT NULL, PRIMARY KEY (`version`))"
	}
	if _, err := r.db.ExecContext(ctx, ddl); err != nil {
		return fmt.Errorf("create the revision table: %w", err)
	}
	return nil
}

// exists says whether the table is there: reading the status of a fresh database must not write to it.
func (r *revisions) exists(ctx context.Context) (bool, error) {
	query := "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = $1"
	if r.dialect == SQLite {
		query = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
	}
	found, err := r.query(ctx, query, func(rows *sql.Rows) (*migrate.Revision, error) {
		var n int
		if err := rows.Scan(&n); err != nil || n == 0 {
			return nil, err
		}
		return &migrate.Revision{}, nil
	}, revisionTable)
	return len(found) > 0, err
}

// ReadRevisions gives the history in the order of versions; nothing where the table does not exist. The row that Atlas Cloud
// uses to name a database (".atlas_cloud_identifier") is none of it.
func (r *revisions) ReadRevisions(ctx context.Context) ([]*migrate.Revision, error) {
	if ok, err := r.exists(ctx); err != nil || !ok {
		return nil, err
	}
	revs, err := r.query(ctx, revisionSelect+" WHERE version NOT LIKE '.%'", scanRevision)
	// Sorted here: a collation of the database may order versions in another way than the executor's binary search.
	slices.SortFunc(revs, func(a, b *migrate.Revision) int { return strings.Compare(a.Version, b.Version) })
	return revs, err
}

// ReadRevision fails with migrate.ErrRevisionNotExist.
func (r *revisions) ReadRevision(ctx context.Context, version string) (*migrate.Revision, error) {
	revs, err := r.query(ctx, revisionSelect+" WHERE version = "+r.arg(1), scanRevision, version)
	if err != nil {
		return nil, err
	}
	if len(revs) == 0 {
		return nil, migrate.ErrRevisionNotExist
	}
	return revs[0], nil
}

// WriteRevision inserts or replaces.
func (r *revisions) WriteRevision(ctx context.Context, rev *migrate.Revision) error {
	hashes, err := json.Marshal(rev.PartialHashes)
	if err != nil {
		return fmt.Errorf("encode partial hashes: %w", err)
	}
	// As text: what the SQLite drivers of the library and of the CLI make of a time.Time differs.
	at := rev.ExecutedAt.UTC().Format("2006-01-02 15:04:05.999999999-07:00")
	marks := make([]string, 12)
	for i := range marks {
		marks[i] = r.arg(i + 1)
	}
	const columns = "version, description, type, applied, total, executed_at, execution_time, error, error_stmt, hash, partial_hashes, operator_version"
	var sets []string
	for c := range strings.SplitSeq(columns, ", ") {
		if c != "version" {
			sets = append(sets, c+" = excluded."+c)
		}
	}
	query := "INSERT INTO " + revisionTable + " (" + columns + ") VALUES (" + strings.Join(marks, ", ") + ")" +
		" ON CONFLICT (version) DO UPDATE SET " + strings.Join(sets, ", ")
	_, err = r.db.ExecContext(ctx, query, rev.Version, rev.Description, int64(rev.Type), rev.Applied, rev.Total, at, //nolint:gosec // Type is a set of four bits
		int64(rev.ExecutionTime), rev.Error, rev.ErrorStmt, rev.Hash, string(hashes), rev.OperatorVersion)
	if err != nil {
		return fmt.Errorf("write revision %s: %w", rev.Version, err)
	}
	return nil
}

// DeleteRevision of what does not exist is no error.
func (r *revisions) DeleteRevision(ctx context.Context, version string) error {
	if _, err := r.db.ExecContext(ctx, "DELETE FROM "+revisionTable+" WHERE version = "+r.arg(1), version); err != nil {
		return fmt.Errorf("delete revision %s: %w", version, err)
	}
	return nil
}

func (r *revisions) arg(n int) string {
	if r.dialect == Postgres {
		return fmt.Sprintf("$%d", n)
	}
	return "?"
}

const revisionSelect = "SELECT version, description, type, applied, total, executed_at, execution_time, error, error_stmt, hash," +
	" partial_hashes, operator_version FROM " + revisionTable

func scanRevision(rows *sql.Rows) (*migrate.Revision, error) {
	var (
		rev           migrate.Revision
		kind, elapsed int64
		fault, stmt   sql.NullString
		hashes        []byte
	)
	if err := rows.Scan(&rev.Version, &rev.Description, &kind, &rev.Applied, &rev.Total, &rev.ExecutedAt, &elapsed, &fault, &stmt,
		&rev.Hash, &hashes, &rev.OperatorVersion); err != nil {
		return nil, err
	}
	if len(hashes) > 0 {
		if err := json.Unmarshal(hashes, &rev.PartialHashes); err != nil {
			return nil, fmt.Errorf("decode partial hashes of %s: %w", rev.Version, err)
		}
	}
	rev.Type = migrate.RevisionType(kind) //nolint:gosec // a set of four bits
	rev.ExecutionTime, rev.Error, rev.ErrorStmt = time.Duration(elapsed), fault.String, stmt.String
	return &rev, nil
}

// query collects what scan makes of each row; nil is left out.
func (r *revisions) query(ctx context.Context, query string, scan func(*sql.Rows) (*migrate.Revision, error), args ...any) (_ []*migrate.Revision, err error) {
	rows, err := r.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read revisions: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var revs []*migrate.Revision
	for rows.Next() {
		rev, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read revisions: %w", err)
		}
		if rev != nil {
			revs = append(revs, rev)
		}
	}
	return revs, rows.Err()
}
