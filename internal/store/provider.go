package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/mercadoesperto/smarket/internal/fleet"
	"github.com/mercadoesperto/smarket/schema"
)

// Fleet implements fleet.Store.
type Fleet struct{ db *DB }

var _ fleet.Store = (*Fleet)(nil)

// NewFleet keeps what operators decide about providers in db.
func NewFleet(db *DB) *Fleet { return &Fleet{db: db} }

// Desired implements fleet.Store.
func (f *Fleet) Desired(ctx context.Context) (fleet.Desired, error) {
	var control schema.ProviderControl
	err := f.db.read.NewSelect().Model(&control).Where("id = 1").Scan(ctx)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fleet.Desired{}, fmt.Errorf("read provider control: %w", err)
	}
	settings, err := providerSettings(ctx, f.db.read)
	return fleet.Desired{Settings: settings, Reload: control.Reload}, err
}

func providerSettings(ctx context.Context, db bun.IDB) ([]fleet.Setting, error) {
	var rows []schema.ProviderSetting
	if err := db.NewSelect().Model(&rows).OrderExpr("position, name").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read provider settings: %w", err)
	}
	var list []fleet.Setting
	for _, r := range rows {
		list = append(list, fleet.Setting{Name: r.Name, Enabled: r.Enabled, Position: r.Position, UpdatedAt: micros(r.UpdatedAt)})
	}
	return list, nil
}

// Change implements fleet.Store. Settings that fn leaves out stay as they are.
func (f *Fleet) Change(ctx context.Context, fn func([]fleet.Setting) []fleet.Setting) error {
	return f.db.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := raiseReload(ctx, tx, 0); err != nil { // takes the lock
			return err
		}
		now, err := providerSettings(ctx, tx)
		if err != nil {
			return err
		}
		var rows []schema.ProviderSetting
		for _, s := range fn(now) {
			rows = append(rows, schema.ProviderSetting{Name: clean(s.Name), Enabled: s.Enabled, Position: s.Position, UpdatedAt: micros(s.UpdatedAt)})
		}
		if len(rows) == 0 {
			return nil
		}
		_, err = tx.NewInsert().Model(&rows).On("CONFLICT (name) DO UPDATE").Set("enabled = EXCLUDED.enabled").
			Set("position = EXCLUDED.position").Set("updated_at = EXCLUDED.updated_at").Exec(ctx)
		if err != nil {
			return fmt.Errorf("store provider settings: %w", err)
		}
		return nil
	})
}

// RequestReload implements fleet.Store.
func (f *Fleet) RequestReload(ctx context.Context) (int64, error) {
	return raiseReload(ctx, f.db.write, 1)
}

// raiseReload adds to the number of the reload, and locks its row until the transaction ends.
func raiseReload(ctx context.Context, db bun.IDB, by int64) (int64, error) {
	row := &schema.ProviderControl{ID: 1, Reload: by, UpdatedAt: micros(time.Now())}
	_, err := db.NewInsert().Model(row).On("CONFLICT (id) DO UPDATE").Set("reload = pc.reload + EXCLUDED.reload").
		Set("updated_at = EXCLUDED.updated_at").Returning("reload").Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("store provider control: %w", err)
	}
	return row.Reload, nil
}
