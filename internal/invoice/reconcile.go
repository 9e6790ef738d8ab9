package invoice

import (
	"context"
	"errors"
	"fmt"

	"github.com/mercadoesperto/smarket/internal/fiscal"
)

// Reconcile holds what run read of an invoice against the state's record, which was not there then. Where they differ the record is
// right, unless the user has corrected or confirmed the invoice by hand; what was read stays as a revision. It is what a job does;
// try counts from 1, and another try is enqueued while there is hope. nil also when there is nothing to be done any more.
func (s *Service) Reconcile(ctx context.Context, id string, run, try int) error {
	if s.Official == nil {
		return nil
	}
	inv, err := s.reconcilable(ctx, id, run)
	if err != nil || inv == nil {
		return err
	}
	contents, err := s.contents(ctx, inv)
	if err != nil {
		return err
	}
	reading, err := s.Reader.Read(ctx, contents, nil)
	if err != nil {
		return fmt.Errorf("read files again: %w", err)
	}
	if reading.QR == nil {
		return nil
	}
	started := s.Now()
	record := s.Official.Lookup(ctx, *reading.QR)
	if err := ctx.Err(); err != nil {
		return err
	}
	attempt := recordAttempt(record, started, s.Now())
	switch record.Outcome {
	case RecordFound:
		err = s.reconcile(ctx, inv, run, func(inv *Invoice) Extraction {
			return Extraction{Draft: merge(*record.Draft, inv.Draft, s.NewID), Source: SourceSefaz, Record: RecordFound}
		}, reading.QR, attempt)
	case RecordCancelled:
		err = s.reconcile(ctx, inv, run, func(inv *Invoice) Extraction {
			return Extraction{Draft: inv.Draft, Source: inv.Source, Record: RecordCancelled}
		}, reading.QR, attempt)
	case RecordNotYet, RecordUnavailable:
		return s.reconcileLater(ctx, id, run, try+1)
	case RecordCaptcha, RecordUnknownLayout, RecordRefused:
	}
	if _, ok := errors.AsType[*duplicateError](err); ok || errors.Is(err, ErrSuperseded) {
		s.Log.InfoContext(ctx, "official record left aside", "invoice_id", id, "error", err)
		return nil
	}
	return err
}

// reconcileLater enqueues another try, if one is left: recordWaits but for its first, which is for who waits.
func (s *Service) reconcileLater(ctx context.Context, id string, run, try int) error {
	return s.Store.InTx(ctx, func(ctx context.Context, tx Tx) error { return s.enqueueReconcile(ctx, tx, id, run, try) })
}

func (s *Service) enqueueReconcile(ctx context.Context, tx Tx, id string, run, try int) error {
	waits := recordWaits()[1:]
	if try > len(waits) {
		return nil
	}
	return s.Queue.EnqueueConfirmation(ctx, tx.SQL(), id, run, try, s.Now().Add(waits[try-1]))
}

// reconcilable is the invoice, if run's reading of it still stands and its files are there; nil otherwise.
func (s *Service) reconcilable(ctx context.Context, id string, run int) (inv *Invoice, err error) {
	err = s.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		inv, err = tx.Lock(ctx, "", id)
		return err
	})
	if e, ok := errors.AsType[*Error](err); ok && e.Code == CodeNotFound {
		return nil, nil //nolint:nilnil // deleted meanwhile: nothing is to be done
	}
	if err != nil {
		return nil, err
	}
	if !inv.standsAsRead(run) {
		return nil, nil //nolint:nilnil // somebody's hand or another run is newer
	}
	for _, f := range inv.Files {
		if f.RemovedAt != nil {
			return nil, nil //nolint:nilnil // as above
		}
	}
	return inv, nil
}

// standsAsRead says whether the invoice is still what run read of pictures: nobody has corrected or confirmed it.
func (inv *Invoice) standsAsRead(run int) bool {
	return inv.Run == run && (inv.Status == StatusCompleted || inv.Status == StatusNeedsReview) &&
		(inv.Source == SourceModel || inv.Source == SourceOCR) && inv.ConfirmedAt == nil
}

// reconcile gives the invoice what is made of it now, with a revision where that differs.
func (s *Service) reconcile(
	ctx context.Context, inv *Invoice, run int, result func(*Invoice) Extraction, qr *fiscal.QR, attempt Attempt,
) error {
	_, err := s.change(ctx, "", inv.ID, func(ctx context.Context, tx Tx, inv *Invoice) (Event, error) {
		if !inv.standsAsRead(run) {
			return Event{}, ErrSuperseded
		}
		extraction := result(inv)
		changes := Changes(inv.Draft, extraction.Draft)
		if len(changes) > 0 {
			if err := tx.AddRevision(ctx, inv.ID, inv.revision(s.Now())); err != nil {
				return Event{}, err
			}
		}
		claims := purchaseClaims(extraction.Draft, qr)
		if err := s.unclaim(ctx, tx, inv, claims); err != nil {
			return Event{}, err
		}
		if err := s.claim(ctx, tx, inv, claims); err != nil {
			return Event{}, err
		}
		former := inv.Status
		inv.take(extraction, qr, s.Now())
		inv.record([]Attempt{attempt}, nil)
		items := touchItems(changes)
		if items {
			inv.ItemsVersion++
		}
		follows, err := s.book(ctx, tx, inv, items || inv.Status != former)
		if err != nil {
			return Event{}, err
		}
		return s.reconciledEvent(inv, extraction.Record, len(changes), follows), nil
	})
	return err
}

func (s *Service) reconciledEvent(inv *Invoice, outcome RecordOutcome, changes int, follows bool) Event {
	stage, message := StageCompleted, "A SEFAZ confirmou esta nota."
	if inv.Status == StatusNeedsReview {
		stage = StageNeedsReview
	}
	switch {
	case outcome == RecordCancelled:
		message = "Segundo a SEFAZ, a loja cancelou esta nota."
	case changes > 0:
		message = "Os dados da SEFAZ tomaram o lugar dos que foram lidos na foto."
	}
	e := s.event(inv, stage, percentDone, message)
	e.ItemsFound, e.More = len(inv.Items), follows
	return e
}

// merge is the record, with what it does not state as it was read. Lines that are the same purchase keep their id.
func merge(record, read Draft, newID func() string) Draft {
	record.Items = append([]Item(nil), record.Items...)
	matched := sameLines(record.Items, read.Items)
	for i := range record.Items {
		it := &record.Items[i]
		it.ID = newID()
		if matched[i] < 0 {
			continue
		}
		was := read.Items[matched[i]]
		it.ID, it.Category, it.ProductID = was.ID, was.Category, was.ProductID
		if it.GTIN == "" {
			it.GTIN = was.GTIN
		}
		if it.Code == "" {
			it.Code = was.Code
		}
		if it.Discount == 0 {
			it.Discount = was.Discount
		}
		if it.UnitPrice.IsZero() {
			it.UnitPrice = was.UnitPrice
		}
	}
	if record.ConsumerCPF == "" {
		record.ConsumerCPF = read.ConsumerCPF
	}
	if record.Protocol == "" {
		record.Protocol = read.Protocol
	}
	if record.PrintedItemCount == nil {
		record.PrintedItemCount = read.PrintedItemCount
	}
	if record.Totals.Products == nil {
		record.Totals.Products = read.Totals.Products
	}
	if record.Totals.Paid == nil {
		record.Totals.Paid = read.Totals.Paid
	}
	return record
}

// sameLines tells for each line of the record which line was read of it, or -1: by their places where there are as many, and by
// amount and quantity, in order, where the reading missed or made up some.
func sameLines(record, read []Item) []int {
	matched, from := make([]int, len(record)), 0
	for i := range record {
		matched[i] = -1
		if len(record) == len(read) {
			matched[i] = i
			continue
		}
		for j := from; j < len(read); j++ {
			if read[j].Total == record[i].Total && read[j].Quantity.Equal(record[i].Quantity) {
				matched[i], from = j, j+1
				break
			}
		}
	}
	return matched
}
