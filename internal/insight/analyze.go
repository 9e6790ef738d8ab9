package insight

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/mercadoesperto/smarket/internal/invoice"
)

// monthlyPause is how many days lie between two insights of a monthly kind at least: days of their purchases, not of analyses, so
// that a family that hands in a year of receipts at once, in whatever order, hears of each month what it would have heard then.
const monthlyPause = 30

// Analyze does the analysis that is planned for an invoice. It is what a job does, and may be cut off at any moment and done
// again: nothing is kept before everything is, in one transaction. lastTry says that no other try follows.
//
// It returns nil when the analysis has ended, invoice.ErrSuperseded when there is nothing to do any more, an
// *invoice.RetryError when it should be tried again, and ctx's error when ctx was cancelled.
func (s *Service) Analyze(ctx context.Context, invoiceID string, lastTry bool) error {
	a, err := s.begin(ctx, invoiceID)
	if err != nil {
		return err
	}
	err = s.analyze(ctx, a)
	if err == nil || errors.Is(err, invoice.ErrSuperseded) {
		return err
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err() // the process stops: whoever takes it up again starts over
	}
	return s.settle(context.WithoutCancel(ctx), a, err, lastTry)
}

// begin says that the analysis is under way.
func (s *Service) begin(ctx context.Context, invoiceID string) (Analysis, error) {
	return s.change(ctx, Analysis{InvoiceID: invoiceID}, func(_ context.Context, _ invoice.Tx, inv *invoice.Invoice, _ *Analysis) (invoice.Event, error) {
		return s.event(inv, invoice.StageAnalyzing, "Analisando a compra."), nil
	})
}

// change lets fn end or begin an analysis while nobody else can touch its invoice, stores it with the event, and publishes.
// It fails with invoice.ErrSuperseded when the analysis is not the one that is to be done: it has ended, the invoice is gone,
// or its items are not those it was planned for. began is the analysis as it was begun; its UserID is "" at the beginning.
func (s *Service) change(
	ctx context.Context, began Analysis,
	fn func(ctx context.Context, tx invoice.Tx, inv *invoice.Invoice, a *Analysis) (invoice.Event, error),
) (Analysis, error) {
	var a Analysis
	var event invoice.Event
	superseded := false
	err := s.Invoices.InTx(ctx, func(ctx context.Context, tx invoice.Tx) error {
		inv, err := tx.Lock(ctx, began.UserID, began.InvoiceID)
		if err != nil {
			return err
		}
		planned, err := s.Store.LockedAnalysis(ctx, tx.SQL(), inv.ID)
		if err != nil {
			return err
		}
		if superseded = !planned.waits(began); superseded {
			return nil
		}
		a = *planned
		if superseded = inv.Status != invoice.StatusCompleted || inv.ItemsVersion != a.ItemsVersion; superseded {
			// Nobody planned another: the invoice waits for its user. Left as it is, this one would be waited for for ever.
			s.end(&a, AnalysisFailed)
			a.FailureCode = string(invoice.CodeConflict)
			return s.Store.SaveAnalysis(ctx, tx.SQL(), a)
		}
		if event, err = fn(ctx, tx, inv, &a); err != nil {
			return err
		}
		if err := s.Store.SaveAnalysis(ctx, tx.SQL(), a); err != nil {
			return err
		}
		event, err = tx.AppendEvent(ctx, event)
		return err
	})
	switch {
	case invoice.CodeOf(err) == invoice.CodeNotFound: // deleted meanwhile
		return Analysis{}, invoice.ErrSuperseded
	case err != nil:
		return Analysis{}, err
	case superseded:
		return Analysis{}, invoice.ErrSuperseded
	}
	s.Publisher.Publish(ctx, event)
	return a, nil
}

// waits says that the analysis is still to be done, and is the one that was begun.
func (a *Analysis) waits(began Analysis) bool {
	return a != nil && a.Status == AnalysisQueued && (began.UserID == "" || began.ItemsVersion == a.ItemsVersion)
}

func (s *Service) end(a *Analysis, status AnalysisStatus) {
	a.Status, a.JobID, a.FinishedAt = status, 0, new(s.Now())
}

// analyze takes an analysis from its figures to its insights.
func (s *Service) analyze(ctx context.Context, a Analysis) error {
	found, gaps, day, err := s.look(ctx, a)
	if err != nil {
		return err
	}
	var insights []Insight
	var words Words
	if len(found) > 0 {
		if words, err = s.Writer.Write(ctx, request(a, found)); err != nil {
			return err
		}
		if insights, err = s.insights(ctx, a, found, words); err != nil {
			return err
		}
	}
	return s.complete(ctx, a, day, insights, gaps, words)
}

// discovery is a finding with its facts as the writer and the database get them.
type discovery struct {
	Finding

	key   string
	facts json.RawMessage
}

func request(a Analysis, found []discovery) WriteRequest {
	req := WriteRequest{InvoiceID: a.InvoiceID, UserID: a.UserID}
	for _, f := range found {
		req.Findings = append(req.Findings, WriteFinding{Key: f.key, Kind: f.Kind, Priority: f.Priority, Facts: f.facts})
	}
	// A reply in which something had to be dropped is good enough for now, and not for everybody who asks the same.
	req.Sound = func(entries []json.RawMessage) bool {
		_, faults := read(entries, found)
		return len(faults) == 0
	}
	return req
}

// look has every rule look at the purchase, but for monthly ones that spoke about its time. A rule that fails costs its own
// findings; when all do, the fault is not theirs. today is the purchase's day.
func (s *Service) look(ctx context.Context, a Analysis) (found []discovery, gaps []Gap, today Day, err error) {
	subject, err := s.Store.Lines(ctx, a.UserID, a.InvoiceID)
	if invoice.CodeOf(err) == invoice.CodeNotFound {
		return nil, nil, "", nil // a document that does not count, such as a test: there is nothing to say of it
	} else if err != nil {
		return nil, nil, "", fmt.Errorf("read the purchase: %w", err)
	}
	if subject.Household, err = s.People.Household(ctx, a.UserID); err != nil {
		return nil, nil, "", fmt.Errorf("read the household: %w", err)
	}
	around, err := pauseAround(subject.Today)
	if err != nil {
		return nil, nil, "", err
	}
	spoke, err := s.Store.LastOfKinds(ctx, a.UserID, a.InvoiceID, around)
	if err != nil {
		return nil, nil, "", fmt.Errorf("read when kinds spoke: %w", err)
	}
	var failures []error
	looked := 0
	for _, r := range s.Rules {
		if _, silent := spoke[r.Kind()]; silent && r.Monthly() {
			continue
		}
		looked++
		discoveries, gap, err := s.ask(ctx, r, subject)
		if ctx.Err() != nil {
			return nil, nil, "", ctx.Err()
		}
		if err != nil {
			s.Log.ErrorContext(ctx, "a rule failed", "invoice_id", a.InvoiceID, "kind", string(r.Kind()), "error", err)
			failures = append(failures, err)
			continue
		}
		found = append(found, discoveries...)
		if gap != nil {
			gaps = append(gaps, *gap)
		}
	}
	if looked > 0 && len(failures) == looked {
		return nil, nil, "", fmt.Errorf("no rule could look: %w", errors.Join(failures...))
	}
	for i := range found {
		found[i].key = "f" + strconv.Itoa(i+1)
	}
	return found, gaps, subject.Today, nil
}

// pauseAround is the days around a purchase's on which no monthly kind may have spoken that is to speak on it.
func pauseAround(day Day) (Period, error) {
	t, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		return Period{}, fmt.Errorf("day of the purchase: %w", err)
	}
	return periodOf(t.AddDate(0, 0, 1-monthlyPause), t.AddDate(0, 0, monthlyPause-1)), nil
}

// ask has one rule look, and puts what it found in a fixed order. A panic is its failure, like an error.
func (s *Service) ask(ctx context.Context, r Rule, subject Subject) (_ []discovery, _ *Gap, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	findings, gap, err := r.Find(ctx, subject)
	if err != nil {
		return nil, nil, err
	}
	found := make([]discovery, 0, len(findings))
	for _, f := range findings {
		facts, err := json.Marshal(f.Facts)
		if err != nil {
			return nil, nil, fmt.Errorf("encode facts: %w", err)
		}
		found = append(found, discovery{Finding: f, facts: facts})
	}
	slices.SortStableFunc(found, func(x, y discovery) int { return cmp.Compare(x.Subject, y.Subject) })
	return found, gap, nil
}

// insights puts the words to the findings. It fails when no entry of the reply can be used at all: another try may give one.
func (s *Service) insights(ctx context.Context, a Analysis, found []discovery, words Words) ([]Insight, error) {
	said, faults := read(words.Entries, found)
	for _, f := range faults {
		s.Log.WarnContext(ctx, "part of a reply was dropped", "invoice_id", a.InvoiceID, "provider", words.Provider, "model", words.Model, "reason", f.Error())
	}
	if len(said) == 0 {
		return nil, &invoice.ExtractionError{Code: invoice.CodeUnavailable, Cause: errors.New("no entry of the reply can be used")}
	}
	now := s.Now()
	var insights []Insight
	for _, f := range found {
		w := said[f.key]
		if w.text == "" {
			continue
		}
		insights = append(insights, Insight{
			ID: s.NewID(), UserID: a.UserID, InvoiceID: a.InvoiceID, Kind: f.Kind, Subject: f.Subject, Priority: f.Priority,
			Title: w.title, Text: w.text, Details: f.facts, Period: f.Period, Categories: f.Categories, Merchants: f.Merchants,
			ItemIDs: f.ItemIDs, Provider: words.Provider, Model: words.Model, CreatedAt: now,
		})
	}
	return insights, nil
}

// complete keeps what was found in the place of what an earlier analysis of the invoice found.
func (s *Service) complete(ctx context.Context, began Analysis, day Day, insights []Insight, gaps []Gap, words Words) error {
	_, err := s.change(ctx, began, func(ctx context.Context, tx invoice.Tx, inv *invoice.Invoice, a *Analysis) (invoice.Event, error) {
		news, err := s.unsaid(ctx, tx, a, day, insights)
		if err != nil {
			return invoice.Event{}, err
		}
		if err := s.Store.ReplaceInsights(ctx, tx.SQL(), a.InvoiceID, news); err != nil {
			return invoice.Event{}, err
		}
		s.end(a, AnalysisCompleted)
		a.Gaps, a.Provider, a.Model = gaps, words.Provider, words.Model
		return s.event(inv, invoice.StageAnalyzed, newsMessage(len(news))), nil
	})
	return err
}

// unsaid leaves out what another invoice's analysis said meanwhile.
func (s *Service) unsaid(ctx context.Context, tx invoice.Tx, a *Analysis, day Day, insights []Insight) ([]Insight, error) {
	if len(insights) == 0 {
		return nil, nil
	}
	around, err := pauseAround(day)
	if err != nil {
		return nil, err
	}
	spoke, err := s.Store.LockedLastOfKinds(ctx, tx.SQL(), a.UserID, a.InvoiceID, around)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(insights, func(i Insight) bool {
		_, said := spoke[i.Kind]
		return said && s.monthly(i.Kind)
	}), nil
}

func (s *Service) monthly(k Kind) bool {
	return slices.ContainsFunc(s.Rules, func(r Rule) bool { return r.Kind() == k && r.Monthly() })
}

func newsMessage(n int) string {
	switch n {
	case 0:
		return "Análise pronta: nenhuma novidade desta vez."
	case 1:
		return "Análise pronta: 1 novidade."
	}
	return fmt.Sprintf("Análise pronta: %d novidades.", n)
}

// settle writes down a failed try: for another one, or for good.
func (s *Service) settle(ctx context.Context, began Analysis, cause error, lastTry bool) error {
	code, message, after, permanent := classify(cause)
	forGood := permanent || lastTry
	_, err := s.change(ctx, began, func(_ context.Context, _ invoice.Tx, inv *invoice.Invoice, a *Analysis) (invoice.Event, error) {
		e := s.event(inv, invoice.StageAnalyzing, "Não deu certo agora; vamos tentar de novo em instantes.")
		if forGood {
			s.end(a, AnalysisFailed)
			a.FailureCode = string(code)
			e = s.event(inv, invoice.StageAnalysisFailed, message)
		}
		e.Code = code
		return e, nil
	})
	if err != nil {
		return errors.Join(err, cause)
	}
	if forGood {
		s.Log.WarnContext(ctx, "analysis failed", "invoice_id", began.InvoiceID, "code", string(code), "error", cause)
		return nil
	}
	s.Log.WarnContext(ctx, "analysis will be tried again", "invoice_id", began.InvoiceID, "code", string(code), "error", cause)
	return &invoice.RetryError{After: after, Cause: cause}
}

// classify says what the family is told of a failure, and whether another try can help.
func classify(err error) (code invoice.Code, message string, after time.Duration, permanent bool) {
	const later = "A análise não pôde ser feita agora. A compra está guardada; peça a análise de novo mais tarde."
	if e, ok := errors.AsType[*invoice.ExtractionError](err); ok {
		return e.Code, cmp.Or(e.Message, later), e.RetryAfter, e.Permanent
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return invoice.CodeUnavailable, "A análise demorou demais. " + later, 0, false
	}
	return invoice.CodeInternal, "Algo deu errado do nosso lado ao analisar a compra.", 0, false
}
