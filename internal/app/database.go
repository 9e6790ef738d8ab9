package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/account"
	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/schema"
	"github.com/mercadoesperto/smarket/worker"
)

// openStore opens the database. hook sees every statement; nil is none.
func openStore(ctx context.Context, cfg config.Config, hook bun.QueryHook) (*store.DB, error) {
	if err := openDataDir(cfg.Storage.DataDir); err != nil {
		return nil, err
	}
	return store.Open(ctx, store.Config{
		URL:  cfg.Storage.DatabaseURL.Reveal(),
		Path: filepath.Join(cfg.Storage.DataDir, "smarket.db"), MaxIdle: cfg.Storage.DBMaxIdle,
		MaxOverflow: cfg.Storage.DBMaxOverflow, Hook: hook,
	})
}

func newMigrator(db *store.DB, log *slog.Logger) (*schema.Migrator, error) {
	queue, err := worker.NewTables(jobs(db), log)
	if err != nil {
		return nil, err
	}
	return schema.NewMigrator(db.SQL(), db.Dialect(), log, queue), nil
}

func jobs(db *store.DB) worker.Database { return worker.Database{SQL: db.SQL(), PGX: db.PGXPool()} }

// OpenMigrator is for the migrate command. stop closes the database.
func OpenMigrator(ctx context.Context, cfg config.Config, log *slog.Logger) (m *schema.Migrator, stop func() error, err error) {
	db, err := openStore(ctx, cfg, nil)
	if err != nil {
		return nil, nil, err
	}
	if m, err = newMigrator(db, log); err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return m, db.Close, nil
}

// OpenAccounts is for the user command. stop closes the database.
func OpenAccounts(ctx context.Context, cfg config.Config, log *slog.Logger) (a *account.Service, stop func() error, err error) {
	db, err := openStore(ctx, cfg, nil)
	if err != nil {
		return nil, nil, err
	}
	if err = prepareSchema(ctx, cfg, db, log); err == nil {
		a, err = newAccounts(cfg, db, log)
	}
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return a, db.Close, nil
}

// prepareSchema migrates the embedded database, and refuses to go on with a PostgreSQL that is behind: there an operator
// decides when.
func prepareSchema(ctx context.Context, cfg config.Config, db *store.DB, log *slog.Logger) error {
	m, err := newMigrator(db, log)
	if err != nil {
		return err
	}
	if cfg.Storage.DatabaseURL.Reveal() == "" {
		return m.Up(ctx)
	}
	pending, err := m.Pending(ctx)
	if err != nil {
		return err
	}
	if len(pending) > 0 {
		return fmt.Errorf("the database lacks %d migrations of this release (%s first): run smarket migrate up", len(pending), pending[0])
	}
	return nil
}

func newAccounts(cfg config.Config, db *store.DB, log *slog.Logger) (*account.Service, error) {
	secret, err := tokenSecret(cfg.Accounts.TokenSecret.Reveal(), cfg.Storage.DataDir)
	if err != nil {
		return nil, err
	}
	return account.NewService(account.Config{
		Store: store.NewAccounts(db), TokenSecret: secret, AccessTTL: cfg.Accounts.AccessTTL,
		RefreshTTL: cfg.Accounts.RefreshTTL, SignUpEnabled: cfg.Accounts.SignUp, Clock: time.Now, Logger: log,
	})
}
