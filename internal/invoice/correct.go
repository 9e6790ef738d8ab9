package invoice

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// Correct changes what was read of an invoice, checks it anew, learns what the user said of products, and keeps what it said
// before as a revision: what was printed and read is never lost, and PrintedItemCount, which is about the paper, stays. Errors
// are *Error: CONFLICT when the invoice was not read, has changed since the user saw it, or would become another one's
// duplicate; BAD_USER_INPUT with the Field to blame. Nothing is changed then.
func (s *Service) Correct(ctx context.Context, userID string, c Correction) (*Invoice, error) {
	return s.change(ctx, userID, c.InvoiceID, func(ctx context.Context, tx Tx, inv *Invoice) (Event, error) {
		if inv.Status != StatusCompleted && inv.Status != StatusNeedsReview {
			return Event{}, &Error{Code: CodeConflict, Message: "Esta nota não pode ser corrigida agora."}
		}
		if err := inv.seen(c.ExpectedVersion); err != nil {
			return Event{}, err
		}
		draft, lessons, err := c.apply(inv.Draft, s.NewID)
		if err != nil {
			return Event{}, err
		}
		changes := Changes(inv.Draft, draft)
		if len(changes) == 0 && len(lessons) == 0 {
			return Event{}, &Error{Code: CodeBadUserInput, Message: "Não há nada para corrigir."}
		}
		if err := tx.AddRevision(ctx, inv.ID, inv.revision(s.Now())); err != nil {
			return Event{}, err
		}
		if err := s.claimCorrected(ctx, tx, inv, draft); err != nil {
			return Event{}, err
		}
		former := inv.Status
		items := inv.correct(draft, changes, lessons, s.Now())
		if len(lessons) > 0 {
			if err := s.Catalogue.Teach(ctx, tx.SQL(), inv, lessons); err != nil {
				return Event{}, err
			}
		}
		follows, err := s.book(ctx, tx, inv, items || inv.Status != former)
		if err != nil {
			return Event{}, err
		}
		return s.correctedEvent(inv, follows), nil
	})
}

// Confirm takes an invoice as it is though checks fail, because the paper says so. A CONFLICT *Error unless it needs review
// and is as the user saw it.
func (s *Service) Confirm(ctx context.Context, userID, id string, expectedVersion int) (*Invoice, error) {
	return s.change(ctx, userID, id, func(ctx context.Context, tx Tx, inv *Invoice) (Event, error) {
		if inv.Status != StatusNeedsReview {
			return Event{}, &Error{Code: CodeConflict, Message: "Esta nota não está esperando conferência."}
		}
		if err := inv.seen(expectedVersion); err != nil {
			return Event{}, err
		}
		inv.Status, inv.ConfirmedAt = StatusCompleted, new(s.Now())
		follows, err := s.book(ctx, tx, inv, true)
		if err != nil {
			return Event{}, err
		}
		e := s.event(inv, StageCompleted, percentDone, "Nota confirmada por você.")
		e.ItemsFound, e.More = len(inv.Items), follows
		return e, nil
	})
}

func (s *Service) correctedEvent(inv *Invoice, follows bool) Event {
	stage, message := StageCompleted, "Nota corrigida e conferida."
	if inv.Status == StatusNeedsReview {
		stage, message = StageNeedsReview, "Correção guardada; alguns valores ainda precisam ser conferidos."
	}
	e := s.event(inv, stage, percentDone, message)
	e.ItemsFound, e.More = len(inv.Items), follows
	return e
}

// claimCorrected moves the invoice's marks to its corrected figures. Marks that stay are left alone: the one of a QR code's key
// is among them, though the draft does not have it.
func (s *Service) claimCorrected(ctx context.Context, tx Tx, inv *Invoice, corrected Draft) error {
	former, claims := purchaseClaims(inv.Draft, nil), purchaseClaims(corrected, nil)
	if err := s.unclaim(ctx, tx, inv, claims); err != nil {
		return err
	}
	claims = slices.DeleteFunc(claims, func(c claim) bool { return slices.Contains(former, c) })
	err := s.claim(ctx, tx, inv, claims)
	dup, ok := errors.AsType[*duplicateError](err)
	if !ok {
		return err
	}
	conflict := &Error{Code: CodeConflict, Message: "Esta compra já está na sua conta, em outra nota.", Cause: dup}
	if dup.Reason == DuplicateSameAccessKey {
		conflict.Field = "accessKey"
	}
	return conflict
}

// seen refuses a change of what the user has not seen.
func (inv *Invoice) seen(version int) error {
	if inv.Version != version {
		return &Error{Code: CodeConflict, Field: "expectedVersion", Message: "A nota mudou desde que você a abriu."}
	}
	return nil
}

func (inv *Invoice) revision(now time.Time) Revision {
	return Revision{Version: inv.Version, Source: inv.Source, Draft: inv.Draft, ChangedAt: now}
}

// correct gives the invoice what the user says, with the ledger's new verdict. A confirmation stands as long as no figure that
// the ledger looks at changes. items says that lines changed, or what they are.
func (inv *Invoice) correct(draft Draft, changes []FieldChange, lessons []Lesson, now time.Time) (items bool) {
	items = len(lessons) > 0 || touchItems(changes)
	for _, c := range changes {
		switch c.Field {
		case "issuer.name", "items.description", "items.unit": // words
		default:
			inv.ConfirmedAt = nil
		}
	}
	if items {
		inv.ItemsVersion++
	}
	if len(changes) > 0 {
		inv.Source = SourceManual
	}
	inv.Draft = draft
	inv.Checks = RunChecks(CheckInput{Draft: &inv.Draft, Former: inv.Checks, Now: now})
	confidence := Confidence(inv.Checks, inv.Source)
	inv.Confidence = &confidence
	inv.Status = StatusCompleted
	if !AllPassed(inv.Checks) && inv.ConfirmedAt == nil {
		inv.Status = StatusNeedsReview
	}
	return items
}

// touchItems says whether a change is about lines.
func touchItems(changes []FieldChange) bool {
	return slices.ContainsFunc(changes, func(c FieldChange) bool { return c.Field == "items" || strings.HasPrefix(c.Field, "items.") })
}
