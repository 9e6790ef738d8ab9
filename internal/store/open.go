package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/mercadoesperto/smarket/schema"
)

// Config says which database, and how many connections it is given.
type Config struct {
	// URL is a PostgreSQL address, postgres://...; "" opens the SQLite file at Path.
	URL string
	// Path is the SQLite file, made when it does not exist. Its folder must exist.
	Path string
	// MaxIdle is how many PostgreSQL connections are kept open when nothing uses them. Defaults to 20.
	MaxIdle int
	// MaxOverflow is how many more are opened under load and closed once they are free again. Defaults to 10 when MaxIdle is
	// 0 too.
	MaxOverflow int
	// Hook sees every statement; nil is none.
	Hook bun.QueryHook
	// Readers is how many SQLite connections read at the same time beside the one that writes. Defaults to 4.
	Readers int
}

const (
	// minPostgresConns is what migrations need: one holds the lock while others work.
	minPostgresConns = 3
	// warmConns are opened ahead of their first use, so that a burst after a quiet time does not wait for handshakes.
	warmConns = 2
	// healthCheck is how often idle connections are looked at: those older than connLifetime are replaced.
	healthCheck = 30 * time.Second
	// connLifetime bounds a connection's age, so that a fail-over or a new password takes effect; jitter spreads the renewals.
	connLifetime       = time.Hour
	connLifetimeJitter = 10 * time.Minute
	// connIdle is after how long an unused connection is closed, warmConns excepted.
	connIdle = 15 * time.Minute
	// busyTimeout is how long a SQLite connection waits for another process to finish writing, in milliseconds.
	busyTimeout = "10000"
)

// absent bounds how long a process that is frozen, or whose machine is gone, keeps its locks: the server would wait for its next
// word for hours. No transaction of ours is idle for long: none waits for anything but the database.
const absent = `SET idle_in_transaction_session_timeout = '20s'; SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; ` +
	`SET tcp_keepalives_count = 3; SET tcp_user_timeout = '30s'`

// DB is an open database.
type DB struct {
	dialect schema.Dialect
	write   *bun.DB
	read    *bun.DB // on PostgreSQL the same as write
	pool    *pgxpool.Pool
}

// Open connects, and fails when the database does not answer. It neither makes nor checks tables: see schema.Migrator.
//
// PostgreSQL: one pgx pool serves SQL() and PGXPool() alike. A connection that was idle for more than a second is pinged
// before it is handed out, so that a restart of the server costs a reconnect and no error.
//
// SQLite: one connection writes, and its transactions begin IMMEDIATE, so writers queue in the process rather than fail as
// busy; readers have connections of their own and see what was committed last. Each commit is synced to the disk.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	open := openSQLite
	if cfg.URL != "" {
		open = openPostgres
	}
	db, err := open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := db.Ping(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if cfg.Hook != nil {
		db.hook(cfg.Hook)
	}
	return db, nil
}

func (db *DB) hook(h bun.QueryHook) {
	one := db.read == db.write
	if db.write = db.write.WithQueryHook(h); one {
		db.read = db.write
		return
	}
	db.read = db.read.WithQueryHook(h)
}

func openPostgres(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.MaxIdle <= 0 {
		cfg.MaxIdle, cfg.MaxOverflow = 20, 10
	}
	pc, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("read the database address: %w", err) // pgx leaves the password out
	}
	pc.MaxConns = int32(max(cfg.MaxIdle+max(cfg.MaxOverflow, 0), minPostgresConns)) //nolint:gosec // tens
	pc.MinIdleConns = int32(min(warmConns, cfg.MaxIdle))                            //nolint:gosec // at most warmConns
	pc.HealthCheckPeriod = healthCheck
	pc.MaxConnLifetime, pc.MaxConnLifetimeJitter, pc.MaxConnIdleTime = connLifetime, connLifetimeJitter, connIdle
	if _, ok := pc.ConnConfig.RuntimeParams["application_name"]; !ok {
		pc.ConnConfig.RuntimeParams["application_name"] = "smarket"
	}
	pc.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, absent); err != nil {
			return fmt.Errorf("prepare a connection: %w", err)
		}
		return nil
	}
	var pool *pgxpool.Pool
	pc.AfterRelease = func(*pgx.Conn) bool { // false closes the connection: the overflow goes
		return pool.Stat().IdleConns() < int32(cfg.MaxIdle) //nolint:gosec // tens
	}
	if pool, err = pgxpool.NewWithConfig(ctx, pc); err != nil {
		return nil, fmt.Errorf("make the database pool: %w", err)
	}
	db := sql.OpenDB(literalConnector{stdlib.GetPoolConnector(pool)})
	db.SetMaxIdleConns(0) // idle connections belong to the pool, whose other users would starve
	b := bun.NewDB(db, pgdialect.New())
	return &DB{dialect: schema.Postgres, write: b, read: b, pool: pool}, nil
}

func openSQLite(_ context.Context, cfg Config) (*DB, error) {
	if cfg.Path == "" {
		return nil, errors.New("open the database: neither an address nor a file is given")
	}
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("find the database file: %w", err)
	}
	readers := cfg.Readers
	if readers <= 0 {
		readers = 4
	}
	write, err := sql.Open("sqlite", sqliteDSN(path, url.Values{
		"_txlock": {"immediate"},
		"_pragma": {
			"busy_timeout(" + busyTimeout + ")", "journal_mode(WAL)", "foreign_keys(1)", "synchronous(FULL)",
			"secure_delete(1)",
		}, // what people delete is overwritten, not merely forgotten
	}))
	if err != nil {
		return nil, fmt.Errorf("open the database file: %w", err)
	}
	write.SetMaxOpenConns(1)
	write.SetConnMaxIdleTime(0)
	read, err := sql.Open("sqlite", sqliteDSN(path, url.Values{
		"_pragma": {"busy_timeout(" + busyTimeout + ")", "query_only(1)"},
	}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the database file: %w", err), write.Close())
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return &DB{
		dialect: schema.SQLite,
		write:   bun.NewDB(write, sqlitedialect.New()),
		read:    bun.NewDB(read, sqlitedialect.New()),
	}, nil
}

func sqliteDSN(path string, query url.Values) string {
	return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?" + query.Encode()
}

// SQL is the pool that writes; on SQLite it has one connection, so whoever holds a transaction must not ask it for more.
func (db *DB) SQL() *sql.DB { return db.write.DB }

// PGXPool is the pool behind SQL, for what speaks pgx itself; nil on SQLite.
func (db *DB) PGXPool() *pgxpool.Pool { return db.pool }

// Dialect says which database it is.
func (db *DB) Dialect() schema.Dialect { return db.dialect }

// Ping asks the database for an answer.
func (db *DB) Ping(ctx context.Context) error {
	// The writer first: it makes the SQLite file that readers open.
	for _, b := range []*bun.DB{db.write, db.read} {
		if err := b.PingContext(ctx); err != nil {
			return fmt.Errorf("reach the database: %w", err)
		}
	}
	return nil
}

// Close waits for the queries that run and closes all connections. It bears being called twice.
func (db *DB) Close() error {
	err := db.read.Close()
	if db.read != db.write {
		err = errors.Join(err, db.write.Close())
	}
	if db.pool != nil {
		db.pool.Close()
	}
	if err != nil {
		return fmt.Errorf("close the database: %w", err)
	}
	return nil
}
