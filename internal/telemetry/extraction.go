package telemetry

import (
	"context"
	"strings"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
	"github.com/mercadoesperto/smarket/internal/insight"
	"github.com/mercadoesperto/smarket/internal/invoice"
)

// The stages of a purchase, as labels.
const (
	stageInspecting = "inspecting"
	stageReading    = "reading"
	stageExtracting = "extracting"
	stageChecking   = "checking"
	stageWriting    = "writing"
)

// stage opens a stage's span; ended closes it and counts its time.
func (t *Telemetry) stage(ctx context.Context, name string) (context.Context, func(err error)) {
	started := time.Now()
	ctx, span := t.begin(ctx, "stage."+name)
	return ctx, func(err error) {
		t.Metrics.stages.WithLabelValues(name).Observe(time.Since(started).Seconds())
		span.finish(err != nil)
	}
}

// Reader times next.
func (t *Telemetry) Reader(next invoice.Reader) invoice.Reader { return reader{t, next} }

type reader struct {
	t    *Telemetry
	next invoice.Reader
}

// Inspect implements invoice.Reader.
func (r reader) Inspect(ctx context.Context, data []byte) (invoice.Inspection, error) {
	ctx, ended := r.t.stage(ctx, stageInspecting)
	got, err := r.next.Inspect(ctx, data)
	ended(err)
	return got, err
}

// Read implements invoice.Reader.
func (r reader) Read(ctx context.Context, files []invoice.Content, found func(fiscal.QR)) (invoice.Reading, error) {
	inner, ended := r.t.stage(ctx, stageReading)
	got, err := r.next.Read(inner, files, found)
	ended(err)
	source := ""
	if got.Draft != nil {
		source = string(got.Source)
	}
	jobOf(ctx).read(source)
	return got, err
}

// OfficialLookup counts a look-up of a state's record that has ended. States are the 27 of the service's own table.
func (t *Telemetry) OfficialLookup(state string, outcome invoice.RecordOutcome, elapsed time.Duration) {
	t.Metrics.official.WithLabelValues(state, strings.ToLower(string(outcome))).Observe(elapsed.Seconds())
}

// Extractor times next.
func (t *Telemetry) Extractor(next invoice.Extractor) invoice.Extractor { return extractor{t, next} }

type extractor struct {
	t    *Telemetry
	next invoice.Extractor
}

// Extract implements invoice.Extractor.
func (e extractor) Extract(
	ctx context.Context, req invoice.ExtractionRequest, observe func(invoice.Progress),
) (invoice.Extraction, error) {
	inner, ended := e.t.stage(ctx, stageExtracting)
	got, err := e.next.Extract(inner, req, observe)
	ended(err)
	jobOf(ctx).read(string(got.Source))
	return got, err
}

// Writer times next.
func (t *Telemetry) Writer(next insight.Writer) insight.Writer { return writer{t, next} }

type writer struct {
	t    *Telemetry
	next insight.Writer
}

// Write implements insight.Writer.
func (w writer) Write(ctx context.Context, req insight.WriteRequest) (insight.Words, error) {
	ctx, ended := w.t.stage(ctx, stageWriting)
	got, err := w.next.Write(ctx, req)
	ended(err)
	return got, err
}

// Publisher counts how extractions and analyses end.
func (t *Telemetry) Publisher(next invoice.Publisher) invoice.Publisher { return publisher{t, next} }

type publisher struct {
	t    *Telemetry
	next invoice.Publisher
}

// Publish implements invoice.Publisher.
func (p publisher) Publish(ctx context.Context, e invoice.Event) {
	p.next.Publish(ctx, e)
	m, notes := p.t.Metrics, jobOf(ctx)
	switch e.Stage {
	case invoice.StageCompleted, invoice.StageNeedsReview, invoice.StageDuplicate, invoice.StageFailed, invoice.StageRetrying:
		if notes != nil { // otherwise it is a correction's
			m.extracted(e, notes)
		}
	case invoice.StageCancelled:
		m.outcomes.WithLabelValues(label(e.Stage), none).Inc()
	case invoice.StageAnalyzed, invoice.StageAnalysisFailed:
		m.analyses.WithLabelValues(label(e.Stage)).Inc()
	default:
	}
}

func (m *Metrics) extracted(e invoice.Event, notes *jobNotes) {
	source, since := notes.ended()
	m.outcomes.WithLabelValues(label(e.Stage), label(source)).Inc()
	if e.Stage == invoice.StageRetrying {
		return
	}
	m.turnaround.Observe(time.Since(notes.created).Seconds())
	if !since.IsZero() {
		m.stages.WithLabelValues(stageChecking).Observe(time.Since(since).Seconds())
	}
}

// label is a name of the API's as labels are written; none for no name.
func label[S ~string](name S) string {
	if name == "" {
		return none
	}
	return strings.ToLower(string(name))
}
