package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/mercadoesperto/smarket/internal/config"
	"github.com/mercadoesperto/smarket/internal/doctor"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
	"github.com/mercadoesperto/smarket/internal/store"
	"github.com/mercadoesperto/smarket/worker"
)

// work is the services as the doctor wants them.
type work struct {
	invoices *invoice.Service
	insights *insight.Service
}

var _ doctor.Work = work{}

// RequeueReading implements doctor.Work.
func (w work) RequeueReading(ctx context.Context, id string) (bool, error) {
	return w.invoices.Requeue(ctx, id)
}

// RequeueAnalysis implements doctor.Work.
func (w work) RequeueAnalysis(ctx context.Context, id string) (bool, error) {
	return w.insights.Requeue(ctx, id)
}

// unheard publishes nothing: watchers look into the database every few seconds.
type unheard struct{}

func (unheard) Publish(context.Context, invoice.Event) {}

// OpenDoctor is for the doctor command. stop closes what it works on.
func OpenDoctor(ctx context.Context, cfg config.Config, log *slog.Logger) (d *doctor.Doctor, stop func() error, err error) {
	db, err := openStore(ctx, cfg, nil)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	if err = prepareSchema(ctx, cfg, db, log); err != nil {
		return nil, nil, err
	}
	queue, err := worker.NewQueue(jobs(db), cfg.Extraction.MaxAttempts, log)
	if err != nil {
		return nil, nil, err
	}
	files, err := openFiles(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	invoices := store.NewInvoices(db)
	return &doctor.Doctor{
		Store: store.NewDoctor(db), Blobs: files, Jobs: queue.Inspect(), Now: time.Now, Log: log,
		Work: work{
			invoice.NewService(invoice.Deps{Store: invoices, Queue: queue, Publisher: unheard{}, NewID: newID, Now: time.Now, Log: log}),
			insight.NewService(insight.Deps{Store: store.NewInsights(db), Invoices: invoices, Queue: queue, Now: time.Now, Log: log}),
		},
	}, func() error { return errors.Join(files.Close(), db.Close()) }, nil
}
