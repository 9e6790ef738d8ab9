package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/doctor"
	"github.com/mercadoesperto/smarket/internal/filestore"
	"github.com/mercadoesperto/smarket/internal/retention"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/internal/usage"
	"github.com/mercadoesperto/smarket/worker"
)

// leftBehind is how old a thing is that no request or job can still be about.
const leftBehind = 6 * time.Hour

// upkeep is what the daily job does: it removes what has expired, mends what failures have left, and settles the calls of
// processes that died. Each part is done whether or not another failed.
type upkeep struct {
	expired *retention.Sweeper
	doctor  *doctor.Doctor
	usage   *usage.Service
	log     *slog.Logger
}

var _ worker.Sweeps = (*upkeep)(nil)

func (a *App) newUpkeep(queue *worker.Queue) *upkeep {
	return &upkeep{
		expired: newSweeper(a.cfg.Retention, a.db, a.files, a.log), usage: a.usage, log: a.log,
		doctor: &doctor.Doctor{
			Store: store.NewDoctor(a.db), Blobs: a.files, Jobs: queue.Inspect(), Work: work{a.Invoices, a.insights}, Now: time.Now, Log: a.log,
		},
	}
}

// Sweep implements worker.Sweeps.
func (u *upkeep) Sweep(ctx context.Context) error {
	examined := u.doctor.Examine(ctx, doctor.Options{Repair: true, MinAge: leftBehind}, func(f doctor.Finding) {
		u.log.WarnContext(ctx, "a failure had left something behind", "kind", string(f.Kind), "id", f.ID, "repaired", f.Repaired)
	})
	return errors.Join(u.expired.Sweep(ctx), u.usage.Expire(ctx), examined)
}

func newSweeper(kept config.Retention, db *store.DB, files *filestore.Store, log *slog.Logger) *retention.Sweeper {
	return &retention.Sweeper{
		Limits: retention.Limits{
			FailedFiles: kept.FailedFiles, ReadFiles: kept.ReadFiles, Events: kept.Events, Sessions: kept.Sessions, Audit: kept.Audit,
		},
		Store: store.NewRetention(db), Blobs: files, Now: time.Now, Log: log,
	}
}
