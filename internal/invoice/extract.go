package invoice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"time"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// progressEvery bounds how often a provider's progress becomes a stored event.
const progressEvery = 300 * time.Millisecond

// How far along an extraction is when a stage begins, in percent.
const (
	percentReading    = 10
	percentExtracting = 30
	percentChecking   = 90
	percentDone       = 100
)

// RetryError says that an extraction should be tried again.
type RetryError struct {
	After time.Duration // 0: the queue's own back-off
	Cause error
}

func (e *RetryError) Error() string { return "try again: " + e.Cause.Error() }
func (e *RetryError) Unwrap() error { return e.Cause }

// Extract reads a queued invoice: documents, then providers, then the ledger. It is what a job does, and may be done again
// at any moment: every write names the run it belongs to. lastTry says that no other try follows, so that what would be
// tried again fails for good.
//
// It returns nil when the invoice reached a final status, ErrSuperseded when somebody else has taken it over, a *RetryError
// when it should be tried again, and ctx's error when ctx ended.
func (s *Service) Extract(ctx context.Context, id string, lastTry bool) error {
	inv, err := s.begin(ctx, id)
	if err != nil {
		return err
	}
	err = s.readSafely(ctx, inv)
	if err == nil || errors.Is(err, ErrSuperseded) {
		return err
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err() // the process stops or the job was cancelled: whoever takes it up again starts a new run
	}
	return s.settle(context.WithoutCancel(ctx), inv, err, lastTry)
}

// begin opens a new run: older ones can write no more.
func (s *Service) begin(ctx context.Context, id string) (*Invoice, error) {
	inv, err := s.change(ctx, "", id, func(_ context.Context, _ Tx, inv *Invoice) (Event, error) {
		if inv.Status.Final() {
			return Event{}, ErrSuperseded
		}
		inv.Run++
		inv.Status = StatusProcessing
		return s.event(inv, StageReading, percentReading, "Lendo os arquivos."), nil
	})
	if e, ok := errors.AsType[*Error](err); ok && e.Code == CodeNotFound {
		return nil, ErrSuperseded
	}
	return inv, err
}

// readSafely makes an error of a panic: a document that breaks the reading is to end as FAILED like any other that cannot be read.
func (s *Service) readSafely(ctx context.Context, inv *Invoice) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return s.read(ctx, inv)
}

// read takes a run from its files to a final status.
func (s *Service) read(ctx context.Context, inv *Invoice) error {
	look := s.newQuestion(ctx)
	defer look.close()
	reading, err := s.document(ctx, inv, look)
	if err != nil {
		return err
	}
	if dup, err := s.findDuplicate(ctx, inv, reading); err != nil {
		return err
	} else if dup != nil {
		return s.finishDuplicate(ctx, inv, reading, *dup)
	}
	result, err := s.extraction(ctx, inv, reading, look, s.reporter(ctx, inv))
	if err != nil {
		return err
	}
	return s.complete(ctx, inv, reading, result)
}

// document reads what was submitted. A code on it is asked for while the rest is still being read.
func (s *Service) document(ctx context.Context, inv *Invoice, look *question) (Reading, error) {
	contents, err := s.contents(ctx, inv)
	if err != nil {
		return Reading{}, err
	}
	if inv.code() != nil {
		qr, err := fiscal.ParseRecord(string(contents[0].Data))
		if err != nil {
			return Reading{}, fmt.Errorf("read code: %w", err)
		}
		look.ask(qr)
		return Reading{QR: &qr}, nil
	}
	started := s.Now()
	reading, err := s.Reader.Read(ctx, contents, look.ask)
	if err != nil {
		return Reading{}, err
	}
	if reading.Draft == nil && reading.QR != nil {
		look.ask(*reading.QR)
	}
	reading.started = started
	return reading, nil
}

// extraction is the document's own word where it gave the whole purchase, then the state's, and the providers' otherwise.
func (s *Service) extraction(
	ctx context.Context, inv *Invoice, reading Reading, look *question, report func(Progress),
) (Extraction, error) {
	if reading.Draft != nil {
		return Extraction{Draft: *reading.Draft, Source: reading.Source, Attempts: []Attempt{{
			Provider: "document", Outcome: "ok", Items: len(reading.Draft.Items), StartedAt: reading.started, FinishedAt: s.Now(),
		}}}, nil
	}
	report(Progress{})
	record, attempt, asked := look.wait()
	var attempts []Attempt
	if asked {
		attempts = append(attempts, attempt)
	}
	if record.Outcome == RecordFound {
		return Extraction{Draft: *record.Draft, Source: SourceSefaz, Attempts: attempts, Record: RecordFound}, nil
	}
	if inv.code() != nil {
		if err := ctx.Err(); err != nil {
			return Extraction{}, err
		}
		if !asked { // switched off since it was accepted
			record = Record{State: reading.QR.Key.State(), Outcome: RecordUnavailable}
		}
		return Extraction{}, &askError{attempts: attempts, cause: s.withoutRecord(inv, record)}
	}
	result, err := s.Extractor.Extract(ctx, ExtractionRequest{
		InvoiceID: inv.ID, UserID: inv.UserID, Pages: reading.Pages, QR: reading.QR,
	}, report)
	result.Attempts, result.Record = append(attempts, result.Attempts...), record.Outcome
	if err != nil {
		return Extraction{}, &askError{attempts: result.Attempts, hashes: reading.Hashes, cause: err}
	}
	return result, nil
}

func (s *Service) contents(ctx context.Context, inv *Invoice) ([]Content, error) {
	contents := make([]Content, 0, len(inv.Files))
	for _, f := range inv.Files {
		r, err := s.Files.Open(ctx, f.BlobKey)
		if err != nil {
			return nil, fmt.Errorf("open file %s: %w", f.ID, err)
		}
		data, err := io.ReadAll(io.LimitReader(r, MaxFileBytes))
		_ = r.Close() // read to its end or failed: closing adds nothing
		if err != nil {
			return nil, fmt.Errorf("read file %s: %w", f.ID, err)
		}
		contents = append(contents, Content{File: f, Data: data})
	}
	return contents, nil
}

// askError carries what was tried to the place where the failure is written down.
type askError struct {
	attempts []Attempt
	hashes   map[int][]byte
	cause    error
}

func (e *askError) Error() string { return e.cause.Error() }
func (e *askError) Unwrap() error { return e.cause }

// reporter stores progress as events, no more often than progressEvery unless a new try begins. Progress that cannot be
// stored is dropped: the extraction matters more than its commentary, and its end is stored with the result.
func (s *Service) reporter(ctx context.Context, inv *Invoice) func(Progress) {
	var last Progress
	var lastAt time.Time
	return func(p Progress) {
		now := s.Now()
		if p.Provider == last.Provider && p.Attempt == last.Attempt &&
			(p.ItemsFound == last.ItemsFound || now.Sub(lastAt) < progressEvery) && !lastAt.IsZero() {
			return
		}
		last, lastAt = p, now
		if err := s.appendRunEvent(ctx, inv.Run, s.progressEvent(inv, p)); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "store progress", "invoice_id", inv.ID, "error", err)
		}
	}
}

func (s *Service) progressEvent(inv *Invoice, p Progress) Event {
	e := s.event(inv, StageExtracting, extractingPercent(p.ItemsFound), "Lendo a nota.")
	e.Provider, e.Attempt, e.ItemsFound = p.Provider, p.Attempt, p.ItemsFound
	if p.ItemsFound > 0 {
		e.Message = fmt.Sprintf("Itens encontrados: %d.", p.ItemsFound)
	}
	return e
}

// extractingPercent nears the end of the stage without reaching it: nobody knows how many items are still to come.
func extractingPercent(items int) int {
	const half = 20 // items at which half of the stage's share is shown
	span := percentChecking - percentExtracting - 1
	return percentExtracting + span*items/(items+half)
}

func (s *Service) appendRunEvent(ctx context.Context, run int, e Event) error {
	err := s.Store.InTx(ctx, func(ctx context.Context, tx Tx) (err error) {
		e, err = tx.AppendRunEvent(ctx, run, e)
		return err
	})
	if err == nil {
		s.Publisher.Publish(ctx, e)
	}
	return err
}

// complete checks what was read and ends the run: COMPLETED, NEEDS_REVIEW, or as a duplicate of a purchase that is there.
func (s *Service) complete(ctx context.Context, inv *Invoice, reading Reading, result Extraction) error {
	e := s.event(inv, StageChecking, percentChecking, "Conferindo os valores.")
	e.ItemsFound = len(result.Draft.Items)
	if err := s.appendRunEvent(ctx, inv.Run, e); err != nil {
		return err
	}
	err := s.changeRun(ctx, inv.ID, inv.Run, func(ctx context.Context, tx Tx, inv *Invoice) (Event, error) {
		claims := purchaseClaims(result.Draft, reading.QR)
		if err := s.unclaim(ctx, tx, inv, claims); err != nil {
			return Event{}, err
		}
		if err := s.claim(ctx, tx, inv, claims); err != nil {
			return Event{}, err
		}
		if inv.Source != "" { // read before, and perhaps corrected: this reading takes its place
			if err := tx.AddRevision(ctx, inv.ID, inv.revision(s.Now())); err != nil {
				return Event{}, err
			}
		}
		inv.take(result, reading.QR, s.Now())
		inv.record(result.Attempts, reading.Hashes)
		inv.JobID, inv.Failure, inv.ConfirmedAt = 0, nil, nil
		if result.Record == RecordNotYet {
			if err := s.enqueueReconcile(ctx, tx, inv.ID, inv.Run, 1); err != nil {
				return Event{}, err
			}
		}
		for i := range inv.Items {
			inv.Items[i].ID = s.NewID()
		}
		inv.ItemsVersion++
		follows, err := s.book(ctx, tx, inv, true)
		if err != nil {
			return Event{}, err
		}
		stage, message := StageCompleted, "Nota conferida."
		if inv.Status == StatusNeedsReview {
			stage, message = StageNeedsReview, "Nota lida; alguns valores precisam ser conferidos."
		}
		e := s.event(inv, stage, percentDone, message)
		e.ItemsFound, e.More = len(inv.Items), follows
		return e, nil
	})
	if dup, ok := errors.AsType[*duplicateError](err); ok {
		return s.finishDuplicate(ctx, inv, reading, dup.Duplicate)
	}
	return err
}

// book enters the invoice into the ledger of purchases, or takes it out, as its status says; the items' products are then known.
// With changed, an invoice that is complete is analysed: follows says that there is a job for it.
func (s *Service) book(ctx context.Context, tx Tx, inv *Invoice, changed bool) (follows bool, err error) {
	if err := s.Catalogue.Record(ctx, tx.SQL(), inv); err != nil {
		return false, fmt.Errorf("record purchase: %w", err)
	}
	if !changed || inv.Status != StatusCompleted {
		return false, nil
	}
	if follows, err = s.Analyses.Plan(ctx, tx.SQL(), inv); err != nil {
		return false, fmt.Errorf("plan analysis: %w", err)
	}
	return follows, nil
}

// findDuplicate looks for the purchase by what was read before any provider: the key, then the pictures.
func (s *Service) findDuplicate(ctx context.Context, inv *Invoice, reading Reading) (*Duplicate, error) {
	if inv.AllowDuplicate {
		return nil, nil
	}
	if reading.QR != nil && reading.QR.Key != "" {
		// Claimed at once, so that of two photos of one purchase only the first costs a provider call.
		var dup *Duplicate
		err := s.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
			holder, err := tx.Claim(ctx, inv.UserID, DuplicateSameAccessKey, string(reading.QR.Key), inv.ID)
			if err == nil && holder != inv.ID {
				dup = &Duplicate{Reason: DuplicateSameAccessKey, InvoiceID: holder}
			}
			return err
		})
		return dup, err
	}
	if len(reading.Hashes) == 0 {
		return nil, nil
	}
	known, err := s.Store.PictureHashes(ctx, inv.UserID, inv.ID)
	if err != nil {
		return nil, err
	}
	return samePictures(known, reading.Hashes, s.SamePicture), nil
}

// samePictures finds an invoice that holds a near-same picture for each of hashes: one page in common may be a shop's
// header photographed twice, all pages in common are the same receipt.
func samePictures(known []PictureHash, hashes map[int][]byte, same SamePicture) *Duplicate {
	byInvoice := map[string][]PictureHash{}
	var order []string
	for _, k := range known {
		if byInvoice[k.InvoiceID] == nil {
			order = append(order, k.InvoiceID)
		}
		byInvoice[k.InvoiceID] = append(byInvoice[k.InvoiceID], k)
	}
	for _, id := range order {
		found := 0
		for _, h := range hashes {
			for _, k := range byInvoice[id] {
				if same(k.Hash, h) {
					found++
					break
				}
			}
		}
		if found == len(hashes) {
			return &Duplicate{Reason: DuplicateSamePicture, InvoiceID: id}
		}
	}
	return nil
}

// finishDuplicate ends the run because the purchase is already there. What was read stays unsaved; the files stay, so that
// the user can insist with retryExtraction.
func (s *Service) finishDuplicate(ctx context.Context, inv *Invoice, reading Reading, dup Duplicate) error {
	return s.changeRun(ctx, inv.ID, inv.Run, func(ctx context.Context, tx Tx, inv *Invoice) (Event, error) {
		inv.Status, inv.JobID, inv.Duplicate = StatusCancelled, 0, &dup
		inv.record(nil, reading.Hashes)
		return s.event(inv, StageDuplicate, percentDone, "Esta compra já está na sua conta."), tx.Release(ctx, inv.ID)
	})
}

// purchaseClaims are the marks of a purchase that was read: its key, and its issuer with moment and total.
func purchaseClaims(d Draft, qr *fiscal.QR) []claim {
	var claims []claim
	key := d.AccessKey
	if qr != nil && qr.Key != "" {
		key = string(qr.Key) // a code is read whole or not at all; digits can be misread
	}
	if key != "" {
		claims = append(claims, claim{DuplicateSameAccessKey, key})
	}
	if d.Issuer.CNPJ != "" && d.IssuedAt != nil && d.Totals.Due != nil {
		claims = append(claims, claim{
			DuplicateSamePurchase,
			fmt.Sprintf("%s %s %d", d.Issuer.CNPJ, d.IssuedAt.UTC().Format(time.RFC3339), *d.Totals.Due),
		})
	}
	return claims
}

// settle writes down a failed run: for another try, or for good.
func (s *Service) settle(ctx context.Context, inv *Invoice, cause error, lastTry bool) error {
	code, message, after, permanent := classify(cause)
	_, waits := errors.AsType[*recordError](cause)
	final := permanent || lastTry && !waits
	err := s.changeRun(ctx, inv.ID, inv.Run, func(ctx context.Context, tx Tx, inv *Invoice) (Event, error) {
		if ask, ok := errors.AsType[*askError](cause); ok {
			inv.record(ask.attempts, ask.hashes)
		}
		if final {
			inv.Status, inv.JobID, inv.Failure = StatusFailed, 0, &Failure{Code: code, Message: message}
			e := s.event(inv, StageFailed, percentDone, message)
			e.Code = code
			return e, tx.Release(ctx, inv.ID) // a better photo of the same purchase must not meet this one
		}
		inv.Status = StatusQueued
		again := "Não deu certo agora; vamos tentar de novo em instantes."
		if waits {
			again = "A SEFAZ ainda não mostra esta nota; vamos consultar de novo mais tarde."
		}
		e := s.event(inv, StageRetrying, percentReading, again)
		e.Code = code
		return e, nil
	})
	if err != nil {
		return errors.Join(err, cause)
	}
	level := s.Log.WarnContext
	if final {
		level(ctx, "extraction failed", "invoice_id", inv.ID, "run", inv.Run, "code", string(code), "error", cause)
		return nil
	}
	level(ctx, "extraction will be tried again", "invoice_id", inv.ID, "run", inv.Run, "code", string(code), "error", cause)
	return &RetryError{After: after, Cause: cause}
}

// classify says what the family is told of a failure, and whether another try can help.
func classify(err error) (code Code, message string, after time.Duration, permanent bool) {
	if e, ok := errors.AsType[*ExtractionError](err); ok {
		return e.Code, e.Message, e.RetryAfter, e.Permanent
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code, e.Message, e.RetryAfter, e.Code != CodeUnavailable && e.Code != CodeInternal
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return CodeUnavailable, "A leitura demorou demais.", 0, false
	}
	return CodeInternal, "Algo deu errado do nosso lado ao ler a nota.", 0, false
}

// take gives the invoice what was read, with the ledger's verdict.
func (inv *Invoice) take(result Extraction, qr *fiscal.QR, now time.Time) {
	checks := RunChecks(CheckInput{Draft: &result.Draft, QR: qr, Now: now, Cancelled: result.Record == RecordCancelled})
	confidence := Confidence(checks, result.Source)
	inv.Draft, inv.Source, inv.Checks, inv.Confidence = result.Draft, result.Source, checks, &confidence
	inv.Items = slices.Clone(inv.Items) // they get ids and products, which the provider's are not to have
	inv.Status = StatusCompleted
	if !AllPassed(checks) {
		inv.Status = StatusNeedsReview
	}
}

// record adds what a run tried, and the hashes of its pictures.
func (inv *Invoice) record(attempts []Attempt, hashes map[int][]byte) {
	for _, a := range attempts {
		a.Number, a.Run = len(inv.Attempts)+1, inv.Run
		inv.Attempts = append(inv.Attempts, a)
	}
	for i := range inv.Files {
		if h, ok := hashes[inv.Files[i].Position]; ok {
			inv.Files[i].PictureHash = h
		}
	}
}
