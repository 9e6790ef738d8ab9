package invoice

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxIdempotencyKey bounds what a client may use, in bytes.
const maxIdempotencyKey = 200

// SubmitInput is one purchase: its files, in order, or its code or its key.
type SubmitInput struct {
	UserID  string
	Uploads []Upload
	// QRCode is the text of the note's QR code, which may name the consumer: it is taken apart, and never kept as it is.
	QRCode string
	// AccessKey is the note's key, blanks between its groups or not.
	AccessKey string
	// IdempotencyKey makes a repeated submission answer what the first one did. "" for none.
	IdempotencyKey string
	AllowDuplicate bool
}

// Upload is one file as it comes in.
type Upload struct {
	Content io.Reader
}

// Submission is the answer to a submission.
type Submission struct {
	Invoice *Invoice
	// Duplicate is set when the purchase was already there: Invoice is then the existing one and nothing was stored.
	Duplicate *Duplicate
}

// Submit accepts one purchase. When it returns without an error the invoice and its job are durable, or an
// existing invoice is named. Errors are *Error: BAD_USER_INPUT, UNSUPPORTED_MEDIA, TOO_LARGE, and UNAVAILABLE for a code where no state
// is asked; nothing is stored then.
func (s *Service) Submit(ctx context.Context, in SubmitInput) (Submission, error) {
	if err := checkSubmission(in); err != nil {
		return Submission{}, err
	}
	now := s.Now()
	inv := &Invoice{
		ID: s.NewID(), UserID: in.UserID, Status: StatusQueued, Version: 1, AllowDuplicate: in.AllowDuplicate,
		IdempotencyKey: in.IdempotencyKey, CreatedAt: now, UpdatedAt: now,
	}
	claims, err := s.storeInput(ctx, inv, in)
	if err == nil {
		err = s.insert(ctx, inv, claims)
	}
	if unknown, ok := errors.AsType[*unknownError](err); ok {
		return s.afterUnknown(ctx, inv, unknown)
	}
	if err != nil {
		s.deleteFiles(ctx, inv.Files)
		return s.answerExisting(ctx, in, inv, err)
	}
	return Submission{Invoice: inv}, nil
}

// unknownError says that the database went away while it committed: what was to be stored may be.
type unknownError struct{ cause error }

func (e *unknownError) Error() string { return "commit: " + e.cause.Error() }
func (e *unknownError) Unwrap() error { return e.cause }

// afterUnknown answers with what the database says now. The files stay when it says nothing, or not yet: a row without its files
// is a lost purchase, and files without their row are found by the sweep.
func (s *Service) afterUnknown(ctx context.Context, inv *Invoice, cause error) (Submission, error) {
	if stored, err := s.Store.Invoice(ctx, inv.UserID, inv.ID); err == nil {
		return Submission{Invoice: stored}, nil
	}
	return Submission{}, cause
}

func checkSubmission(in SubmitInput) error {
	given := 0
	for _, is := range []bool{len(in.Uploads) > 0, in.QRCode != "", in.AccessKey != ""} {
		if is {
			given++
		}
	}
	switch {
	case given == 0:
		return &Error{Code: CodeBadUserInput, Field: "files", Message: "Envie pelo menos um arquivo, ou o QR code ou a chave da nota."}
	case given > 1:
		return &Error{Code: CodeBadUserInput, Message: "Envie só um: os arquivos, o QR code ou a chave da nota."}
	case len(in.Uploads) > MaxFiles:
		return &Error{
			Code: CodeBadUserInput, Field: "files", Message: fmt.Sprintf("Envie no máximo %d arquivos por nota.", MaxFiles),
		}
	case len(in.IdempotencyKey) > maxIdempotencyKey:
		return &Error{
			Code: CodeBadUserInput, Field: "idempotencyKey",
			Message: fmt.Sprintf("A chave de idempotência passa de %d caracteres.", maxIdempotencyKey),
		}
	}
	return nil
}

// claim is a mark of a purchase that no other invoice of the user may carry.
type claim struct {
	kind  DuplicateReason
	value string
}

// storeInput puts what was submitted where the job finds it.
func (s *Service) storeInput(ctx context.Context, inv *Invoice, in SubmitInput) ([]claim, error) {
	if len(in.Uploads) > 0 {
		return s.storeFiles(ctx, inv, in.Uploads)
	}
	qr, err := s.parseCode(in.QRCode, in.AccessKey)
	if err != nil {
		return nil, err
	}
	data := []byte(qr.Record())
	sum := sha256.Sum256(data)
	f := File{ID: s.NewID(), Kind: FileQR, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
	f.BlobKey = inv.UserID + "/" + inv.ID + "/" + f.ID
	inv.Files = append(inv.Files, f)
	if err := s.Files.Put(ctx, f.BlobKey, bytes.NewReader(data)); err != nil {
		return nil, fmt.Errorf("store code: %w", err)
	}
	// The key first: another code of the same note is the same purchase for that reason.
	return []claim{{DuplicateSameAccessKey, string(qr.Key)}, {DuplicateSameBytes, contentHash(inv.Files)}}, nil
}

// storeFiles reads the uploads one at a time, refuses what would not be read, and puts the rest where the job finds it.
// inv.Files names what was stored, on failure too.
func (s *Service) storeFiles(ctx context.Context, inv *Invoice, uploads []Upload) ([]claim, error) {
	var claims []claim
	for i, up := range uploads {
		field := fmt.Sprintf("files.%d", i)
		data, err := io.ReadAll(io.LimitReader(up.Content, MaxFileBytes+1))
		if err != nil {
			return nil, &Error{Code: CodeBadUserInput, Field: field, Message: "O arquivo chegou incompleto.", Cause: err}
		}
		if len(data) > MaxFileBytes {
			return nil, &Error{Code: CodeTooLarge, Field: field, Message: "O arquivo passa de 20 MB."}
		}
		seen, err := s.Reader.Inspect(ctx, data)
		if err != nil {
			if e, ok := errors.AsType[*Error](err); ok {
				named := *e
				named.Field = field
				return nil, &named
			}
			return nil, err
		}
		if seen.AccessKey != "" {
			claims = append(claims, claim{DuplicateSameAccessKey, seen.AccessKey})
		}
		sum := sha256.Sum256(data) // of what was sent: sent again, it is known again
		if seen.Clean != nil {
			data = seen.Clean
		}
		f := File{
			ID: s.NewID(), Position: i, Kind: seen.Kind, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:]),
		}
		f.BlobKey = inv.UserID + "/" + inv.ID + "/" + f.ID
		inv.Files = append(inv.Files, f)
		if err := s.Files.Put(ctx, f.BlobKey, bytes.NewReader(data)); err != nil {
			return nil, fmt.Errorf("store file %d: %w", i, err)
		}
	}
	return append([]claim{{DuplicateSameBytes, contentHash(inv.Files)}}, claims...), nil
}

// contentHash identifies the bytes of all files in their order.
func contentHash(files []File) string {
	h := sha256.New()
	for _, f := range files {
		h.Write([]byte(f.SHA256))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// duplicateError leaves a transaction because the purchase is already there.
type duplicateError struct{ Duplicate }

func (e *duplicateError) Error() string {
	return "duplicate of " + e.InvoiceID + ": " + string(e.Reason)
}

// insert stores the invoice, its job and its first event in one transaction: neither can exist without the others.
func (s *Service) insert(ctx context.Context, inv *Invoice, claims []claim) error {
	var event Event
	whole := false
	err := s.Store.InTx(ctx, func(ctx context.Context, tx Tx) (err error) {
		if inv.JobID, err = s.Queue.EnqueueExtraction(ctx, tx.SQL(), inv.ID); err != nil {
			return err
		}
		if err = tx.Insert(ctx, inv); err != nil {
			return err
		}
		if err = s.claim(ctx, tx, inv, claims); err != nil {
			return err
		}
		event, err = tx.AppendEvent(ctx, s.event(inv, StageQueued, 0, "Recebida, na fila."))
		inv.EventSeq = event.Seq
		whole = err == nil
		return err
	})
	if err != nil && whole {
		return &unknownError{err}
	}
	if err != nil {
		return err
	}
	s.Publisher.Publish(ctx, event)
	return nil
}

// claim marks the purchase as inv's, unless the user wants duplicates; a *duplicateError names who was first.
func (s *Service) claim(ctx context.Context, tx Tx, inv *Invoice, claims []claim) error {
	if inv.AllowDuplicate {
		return nil
	}
	for _, c := range claims {
		holder, err := tx.Claim(ctx, inv.UserID, c.kind, c.value, inv.ID)
		if err != nil {
			return err
		}
		if holder != inv.ID {
			return &duplicateError{Duplicate{Reason: c.kind, InvoiceID: holder}}
		}
	}
	return nil
}

// unclaim frees the marks that the invoice's draft has and claims do not name.
func (s *Service) unclaim(ctx context.Context, tx Tx, inv *Invoice, claims []claim) error {
	for _, c := range purchaseClaims(inv.Draft, nil) {
		if slices.Contains(claims, c) {
			continue
		}
		if err := tx.Unclaim(ctx, inv.UserID, c.kind, c.value, inv.ID); err != nil {
			return err
		}
	}
	return nil
}

// answerExisting turns a submission that was refused because its purchase or its idempotency key is already there into the
// answer that names the existing invoice. Other errors stay.
func (s *Service) answerExisting(ctx context.Context, in SubmitInput, refused *Invoice, err error) (Submission, error) {
	if in.IdempotencyKey != "" && len(refused.Files) == max(len(in.Uploads), 1) {
		// First: a repeated submission is the same bytes too, but no duplicate.
		prior, findErr := s.Store.InvoiceByIdempotencyKey(ctx, in.UserID, in.IdempotencyKey)
		if findErr != nil {
			return Submission{}, findErr
		}
		if prior != nil && contentHash(prior.Files) != contentHash(refused.Files) {
			return Submission{}, &Error{
				Code: CodeConflict, Field: "idempotencyKey", Message: "A chave de idempotência já foi usada com outros arquivos.",
			}
		}
		if prior != nil {
			return Submission{Invoice: prior}, nil
		}
	}
	dup, ok := errors.AsType[*duplicateError](err)
	if !ok {
		return Submission{}, err
	}
	existing, err := s.Store.Invoice(ctx, in.UserID, dup.InvoiceID)
	if err != nil {
		return Submission{}, err
	}
	return Submission{Invoice: existing, Duplicate: &dup.Duplicate}, nil
}
