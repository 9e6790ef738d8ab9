package worker

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Config of a Worker. All fields but Reconciliations, Observer and Scrub are needed.
type Config struct {
	Database    Database
	Extractions Extractions
	Analyses    Analyses
	// Reconciliations hold invoices against the state's record. nil where no state is asked: there are no such jobs then.
	Reconciliations Reconciliations
	Sweeps          Sweeps
	Heartbeats      Heartbeats
	Owners          Owners
	// Name is where this process's id means something: its host or container.
	Name string
	// Jobs is how many are worked on at once.
	Jobs int
	// JobTimeout bounds one try. River rescues what runs longer, should even the heartbeat fail to.
	JobTimeout time.Duration
	// StopTimeout is how long running jobs are waited for at Stop; then they are given back.
	StopTimeout time.Duration
	// Observer is told of every try; nil is none.
	Observer Observer
	// Scrub takes what is personal or secret from the text of an error, which the queue keeps and its page shows; nil keeps all.
	Scrub func(text string) string
	Log   *slog.Logger
	Now   func() time.Time
}

// Worker runs the jobs of the queue in this process.
type Worker struct {
	client  *river.Client[*sql.Tx]
	rescuer *rescuer
	beats   Heartbeats

	mu      sync.Mutex
	stop    context.CancelFunc // nil when not started
	rescued chan struct{}      // closed when the rescuer has ended
}

// rescueMargin is how long after its timeout a job is taken to be stuck: its cancellation has to be written down first.
const rescueMargin = time.Minute

// New makes a Worker.
func New(cfg Config) (*Worker, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &extractWorker{extractions: cfg.Extractions, timeout: cfg.JobTimeout, now: cfg.Now})
	river.AddWorker(workers, &analyzeWorker{analyses: cfg.Analyses, timeout: cfg.JobTimeout, now: cfg.Now})
	if cfg.Reconciliations != nil {
		river.AddWorker(workers, &reconcileWorker{reconciliations: cfg.Reconciliations, timeout: cfg.JobTimeout})
	}
	river.AddWorker(workers, &sweepWorker{sweeps: cfg.Sweeps, timeout: cfg.JobTimeout})
	started := cfg.Now()
	id := workerID(cfg.Name, started)
	client, err := river.NewClient(cfg.Database.driver(), &river.Config{
		ID:                   id,
		Queues:               map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: cfg.Jobs}},
		Workers:              workers,
		Middleware:           []rivertype.Middleware{observed(cfg.Observer, cfg.Log), scrubbed(cfg.Scrub)},
		PeriodicJobs:         []*river.PeriodicJob{sweepJob()},
		JobTimeout:           cfg.JobTimeout,
		RescueStuckJobsAfter: cfg.JobTimeout + rescueMargin,
		SoftStopTimeout:      cfg.StopTimeout,
		FetchCooldown:        fetchCooldown,
		FetchPollInterval:    cfg.Database.poll(),
		Logger:               forRiver(cfg.Log),
	})
	if err != nil {
		return nil, fmt.Errorf("worker client: %w", err)
	}
	return &Worker{
		client: client,
		beats:  cfg.Heartbeats,
		rescuer: &rescuer{
			id: id, name: cfg.Name, started: started, beats: cfg.Heartbeats, owners: cfg.Owners, db: cfg.Database, jobs: client, log: cfg.Log,
		},
	}, nil
}

// fetchCooldown is the least time between two looks for jobs: how long a job that comes alone may wait when another has just
// been fetched.
const fetchCooldown = 20 * time.Millisecond

// Start takes up jobs until Stop. Calling it again does nothing.
func (w *Worker) Start(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop != nil {
		return nil
	}
	// Jobs end by Stop, in their own time, not with the context that started them.
	if err := w.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start worker: %w", err)
	}
	ctx, w.stop = context.WithCancel(context.WithoutCancel(ctx))
	w.rescued = make(chan struct{})
	go func() {
		defer close(w.rescued)
		w.rescuer.run(ctx)
	}()
	return nil
}

// Stop fetches no more jobs, waits for those that run, and gives back what does not end in time. Calling it again, or before
// Start, does nothing.
func (w *Worker) Stop(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop == nil {
		return nil
	}
	err := w.client.Stop(ctx)
	w.stop() // the heartbeat outlives the jobs: until they end they are not a dead process's
	<-w.rescued
	w.stop = nil
	if forget := w.beats.Forget(context.WithoutCancel(ctx), w.rescuer.id); err == nil && forget != nil {
		err = fmt.Errorf("forget worker: %w", forget)
	}
	return err
}
