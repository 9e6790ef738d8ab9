package invoice

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"
)

// MaxFiles and MaxFileBytes bound one submission.
const (
	MaxFiles     = 10
	MaxFileBytes = 20 << 20
)

// Service is the use cases of invoices. Its methods may be called from several goroutines and processes at once.
type Service struct {
	Deps
}

// Deps is what a Service works with. All but Official are needed; Preview alone does with Reader, Extractor, NewID, Now and Log.
type Deps struct {
	Store       Store
	Files       Files
	Queue       Queue
	Publisher   Publisher
	Subscriber  Subscriber
	Reader      Reader
	Extractor   Extractor
	Catalogue   Catalogue
	Analyses    Analyses
	SamePicture SamePicture
	Official    Official      // nil: no state is asked
	NewID       func() string // UUIDv7
	Now         func() time.Time
	Log         *slog.Logger
}

// NewService makes the use cases.
func NewService(d Deps) *Service { return &Service{Deps: d} }

// Invoice is one of the user's invoices. A NOT_FOUND *Error when there is none.
func (s *Service) Invoice(ctx context.Context, userID, id string) (*Invoice, error) {
	return s.Store.Invoice(ctx, userID, id)
}

// InvoicesByID are those of the user's invoices that are among ids, by id. What is not there is left out.
func (s *Service) InvoicesByID(ctx context.Context, userID string, ids []string) (map[string]*Invoice, error) {
	return s.Store.InvoicesByID(ctx, userID, ids)
}

// ItemsByID are those of the user's items that are among ids, by id. What is not there is left out.
func (s *Service) ItemsByID(ctx context.Context, userID string, ids []string) (map[string]Item, error) {
	return s.Store.ItemsByID(ctx, userID, ids)
}

// Revisions are what the user's invoices said before they were corrected or read once more, oldest first, by invoice.
func (s *Service) Revisions(ctx context.Context, userID string, invoiceIDs []string) (map[string][]Revision, error) {
	return s.Store.Revisions(ctx, userID, invoiceIDs)
}

// List is a page of the user's invoices.
func (s *Service) List(ctx context.Context, q ListQuery) (Page, error) {
	return s.Store.Invoices(ctx, q)
}

// Retry takes an invoice that failed, was cancelled or needs review back to the queue, with the files it has. allowDuplicate
// accepts it though the purchase is already there. A CONFLICT *Error when it is being worked on, is complete, or its files
// are those of another invoice or were removed.
func (s *Service) Retry(ctx context.Context, userID, id string, allowDuplicate bool) (*Invoice, error) {
	return s.change(ctx, userID, id, func(ctx context.Context, tx Tx, inv *Invoice) (Event, error) {
		if !inv.Status.CanBecome(StatusQueued) || !inv.Status.Final() {
			return Event{}, &Error{Code: CodeConflict, Message: "Esta nota não pode ser lida de novo agora."}
		}
		if slices.ContainsFunc(inv.Files, func(f File) bool { return f.RemovedAt != nil }) {
			return Event{}, &Error{Code: CodeConflict, Message: "Os arquivos desta nota já foram apagados; envie a nota de novo."}
		}
		inv.AllowDuplicate = inv.AllowDuplicate || allowDuplicate
		if !inv.AllowDuplicate {
			if holder, err := tx.Claim(ctx, userID, DuplicateSameBytes, contentHash(inv.Files), id); err != nil {
				return Event{}, err
			} else if holder != id {
				return Event{}, &Error{Code: CodeConflict, Message: "Estes arquivos já estão em outra nota."}
			}
		}
		jobID, err := s.Queue.EnqueueExtraction(ctx, tx.SQL(), id)
		if err != nil {
			return Event{}, err
		}
		inv.JobID, inv.Status, inv.Failure, inv.Duplicate = jobID, StatusQueued, nil, nil
		if _, err := s.book(ctx, tx, inv, false); err != nil { // takes it out
			return Event{}, err
		}
		return s.event(inv, StageQueued, 0, "Na fila para ser lida de novo."), nil
	})
}

// Cancel stops the extraction of an invoice. A CONFLICT *Error when none is waiting or under way.
func (s *Service) Cancel(ctx context.Context, userID, id string) (*Invoice, error) {
	return s.change(ctx, userID, id, func(ctx context.Context, tx Tx, inv *Invoice) (Event, error) {
		if inv.Status.Final() {
			return Event{}, &Error{Code: CodeConflict, Message: "A leitura desta nota já terminou."}
		}
		if err := s.Queue.CancelExtraction(ctx, tx.SQL(), inv.JobID); err != nil {
			return Event{}, err
		}
		inv.Status, inv.JobID = StatusCancelled, 0
		return s.event(inv, StageCancelled, 100, "Leitura cancelada."), tx.Release(ctx, id)
	})
}

// Delete removes an invoice, its files and its events for good.
func (s *Service) Delete(ctx context.Context, userID, id string) error {
	var files []File
	err := s.Store.InTx(ctx, func(ctx context.Context, tx Tx) error {
		inv, err := tx.Lock(ctx, userID, id)
		if err != nil {
			return err
		}
		files = inv.Files
		if inv.JobID != 0 {
			if err := s.Queue.CancelExtraction(ctx, tx.SQL(), inv.JobID); err != nil {
				return err
			}
		}
		return tx.Delete(ctx, id)
	})
	if err != nil {
		return err
	}
	s.deleteFiles(ctx, files)
	return nil
}

// change locks an invoice, lets fn decide, saves what it did with its event, and publishes the event once it is stored.
func (s *Service) change(
	ctx context.Context, userID, id string, fn func(context.Context, Tx, *Invoice) (Event, error),
) (*Invoice, error) {
	var inv *Invoice
	var event Event
	err := s.Store.InTx(ctx, func(ctx context.Context, tx Tx) (err error) {
		if inv, err = tx.Lock(ctx, userID, id); err != nil {
			return err
		}
		if event, err = fn(ctx, tx, inv); err != nil {
			return err
		}
		inv.Version++
		inv.UpdatedAt = s.Now()
		if err = tx.Save(ctx, inv); err != nil {
			return err
		}
		event, err = tx.AppendEvent(ctx, event)
		inv.EventSeq = event.Seq
		return err
	})
	if err != nil {
		return nil, err
	}
	s.Publisher.Publish(ctx, event)
	return inv, nil
}

// changeRun is change for the job that works on run: ErrSuperseded when the invoice has gone on without it.
func (s *Service) changeRun(
	ctx context.Context, id string, run int, fn func(context.Context, Tx, *Invoice) (Event, error),
) error {
	_, err := s.change(ctx, "", id, func(ctx context.Context, tx Tx, inv *Invoice) (Event, error) {
		if inv.Run != run || inv.Status.Final() {
			return Event{}, ErrSuperseded
		}
		return fn(ctx, tx, inv)
	})
	if e, ok := errors.AsType[*Error](err); ok && e.Code == CodeNotFound {
		return ErrSuperseded // deleted meanwhile
	}
	return err
}

func (s *Service) event(inv *Invoice, stage Stage, percent int, message string) Event {
	return Event{
		InvoiceID: inv.ID, UserID: inv.UserID, Stage: stage, Status: inv.Status, Percent: percent, Message: message,
		At: s.Now(),
	}
}

// deleteFiles removes blobs that no row names any more. A failure leaves garbage, not damage, so it is logged alone.
func (s *Service) deleteFiles(ctx context.Context, files []File) {
	ctx = context.WithoutCancel(ctx)
	for _, f := range files {
		if err := s.Files.Delete(ctx, f.BlobKey); err != nil {
			s.Log.WarnContext(ctx, "delete file", "file_id", f.ID, "error", err)
		}
	}
}
